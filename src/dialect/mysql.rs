//! MySQL and MariaDB.
//!
//! A batch is bound as lists of values in a few fixed sizes, so that a connection keeps few statements: a batch that is
//! smaller than its size repeats its last row, which changes nothing. (`JSON_TABLE` would take any size with one text,
//! but old servers lack it, and writing through it takes twice the time.)
//!
//! A collation may take different sids for one: that of the server, which connect-session-sequelize's tables have, ignores
//! case as a rule. So the sids are compared as bytes too.

use std::str::FromStr;

use sqlx::mysql::{MySqlArguments, MySqlConnectOptions, MySqlRow, MySqlSslMode};
use sqlx::pool::PoolOptions;
use sqlx::{Arguments, ConnectOptions, Encode, Executor, MySql, Row, Type};

use super::{
    Batch, Column, DataForm, Dialect, InstantColumn, InstantForm, Key, Layout, Statement, Target,
    check_ssl_parameters, driver_error, is_plain, rendered, with_host,
};
use crate::config::{ConnectionConfig, Instants, TableConfig};
use crate::error::{Kind, Remedy, Result, StoreError};
use crate::operation::{Effect, Expires, Extra, Stored, Value, Write};
use crate::timestamp::Timestamp;

/// Rows that one step of pruning looks at, in the order of the primary key, in which InnoDB keeps them.
const PRUNE_WINDOW: u32 = 250;

/// The sizes in which lists of sids are bound.
const SIZES: [usize; 13] = [1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256];

/// The most rows of one UPDATE: each row looks for its values in a CASE with a branch for every row.
const UPDATE_ROWS: usize = 64;

/// The most rows of one INSERT.
const INSERT_ROWS: usize = 128;

/// The parameters of TLS that the driver knows.
const SSL_PARAMETERS: [&str; 8] = [
    "sslmode", "sslca", "sslcert", "sslkey", "ssl-mode", "ssl-ca", "ssl-cert", "ssl-key",
];

impl Dialect for MySql {
    const SID_TYPE: &'static str = "VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";

