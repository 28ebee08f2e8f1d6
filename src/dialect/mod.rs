//! How each database spells things: SQL text, parameters, and what its answers mean. No I/O.

mod layout;
mod mysql;
mod on_conflict;
mod postgres;
mod sqlite;

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use sqlx::database::HasStatementCache;
use sqlx::pool::PoolOptions;
use sqlx::{AssertSqlSafe, Database, SqlSafeStr, SqlStr};

use crate::config::{ColumnName, ConnectionConfig, Instants, Json, Lanes, TableConfig};
use crate::error::{Cause, Kind, Remedy, Result, StoreError};
use crate::operation::{Effect, Extra, Stored, Write};
use crate::timestamp::Timestamp;

pub use layout::{Column, DataForm, InstantColumn, InstantForm, Layout};

/// One statement with its parameters, ready to run.
pub struct Statement<DB: Database> {
    pub sql: SqlStr,
    pub arguments: DB::Arguments,
}

/// How to reach a database, and how many lanes suit it.
pub struct Target<DB: Database> {
    pub options: <DB::Connection as sqlx::Connection>::Options,
    /// For messages; holds no password.
    pub name: String,
    pub lanes: Lanes,
    /// The port of a server that is reached by TCP.
    pub tcp_port: Option<u16>,
    /// The database lives as long as its one connection.
    pub in_memory: bool,
    /// Why connecting may have failed, where the driver's message says little.
    pub explain: fn(&Self) -> Option<String>,
    /// The files that the URL names, each with its parameter.
    pub files: Vec<(String, PathBuf)>,
}

impl<DB: Database> Target<DB> {
    /// A database on a server, which is reached by TCP or by a socket of this machine.
    fn of_server(
        product: &str,
        database: &str,
        (host, port): (&str, u16),
        socket: Option<&PathBuf>,
        max_connections: u32,
        url: &str,
        options: <DB::Connection as sqlx::Connection>::Options,
    ) -> Self {
        let place = match socket {
            Some(path) => path.display().to_string(),
            None => format!("{host}:{port}"),
        };
        Self {
            name: format!("the {product} database `{database}` at {place}"),
            options,
            lanes: Lanes::of_server(max_connections),
            tcp_port: socket.is_none().then_some(port),
            in_memory: false,
            explain: |target| {
                let missing = |(_, path): &&(String, PathBuf)| !path.exists();
                let (parameter, path) = target.files.iter().find(missing)?;
                Some(format!(
                    "the file `{}`, which the URL names as `{parameter}`, cannot be found",
                    path.display()
                ))
            },
            files: certificate_files(url),
        }
    }
}

/// Which row was read.
pub enum Key {
    /// By its place in the list that was asked for.
    Index(usize),
    Sid(String),
}

/// One database. Everything here is a pure function.
pub trait Dialect: Database + HasStatementCache {
    /// What leaves the transaction that a failed write may have opened by itself.
    const ROLLBACK: Option<&'static str> = None;

    /// Adds to a pool what a new connection has to run first.
    fn prepared(options: PoolOptions<Self>) -> PoolOptions<Self> {
        options
    }

    /// The first two characters of a JSON column as text.
    fn beginning(column: &str) -> String;

    /// The widest integer type as `CAST` names it.
    const BIGINT: &'static str;

    /// Asks for the bytes that the server takes at a time, where that is little.
    const PACKET: Option<&'static str> = None;

    /// What is wrong with the name of the table, if anything.
    fn refuse_name(_name: &str) -> Option<String> {
        None
    }

    /// Reads a database URL.
    ///
    /// # Errors
    /// `ERR_SESSION_OPTIONS`, naming the part of the URL that cannot be used.
    fn target(connection: &ConnectionConfig, max_connections: u32) -> Result<Target<Self>>;

    /// Quotes a name of a table or column.
    fn quote(identifier: &str) -> String;

    /// The quoted name of the table, with its schema if it has one.
    fn table_name(table: &TableConfig) -> String {
        let name = Self::quote(&table.name);
        match &table.schema {
            Some(schema) => format!("{}.{name}", Self::quote(schema)),
            None => name,
        }
    }

    /// Asks for the columns of a table; no row means that there is no such table.
    fn look(table: &TableConfig) -> Statement<Self>;

