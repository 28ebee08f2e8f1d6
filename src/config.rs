//! The settings of a store, checked in JavaScript. There are no defaults here: every value is given.

use std::time::Duration;

/// All settings of a store.
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
    /// Database URL. It may hold a password, so it must never be shown.
    pub url: String,
    /// Keep prepared statements on a connection. False for poolers that may use another connection for each transaction.
    pub prepared_statements: bool,
    /// Another copy of SQLite has the file open in this process.
    pub shared_file: bool,
    /// On a cluster that may serve a read from a member that has not applied the last writes yet, reads wait for them.
    pub causal_reads: bool,
    /// The permissions of a new database file.
    pub file_mode: u32,
}

/// The table, and the names of its columns.
#[derive(Debug, Clone)]
pub struct TableConfig {
    /// PostgreSQL schema or MySQL database, if not the connection's own.
    pub schema: Option<String>,
    pub name: String,
    /// The supported layouts, most preferred first; a new table gets the first. Never empty.
    pub layouts: Vec<Layout>,
    pub columns: ColumnNames,
    /// The zone of dates without a zone, in minutes east of UTC.
    pub utc_offset_minutes: i32,
    /// Create the table if it is missing.
    pub create: bool,
    /// Use only statements that all relatives of the database take. If this is not said, the server decides.
    pub portable: Option<bool>,
}

/// How a session store lays out its table: the names of the columns, and their contents where the type of a column leaves
/// that open.
#[derive(Debug, Clone)]
pub struct Layout {
    pub sid: String,
    pub expires: String,
    pub data: String,
    pub instants: Instants,
    pub json: Json,
    /// In a new table, the data precedes the expiry.
    pub data_first: bool,
    /// A new table has `createdAt` and `updatedAt`.
    pub timestamps: bool,
}

/// How a session store writes instants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instants {
    /// As Sequelize writes them.
    Date,
    /// As dates without a zone, if the database has such a type.
    Local,
    /// As seconds since the Unix epoch.
    Seconds,
    /// As text like that of JavaScript's `toISOString`, if the database has no type for dates.
    Iso,
}

/// How a session store uses JSON columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Json {
    /// A new table keeps sessions as text. An existing JSON column holds them as objects.
    Unused,
    /// A new table keeps sessions as text. An existing JSON column holds the text of a session as one JSON string:
    /// connect-session-sequelize encodes twice.
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
    /// The layout of a new table.
    pub fn preferred_layout(&self) -> &Layout {
        &self.layouts[0]
    }

    /// The name with its schema, for messages.
    pub fn full_name(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{schema}.{}", self.name),
            None => self.name.clone(),
        }
    }
}

/// The name of one column as the caller gave it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ColumnName {
    /// Not given: the column is found by inspecting the table.
    #[default]
    Found,
    /// This name.
    Named(String),
    /// The table has no such column.
    Absent,
}

/// Limits of the connection pool.
#[derive(Debug, Clone)]
pub struct PoolConfig {
    pub max: u32,
    pub acquire_timeout: Duration,
    /// Time limit for reading or writing sessions.
    pub query_timeout: Duration,
    pub idle_timeout: Duration,
    pub max_lifetime: Duration,
}

/// Limits of what may be pending.
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

/// The lanes of a store. Each has a connection.
#[derive(Debug, Clone, Copy)]
pub struct Lanes {
    /// Lanes that only read; with none, the first writing lane reads too.
    pub readers: usize,
    /// Lanes that write. A session always goes to the same one.
    pub writers: usize,
    /// A lane for calls on the whole table; without it, the first writing lane runs them.
    pub table: bool,
    /// Pruning runs on the first writing lane, for databases with a single writer.
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
