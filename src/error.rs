//! The one error of the crate and its stable codes.

use std::fmt;

/// What went wrong, as an application tells errors apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// An option has a value that cannot work.
    Options,
    /// The database cannot be opened or reached.
    Connection,
    /// The table is missing, or cannot serve as a session table.
    Table,
    /// A connection or an answer took too long.
    Timeout,
    /// More is pending than the queue may hold.
    QueueFull,
    /// The store was closed.
    Closed,
    /// Anything else that the database says.
    Database,
    /// A defect of this crate.
    Internal,
}

pub type Kind = ErrorKind;

impl ErrorKind {
    /// The `code` of the JavaScript error. Never `ENOENT`, which express-session reads as "no such session".
    pub fn code(self) -> &'static str {
        match self {
            Self::Options => "ERR_SESSION_OPTIONS",
            Self::Connection => "ERR_SESSION_CONNECTION",
            Self::Table => "ERR_SESSION_TABLE",
            Self::Timeout => "ERR_SESSION_TIMEOUT",
            Self::QueueFull => "ERR_SESSION_QUEUE_FULL",
            Self::Closed => "ERR_SESSION_CLOSED",
            Self::Database => "ERR_SESSION_DATABASE",
            Self::Internal => "ERR_SESSION_INTERNAL",
        }
    }
}

/// What a lane can do about an error before it tells the callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing helps: the whole batch has failed.
    None,
    /// The same statement may well succeed in a moment (a lock, a deadlock, a serialization failure).
    Retry,
    /// Nothing helps now, and the connection is not to be used again.
    Discard,
    /// The connection is gone; the same statement may succeed on another one.
    Reconnect,
    /// The data of one row may be to blame: run the operations one by one.
    Isolate,
}

/// The database's own words.
#[derive(Debug, Clone)]
pub struct Cause {
    /// `SQLSTATE`, error number or extended result code.
    pub code: Option<String>,
    /// The driver's message.
    pub message: String,
}

/// An error with a code for the application and a remedy for the lane.
#[derive(Debug, Clone, thiserror::Error)]
pub struct StoreError {
    pub kind: ErrorKind,
    pub remedy: Remedy,
    pub message: String,
    pub cause: Option<Cause>,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StoreError {
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            remedy: Remedy::None,
            message: message.into(),
            cause: None,
        }
    }

    pub fn with_remedy(mut self, remedy: Remedy) -> Self {
        self.remedy = remedy;
        self
    }

    pub fn with_cause(mut self, cause: Cause) -> Self {
        self.cause = Some(cause);
        self
    }

    pub fn options(message: impl Into<String>) -> Self {
        Self::new(Kind::Options, message)
    }

    pub fn table(message: impl Into<String>) -> Self {
        Self::new(Kind::Table, message)
    }

    pub fn closed() -> Self {
        Self::new(Kind::Closed, "the session store is closed")
    }
}

pub type Result<T, E = StoreError> = std::result::Result<T, E>;
