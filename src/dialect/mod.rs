//! How each database spells things: SQL text, parameters, and what its answers mean. No I/O.

mod sqlite;

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Database, SqlSafeStr, SqlStr};

use crate::config::TableConfig;
use crate::error::{Cause, Kind, Remedy, Result, StoreError};
use crate::operation::{Extra, Stored};
use crate::queue::Lanes;
use crate::table::{Column, Effect, Layout, Write};
use crate::timestamp::Timestamp;

/// One statement with its parameters, ready to run.
#[derive(Debug, Clone)]
pub struct Statement {
    pub sql: SqlStr,
    pub params: Vec<Param>,
}

/// A bound value.
#[derive(Debug, Clone, PartialEq)]
pub enum Param {
    Text(String),
    Integer(i64),
    Blob(Vec<u8>),
}

/// How to reach a database, and how many lanes suit it.
pub struct Target<DB: Database> {
    pub options: <DB::Connection as sqlx::Connection>::Options,
    /// For messages; holds no password.
    pub name: String,
    pub lanes: Lanes,
    /// The database lives as long as its one connection.
    pub in_memory: bool,
    /// Why connecting may have failed, where the driver's message says little.
    pub explain: fn(&<DB::Connection as sqlx::Connection>::Options) -> Option<String>,
}

/// One database. Everything here is a pure function.
pub trait Dialect: Database {
    /// Reads a database URL.
    ///
    /// # Errors
    /// `ERR_SESSION_OPTIONS`, naming the part of the URL that cannot be used.
    fn target(url: &str, max_connections: u32) -> Result<Target<Self>>;

    /// Quotes a name of a table or column.
    fn quote(identifier: &str) -> String;

    /// Asks for the columns of a table; no row means that there is no such table.
    fn look(table: &TableConfig) -> Statement;

    /// Reads a row of [`Dialect::look`].
    fn column(row: &Self::Row) -> sqlx::Result<Column>;

    /// What is wrong with a column that should hold the expiry, if anything.
    fn refuse_expires(column: &Column) -> Option<String>;

    /// The DDL of a new table, as Sequelize writes it.
    fn create_table(table: &TableConfig) -> String;

    fn drop_table(table: &TableConfig) -> String {
        format!("DROP TABLE IF EXISTS {}", Self::quote(&table.name))
    }

    fn clear(layout: &Layout) -> String {
        format!("DELETE FROM {}", layout.table)
    }

    /// What leaves the transaction that a failed write may have opened.
    const ROLLBACK: Option<&'static str>;

    /// Reads sessions by sid. Rows come with the index of their sid.
    fn read(layout: &Layout, sids: &[&str]) -> Statement;

    /// Reads a row of [`Dialect::read`].
    fn stored(row: &Self::Row) -> sqlx::Result<(usize, Stored)>;

    /// Writes of one commit, each session once at most, all with the same extra columns.
    fn write(layout: &Layout, batch: &Batch<'_>, now: Timestamp) -> Statement;

    /// How many rows that a batch was to update are gone, by the rows that each of its statements changed.
    fn gone(batch: &Batch<'_>, affected: &[u64]) -> u64;

    /// Reads live sessions in the order of their sids: sid and, with `with_data`, data.
    fn page(layout: &Layout, now: Timestamp, after: &str, limit: u32, with_data: bool)
    -> Statement;

    /// Counts the live sessions.
    fn length(layout: &Layout, now: Timestamp) -> Statement;

    /// Looks at one bounded window of rows behind `cursor`, gives the next cursor as a row (NULL at the end), and
    /// deletes what has expired in it.
    fn delete_expired(layout: &Layout, now: Timestamp, cursor: Option<&str>) -> Statement;

    fn rows_affected(result: &Self::QueryResult) -> u64;

    /// Turns the driver's error into ours.
    fn error(error: sqlx::Error) -> StoreError;

    /// Turns an error of connecting into ours.
    fn connection_error(error: sqlx::Error, target: &Target<Self>) -> StoreError;
}

/// The writes of one commit, by kind.
#[derive(Debug, Default)]
pub struct Batch<'a> {
    pub upserts: Vec<Write<'a>>,
    pub updates: Vec<Write<'a>>,
    pub touches: Vec<Write<'a>>,
    pub destroys: Vec<Write<'a>>,
    /// The extra columns of every upsert and update.
    pub extra: Vec<&'a str>,
}

impl<'a> Batch<'a> {
    /// Which kinds there are: upserts, updates, touches, destroys.
    pub fn kinds(&self) -> [bool; 4] {
        [&self.upserts, &self.updates, &self.touches, &self.destroys]
            .map(|writes| !writes.is_empty())
    }

    /// As few batches as the extra columns of the writes allow; nearly always one.
    pub fn split(writes: &[Write<'a>]) -> Vec<Self> {
        let mut batches: Vec<Self> = Vec::with_capacity(1);
        for write in writes {
            if let Some(extra) = write.effect.extra() {
                let columns = columns(extra);
                let known = batches.iter().position(|batch| batch.extra == columns);
                let index = known.unwrap_or(batches.len());
                if known.is_none() {
                    batches.push(Self {
                        extra: columns,
                        ..Self::default()
                    });
                }
                batches[index].push(*write);
            }
        }
        if batches.is_empty() {
            batches.push(Self::default());
        }
        for write in writes {
            if write.effect.extra().is_none() {
                batches[0].push(*write);
            }
        }
        batches
    }

    fn push(&mut self, write: Write<'a>) {
        match write.effect {
            Effect::Upsert { .. } => self.upserts.push(write),
            Effect::Update { .. } => self.updates.push(write),
            Effect::Touch { .. } => self.touches.push(write),
            Effect::Destroy => self.destroys.push(write),
        }
    }
}

fn columns(extra: &[Extra]) -> Vec<&str> {
    extra.iter().map(|extra| extra.column.as_str()).collect()
}

/// Marks a rendered statement as safe to run.
///
/// This is the one place that does so. It holds because names of tables and columns go through [`Dialect::quote`],
/// every other part is literal text of a dialect file, and values are always bound.
pub fn rendered(sql: String) -> SqlStr {
    AssertSqlSafe(Arc::<str>::from(sql)).into_sql_str()
}

/// Errors that mean the same for every driver.
fn driver_error(error: &sqlx::Error) -> StoreError {
    let cause = Cause {
        code: error
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code)
            .map(String::from),
        message: match error.as_database_error() {
            Some(database) => database.message().to_owned(),
            None => error.to_string(),
        },
    };
    let (kind, remedy) = match error {
        sqlx::Error::PoolTimedOut => (Kind::Timeout, Remedy::None),
        sqlx::Error::PoolClosed => (Kind::Closed, Remedy::None),
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) => (Kind::Connection, Remedy::Reconnect),
        sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
            (Kind::Database, Remedy::Reconnect)
        }
        _ => (Kind::Database, Remedy::None),
    };
    StoreError::new(kind, cause.message.clone())
        .with_remedy(remedy)
        .with_cause(cause)
}
