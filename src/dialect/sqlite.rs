//! SQLite.
//!
//! A batch is bound as one JSON document per kind, so that every batch size has the same text. Texts and bytes of any
//! content travel beside them in one blob and are cut out by position: JSON functions stop at a NUL character.

use std::fmt::Write as _;
use std::str::FromStr;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqliteRow, SqliteSynchronous,
    SqliteValueRef,
};
use sqlx::{Arguments, ConnectOptions, Row, SqlStr, Sqlite, TypeInfo, ValueRef};

use super::on_conflict::{Rows, not_deleted};
use super::{
    Batch, Column, DataForm, Dialect, InstantColumn, InstantForm, Key, Layout, Statement, Target,
    driver_error, rendered,
};
use crate::config::{ConnectionConfig, Instants, Lanes, TableConfig};
use crate::error::{Kind, Remedy, Result, StoreError};
use crate::operation::{Effect, Expires, Stored, Value, Write};
use crate::timestamp::Timestamp;

/// Rows that one step of pruning looks at: a few milliseconds of the only writer's time.
const PRUNE_WINDOW: u32 = 250;

/// Kinds of write, and so statements of a commit at most.
const KINDS: usize = 4;

/// Pages in the write-ahead log before they are copied into the database: 32 MB of the usual 4 KB. SQLite's own default
/// is 1000. Sessions are written again and again, and a page is copied once however often it stands in the log:
/// measured, 77,000 instead of 43,000 writes a second over 10,000 sessions. Durability is the same.
const WAL_PAGES: u32 = 8000;

/// What a connection keeps of the file in memory at most, in KiB: the upper pages of both trees of a million sessions, and
/// half of what better-sqlite3 keeps. SQLite's own default is 2000. Measured, 8 % more gets a second of 10,000 sessions,
/// 15 % of a million.
const CACHE_KIB: u32 = 8000;

impl Dialect for Sqlite {
    const ROLLBACK: Option<&'static str> = Some("ROLLBACK");

    const SID_TYPE: &'static str = "VARCHAR(36) PRIMARY KEY";

