//! The error of the crate and its stable codes.

/// Kinds of errors, as the application sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// An option has a value that cannot work.
    Options,
    /// The database cannot be opened or reached.
    Connection,
    /// The table is missing, or cannot be used for sessions.
    Table,
    /// A connection or an answer took too long.
    Timeout,
    /// More operations are pending than the queue may hold.
    QueueFull,
    /// The store is closed.
    Closed,
    /// Any other error of the database.
    Database,
    /// The session cannot be stored.
    Data,
    /// A bug in this package.
    Internal,
}

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
            Self::Data => "ERR_SESSION_DATA",
            Self::Internal => "ERR_SESSION_INTERNAL",
        }
    }
}

/// What a lane can do about an error before it reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing: the whole batch has failed.
    None,
    /// Run the same statements again in a moment, after a lock, a deadlock or a serialization failure.
    Retry,
    /// Drop the connection. The batch has failed.
    Discard,
    /// Run the same statements again on another connection.
    Reconnect,
    /// The server accepts no writes, at least for now: drop all connections to it, and run the same statements again where
    /// writes are accepted.
    Leave,
    /// Drop the connection, whose statement may still run, and begin nothing else before that has ended. The batch has
    /// failed.
    Abandon,
    /// Run the operations one by one, since the data of one row may have caused the error.
    Isolate,
}

/// The database's own error.
#[derive(Debug, Clone)]
pub struct Cause {
    /// `SQLSTATE`, error number or extended result code.
    pub code: Option<String>,
    /// The driver's message.
    pub message: String,
}

/// An error with a code for the application and a remedy for the lane.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    pub kind: ErrorKind,
    pub remedy: Remedy,
    pub message: String,
    pub cause: Option<Cause>,
}

impl StoreError {
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
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

    /// The code that the database gave. `None` if it said nothing.
    pub fn server_code(&self) -> Option<&str> {
        self.cause.as_ref()?.code.as_deref()
    }

    pub fn options(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Options, message)
    }

    pub fn table(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Table, message)
    }

    pub fn closed() -> Self {
        Self::new(ErrorKind::Closed, "the session store is closed")
    }
}

pub type Result<T, E = StoreError> = std::result::Result<T, E>;
