//! What a caller asks of the store, and what it gets back.

use std::time::Instant;

use crate::error::StoreError;
use crate::timestamp::Timestamp;

/// The caller's number for one call; it comes back with the outcome.
pub type Ticket = u32;

/// One call on its way through the queue.
#[derive(Debug)]
pub struct Operation {
    pub ticket: Ticket,
    pub call: Call,
    /// When the caller called.
    pub since: Instant,
}

impl Operation {
    /// A call that is made now.
    pub fn new(ticket: Ticket, call: Call) -> Self {
        Self {
            ticket,
            call,
            since: Instant::now(),
        }
    }
}

/// The verbs of the store.
#[derive(Debug)]
pub enum Call {
    /// Read one live session.
    Get { sid: String },
    /// Write one session.
    Set { sid: String, row: Row },
    /// Move the expiry of a live session. An expired one stays expired, a missing one stays missing.
    Touch { sid: String, expires: Timestamp },
    /// Remove one session; that there is none is a success.
    Destroy { sid: String },
    /// Count the live sessions.
    Length,
    /// Read the live sessions that follow `after` in the order of their ids.
    Page {
        after: Option<String>,
        limit: u32,
        with_data: bool,
    },
    /// Remove every session.
    Clear,
    /// Remove the expired sessions, chunk by chunk.
    Prune(Prune),
    /// Make the table if it is missing; with `force`, drop it first.
    Sync { force: bool },
}

impl Call {
    /// The session that this call is about; `None` for those about the whole table.
    pub fn sid(&self) -> Option<&str> {
        match self {
            Self::Get { sid }
            | Self::Set { sid, .. }
            | Self::Touch { sid, .. }
            | Self::Destroy { sid } => Some(sid),
            Self::Length | Self::Page { .. } | Self::Clear | Self::Prune(_) | Self::Sync { .. } => {
                None
            }
        }
    }

    /// What this call occupies while it waits, in bytes, near enough for a limit.
    pub fn bytes(&self) -> usize {
        let row = match self {
            Self::Set { row, .. } => {
                row.data.len() + row.extra.iter().map(Extra::bytes).sum::<usize>()
            }
            _ => 0,
        };
        size_of::<Operation>() + self.sid().map_or(0, str::len) + row
    }
}

/// How far a pruning run has come.
#[derive(Debug, Clone, Default)]
pub struct Prune {
    pub removed: u64,
    /// Where the next chunk begins, in the table's own terms.
    pub cursor: Option<String>,
}

/// What is written of a session.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub data: String,
    pub expires: Timestamp,
    /// The session was read from the table before: if it is gone by now, it was destroyed, and stays so.
    pub loaded: bool,
    /// The application's own columns.
    pub extra: Vec<Extra>,
}

/// One of the application's own columns with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Extra {
    pub column: String,
    pub value: Value,
}

impl Extra {
    pub fn bytes(&self) -> usize {
        let value = match &self.value {
            Value::Text(text) | Value::Json(text) => text.len(),
            Value::Blob(bytes) => bytes.len(),
            _ => size_of::<Value>(),
        };
        self.column.len() + value
    }
}

/// A value that JavaScript can give to a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
    Date(Timestamp),
    /// A plain object or array, as JSON text.
    Json(String),
}

/// One write to one session.
#[derive(Debug, Clone, Copy)]
pub struct Write<'a> {
    pub sid: &'a str,
    pub effect: Effect<'a>,
}

/// What a write does to its row.
#[derive(Debug, Clone, Copy)]
pub enum Effect<'a> {
    /// Insert the row, or replace what is there.
    Upsert {
        data: &'a str,
        expires: Timestamp,
        extra: &'a [Extra],
    },
    /// Replace what is there; if the row is gone, leave it so.
    Update {
        data: &'a str,
        expires: Timestamp,
        extra: &'a [Extra],
    },
    /// Move the expiry of a row that is live.
    Touch { expires: Timestamp },
    /// Delete the row, if there is one.
    Destroy,
}

impl<'a> Effect<'a> {
    /// The application's own columns, for the effects that write them.
    pub fn extra(&self) -> Option<&'a [Extra]> {
        match self {
            Self::Upsert { extra, .. } | Self::Update { extra, .. } => Some(extra),
            Self::Touch { .. } | Self::Destroy => None,
        }
    }
}

/// A stored session as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The text of the data column; `None` for NULL or for what is not text.
    pub data: Option<String>,
    pub expires: Expires,
}

/// A part of the sessions.
#[derive(Debug, Default)]
pub struct Page {
    /// Session ids, each with its data if that was asked for.
    pub sessions: Vec<(String, Option<String>)>,
    /// There may be more behind.
    pub full: bool,
}

/// The expires column as it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expires {
    At(Timestamp),
    /// NULL: the session never expires, as with connect-session-sequelize.
    Never,
    /// Not a date in any known form; such a row is treated as absent.
    Unreadable,
}

/// What becomes of a call.
#[derive(Debug)]
pub enum Outcome {
    Done,
    /// There is no such live session.
    Missing,
    /// There is such a row, but its expiry or data cannot be read; to the caller it is missing.
    Unreadable,
    Session {
        data: String,
        expires: Option<Timestamp>,
    },
    Count(u64),
    Page(Page),
    Failed(StoreError),
    /// Not an end: the pruning run has another chunk to do. Never leaves the queue.
    Unfinished(Prune),
}