    /// Reads a row of [`Dialect::look`].
    fn column(row: &Self::Row) -> sqlx::Result<Column>;

    /// What is wrong with a column that should hold the sid, if anything.
    fn refuse_sid(column: &Column) -> Option<String>;

    /// How a column keeps instants, or what is wrong with it.
    fn instant_form(column: &Column) -> Result<InstantForm, String>;

    /// How a column keeps the session, or what is wrong with it.
    fn data_form(column: &Column) -> Result<DataForm, String>;

    /// The type of the sid of a new table.
    const SID_TYPE: &'static str;

    /// The type of a column of a new table that holds instants.
    fn instant_type(instants: Instants) -> &'static str;

    /// The type of the data of a new table, as text or as JSON.
    fn data_type(json: bool) -> &'static str;

    /// What stands behind the columns of a new table whose sid has this name, quoted, and behind the table.
    fn table_constraints(sid: &str) -> [String; 2];

    /// The DDL of a new table.
    fn create_table(table: &TableConfig) -> String {
        let (convention, columns) = (table.convention(), &table.columns);
        let required =
            |name: &ColumnName, usual: &str| Self::quote(name.or(usual).unwrap_or(usual));
        let sid = required(&columns.sid, &convention.sid);
        let expires = required(&columns.expires, &convention.expires);
        let data = required(&columns.data, &convention.data);
        let mut definitions = vec![
            format!("{sid} {}", Self::SID_TYPE),
            format!("{expires} {}", Self::instant_type(convention.instants)),
            format!(
                "{data} {}",
                Self::data_type(convention.json == Json::Objects)
            ),
        ];
        if convention.data_first {
            definitions.swap(1, 2);
        }
        let date = Self::instant_type(Instants::Date);
        let stamps = [
            (&columns.created_at, "createdAt"),
            (&columns.updated_at, "updatedAt"),
        ];
        for (name, usual) in stamps {
            let name = match name {
                ColumnName::Found if !convention.timestamps => None,
                name => name.or(usual),
            };
            definitions.extend(name.map(|name| format!("{} {date} NOT NULL", Self::quote(name))));
        }
        if let ColumnName::Named(name) = &columns.deleted_at {
            definitions.push(format!("{} {date}", Self::quote(name)));
        }
        let [inside, behind] = Self::table_constraints(&sid);
        format!(
            "CREATE TABLE IF NOT EXISTS {} ({}{inside}){behind};",
            Self::table_name(table),
            definitions.join(", ")
        )
    }

    /// Reads sessions by sid.
    fn read(layout: &Layout, sids: &[&str]) -> Statement<Self>;

    /// Reads a row of [`Dialect::read`].
    fn stored(row: &Self::Row) -> sqlx::Result<(Key, Stored)>;

