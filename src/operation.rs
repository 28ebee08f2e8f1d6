//! Operations on the store and their outcomes: plain data that all layers pass on.

use std::sync::Arc;
use std::time::Instant;

use crate::error::StoreError;
use crate::timestamp::Timestamp;

/// The caller's number for an operation; its outcome carries the same number.
pub type Ticket = u32;

/// One call on its way through the queue.
#[derive(Debug)]
pub struct Operation {
    pub ticket: Ticket,
    pub call: Call,
    /// When the call was made, by the clock of JavaScript: the only clock that says whether a session is live.
    pub now: Timestamp,
    /// When the call was made, for time limits.
    pub since: Instant,
}

impl Operation {
    /// A call made at this moment, which is `now` by the clock of JavaScript.
    pub fn new(ticket: Ticket, call: Call, now: Timestamp) -> Self {
        Self {
            ticket,
            call,
            now,
            since: Instant::now(),
        }
    }
}

/// A call to the store.
#[derive(Debug)]
pub enum Call {
    /// On one session.
    Session { sid: String, call: SessionCall },
    /// On the whole table.
    Table(TableCall),
}

/// A call on one session.
#[derive(Debug)]
pub enum SessionCall {
    /// Reads the session if it is live.
    Get,
    /// Writes the session.
    Set(Row),
    /// Moves the expiry of the session if it is live; an expired or missing one stays so.
    Touch {
        expires: Timestamp,
        /// The session is left alone if it expires after this time, but not after `expires`.
        unless_after: Option<Timestamp>,
    },
    /// Removes the session. Succeeds if there is none.
    Destroy,
}

/// A call on the whole table.
#[derive(Debug)]
pub enum TableCall {
    /// Counts the live sessions.
    Length,
    /// Reads live sessions in the order of their ids.
    Page(PageRequest),
    /// Removes every session.
    Clear,
    /// Removes the expired sessions, chunk by chunk.
    Prune(PruneProgress),
    /// Creates the table if it is missing; with `force`, drops it first.
    Sync { force: bool },
}

impl Call {
    /// The session and what to do with it, for a call on one session.
    pub fn session(&self) -> Option<(&str, &SessionCall)> {
        match self {
            Self::Session { sid, call } => Some((sid, call)),
            Self::Table(_) => None,
        }
    }

    /// Whether this call changes the table.
    pub fn writes(&self) -> bool {
        match self {
            Self::Session { call, .. } => !matches!(call, SessionCall::Get),
            Self::Table(call) => call.writes(),
        }
    }

    /// Whether this call waits for everything called before it, and everything called after it waits for this call.
    pub fn is_fence(&self) -> bool {
        match self {
            Self::Session { .. } => false,
            Self::Table(call) => match call {
                TableCall::Clear | TableCall::Sync { .. } => true,
                TableCall::Length | TableCall::Page(_) | TableCall::Prune(_) => false,
            },
        }
    }

    /// Memory that this call occupies while it waits, in bytes. Approximate, for limits only.
    pub fn bytes(&self) -> usize {
        let content = match self.session() {
            Some((sid, SessionCall::Set(row))) => sid.len() + row.bytes(),
            Some((sid, _)) => sid.len(),
            None => 0,
        };
        size_of::<Operation>() + content
    }
}

impl TableCall {
    /// Whether this call changes the table.
    pub fn writes(&self) -> bool {
        match self {
            Self::Length | Self::Page(_) => false,
            Self::Clear | Self::Prune(_) | Self::Sync { .. } => true,
        }
    }
}

/// Which live sessions to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// Only sessions whose ids are greater than this one, given as the bytes of the database.
    pub after: Option<Vec<u8>>,
    /// Number of sessions at most.
    pub limit: u32,
    /// Read the data of the sessions too.
    pub with_data: bool,
}

/// The state of a pruning run between two chunks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PruneProgress {
    /// Sessions removed so far.
    pub removed: u64,
    /// Where the next chunk begins, in the table's own terms.
    pub cursor: Option<String>,
}