    fn instant_type(instants: Instants) -> &'static str {
        match instants {
            Instants::Date | Instants::Local | Instants::Iso => "DATETIME",
            Instants::Seconds => "BIGINT",
        }
    }

    fn data_type(json: bool) -> &'static str {
        if json {
            "JSON"
        } else {
            "MEDIUMTEXT CHARACTER SET utf8mb4"
        }
    }

    fn beginning(column: &str) -> String {
        format!("LEFT(CAST({column} AS CHAR), 2)")
    }

    const BIGINT: &'static str = "SIGNED";

    /// A server may be set to commit nothing by itself, or to refuse what touches every row.
    /// Without strict mode it would cut off a session that is too long. At its usual isolation level, a statement
    /// that it plans as a scan would lock all gaps, and so new sessions, until the commit. A binary log of statements allows
    /// no other level.
    fn prepared(options: PoolOptions<Self>) -> PoolOptions<Self> {
        let strict = "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES'), \
             SESSION autocommit = 1, SESSION sql_safe_updates = 0";
        let logs_statements = "SELECT @@log_bin = 1 AND @@binlog_format = 'STATEMENT'";
        let read_committed = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";
        options.after_connect(move |connection, _| {
            Box::pin(async move {
                connection.execute(strict).await?;
                let fixed: sqlx::Result<bool> = sqlx::query_scalar(logs_statements)
                    .fetch_one(&mut *connection)
                    .await;
                if !fixed.unwrap_or(false) {
                    connection.execute(read_committed).await?;
                }
                Ok(())
            })
        })
    }

    fn target(connection: &ConnectionConfig, max_connections: u32) -> Result<Target<Self>> {
        let refused = |error| StoreError::options(format!("the MySQL URL cannot be used: {error}"));
        check_ssl_parameters(&connection.url, &SSL_PARAMETERS)?;
        let mut options = MySqlConnectOptions::from_str(&with_host(&connection.url))
            .map_err(refused)?
            // Everything is written in UTC and in full Unicode, whatever the URL says.
            .timezone(Some("+00:00".to_owned()))
            .charset("utf8mb4")
            // The server's modes are not ours to change, beyond what `prepared` says.
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            .disable_statement_logging();
        if is_plain(&connection.url, options.get_host()) {
            options = options.ssl_mode(MySqlSslMode::Disabled);
        }
        if !connection.prepared_statements {
            options = options.statement_cache_capacity(0);
        }
        let Some(database) = options.get_database() else {
            return Err(StoreError::options(
                "the MySQL URL names no database: expected `mysql://user:password@host/database`",
            ));
        };
        Ok(Target::of_server(
            "MySQL",
            database,
            (options.get_host(), options.get_port()),
            options.get_socket(),
            max_connections,
            &connection.url,
            options.clone(),
        ))
    }

    // https://dev.mysql.com/doc/refman/8.4/en/identifiers.html
    const PACKET: Option<&'static str> = Some("SELECT @@max_allowed_packet");

    fn refuse_name(name: &str) -> Option<String> {
        let beyond = name.chars().any(|character| character > '\u{FFFF}');
        beyond.then(|| "names on MySQL cannot have characters beyond U+FFFF".to_owned())
    }

    fn quote(identifier: &str) -> String {
        format!("`{}`", identifier.replace('`', "``"))
    }

    fn look(table: &TableConfig) -> Statement<Self> {
        // MySQL 8 gives these columns as VARBINARY, so each is named in a character set.
        let text = |expression: &str| format!("CONVERT({expression} USING utf8mb4)");
        // Only with constants does the server look at this one table, and not at all it has.
        let schema = match &table.schema {
            Some(_) => "?",
            None => "DATABASE()",
        };
        let sql = format!(
            "SELECT {name}, {declared}, \
             EXISTS (SELECT 1 FROM information_schema.STATISTICS AS s WHERE s.TABLE_SCHEMA = {schema} \
             AND s.TABLE_NAME = ? AND s.NON_UNIQUE = 0 GROUP BY s.INDEX_NAME \
             HAVING COUNT(*) = 1 AND MAX(s.COLUMN_NAME) = c.COLUMN_NAME AND MAX(s.SUB_PART) IS NULL), {collation} \
             FROM information_schema.COLUMNS AS c WHERE c.TABLE_SCHEMA = {schema} \
             AND c.TABLE_NAME = ? AND (@@lower_case_table_names <> 0 OR BINARY c.TABLE_NAME = BINARY ?) \
             ORDER BY c.ORDINAL_POSITION",
            name = text("c.COLUMN_NAME"),
            declared = text("c.COLUMN_TYPE"),
            collation = text("c.COLLATION_NAME"),
        );
        let mut arguments = MySqlArguments::default();
        for _ in ["in the subquery", "outside"] {
            if let Some(schema) = &table.schema {
                add(&mut arguments, schema.as_str());
            }
            add(&mut arguments, table.name.as_str());
        }
        // The server compares names here without regard to case, even where tables that differ in it are different.
        add(&mut arguments, table.name.as_str());
        Statement {
            sql: rendered(sql),
            arguments,
        }
    }

    fn column(row: &MySqlRow) -> sqlx::Result<Column> {
        Ok(Column {
            name: row.try_get(0)?,
            declared: row.try_get(1)?,
            cast: row.try_get(1)?,
            unique: row.try_get(2)?,
            collation: row.try_get(3)?,
            clustered: true,
        })
    }

    fn refuse_sid(column: &Column) -> Option<String> {
        let fits = ["varchar", "varbinary"]
            .iter()
            .any(|text| column.declared.starts_with(text));
        (!fits).then(|| format!("it is {}, and has to be varchar", column.declared))
    }

    fn instant_form(column: &Column) -> Result<InstantForm, String> {
        let declared = &column.declared;
        if declared.starts_with("datetime") {
            Ok(InstantForm::Local)
        } else if declared.starts_with("timestamp") {
            Ok(InstantForm::Zoned)
        } else if declared.starts_with("int") {
            Ok(InstantForm::Seconds)
        } else if declared.starts_with("bigint") {
            Ok(InstantForm::Milliseconds)
        } else if declared.starts_with("varchar") || declared.ends_with("text") {
            Ok(InstantForm::Text)
        } else {
            Err(format!(
                "it is {declared}, and has to be datetime, timestamp, varchar, text, int or bigint"
            ))
        }
    }

    fn data_form(column: &Column) -> Result<DataForm, String> {
        let declared = &column.declared;
        // MariaDB has no JSON of its own, and takes the word for this.
        let alias = declared == "longtext" && column.collation.as_deref() == Some("utf8mb4_bin");
        if declared == "json" || alias {
            Ok(DataForm::Json)
        } else if declared.starts_with("varchar") || declared.ends_with("text") {
            Ok(DataForm::Text)
        } else if declared.ends_with("blob") || declared.starts_with("varbinary") {
            Ok(DataForm::Binary)
        } else {
            Err(format!(
                "it is {declared}, and has to be text, varchar, json or blob"
            ))
        }
    }

    fn table_constraints(sid: &str) -> [String; 2] {
        [
            format!(", PRIMARY KEY ({sid})"),
            " ENGINE=InnoDB".to_owned(),
        ]
    }

    fn read(layout: &Layout, sids: &[&str]) -> Statement<Self> {
        let size = size(sids.len());
        let sql = layout.text(&format!("read {size}"), || {
            format!(
                "SELECT {sid}, {data}, {expires} FROM {table} WHERE {sid} IN ({list}){not_deleted}",
                sid = layout.sid,
                data = data_text(layout),
                expires = milliseconds(layout),
                table = layout.table,
                list = marks(size),
                not_deleted = not_deleted(layout),
            )
        });
        let mut arguments = MySqlArguments::default();
        add_sids(&mut arguments, sids, size);
        Statement { sql, arguments }
    }

    fn stored(row: &MySqlRow) -> sqlx::Result<(Key, Stored)> {
        let sid = row.try_get_unchecked(0)?;
        let data = row.try_get_unchecked(1)?;
        let expires = match row.try_get_unchecked::<Option<String>, _>(2)? {
            Some(text) => {
                let at = text.parse().ok().map(Timestamp);
                at.or_else(|| Timestamp::parse(&text))
                    .map_or(Expires::Unreadable, Expires::At)
            }
            None => Expires::Never,
        };
        // Compared as text by the caller, so that sids that differ in case stay apart whatever the collation.
        Ok((Key::Sid(sid), Stored { data, expires }))
    }

    fn write(layout: &Layout, batch: &Batch<'_>, now: Timestamp) -> Vec<Statement<Self>> {
        let writer = Writer { layout, batch, now };
        let chunks = |writes, rows| <[Write<'_>]>::chunks(writes, rows);
        let mut statements = Vec::new();
        statements.extend(chunks(&batch.upserts, INSERT_ROWS).map(|rows| writer.upsert(rows)));
        statements.extend(chunks(&batch.updates, UPDATE_ROWS).map(|rows| writer.update(rows)));
        statements.extend(chunks(&batch.touches, UPDATE_ROWS).map(|rows| writer.touch(rows)));
        if !batch.destroys.is_empty() {
            statements.push(writer.destroy(&batch.destroys));
        }
        statements
    }

    fn gone(batch: &Batch<'_>, affected: &[u64]) -> u64 {
        let before = batch.upserts.len().div_ceil(INSERT_ROWS);
        let count = batch.updates.len().div_ceil(UPDATE_ROWS);
        // The connection counts the rows that were found, changed or not.
        let updated: u64 = affected.iter().skip(before).take(count).sum();
        (batch.updates.len() as u64).saturating_sub(updated)
    }

    fn page(
        layout: &Layout,
        now: Timestamp,
        after: Option<&str>,
        limit: u32,
        with_data: bool,
    ) -> Statement<Self> {
        let key = if with_data { "page" } else { "ids" };
        let sql = layout.text(key, || {
            format!(
                "SELECT {sid}, {data} FROM {table} WHERE (? OR {sid} > ?) AND {live} ORDER BY {sid} LIMIT ?",
                sid = layout.sid,
                data = if with_data { data_text(layout) } else { "NULL".to_owned() },
                table = layout.table,
                live = live(layout),
            )
        });
        let mut arguments = MySqlArguments::default();
        add_cursor(&mut arguments, after);
        add_instant(&mut arguments, layout, &layout.expires, now);
        add(&mut arguments, limit);
        Statement { sql, arguments }
    }

    fn length(layout: &Layout, now: Timestamp) -> Statement<Self> {
        let sql = layout.text("length", || {
            format!(
                "SELECT COUNT(*) FROM {} WHERE {}",
                layout.table,
                live(layout)
            )
        });
        let mut arguments = MySqlArguments::default();
        add_instant(&mut arguments, layout, &layout.expires, now);
        Statement { sql, arguments }
    }

    fn prune_lock(layout: &Layout) -> Option<Statement<Self>> {
        Some(lock(layout, "prune lock", |name| {
            format!("SELECT GET_LOCK({name}, 0) = 1")
        }))
    }

    // Percona XtraDB Cluster in its strict mode.
    fn refuses_locks(error: &sqlx::Error) -> bool {
        let number = error
            .as_database_error()
            .and_then(|error| error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>())
            .map(sqlx::mysql::MySqlDatabaseError::number);
        number == Some(1105)
    }

    fn prune_unlock(layout: &Layout) -> Option<Statement<Self>> {
        Some(lock(layout, "prune unlock", |name| {
            format!("SELECT RELEASE_LOCK({name})")
        }))
    }

    fn expired(layout: &Layout, now: Timestamp, cursor: Option<&str>) -> Statement<Self> {
        let sql = layout.text("expired", || {
            let window = |columns: &str| {
                format!(
                    "SELECT {columns} FROM {table} WHERE (? OR {sid} > ?) ORDER BY {sid} LIMIT {PRUNE_WINDOW}",
                    table = layout.table,
                    sid = layout.sid,
                )
            };
            format!(
                "SELECT w.next, e.sid FROM (SELECT MAX(sid) AS next FROM ({sids}) AS a) AS w \
                 LEFT JOIN (SELECT sid FROM ({rows}) AS b WHERE expired) AS e ON TRUE",
                sids = window(&format!("{} AS sid", layout.sid)),
                rows = window(&format!("{} AS sid, {} AS expired", layout.sid, expired(layout))),
            )
        });
        let mut arguments = MySqlArguments::default();
        add_cursor(&mut arguments, cursor);
        add_instant(&mut arguments, layout, &layout.expires, now);
        add_cursor(&mut arguments, cursor);
        Statement { sql, arguments }
    }

    fn delete_expired(layout: &Layout, now: Timestamp, sids: &[&str]) -> Statement<Self> {
        let size = if sids.len() > SIZES[SIZES.len() - 1] {
            sids.len()
        } else {
            size(sids.len())
        };
        let sql = rendered(format!(
            "DELETE FROM {} WHERE {} IN ({}) AND {}",
            layout.table,
            layout.sid,
            marks(size),
            expired(layout)
        ));
        let mut arguments = MySqlArguments::default();
        add_sids(&mut arguments, sids, size);
        add_instant(&mut arguments, layout, &layout.expires, now);
        Statement { sql, arguments }
    }

    fn rows_affected(result: &Self::QueryResult) -> u64 {
        result.rows_affected()
    }

    // Numbers: https://mariadb.com/kb/en/mariadb-error-code-reference/
    fn error(error: sqlx::Error) -> StoreError {
        let mut failed = driver_error(&error);
        let Some(number) = error
            .as_database_error()
            .and_then(|error| error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>())
            .map(sqlx::mysql::MySqlDatabaseError::number)
        else {
            return failed;
        };
        if let Some(cause) = &mut failed.cause {
            cause.code = Some(number.to_string());
        }
        let (kind, remedy) = match number {
            // Lock wait timeout, deadlock, record changed since last read.
            1205 | 1213 | 1020 => (Kind::Timeout, Remedy::Retry),
            // Prepared statement that needs to be prepared again, after the table was altered.
            1615 => (Kind::Database, Remedy::Retry),
            // No such table, no such column, no such database; no right to the table.
            1146 | 1054 | 1049 | 1142 | 1143 => (Kind::Table, Remedy::None),
            // Shutdown, killed, lost.
            1053 | 1927 | 2006 | 2013 | 4031 => (Kind::Connection, Remedy::Reconnect),
            // Access denied, too many connections.
            1040 | 1044 | 1045 | 1203 | 1698 => (Kind::Connection, Remedy::Discard),
            // NULL for the sid: see `twin_refused`.
            1048 => {
                failed.message = format!(
                    "{}, or the table has a session whose id differs from this one in case or in spaces at the end only, \
                     and its collation takes them for the same",
                    failed.message
                );
                (Kind::Database, Remedy::Isolate)
            }
            // Statement took longer than it may.
            1969 | 3024 => (Kind::Timeout, Remedy::None),
            // Read-only server, table or disk full.
            1290 | 1792 | 1836 | 1021 | 1114 => (Kind::Database, Remedy::None),
            _ => (Kind::Database, Remedy::Isolate),
        };
        StoreError {
            kind,
            remedy,
            ..failed
        }
    }
}