    /// The statements of one commit. Each session stands once at most, and all have the same extra columns.
    fn write(layout: &Layout, batch: &Batch<'_>, now: Timestamp) -> Vec<Statement<Self>>;

    /// How many rows that a batch was to update are gone, by the rows that its statements changed.
    fn gone(batch: &Batch<'_>, affected: &[u64]) -> u64;

    /// Reads live sessions behind `after` in the order of their sids: sid and, with `with_data`, data.
    fn page(
        layout: &Layout,
        now: Timestamp,
        after: Option<&str>,
        limit: u32,
        with_data: bool,
    ) -> Statement<Self>;

    /// Counts the live sessions.
    fn length(layout: &Layout, now: Timestamp) -> Statement<Self>;

    /// Tries to become the only one that prunes this table; one row with a boolean. Ends with the transaction, or by
    /// [`Dialect::prune_unlock`].
    fn prune_lock(_layout: &Layout) -> Option<Statement<Self>> {
        None
    }

    /// Whether the server knows no such lock.
    fn refuses_locks(_error: &sqlx::Error) -> bool {
        false
    }

    fn prune_unlock(_layout: &Layout) -> Option<Statement<Self>> {
        None
    }

    /// Looks at one bounded window of rows behind `cursor`. Each row has the next cursor (NULL at the end of the table)
    /// and the sid of an expired session; with none there is one row whose sid is NULL.
    fn expired(layout: &Layout, now: Timestamp, cursor: Option<&str>) -> Statement<Self>;

    /// Deletes those of the sessions that are expired.
    fn delete_expired(layout: &Layout, now: Timestamp, sids: &[&str]) -> Statement<Self>;

    fn rows_affected(result: &Self::QueryResult) -> u64;

    /// Turns the driver's error into ours.
    fn error(error: sqlx::Error) -> StoreError;

    /// Turns an error of connecting into ours.
    fn connection_error(error: sqlx::Error, target: &Target<Self>) -> StoreError {
        let failed = Self::error(error);
        if failed.remedy == Remedy::Retry {
            return failed;
        }
        let reason = (target.explain)(target).unwrap_or_else(|| failed.message.clone());
        let message = format!("cannot open {}: {reason}", target.name);
        StoreError {
            kind: Kind::Connection,
            message,
            // The pool has tried for as long as it may.
            remedy: Remedy::Discard,
            ..failed
        }
    }
}

/// The URL with a host. One that a parameter overrides, such as the folder of a socket, may be left out.
fn with_host(url: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.into();
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    match authority.strip_suffix('@') {
        Some(credentials) => {
            let path = &rest[authority.len()..];
            format!("{scheme}://{credentials}@localhost{path}").into()
        }
        None => url.into(),
    }
}

/// The parameters of a URL, each with its value as it stands there.
fn parameters(url: &str) -> impl Iterator<Item = (&str, &str)> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// The files of certificates and keys that a URL names. One may stand in the URL itself instead.
fn certificate_files(url: &str) -> Vec<(String, PathBuf)> {
    let of_tls =
        parameters(url).filter(|(key, _)| key.starts_with("ssl") && !key.ends_with("mode"));
    let decoded = of_tls.map(|(key, value)| {
        let value = value.replace('+', " ");
        let value = percent_decode_str(&value).decode_utf8_lossy().into_owned();
        (key.to_owned(), value)
    });
    decoded
        .filter(|(_, value)| !value.contains("-----BEGIN"))
        .map(|(key, value)| (key, PathBuf::from(value)))
        .collect()
}

/// Whether a server is on this machine, and the URL does not ask for encryption. It would protect nothing there, and cost
/// about as much as the statements themselves.
fn is_plain(url: &str, host: &str) -> bool {
    let local = ["localhost", "127.0.0.1", "::1", "[::1]"].contains(&host);
    local && !parameters(url).any(|(key, _)| key == "sslmode" || key == "ssl-mode")
}

/// Refuses a misspelled parameter of TLS: the driver would ignore it, and the connection might be open to others. Other
/// unknown parameters are let through, since the URLs that hosting services give out have some.
fn check_ssl_parameters(url: &str, known: &[&str]) -> Result<()> {
    let mut parameters = parameters(url)
        .map(|(key, _)| key)
        .filter(|key| key.starts_with("ssl"));
    match parameters.find(|key| !known.contains(key)) {
        Some(unknown) => Err(StoreError::options(format!(
            "the URL has the unknown parameter `{unknown}`; those of TLS are {}",
            known.join(", ")
        ))),
        None => Ok(()),
    }
}

/// An expiry from here on tells seconds from milliseconds: 1973 or 2 January 1970.
const SAMPLED: i64 = 100_000_000;

/// Deletes every row, whatever it holds.
pub fn clear(layout: &Layout) -> String {
    format!("DELETE FROM {}", layout.table)
}

pub fn drop_table<DB: Dialect>(table: &TableConfig) -> String {
    format!("DROP TABLE IF EXISTS {}", DB::table_name(table))
}

/// What the table holds that the types of its columns leave open: an expiry as an integer, and how the data of a row
/// begin. NULL where the type says all, or there is none.
pub fn sample<DB: Dialect>(layout: &Layout) -> SqlStr {
    let (table, expires, data) = (&layout.table, &layout.expires.name, &layout.data);
    let integer = if layout.expires.form.is_integer() {
        // Of 1970 there may be sessions that were ended by force, which say nothing.
        format!("(SELECT {expires} FROM {table} WHERE {expires} > {SAMPLED} LIMIT 1)")
    } else {
        "NULL".to_owned()
    };
    let text = match layout.data_form {
        DataForm::Json => {
            let beginning = DB::beginning(data);
            format!("(SELECT {beginning} FROM {table} WHERE {data} IS NOT NULL LIMIT 1)")
        }
        DataForm::Text | DataForm::Binary => "NULL".to_owned(),
    };
    rendered(format!("SELECT CAST({integer} AS {}), {text}", DB::BIGINT))
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
            if let Effect::Save { extra, .. } = write.effect {
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
            if !matches!(write.effect, Effect::Save { .. }) {
                batches[0].push(*write);
            }
        }
        batches
    }

    /// Bytes of sessions, and of values of the application's columns.
    pub fn bytes(&self) -> usize {
        let writes = self.upserts.iter().chain(&self.updates);
        let bytes = |write: &Write<'_>| match write.effect {
            Effect::Save { data, extra, .. } => {
                data.len() + extra.iter().map(Extra::bytes).sum::<usize>()
            }
            Effect::Touch { .. } | Effect::Destroy => 0,
        };
        writes.map(bytes).sum()
    }

