//! What differs from one database to the next: how to connect, the SQL and its parameters, and the meaning of rows and
//! errors. One folder per database, with the same file names in each; beside them, the nouns that all of them share.
//!
//! Statements are made here and run in `table`. Only connecting does more than that: it reads the environment, checks
//! files, and runs statements on new connections.

mod address;
mod batch;
mod connect;
mod error;
#[cfg(test)]
mod hosted_urls;
mod inspected;
mod layout;
mod mysql;
mod on_conflict;
mod parameters;
mod postgres;
#[cfg(test)]
mod random_urls;
mod schema;
mod servers;
mod sqlite;
mod statement;
mod tcp;
mod text_date;
mod tls;
mod url;
mod values;

use sqlx::database::HasStatementCache;

use crate::operation::{Listed, PageRequest, Stored};
use crate::timestamp::Timestamp;

pub use batch::{Batch, Effects, Save, Touch, keep_later, unless_after};
pub use connect::{Access, Connect, Host, Settings, Target};
pub use error::{ACCEPTS_ONLY_READS, Errors};
pub use inspected::{
    Column, DataForm, InspectedTable, InstantColumn, InstantForm, Text, expires_at,
};
pub use layout::unfit;
pub use schema::{Schema, Unfit};
pub use statement::{Statement, rendered, rows_updated};

/// A database that can hold sessions.
pub trait Database:
    Connect + Schema + ReadStatements + WriteStatements + PruneStatements + Errors + HasStatementCache
{
}

impl<DB> Database for DB where
    DB: Connect
        + Schema
        + ReadStatements
        + WriteStatements
        + PruneStatements
        + Errors
        + HasStatementCache
{
}

/// The session that a row belongs to.
pub enum Key {
    /// By its index in the requested list.
    Index(usize),
    Sid(String),
}

/// A session of a page, from a row whose key is its sid.
fn listed((key, stored): (Key, Stored)) -> sqlx::Result<Listed> {
    let Key::Sid(sid) = key else {
        return Err(sqlx::Error::Protocol("expected a row with its sid".into()));
    };
    Ok(Listed {
        sid,
        data: stored.data,
        expires: stored.expires.at(),
    })
}

/// Statements that read sessions.
pub trait ReadStatements: sqlx::Database {
    /// Reads sessions by sid, expired ones too.
    fn read(table: &InspectedTable, sids: &[&str]) -> Statement<Self>;

    /// Decodes a row of [`ReadStatements::read`].
    fn stored(table: &InspectedTable, row: &Self::Row) -> sqlx::Result<(Key, Stored)>;

    /// Reads live sessions in the order of their sids: sid and, if requested, data and expiry.
    fn page(table: &InspectedTable, request: &PageRequest, now: Timestamp) -> Statement<Self>;

    /// Decodes a row of [`ReadStatements::page`].
    fn listed(table: &InspectedTable, row: &Self::Row) -> sqlx::Result<Listed>;

    /// The sid in a row of [`ReadStatements::page`], which may be no text.
    fn sid_bytes(row: &Self::Row) -> Option<Vec<u8>>;

    /// Counts the live sessions.
    fn length(table: &InspectedTable, now: Timestamp) -> Statement<Self>;
}

/// Statements that write sessions.
pub trait WriteStatements: sqlx::Database {
    /// Ends the transaction that a failed commit may have left open.
    const ROLLBACK: Option<&'static str> = None;

    /// The statements of one commit.
    fn write(table: &InspectedTable, batch: &Batch<'_>, now: Timestamp) -> Vec<Statement<Self>>;

    /// Number of rows that a statement changed; a row that was found counts even if it kept its values.
    fn rows_affected(result: &Self::QueryResult) -> u64;

    /// Deletes every row.
    fn clear(table: &InspectedTable) -> Statement<Self> {
        let sql = table.text(Text::Clear, || format!("DELETE FROM {}", table.name));
        Statement::new(sql, Self::Arguments::default())
    }
}

/// Statements that remove expired sessions, one bounded window of the table at a time.
pub trait PruneStatements: sqlx::Database {
    /// Tries to become the only process that prunes this table; returns one row with a boolean. The lock ends with the
    /// transaction, or by [`PruneStatements::prune_unlock`].
    fn prune_lock(_table: &InspectedTable) -> Option<Statement<Self>> {
        None
    }

    /// Whether an error of [`PruneStatements::prune_lock`] means that the server has no such locks.
    fn lacks_locks(_error: &sqlx::Error) -> bool {
        false
    }

    fn prune_unlock(_table: &InspectedTable) -> Option<Statement<Self>> {
        None
    }

    /// Finds the expired sessions of the window after `cursor`. Each row has the next cursor (NULL at the end of the
    /// table) and the sid of an expired session; if there is none, a single row has NULL as its sid.
    fn expired(table: &InspectedTable, cursor: Option<&str>, now: Timestamp) -> Statement<Self>;

    /// Deletes those of the sessions that are expired.
    fn delete_expired(table: &InspectedTable, sids: &[&str], now: Timestamp) -> Statement<Self>;
}

#[cfg(test)]
mod tests {
    //! What the tests of the databases share.

    use std::fs;
    use std::path::{Path, PathBuf};

    use super::Column;
    use crate::config::{ColumnNames, Instants, Json, Layout, TableConfig};

    pub fn layout([sid, expires, data]: [&str; 3], instants: Instants, json: Json) -> Layout {
        Layout {
            sid: sid.into(),
            expires: expires.into(),
            data: data.into(),
            instants,
            json,
            data_first: false,
            timestamps: sid == "sid" && data == "data",
        }
    }

    pub fn table() -> TableConfig {
        let sequelize = layout(["sid", "expires", "data"], Instants::Date, Json::Unused);
        TableConfig {
            schema: None,
            name: "Sessions".into(),
            layouts: vec![sequelize],
            columns: ColumnNames::default(),
            create: true,
            utc_offset_minutes: 0,
            portable: None,
        }
    }

    pub fn column(name: &str, declared: &str) -> Column {
        Column {
            name: name.into(),
            declared: declared.into(),
            cast: declared.into(),
            unique: name == "sid",
            collation: None,
            clustered: false,
            portable: false,
        }
    }

    fn rust_files(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap();
        let mut files = Vec::new();
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                files.extend(rust_files(&path));
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
        files
    }

    #[test]
    fn only_one_place_vouches_for_rendered_text() {
        let token = concat!("Assert", "SqlSafe(");
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut places = Vec::new();
        for file in rust_files(&sources) {
            let count = fs::read_to_string(&file).unwrap().matches(token).count();
            places.extend(std::iter::repeat_n(file, count));
        }
        assert_eq!(places, [sources.join("database/statement.rs")]);
    }
}