    fn instant_type(instants: Instants) -> &'static str {
        match instants {
            Instants::Date | Instants::Local => "DATETIME",
            Instants::Seconds => "BIGINT",
            Instants::Iso => "TEXT",
        }
    }

    fn data_type(json: bool) -> &'static str {
        if json { "JSON" } else { "TEXT" }
    }

    fn beginning(column: &str) -> String {
        format!("substr({column}, 1, 2)")
    }

    const BIGINT: &'static str = "INTEGER";

    fn target(connection: &ConnectionConfig, max_connections: u32) -> Result<Target<Self>> {
        let (options, in_memory) = connect_options(&connection.url)?;
        // One connection writes, one is for calls about the whole table, the others read.
        let (readers, table) = match max_connections {
            _ if in_memory => (0, false),
            0 | 1 => (0, false),
            2 => (1, false),
            more => (more as usize - 2, true),
        };
        let lanes = Lanes {
            readers,
            writers: 1,
            table,
            prune_as_writer: true,
        };
        let name = if in_memory {
            "an SQLite database in memory".to_owned()
        } else {
            format!("the SQLite file `{}`", options.get_filename().display())
        };
        Ok(Target {
            options,
            name,
            lanes,
            tcp_port: None,
            in_memory,
            explain,
            files: Vec::new(),
        })
    }

    fn quote(identifier: &str) -> String {
        format!("`{}`", identifier.replace('`', "``"))
    }

    fn look(table: &TableConfig) -> Statement<Self> {
        let sql = r#"SELECT c.name, c.type,
            (c.pk > 0 AND (SELECT count(*) FROM pragma_table_info(?1) WHERE pk > 0) = 1)
            OR EXISTS (SELECT 1 FROM pragma_index_list(?1) AS i WHERE i."unique" AND NOT i.partial
                AND (SELECT group_concat(k.name) FROM pragma_index_info(i.name) AS k) = c.name),
            EXISTS (SELECT 1 FROM pragma_table_list(?1) AS l WHERE l.wr)
            FROM pragma_table_info(?1) AS c"#;
        statement(rendered(sql.to_owned()), [table.name.clone().into()])
    }

    fn column(row: &SqliteRow) -> sqlx::Result<Column> {
        Ok(Column {
            name: row.try_get(0)?,
            declared: row.try_get(1)?,
            cast: row.try_get(1)?,
            unique: row.try_get(2)?,
            collation: None,
            clustered: row.try_get(3)?,
        })
    }

    fn refuse_sid(_column: &Column) -> Option<String> {
        None
    }

    fn instant_form(column: &Column) -> Result<InstantForm, String> {
        // SQLite's own rule: a declared type that contains INT means integers.
        if column.declared.to_ascii_uppercase().contains("INT") {
            Ok(InstantForm::Milliseconds)
        } else {
            Ok(InstantForm::Text)
        }
    }

    fn data_form(column: &Column) -> Result<DataForm, String> {
        let json = column.declared.to_ascii_uppercase().starts_with("JSON");
        Ok(if json { DataForm::Json } else { DataForm::Text })
    }

    fn table_constraints(_sid: &str) -> [String; 2] {
        [String::new(), String::new()]
    }

    fn read(layout: &Layout, sids: &[&str]) -> Statement<Self> {
        let sql = layout.text("read", || {
            format!(
                "SELECT j.key, t.{data}, t.{expires}, {scale} \
                 FROM json_each(?1) AS j CROSS JOIN {table} AS t ON t.{sid} = j.value{not_deleted}",
                data = layout.data,
                expires = layout.expires.name,
                scale = match layout.expires.form {
                    InstantForm::Seconds => 1000,
                    InstantForm::Milliseconds => 1,
                    _ => 0,
                },
                table = layout.table,
                sid = layout.sid,
                not_deleted = not_deleted(layout),
            )
        });
        statement(sql, [sids_document(sids.iter().copied()).into()])
    }

    fn stored(row: &SqliteRow) -> sqlx::Result<(Key, Stored)> {
        let index: i64 = row.try_get(0)?;
        // What an integer counts, in ms; 0 where dates are texts.
        let scale: i64 = row.try_get(3)?;
        let expires = match found(&row.try_get_raw(2)?) {
            Found::Null => Expires::Never,
            Found::Integer if scale > 0 => {
                let count: i64 = row.try_get_unchecked(2)?;
                Expires::At(Timestamp(count.saturating_mul(scale)))
            }
            Found::Text if scale == 0 => row
                .try_get_unchecked(2)
                .ok()
                .and_then(Timestamp::parse)
                .map_or(Expires::Unreadable, Expires::At),
            _ => Expires::Unreadable,
        };
        let data = match found(&row.try_get_raw(1)?) {
            Found::Text => row.try_get_unchecked(1).ok(),
            _ => None,
        };
        let index = usize::try_from(index).map_err(|error| sqlx::Error::Decode(error.into()))?;
        Ok((Key::Index(index), Stored { data, expires }))
    }

    fn write(layout: &Layout, batch: &Batch<'_>, now: Timestamp) -> Vec<Statement<Self>> {
        let key = format!("write {:?} {:?}", batch.kinds(), batch.extra);
        let sql = layout.text(&key, || write_script(layout, batch));
        let mut blob = Vec::new();
        let upserts = rows_document(layout, &batch.upserts, &mut blob);
        let updates = rows_document(layout, &batch.updates, &mut blob);
        let touches = touches_document(layout, &batch.touches);
        let destroys = sids_document(batch.destroys.iter().map(|write| write.sid));
        let mut values: Vec<Argument> = NOW.map(|form| instant(form, now)).into();
        values.extend([upserts, updates, touches, destroys].map(Argument::Text));
        values.push(Argument::Blob(blob));
        // sqlx 0.9 takes a number that a statement leaves out for a parameter without one, counts these on through all
        // statements of a text, and stops binding where the count exceeds the values. So there have to be values for
        // as many as all statements together can leave out.
        values.extend((0..KINDS * values.len()).map(|_| Argument::Null));
        vec![statement(sql, values)]
    }

    fn gone(batch: &Batch<'_>, affected: &[u64]) -> u64 {
        // Behind the upserts, and behind BEGIN where there are several statements.
        let kinds = batch.kinds();
        let several = kinds.iter().filter(|present| **present).count() > 1;
        let index = usize::from(several) + usize::from(kinds[0]);
        let updated = affected.get(index).copied().unwrap_or(0);
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
                "SELECT {sid}, {data} FROM {table} AS t WHERE {sid} > ?4 AND {live} ORDER BY {sid} LIMIT ?5",
                sid = layout.sid,
                data = if with_data { &layout.data } else { "NULL" },
                table = layout.table,
                live = live(layout),
            )
        });
        let mut values: Vec<Argument> = NOW.map(|form| instant(form, now)).into();
        values.extend([
            after.unwrap_or_default().to_owned().into(),
            Argument::Integer(limit.into()),
        ]);
        statement(sql, values)
    }

    fn length(layout: &Layout, now: Timestamp) -> Statement<Self> {
        let sql = layout.text("length", || {
            format!(
                "SELECT count(*) FROM {} AS t WHERE {}",
                layout.table,
                live(layout)
            )
        });
        statement(sql, NOW.map(|form| instant(form, now)))
    }

    fn expired(layout: &Layout, now: Timestamp, cursor: Option<&str>) -> Statement<Self> {
        // In the order of the file as a rule. A table WITHOUT ROWID is in that of its sids.
        let (id, after, first) = if layout.sid_column.clustered {
            (layout.sid.as_str(), "?4", String::new())
        } else {
            // The lowest rowid there can be: rowids may be negative.
            ("rowid", "CAST(?4 AS INTEGER)", i64::MIN.to_string())
        };
        let sql = layout.text("expired", || {
            let window = |columns: &str| {
                format!(
                    "SELECT {columns} FROM {} AS t WHERE {id} > {after} ORDER BY {id} LIMIT {PRUNE_WINDOW}",
                    layout.table
                )
            };
            format!(
                "SELECT CAST(w.next AS TEXT), e.sid FROM (SELECT max(id) AS next FROM ({ids})) AS w \
                 LEFT JOIN (SELECT sid FROM ({rows}) WHERE expired) AS e ON true",
                ids = window(&format!("{id} AS id")),
                rows = window(&format!(
                    "{} AS sid, {} AS expired",
                    layout.sid,
                    expired(layout)
                )),
            )
        });
        let cursor = cursor.map_or(first, str::to_owned);
        let mut values: Vec<Argument> = NOW.map(|form| instant(form, now)).into();
        values.push(cursor.into());
        statement(sql, values)
    }

    fn delete_expired(layout: &Layout, now: Timestamp, sids: &[&str]) -> Statement<Self> {
        let sql = layout.text("delete expired", || {
            format!(
                "DELETE FROM {} AS t WHERE {} IN (SELECT j.value FROM json_each(?4) AS j) AND {}",
                layout.table,
                layout.sid,
                expired(layout)
            )
        });
        let mut values: Vec<Argument> = NOW.map(|form| instant(form, now)).into();
        values.push(sids_document(sids.iter().copied()).into());
        statement(sql, values)
    }

    fn rows_affected(result: &Self::QueryResult) -> u64 {
        result.rows_affected()
    }

    // Result codes: https://www.sqlite.org/rescode.html
    fn error(error: sqlx::Error) -> StoreError {
        let failed = driver_error(&error);
        let code = failed.cause.as_ref().and_then(|cause| cause.code.as_ref());
        let Some(code) = code.and_then(|code| i32::from_str(code).ok()) else {
            return failed;
        };
        let (kind, remedy) = match code & 0xff {
            // BUSY and LOCKED.
            5 | 6 => (Kind::Timeout, Remedy::Retry),
            // SQLite has no code for a missing table or column, so the text must do.
            1 if ["no such table", "no such column", "has no column"]
                .iter()
                .any(|sign| failed.message.contains(sign)) =>
            {
                (Kind::Table, Remedy::None)
            }
            // ERROR, TOOBIG, CONSTRAINT, MISMATCH.
            1 | 18 | 19 | 20 => (Kind::Database, Remedy::Isolate),
            // READONLY, IOERR, CORRUPT, CANTOPEN, NOTADB: the file may have been replaced under the connection.
            8 | 10 | 11 | 14 | 26 => (Kind::Database, Remedy::Discard),
            _ => (Kind::Database, Remedy::None),
        };
        StoreError {
            kind,
            remedy,
            ..failed
        }
    }
}

