//! The checked settings of a store. Defaults live in `lib/options.js` only: every value is given.

use std::time::Duration;

/// Everything a store needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// Database URL. May hold a password: never to be shown.
    pub url: String,
    pub table: TableConfig,
    pub pool: PoolConfig,
    pub queue: QueueConfig,
}

/// Which table, and what its columns are called.
#[derive(Debug, Clone)]
pub struct TableConfig {
    pub name: String,
    pub columns: ColumnNames,
    /// Create the table if it is missing.
    pub create: bool,
}

/// Column names as the caller gave them.
#[derive(Debug, Clone, Default)]
pub struct ColumnNames {
    pub sid: ColumnName,
    pub expires: ColumnName,
    pub data: ColumnName,
    pub created_at: ColumnName,
    pub updated_at: ColumnName,
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
    pub idle_timeout: Duration,
    pub max_lifetime: Duration,
}

/// Bounds of what may be pending.
#[derive(Debug, Clone)]
pub struct QueueConfig {
    pub max_operations: usize,
    pub max_bytes: usize,
}
