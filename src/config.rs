//! The checked settings of a store. Defaults live in `lib/options.js` only: every value is given.

use std::time::Duration;

/// Everything a store needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    pub connection: ConnectionConfig,
    pub table: TableConfig,
    pub pool: PoolConfig,
    pub queue: QueueConfig,
}

/// How to reach the database.
#[derive(Debug, Clone)]
pub struct ConnectionConfig {
    /// Database URL. May hold a password: never to be shown.
    pub url: String,
    /// Keep prepared statements on a connection. Poolers that give every transaction another connection break them.
    pub prepared_statements: bool,
    /// Another copy of SQLite has the file open in this process.
    pub shared_file: bool,
}

/// Which table, and what its columns are called.
#[derive(Debug, Clone)]
pub struct TableConfig {
    /// PostgreSQL schema or MySQL database, if not the connection's own.
    pub schema: Option<String>,
    pub name: String,
    /// What the table may look like, by preference; a new one is like the first. Never empty.
    pub layouts: Vec<Convention>,
    pub columns: ColumnNames,
    /// Minutes east of UTC in which dates without a zone are kept.
    pub utc_offset_minutes: i32,
    /// Create the table if it is missing.
    pub create: bool,
}

/// How a session store lays out its table: what it calls the columns, and what it puts in them where the type of a column
/// leaves that open.
#[derive(Debug, Clone)]
pub struct Convention {
    pub sid: String,
    pub expires: String,
    pub data: String,
    pub instants: Instants,
    pub json: Json,
    /// A new table has the data before the expiry.
    pub data_first: bool,
    /// A new table has `createdAt` and `updatedAt`.
    pub timestamps: bool,
}

pub type Layout = Convention;

/// How a session store keeps instants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instants {
    /// As Sequelize does.
    Date,
    /// A date without a zone, where the database has such.
    Local,
    /// Seconds since the Unix epoch.
    Seconds,
    /// Where the database has no dates, text as JavaScript's `toISOString` makes it.
    Iso,
}

/// What a session store makes of JSON columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Json {
    /// A new table keeps sessions as text; an existing column of JSON holds them as objects.
    Unused,
    /// The same, but an existing column of JSON holds the text of a session as one JSON string: connect-session-sequelize
    /// encodes twice.
    Strings,
    /// A new table keeps sessions as JSON.
    Objects,
}

/// Column names as the caller gave them.
#[derive(Debug, Clone, Default)]
pub struct ColumnNames {
    pub sid: ColumnName,
    pub expires: ColumnName,
    pub data: ColumnName,
    pub created_at: ColumnName,
    pub updated_at: ColumnName,
    pub deleted_at: ColumnName,
}

impl TableConfig {
    /// What a new table looks like.
    pub fn convention(&self) -> &Convention {
        &self.layouts[0]
    }

    /// The name as a person reads it.
    pub fn full_name(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{schema}.{}", self.name),
            None => self.name.clone(),
        }
    }
}

/// The caller's word on one column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ColumnName {
    /// Nothing was said: look at the table.
    #[default]
    Found,
    /// This name.
    Named(String),
    /// The table has none.
    Absent,
}

/// Bounds of the connection pool.
#[derive(Debug, Clone)]
pub struct PoolConfig {
    pub max: u32,
    pub acquire_timeout: Duration,
    /// How long the reading or writing of sessions may take.
    pub query_timeout: Duration,
    pub idle_timeout: Duration,
    pub max_lifetime: Duration,
}

/// Bounds of what may be pending.
#[derive(Debug, Clone)]
pub struct QueueConfig {
    pub max_operations: usize,
    pub max_bytes: usize,
}

impl ColumnName {
    /// The name that a new column gets.
    pub fn or<'a>(&'a self, default: &'a str) -> Option<&'a str> {
        match self {
            Self::Found => Some(default),
            Self::Named(name) => Some(name),
            Self::Absent => None,
        }
    }
}

/// Which lanes there are to choose from.
#[derive(Debug, Clone, Copy)]
pub struct Lanes {
    /// Lanes that only read; with none, the first writing lane reads too.
    pub readers: usize,
    /// Writing lanes; a session always goes to the same one.
    pub writers: usize,
    /// A lane for calls about the whole table; without it, the first writing lane does them.
    pub table: bool,
    /// Pruning goes through the first writing lane, for databases with a single writer.
    pub prune_as_writer: bool,
}

impl Lanes {
    /// Lanes for a database server: as many readers as writers, and one for the whole table.
    pub fn of_server(connections: u32) -> Self {
        let connections = connections.max(1) as usize;
        let table = connections > 2;
        let both = connections - usize::from(table);
        Self {
            readers: both / 2,
            writers: both - both / 2,
            table,
            prune_as_writer: false,
        }
    }
}