/// Reads `sqlite:` URLs: sqlx's own parameters, and three that set pragmas of the connection.
fn connect_options(url: &str) -> Result<(SqliteConnectOptions, bool)> {
    let (location, query) = url.split_once('?').unwrap_or((url, ""));
    let mut journal_mode = Some(SqliteJournalMode::Wal);
    let mut synchronous = None;
    let mut busy_timeout = Duration::from_secs(5);
    let mut others = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        match key {
            // The mode that the file has already: another program decides on it.
            "journal_mode" if value == "keep" => journal_mode = None,
            "journal_mode" => journal_mode = Some(parameter(key, value)?),
            "synchronous" => synchronous = Some(parameter(key, value)?),
            "busy_timeout" => busy_timeout = Duration::from_millis(parameter(key, value)?),
            _ => others.push(pair),
        }
    }
    let has_mode = others.iter().any(|pair| pair.starts_with("mode="));
    let read_only = others.contains(&"mode=ro") || others.contains(&"immutable=true");
    let url = format!("{location}?{}", others.join("&"));
    let options = SqliteConnectOptions::from_str(url.trim_end_matches('?'))
        .map_err(|error| StoreError::options(format!("the SQLite URL cannot be used: {error}")))?;
    let in_memory = others.contains(&"mode=memory") || location.ends_with(":memory:");
    if options.get_filename().as_os_str().is_empty() && !in_memory {
        return Err(StoreError::options(
            "the SQLite URL names no file: expected `sqlite:./sessions.sqlite` or `sqlite::memory:`",
        ));
    }
    // Without a log, a crash of the machine could damage a file that is not synchronised fully.
    let wal = journal_mode == Some(SqliteJournalMode::Wal);
    let safe = if wal {
        SqliteSynchronous::Normal
    } else {
        SqliteSynchronous::Full
    };
    let mut options = options
        .busy_timeout(busy_timeout)
        .synchronous(synchronous.unwrap_or(safe))
        // A negative number is one of KiB and not of pages.
        .pragma("cache_size", format!("-{CACHE_KIB}"))
        .disable_statement_logging();
    if !has_mode {
        options = options.create_if_missing(true);
    }
    if let (Some(journal_mode), false, false) = (journal_mode, in_memory, read_only) {
        options = options
            .journal_mode(journal_mode)
            .pragma("wal_autocheckpoint", WAL_PAGES.to_string());
    }
    if !in_memory {
        // Fixed now: the process may change its folder before the first connection is made.
        let path = std::path::absolute(options.get_filename()).map_err(|error| {
            StoreError::options(format!("the SQLite URL cannot be used: {error}"))
        })?;
        options = options.filename(path);
    }
    Ok((options, in_memory))
}