impl PruneProgress {
    /// The state after one more chunk, in which `removed` sessions were removed.
    pub fn after(&self, removed: u64, cursor: Option<String>) -> Self {
        Self {
            removed: self.removed + removed,
            cursor,
        }
    }
}

/// The content of a session to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub data: String,
    pub expires: Timestamp,
    /// A later expiry of the row stays: the application has not changed that of the session since it was loaded.
    pub keep_later: bool,
    /// Until this time, only an existing row is replaced. For a loaded session, the time at which its row was to expire:
    /// if the row is gone earlier, the session was destroyed and must stay so. [`Timestamp::MIN`] for a new session.
    pub update_until: Timestamp,
    /// The application's own columns.
    pub extra: Vec<Extra>,
}

impl Row {
    fn bytes(&self) -> usize {
        self.data.len() + self.extra.iter().map(Extra::bytes).sum::<usize>()
    }
}

/// One of the application's own columns with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Extra {
    pub column: String,
    pub value: Value,
}

impl Extra {
    /// Memory that this column occupies, in bytes. Approximate, for limits only.
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
    /// Replaces the row, or inserts it.
    Save {
        data: &'a str,
        expires: Timestamp,
        extra: &'a [Extra],
        /// A later expiry of an existing row stays. Only for saves that replace.
        keep_later: bool,
        /// Until this time, the row is only replaced; from then on, it is inserted if it is missing.
        update_until: Timestamp,
    },
    /// Moves the expiry of the row if it is live.
    Touch {
        expires: Timestamp,
        /// The row is left alone if it expires after this time, but not after `expires`.
        unless_after: Option<Timestamp>,
    },
    /// Deletes the row, if there is one.
    Destroy,
}

/// A row as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The text of the data column; `None` if it is NULL or not text.
    pub data: Option<String>,
    pub expires: Expires,
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

impl Expires {
    /// The instant, if there is one.
    pub fn at(self) -> Option<Timestamp> {
        match self {
            Self::At(at) => Some(at),
            Self::Never | Self::Unreadable => None,
        }
    }
}

impl Stored {
    /// Memory that this row occupies, in bytes. Approximate, for limits only.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.data.as_ref().map_or(0, String::len)
    }
}

/// Some of the live sessions.
#[derive(Debug, Clone, Default)]
pub struct Page {
    pub sessions: Vec<Listed>,
    /// The id of the last row that was read, if there may be more rows. It does not have to be text.
    pub next: Option<Vec<u8>>,
}

impl Page {
    /// Memory that this page occupies, in bytes. Approximate, for limits only.
    pub fn bytes(&self) -> usize {
        self.sessions.iter().map(Listed::bytes).sum()
    }
}

/// One of the live sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub sid: String,
    /// `None` if the data was not requested, or is not text.
    pub data: Option<String>,
    /// `None` if the session never expires, or the data was not requested.
    pub expires: Option<Timestamp>,
}

impl Listed {
    /// Memory that this session occupies, in bytes. Approximate, for limits only.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.sid.len() + self.data.as_ref().map_or(0, String::len)
    }
}

/// What becomes of an operation.
#[derive(Debug, Clone)]
pub enum Outcome {
    Done,
    /// There is no such live session.
    Missing,
    /// The row exists, but its expiry or data cannot be read; to the caller it is missing.
    Unreadable,
    Session {
        /// Shared by all calls that the same row answers.
        data: Arc<String>,
        /// `None` if the session never expires.
        expires: Option<Timestamp>,
    },
    Count(u64),
    Page(Page),
    Failed(StoreError),
    /// The caller has the outcome already.
    Delivered,
}

impl Outcome {
    /// Memory that this outcome occupies, in bytes. Approximate, for limits only.
    pub fn bytes(&self) -> usize {
        let content = match self {
            Self::Session { data, .. } => data.len(),
            Self::Page(page) => page.bytes(),
            _ => 0,
        };
        size_of::<(Ticket, Self)>() + content
    }
}