/// Makes the statements of one commit.
struct Writer<'a> {
    layout: &'a Layout,
    batch: &'a Batch<'a>,
    now: Timestamp,
}

impl Writer<'_> {
    fn upsert(&self, writes: &[Write<'_>]) -> Statement<MySql> {
        let layout = self.layout;
        let size = size(writes.len());
        let key = format!("upsert {size} {:?}", self.batch.extra);
        let sql = layout.text(&key, || {
            let stamps = [&layout.created_at, &layout.updated_at];
            let stamps = stamps.into_iter().flatten().map(|column| &column.name);
            let columns: Vec<String> = [&layout.sid, &layout.expires.name, &layout.data]
                .into_iter()
                .chain(stamps)
                .cloned()
                .chain(self.extra_columns())
                .collect();
            let mut values = vec!["?"; columns.len()];
            values[2] = data_mark(layout);
            let row = format!("({})", values.join(", "));
            let replaced: Vec<String> = self
                .twin_refused()
                .into_iter()
                .chain(
                    [&layout.expires.name, &layout.data]
                        .into_iter()
                        .chain(layout.updated_at.iter().map(|column| &column.name))
                        .cloned()
                        .chain(self.extra_columns())
                        .map(|column| format!("{column} = VALUES({column})")),
                )
                .chain(
                    layout
                        .deleted_at
                        .iter()
                        .map(|column| format!("{column} = NULL")),
                )
                .collect();
            format!(
                "INSERT INTO {} ({}) VALUES {} ON DUPLICATE KEY UPDATE {}",
                layout.table,
                columns.join(", "),
                vec![row; size].join(", "),
                replaced.join(", ")
            )
        });
        let mut arguments = MySqlArguments::default();
        for write in padded_rows(writes, size) {
            if let Effect::Save {
                data,
                expires,
                extra,
                ..
            } = write.effect
            {
                add(&mut arguments, write.sid);
                add_instant(&mut arguments, layout, &layout.expires, expires);
                add(&mut arguments, data);
                for column in [&layout.created_at, &layout.updated_at]
                    .into_iter()
                    .flatten()
                {
                    add_instant(&mut arguments, layout, column, self.now);
                }
                for extra in extra {
                    add_value(&mut arguments, layout, extra);
                }
            }
        }
        Statement { sql, arguments }
    }

    /// A row whose sid the column takes for the same, though it is another, must not be replaced. There is no way to raise an
    /// error here but to ask for a NULL where none can be.
    fn twin_refused(&self) -> Option<String> {
        let sid = &self.layout.sid;
        let refused = format!("{sid} = IF(BINARY {sid} = BINARY VALUES({sid}), {sid}, NULL)");
        (!is_exact(self.layout)).then_some(refused)
    }

    fn update(&self, writes: &[Write<'_>]) -> Statement<MySql> {
        let layout = self.layout;
        let size = size(writes.len());
        let key = format!("update {size} {:?}", self.batch.extra);
        let sql = layout.text(&key, || {
            let expires = self.chosen(&layout.expires.name, "?", size);
            let data = self.chosen(&layout.data, data_mark(layout), size);
            let extra = self.extra_columns();
            let changes: Vec<String> = [expires, data]
                .into_iter()
                .chain(extra.map(|column| self.chosen(&column, "?", size)))
                .chain(self.stamped())
                .collect();
            format!(
                "UPDATE {} SET {} WHERE {}{}",
                layout.table,
                changes.join(", "),
                among(layout, size),
                not_deleted(layout)
            )
        });
        let rows = padded_rows(writes, size);
        let mut arguments = MySqlArguments::default();
        for write in &rows {
            if let Effect::Save { expires, .. } = write.effect {
                add(&mut arguments, write.sid);
                add_instant(&mut arguments, layout, &layout.expires, expires);
            }
        }
        for write in &rows {
            if let Effect::Save { data, .. } = write.effect {
                add(&mut arguments, write.sid);
                add(&mut arguments, data);
            }
        }
        for index in 0..self.batch.extra.len() {
            for write in &rows {
                if let Effect::Save { extra, .. } = write.effect {
                    add(&mut arguments, write.sid);
                    add_value(&mut arguments, layout, &extra[index]);
                }
            }
        }
        self.add_stamp(&mut arguments);
        add_among(&mut arguments, layout, writes, size);
        Statement { sql, arguments }
    }

    fn touch(&self, writes: &[Write<'_>]) -> Statement<MySql> {
        let layout = self.layout;
        let size = size(writes.len());
        let sql = layout.text(&format!("touch {size}"), || {
            let changes: Vec<String> = [self.chosen(&layout.expires.name, "?", size)]
                .into_iter()
                .chain(self.stamped())
                .collect();
            format!(
                "UPDATE {} SET {} WHERE {} AND {}",
                layout.table,
                changes.join(", "),
                among(layout, size),
                live(layout)
            )
        });
        let mut arguments = MySqlArguments::default();
        for write in padded(writes, size) {
            if let Effect::Touch { expires } = write.effect {
                add(&mut arguments, write.sid);
                add_instant(&mut arguments, layout, &layout.expires, expires);
            }
        }
        self.add_stamp(&mut arguments);
        add_among(&mut arguments, layout, writes, size);
        add_instant(&mut arguments, layout, &layout.expires, self.now);
        Statement { sql, arguments }
    }

    fn destroy(&self, writes: &[Write<'_>]) -> Statement<MySql> {
        let layout = self.layout;
        let size = size(writes.len());
        let sql = layout.text(&format!("destroy {size}"), || {
            format!("DELETE FROM {} WHERE {}", layout.table, among(layout, size))
        });
        let mut arguments = MySqlArguments::default();
        add_among(&mut arguments, layout, writes, size);
        Statement { sql, arguments }
    }

    fn extra_columns(&self) -> impl Iterator<Item = String> {
        self.batch.extra.iter().map(|column| MySql::quote(column))
    }

    /// The value of a column by sid.
    fn chosen(&self, column: &str, mark: &str, size: usize) -> String {
        let branches = format!(" WHEN ? THEN {mark}").repeat(size);
        let binary = if is_exact(self.layout) { "" } else { "BINARY " };
        format!(
            "{column} = CASE {binary}{}{branches} ELSE {column} END",
            self.layout.sid
        )
    }

    fn stamped(&self) -> Option<String> {
        let column = self.layout.updated_at.as_ref()?;
        Some(format!("{} = ?", column.name))
    }

    fn add_stamp(&self, arguments: &mut MySqlArguments) {
        if let Some(column) = &self.layout.updated_at {
            add_instant(arguments, self.layout, column, self.now);
        }
    }
}

/// Adds a value. None of the types that are bound here can fail to encode.
fn add<'q, T: Encode<'q, MySql> + Type<MySql>>(arguments: &mut MySqlArguments, value: T) {
    _ = arguments.add(value);
}

fn add_sids(arguments: &mut MySqlArguments, sids: &[&str], size: usize) {
    for sid in padded(sids, size) {
        add(arguments, sid);
    }
}

/// Adds where a window begins: whether at the start, and else behind which sid. No sid would do for the start, since
/// collations have characters that come before the empty text.
fn add_cursor(arguments: &mut MySqlArguments, cursor: Option<&str>) {
    add(arguments, cursor.is_none());
    add(arguments, cursor.unwrap_or_default());
}

/// Whether the column itself tells all sids apart. Most collations ignore case, and all but the newer ones ignore spaces
/// at the end.
fn is_exact(layout: &Layout) -> bool {
    match &layout.sid_column.collation {
        Some(collation) => collation.ends_with("nopad_bin") || collation.ends_with("0900_bin"),
        None => true,
    }
}

/// That a row is one of `size` sids.
fn among(layout: &Layout, size: usize) -> String {
    let sid = &layout.sid;
    let list = marks(size);
    if is_exact(layout) {
        format!("{sid} IN ({list})")
    } else {
        format!("{sid} IN ({list}) AND BINARY {sid} IN ({list})")
    }
}

fn add_among(arguments: &mut MySqlArguments, layout: &Layout, writes: &[Write<'_>], size: usize) {
    let sids: Vec<&str> = writes.iter().map(|write| write.sid).collect();
    add_sids(arguments, &sids, size);
    if !is_exact(layout) {
        add_sids(arguments, &sids, size);
    }
}

/// Adds an instant in the form of its column. Milliseconds are cut off where the column has none: MySQL would round
/// them, and a session would live longer than it should.
fn add_instant(
    arguments: &mut MySqlArguments,
    layout: &Layout,
    column: &InstantColumn,
    at: Timestamp,
) {
    let digits = column.fraction.unwrap_or(0);
    match column.form {
        InstantForm::Zoned => add(arguments, local(at, 0, digits)),
        InstantForm::Local => add(arguments, local(at, layout.offset, digits)),
        InstantForm::Text => add(arguments, at.to_text()),
        InstantForm::Iso => add(arguments, at.to_iso()),
        InstantForm::Seconds => add(arguments, at.seconds()),
        InstantForm::Milliseconds => add(arguments, at.0),
    }
}

/// `YYYY-MM-DD HH:MM:SS.mmm` at an offset in minutes, with as many digits of the fraction as the column has.
fn local(at: Timestamp, offset: i32, digits: u32) -> String {
    let mut text = at.east(offset).to_text();
    text.truncate(match digits {
        0 => 19,
        1 => 21,
        2 => 22,
        _ => 23,
    });
    text
}

fn add_value(arguments: &mut MySqlArguments, layout: &Layout, extra: &Extra) {
    match &extra.value {
        Value::Null => add(arguments, None::<String>),
        Value::Bool(value) => add(arguments, *value),
        Value::Integer(value) => add(arguments, *value),
        Value::Real(value) => add(arguments, *value),
        Value::Text(text) | Value::Json(text) => add(arguments, text.as_str()),
        Value::Blob(bytes) => add(arguments, bytes.as_slice()),
        Value::Date(at) => {
            let offset = layout.offset_of::<MySql>(&extra.column);
            add(arguments, local(*at, offset, 3));
        }
    }
}

fn lock(layout: &Layout, key: &'static str, sql: impl FnOnce(&str) -> String) -> Statement<MySql> {
    let mut arguments = MySqlArguments::default();
    add(
        &mut arguments,
        format!("rust-sequelize-store {}", layout.table),
    );
    Statement {
        sql: layout.text(key, || sql("SHA2(CONCAT(DATABASE(), ?), 256)")),
        arguments,
    }
}

/// The parameter of the session's text.
fn data_mark(layout: &Layout) -> &'static str {
    if layout.data_quoted {
        "JSON_QUOTE(?)"
    } else {
        "?"
    }
}

/// The session as text.
fn data_text(layout: &Layout) -> String {
    match layout.data_form {
        DataForm::Text => layout.data.clone(),
        DataForm::Json => format!("CAST({} AS CHAR)", layout.data),
        DataForm::Binary => format!("CONVERT({} USING utf8mb4)", layout.data),
    }
}

/// The expiry in ms since the epoch as text, or the date as text where it is kept so.
fn milliseconds(layout: &Layout) -> String {
    let expires = &layout.expires.name;
    let since = |zone: i32| {
        format!(
            "CAST(FLOOR(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', {expires}) / 1000) - {} AS CHAR)",
            i64::from(zone) * 60_000
        )
    };
    match layout.expires.form {
        InstantForm::Zoned => since(0),
        InstantForm::Local => since(layout.offset),
        InstantForm::Text | InstantForm::Iso => expires.clone(),
        InstantForm::Seconds => format!("CAST({expires} * 1000 AS CHAR)"),
        InstantForm::Milliseconds => format!("CAST({expires} AS CHAR)"),
    }
}

fn expired(layout: &Layout) -> String {
    format!("{} <= ?", layout.expires.name)
}

fn live(layout: &Layout) -> String {
    format!(
        "({name} IS NULL OR {name} > ?){not_deleted}",
        name = layout.expires.name,
        not_deleted = not_deleted(layout)
    )
}

fn not_deleted(layout: &Layout) -> String {
    match &layout.deleted_at {
        Some(column) => format!(" AND {column} IS NULL"),
        None => String::new(),
    }
}

/// The size in which as many values are bound.
fn size(count: usize) -> usize {
    let fits = SIZES.into_iter().find(|size| *size >= count);
    fits.unwrap_or(count)
}

/// The values, and the last one again until there are `size`.
fn padded<T: Copy>(values: &[T], size: usize) -> Vec<T> {
    let mut padded = values.to_vec();
    if let Some(last) = values.last() {
        padded.resize(size, *last);
    }
    padded
}

/// The rows, and the smallest of them again until there are `size`.
fn padded_rows<'a>(writes: &[Write<'a>], size: usize) -> Vec<Write<'a>> {
    let length = |write: &&Write<'_>| match write.effect {
        Effect::Save { data, .. } => data.len(),
        Effect::Touch { .. } | Effect::Destroy => 0,
    };
    let mut padded = writes.to_vec();
    if let Some(smallest) = writes.iter().min_by_key(length) {
        padded.resize(size, *smallest);
    }
    padded
}