fn parameter<T: FromStr<Err: std::fmt::Display>>(key: &str, value: &str) -> Result<T> {
    value.parse().map_err(|error| {
        StoreError::options(format!(
            "the SQLite URL cannot be used: `{value}` is no value for `{key}`: {error}"
        ))
    })
}

/// A bound value.
enum Argument {
    Null,
    Text(String),
    Integer(i64),
    Blob(Vec<u8>),
}

impl From<String> for Argument {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

fn statement(sql: SqlStr, values: impl IntoIterator<Item = Argument>) -> Statement<Sqlite> {
    let mut arguments = SqliteArguments::default();
    for value in values {
        // None of these encodings can fail.
        _ = match value {
            Argument::Null => arguments.add(None::<i64>),
            Argument::Text(text) => arguments.add(text),
            Argument::Integer(integer) => arguments.add(integer),
            Argument::Blob(bytes) => arguments.add(bytes),
        };
    }
    Statement { sql, arguments }
}

/// The time is bound in three forms, as ?1, ?2 and ?3, and a statement takes the one of its column.
const NOW: [InstantForm; 3] = [
    InstantForm::Text,
    InstantForm::Seconds,
    InstantForm::Milliseconds,
];

/// The parameter with the time in a form.
fn now(form: InstantForm) -> &'static str {
    match form {
        InstantForm::Zoned | InstantForm::Local | InstantForm::Text | InstantForm::Iso => "?1",
        InstantForm::Seconds => "?2",
        InstantForm::Milliseconds => "?3",
    }
}