    fn push(&mut self, write: Write<'a>) {
        match write.effect {
            Effect::Save {
                only_if_exists: false,
                ..
            } => self.upserts.push(write),
            Effect::Save { .. } => self.updates.push(write),
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
        // The message shows the character.
        sqlx::Error::Configuration(reason) if reason.to_string().contains("saslprep") => {
            let message = "the user name or the password has characters that PostgreSQL's authentication (SASLprep, RFC 4013) \
                 does not allow";
            return StoreError::new(Kind::Connection, message).with_remedy(Remedy::Discard);
        }
        // The pool hides why; as a rule the server refuses connections, or nothing answers.
        sqlx::Error::PoolTimedOut => {
            let message = "no connection could be made within `pool.acquireTimeout`";
            return StoreError::new(Kind::Timeout, message).with_cause(cause);
        }
        sqlx::Error::PoolClosed => (Kind::Closed, Remedy::None),
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) => (Kind::Connection, Remedy::Reconnect),
        sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
            (Kind::Database, Remedy::Reconnect)
        }
        // The column has become another one: the table is looked at again.
        sqlx::Error::ColumnDecode { .. } => (Kind::Table, Remedy::Retry),
        _ => (Kind::Database, Remedy::None),
    };
    StoreError::new(kind, cause.message.clone())
        .with_remedy(remedy)
        .with_cause(cause)
}

#[cfg(test)]
mod tests {
    //! What the tests of the dialects have in common.

    use super::*;
    use crate::config::{ColumnNames, Convention};

    pub fn convention(
        [sid, expires, data]: [&str; 3],
        instants: Instants,
        json: Json,
    ) -> Convention {
        Convention {
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
        let sequelize = convention(["sid", "expires", "data"], Instants::Date, Json::Unused);
        TableConfig {
            schema: None,
            name: "Sessions".into(),
            layouts: vec![sequelize],
            columns: ColumnNames::default(),
            create: true,
            utc_offset_minutes: 0,
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
        }
    }

    pub fn write<'a>(sid: &'a str, effect: Effect<'a>) -> Write<'a> {
        Write { sid, effect }
    }

    pub fn batch<'a>(writes: &[Write<'a>]) -> Batch<'a> {
        Batch::split(writes).remove(0)
    }

    #[test]
    fn only_one_place_vouches_for_rendered_text() {
        let token = concat!("Assert", "SqlSafe(");
        let sources = [
            include_str!("mod.rs"),
            include_str!("sqlite.rs"),
            include_str!("postgres.rs"),
            include_str!("mysql.rs"),
            include_str!("../table/mod.rs"),
            include_str!("layout.rs"),
        ];
        let count: usize = sources
            .iter()
            .map(|source| source.matches(token).count())
            .sum();
        assert_eq!(count, 1);
    }

    #[test]
    fn writes_with_other_extra_columns_go_in_batches_of_their_own() {
        let extra = [Extra {
            column: "user".into(),
            value: crate::operation::Value::Null,
        }];
        let upsert = |extra| Effect::Save {
            data: "{}",
            expires: Timestamp(0),
            extra,
            only_if_exists: false,
        };
        let writes = [
            write("a", upsert(&extra)),
            write("b", upsert(&[])),
            write("c", Effect::Destroy),
            write("d", upsert(&extra)),
        ];
        let batches = Batch::split(&writes);
        let sizes: Vec<_> = batches
            .iter()
            .map(|batch| (batch.upserts.len(), batch.destroys.len()))
            .collect();
        assert_eq!(sizes, [(2, 1), (1, 0)]);
    }
}