/// `?, ?, …`
fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::tests::{batch, column, table, write};

    fn layout(collation: &str, expires: &str) -> Layout {
        let mut sid = column("sid", "varchar(36)");
        sid.collation = Some(collation.into());
        let columns = vec![
            sid,
            column("expires", expires),
            column("data", "text"),
            column("updatedAt", "datetime"),
        ];
        Layout::new::<MySql>(&table(), columns).unwrap()
    }

    fn sql(layout: &Layout, writes: &[Write<'_>]) -> Vec<String> {
        MySql::write(layout, &batch(writes), Timestamp(1))
            .iter()
            .map(|statement| statement.sql.as_str().to_owned())
            .collect()
    }

    #[test]
    fn creates_a_table_that_tells_sids_apart_by_case() {
        assert_eq!(
            MySql::create_table(&table()),
            "CREATE TABLE IF NOT EXISTS `Sessions` (`sid` VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, \
             `expires` DATETIME, `data` MEDIUMTEXT CHARACTER SET utf8mb4, `createdAt` DATETIME NOT NULL, \
             `updatedAt` DATETIME NOT NULL, PRIMARY KEY (`sid`)) ENGINE=InnoDB;"
        );
    }

    #[test]
    fn each_kind_is_one_statement() {
        let (data, expires) = ("{}", Timestamp(0));
        let writes = [
            write(
                "a",
                Effect::Save {
                    data,
                    expires,
                    extra: &[],
                    only_if_exists: false,
                },
            ),
            write(
                "b",
                Effect::Save {
                    data,
                    expires,
                    extra: &[],
                    only_if_exists: true,
                },
            ),
            write("c", Effect::Touch { expires }),
            write("d", Effect::Destroy),
        ];
        assert_eq!(
            sql(&layout("utf8mb4_nopad_bin", "datetime"), &writes),
            [
                "INSERT INTO `Sessions` (`sid`, `expires`, `data`, `updatedAt`) VALUES (?, ?, ?, ?) \
                 ON DUPLICATE KEY UPDATE `expires` = VALUES(`expires`), `data` = VALUES(`data`), \
                 `updatedAt` = VALUES(`updatedAt`)",
                "UPDATE `Sessions` SET `expires` = CASE `sid` WHEN ? THEN ? ELSE `expires` END, \
                 `data` = CASE `sid` WHEN ? THEN ? ELSE `data` END, `updatedAt` = ? WHERE `sid` IN (?)",
                "UPDATE `Sessions` SET `expires` = CASE `sid` WHEN ? THEN ? ELSE `expires` END, `updatedAt` = ? \
                 WHERE `sid` IN (?) AND (`expires` IS NULL OR `expires` > ?)",
                "DELETE FROM `Sessions` WHERE `sid` IN (?)",
            ]
        );
    }

    #[test]
    fn a_collation_that_ignores_case_is_made_up_for() {
        let layout = layout("utf8mb4_general_ci", "datetime");
        assert_eq!(
            sql(&layout, &[write("a", Effect::Destroy)]),
            ["DELETE FROM `Sessions` WHERE `sid` IN (?) AND BINARY `sid` IN (?)"]
        );
        let (data, expires) = ("{}", Timestamp(0));
        let upsert = write(
            "a",
            Effect::Save {
                data,
                expires,
                extra: &[],
                only_if_exists: false,
            },
        );
        assert!(sql(&layout, &[upsert])[0].contains(
            "UPDATE `sid` = IF(BINARY `sid` = BINARY VALUES(`sid`), `sid`, NULL), `expires` ="
        ));
    }

    #[test]
    fn milliseconds_are_cut_off_where_the_column_has_none() {
        let at = Timestamp(1_893_553_445_678);
        assert_eq!(local(at, 0, 0), "2030-01-02 03:04:05");
        assert_eq!(local(at, 330, 3), "2030-01-02 08:34:05.678");
    }

    #[test]
    fn batches_are_bound_in_few_sizes() {
        assert_eq!(size(1), 1);
        assert_eq!(size(5), 8);
        assert_eq!(size(129), 256);
        assert_eq!(padded(&[1, 2], 4), [1, 2, 2, 2]);
    }
}