fn instant(form: InstantForm, at: Timestamp) -> Argument {
    match form {
        InstantForm::Zoned | InstantForm::Local | InstantForm::Text => at.to_text().into(),
        InstantForm::Iso => at.to_iso().into(),
        InstantForm::Seconds => Argument::Integer(at.seconds()),
        InstantForm::Milliseconds => Argument::Integer(at.0),
    }
}

/// The expiry as it can be compared with the time; NULL for what is not of the column's form. Texts are brought to
/// Sequelize's form first, whatever form they were written in.
fn comparable(layout: &Layout) -> String {
    let expires = format!("t.{}", layout.expires.name);
    if layout.expires.form.is_integer() {
        format!("CASE typeof({expires}) WHEN 'integer' THEN {expires} END")
    } else {
        format!(
            "strftime('%Y-%m-%d %H:%M:%f +00:00', CASE typeof({expires}) WHEN 'text' THEN {expires} END)"
        )
    }
}

fn expired(layout: &Layout) -> String {
    format!("{} <= {}", comparable(layout), now(layout.expires.form))
}

fn live(layout: &Layout) -> String {
    format!(
        "(t.{} IS NULL OR {} > {}){}",
        layout.expires.name,
        comparable(layout),
        now(layout.expires.form),
        not_deleted(layout)
    )
}

/// The text of a session, cut from the blob.
const DATA: &str = "CAST(substr(?8, j.value->>2, j.value->>3) AS TEXT)";

/// The statements of a batch. Behind the time in its three forms, ?4 to ?7 are the documents of upserts, updates,
/// touches and destroys, ?8 is the blob that holds texts and bytes. More than one statement makes a transaction.
fn write_script(layout: &Layout, batch: &Batch<'_>) -> String {
    let extra = batch.extra.iter().enumerate();
    let rows = Rows {
        layout,
        sid: "j.value->>0",
        expires: "j.value->>1".to_owned(),
        data: if layout.data_quoted {
            format!("json_quote({DATA})")
        } else {
            DATA.to_owned()
        },
        extra: extra
            .map(|(index, column)| (Sqlite::quote(column), extra_value(index)))
            .collect(),
        now: &|column: &InstantColumn| now(column.form).to_owned(),
        live: live(layout),
    };
    let mut statements = Vec::new();
    if !batch.upserts.is_empty() {
        statements.push(rows.upsert("json_each(?4) AS j"));
    }
    if !batch.updates.is_empty() {
        statements.push(rows.update("json_each(?5) AS j"));
    }
    if !batch.touches.is_empty() {
        statements.push(rows.touch("json_each(?6) AS j"));
    }
    if !batch.destroys.is_empty() {
        statements.push(format!(
            "DELETE FROM {} WHERE {} IN (SELECT j.value FROM json_each(?7) AS j)",
            layout.table, layout.sid
        ));
    }
    if let [statement] = &statements[..] {
        return statement.clone();
    }
    format!("BEGIN IMMEDIATE; {}; COMMIT", statements.join("; "))
}

/// The value of the extra column at `index`: a JSON scalar, or an array that names a piece of the blob.
fn extra_value(index: usize) -> String {
    let path = format!("$[{}]", index + 4);
    format!(
        "CASE json_type(j.value, '{path}') WHEN 'array' THEN CASE j.value->>'{path}[0]' \
         WHEN 'text' THEN CAST(substr(?8, j.value->>'{path}[1]', j.value->>'{path}[2]') AS TEXT) \
         ELSE substr(?8, j.value->>'{path}[1]', j.value->>'{path}[2]') END ELSE j.value->>'{path}' END"
    )
}

/// `["sid", …]`
fn sids_document<'a>(sids: impl Iterator<Item = &'a str>) -> String {
    let mut document = String::from("[");
    for (index, sid) in sids.enumerate() {
        if index > 0 {
            document.push(',');
        }
        push_string(&mut document, sid);
    }
    document.push(']');
    document
}

/// `[["sid", "expires"], …]`
fn touches_document(layout: &Layout, touches: &[Write<'_>]) -> String {
    let mut document = String::from("[");
    for (index, write) in touches.iter().enumerate() {
        if let Effect::Touch { expires } = write.effect {
            document.push_str(if index > 0 { ",[" } else { "[" });
            push_string(&mut document, write.sid);
            document.push(',');
            push_instant(&mut document, layout.expires.form, expires);
            document.push(']');
        }
    }
    document.push(']');
    document
}

/// `[["sid", "expires", offset, length, extra…], …]`; the texts go to the blob.
fn rows_document(layout: &Layout, writes: &[Write<'_>], blob: &mut Vec<u8>) -> String {
    let mut document = String::from("[");
    for (index, write) in writes.iter().enumerate() {
        let Effect::Save {
            data,
            expires,
            extra,
            ..
        } = write.effect
        else {
            continue;
        };
        document.push_str(if index > 0 { ",[" } else { "[" });
        push_string(&mut document, write.sid);
        document.push(',');
        push_instant(&mut document, layout.expires.form, expires);
        document.push(',');
        push_piece(&mut document, blob, data.as_bytes());
        for extra in extra {
            document.push(',');
            push_value(&mut document, blob, &extra.value);
        }
        document.push(']');
    }
    document.push(']');
    document
}

fn push_instant(document: &mut String, form: InstantForm, at: Timestamp) {
    match instant(form, at) {
        Argument::Integer(integer) => _ = write!(document, "{integer}"),
        Argument::Text(text) => push_string(document, &text),
        Argument::Null | Argument::Blob(_) => {}
    }
}

fn push_value(document: &mut String, blob: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => document.push_str("null"),
        Value::Bool(value) => document.push(if *value { '1' } else { '0' }),
        Value::Integer(value) => _ = write!(document, "{value}"),
        // Always with a point or an exponent, so that it stays a real number.
        Value::Real(value) => _ = write!(document, "{value:?}"),
        Value::Text(value) if value.contains('\0') => {
            document.push_str(r#"["text","#);
            push_piece(document, blob, value.as_bytes());
            document.push(']');
        }
        Value::Text(value) | Value::Json(value) => push_string(document, value),
        Value::Date(value) => push_string(document, &value.to_text()),
        Value::Blob(value) => {
            document.push_str(r#"["blob","#);
            push_piece(document, blob, value);
            document.push(']');
        }
    }
}

/// Appends bytes to the blob, and their position, counted from 1, and length to the document.
fn push_piece(document: &mut String, blob: &mut Vec<u8>, bytes: &[u8]) {
    _ = write!(document, "{},{}", blob.len() + 1, bytes.len());
    blob.extend_from_slice(bytes);
}

fn push_string(document: &mut String, text: &str) {
    // Writing a string as JSON into a string cannot fail.
    document.push_str(&serde_json::to_string(text).unwrap_or_default());
}

enum Found {
    Null,
    Text,
    Integer,
    Other,
}

/// SQLite columns hold whatever was put in; bytes count as text, numbers do not.
fn found(value: &SqliteValueRef<'_>) -> Found {
    match value.type_info().name() {
        _ if value.is_null() => Found::Null,
        "TEXT" | "BLOB" => Found::Text,
        "INTEGER" => Found::Integer,
        _ => Found::Other,
    }
}

/// What the file system knows about a file that could not be opened.
fn explain(target: &Target<Sqlite>) -> Option<String> {
    let path = target.options.get_filename();
    let folder = path.parent()?;
    if !folder.exists() {
        return Some(format!("the folder `{}` does not exist", folder.display()));
    }
    path.is_dir().then(|| "it is a folder".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::tests::{batch, column, table, write};
    use crate::operation::Extra;

    fn layout(names: &[&str]) -> Layout {
        let columns = names.iter().map(|name| column(name, "TEXT")).collect();
        Layout::new::<Sqlite>(&table(), columns).unwrap()
    }

    fn sequelize() -> Layout {
        layout(&["sid", "expires", "data", "createdAt", "updatedAt"])
    }

    fn sql(layout: &Layout, batch: &Batch<'_>) -> String {
        let [statement] = &Sqlite::write(layout, batch, Timestamp(1))[..] else {
            panic!("SQLite takes a commit as one text")
        };
        statement.sql.as_str().to_owned()
    }

    #[test]
    fn creates_the_table_of_sequelize() {
        assert_eq!(
            Sqlite::create_table(&table()),
            "CREATE TABLE IF NOT EXISTS `Sessions` (`sid` VARCHAR(36) PRIMARY KEY, `expires` DATETIME, `data` TEXT, \
             `createdAt` DATETIME NOT NULL, `updatedAt` DATETIME NOT NULL);"
        );
    }

    #[test]
    fn one_kind_of_write_is_one_statement() {
        let layout = sequelize();
        let upsert = Effect::Save {
            data: "{}",
            expires: Timestamp(0),
            extra: &[],
            only_if_exists: false,
        };
        let batch = batch(&[write("a", upsert), write("b", upsert)]);
        assert_eq!(
            sql(&layout, &batch),
            "INSERT INTO `Sessions` (`sid`, `createdAt`, `expires`, `data`, `updatedAt`) \
             SELECT j.value->>0, ?1, j.value->>1, CAST(substr(?8, j.value->>2, j.value->>3) AS TEXT), ?1 \
             FROM json_each(?4) AS j WHERE true \
             ON CONFLICT (`sid`) DO UPDATE SET `expires` = excluded.`expires`, `data` = excluded.`data`, \
             `updatedAt` = excluded.`updatedAt`"
        );
        let mut blob = Vec::new();
        assert_eq!(
            rows_document(&layout, &batch.upserts, &mut blob),
            r#"[["a","1970-01-01 00:00:00.000 +00:00",1,2],["b","1970-01-01 00:00:00.000 +00:00",3,2]]"#
        );
        assert_eq!(blob, b"{}{}");
    }

    #[test]
    fn several_kinds_of_write_are_one_transaction() {
        let layout = layout(&["sid", "expires", "data", "updated_at"]);
        let update = Effect::Save {
            data: "{}",
            expires: Timestamp(0),
            extra: &[],
            only_if_exists: true,
        };
        let expires = Timestamp(0);
        let writes = [
            write("a", update),
            write("b", Effect::Touch { expires }),
            write("c", Effect::Destroy),
        ];
        let batch = batch(&writes);
        assert_eq!(
            sql(&layout, &batch),
            "BEGIN IMMEDIATE; \
             UPDATE `Sessions` AS t SET `expires` = j.value->>1, \
             `data` = CAST(substr(?8, j.value->>2, j.value->>3) AS TEXT), `updated_at` = ?1 \
             FROM json_each(?5) AS j WHERE t.`sid` = j.value->>0; \
             UPDATE `Sessions` AS t SET `expires` = j.value->>1, `updated_at` = ?1 FROM json_each(?6) AS j \
             WHERE t.`sid` = j.value->>0 AND (t.`expires` IS NULL OR \
             strftime('%Y-%m-%d %H:%M:%f +00:00', CASE typeof(t.`expires`) WHEN 'text' \
             THEN t.`expires` END) > ?1); \
             DELETE FROM `Sessions` WHERE `sid` IN (SELECT j.value FROM json_each(?7) AS j); \
             COMMIT"
        );
        assert_eq!(Sqlite::gone(&batch, &[0, 0, 1, 1, 0]), 1);
        assert_eq!(Sqlite::gone(&batch, &[0, 1, 1, 1, 0]), 0);
    }

    #[test]
    fn texts_and_bytes_of_any_content_travel_in_the_blob() {
        let extra = [
            Value::Real(2.0),
            Value::Text("a\0b".into()),
            Value::Blob(vec![255]),
        ]
        .map(|value| Extra {
            column: "c".into(),
            value,
        });
        let effect = Effect::Save {
            data: "\0",
            expires: Timestamp(0),
            extra: &extra,
            only_if_exists: false,
        };
        let mut blob = Vec::new();
        assert_eq!(
            rows_document(&sequelize(), &[write("a\"", effect)], &mut blob),
            r#"[["a\"","1970-01-01 00:00:00.000 +00:00",1,1,2.0,["text",2,3],["blob",5,1]]]"#
        );
        assert_eq!(blob, b"\0a\0b\xff");
    }

    #[test]
    fn names_are_quoted() {
        assert_eq!(Sqlite::quote("we`ird"), "`we``ird`");
    }

    #[test]
    fn urls_say_where_and_how() {
        let target = |url: &str| {
            let connection = ConnectionConfig {
                url: url.into(),
                prepared_statements: true,
                shared_file: false,
            };
            Sqlite::target(&connection, 4)
        };
        let file = target("sqlite:./a.db?busy_timeout=7&synchronous=FULL").unwrap();
        assert!(file.options.get_filename().is_absolute());
        assert_eq!(file.lanes.readers, 2);
        assert!(target("sqlite::memory:").unwrap().in_memory);
        assert_eq!(target("sqlite::memory:").unwrap().lanes.readers, 0);
        for (url, named) in [
            ("sqlite:a.db?colour=red", "colour"),
            ("sqlite:a.db?journal_mode=LOUD", "journal_mode"),
            ("sqlite:a.db?busy_timeout=soon", "busy_timeout"),
            ("sqlite:", "names no file"),
        ] {
            let error = target(url).err().unwrap();
            assert_eq!(error.kind, Kind::Options);
            assert!(error.message.contains(named), "{}", error.message);
        }
    }

    #[test]
    fn a_table_that_cannot_serve_is_refused_by_column() {
        let refused = |columns: Vec<Column>| {
            Layout::new::<Sqlite>(&table(), columns)
                .unwrap_err()
                .message
        };
        let message = refused(vec![column("sid", "TEXT"), column("data", "TEXT")]);
        assert!(message.contains("no column `expires`"), "{message}");
        let mut loose = column("sid", "TEXT");
        loose.unique = false;
        let message = refused(vec![
            loose,
            column("expires", "TEXT"),
            column("data", "TEXT"),
        ]);
        assert!(message.contains("`sid`"), "{message}");
    }
}
