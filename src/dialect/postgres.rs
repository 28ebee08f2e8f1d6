//! PostgreSQL.
//!
//! A batch is bound as one array per column, so that every batch size has the same text; values of the application's own
//! columns travel as text and are cast to the type that the column has. A batch of several kinds is one statement, whose
//! parts touch different rows.

use sqlx::postgres::{PgArguments, PgConnectOptions, PgRow, PgSslMode};
use sqlx::{Arguments, Column as _, ConnectOptions, Encode, Postgres, Row, Type, TypeInfo};
use std::str::FromStr;
use time::OffsetDateTime;

use super::on_conflict::{Rows, not_deleted};
use super::{
    Batch, Column, DataForm, Dialect, InstantColumn, InstantForm, Key, Layout, Statement, Target,
    check_ssl_parameters, driver_error, is_plain, rendered, with_host,
};
use crate::config::{ConnectionConfig, Instants, TableConfig};
use crate::error::{Kind, Remedy, Result, StoreError};
use crate::operation::{Effect, Expires, Extra, Stored, Value, Write};
use crate::timestamp::Timestamp;

/// Blocks that one step of pruning looks at: below a hundred sessions, and a millisecond or two of a processor, which is
/// what a `get` waits for where there are no more processors than busy processes. Measured with two of them, the p99 of
/// `get` rises 1.3 times meanwhile, and 2.0 times with 32 blocks, which prune twice as fast.
const PRUNE_BLOCKS: u32 = 8;

/// The parameters of TLS that the driver knows.
const SSL_PARAMETERS: [&str; 8] = [
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "ssl-mode",
    "ssl-root-cert",
    "ssl-cert",
    "ssl-key",
];

impl Dialect for Postgres {
    const SID_TYPE: &'static str = "VARCHAR(128)";

    fn instant_type(instants: Instants) -> &'static str {
        match instants {
            Instants::Date | Instants::Iso => "TIMESTAMP WITH TIME ZONE",
            Instants::Local => "TIMESTAMP(6) WITHOUT TIME ZONE",
            Instants::Seconds => "BIGINT",
        }
    }

    fn data_type(json: bool) -> &'static str {
        if json { "JSON" } else { "TEXT" }
    }

    fn beginning(column: &str) -> String {
        format!("left({column}::text, 2)")
    }

    const BIGINT: &'static str = "bigint";

    fn target(connection: &ConnectionConfig, max_connections: u32) -> Result<Target<Self>> {
        let refused =
            |error| StoreError::options(format!("the PostgreSQL URL cannot be used: {error}"));
        let mut options = PgConnectOptions::from_str(&with_host(&connection.url))
            .map_err(refused)?
            // No number with a fraction is read as text, and poolers refuse the parameter.
            .extra_float_digits(None)
            .disable_statement_logging();
        check_ssl_parameters(&connection.url, &SSL_PARAMETERS)?;
        let asked = std::env::var_os("PGSSLMODE").is_some();
        if !asked && is_plain(&connection.url, options.get_host()) {
            options = options.ssl_mode(PgSslMode::Disable);
        }
        if !connection.prepared_statements {
            options = options.statement_cache_capacity(0);
        }
        Ok(Target::of_server(
            "PostgreSQL",
            options.get_database().unwrap_or(options.get_username()),
            (options.get_host(), options.get_port()),
            options.get_socket(),
            max_connections,
            &connection.url,
            options.clone(),
        ))
    }

    fn quote(identifier: &str) -> String {
        format!("\"{}\"", identifier.replace('"', "\"\""))
    }

    fn look(table: &TableConfig) -> Statement<Self> {
        let sql = "SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), \
             EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisunique AND i.indisvalid AND i.indimmediate \
             AND i.indpred IS NULL AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum), \
             (SELECT format('%I.%I', n.nspname, t.typname) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace \
             WHERE t.oid = a.atttypid), \
             (SELECT c.collname::text FROM pg_collation c WHERE c.oid = a.attcollation AND NOT c.collisdeterministic) \
             FROM pg_attribute a WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped \
             ORDER BY a.attnum";
        let mut arguments = PgArguments::default();
        add(&mut arguments, Self::table_name(table));
        Statement {
            sql: rendered(sql.to_owned()),
            arguments,
        }
    }

    fn column(row: &PgRow) -> sqlx::Result<Column> {
        Ok(Column {
            name: row.try_get(0)?,
            declared: row.try_get(1)?,
            cast: row.try_get(3)?,
            unique: row.try_get(2)?,
            collation: row.try_get(4)?,
            clustered: false,
        })
    }

    fn refuse_sid(column: &Column) -> Option<String> {
        if let Some(collation) = &column.collation {
            return Some(format!(
                "its collation `{collation}` is not deterministic, and takes different ids for the same"
            ));
        }
        let fits = ["text", "character varying"]
            .iter()
            .any(|text| column.declared.starts_with(text));
        (!fits).then(|| format!("it is {}, and has to be text or varchar", column.declared))
    }

    fn instant_form(column: &Column) -> Result<InstantForm, String> {
        let declared = &column.declared;
        match declared.as_str() {
            "integer" => Ok(InstantForm::Seconds),
            "bigint" => Ok(InstantForm::Milliseconds),
            _ if declared.starts_with("timestamp") => {
                if declared.ends_with("without time zone") {
                    Ok(InstantForm::Local)
                } else {
                    Ok(InstantForm::Zoned)
                }
            }
            _ if declared == "text" || declared.starts_with("character varying") => {
                Ok(InstantForm::Text)
            }
            other => Err(format!(
                "it is {other}, and has to be a timestamp, text, integer or bigint"
            )),
        }
    }

    fn data_form(column: &Column) -> Result<DataForm, String> {
        match column.declared.as_str() {
            "json" | "jsonb" => Ok(DataForm::Json),
            "bytea" => Ok(DataForm::Binary),
            "text" => Ok(DataForm::Text),
            other if other.starts_with("character varying") => Ok(DataForm::Text),
            other => Err(format!(
                "it is {other}, and has to be text, varchar, json, jsonb or bytea"
            )),
        }
    }

    fn table_constraints(sid: &str) -> [String; 2] {
        [format!(", PRIMARY KEY ({sid})"), String::new()]
    }

    fn read(layout: &Layout, sids: &[&str]) -> Statement<Self> {
        let sql = layout.text("read", || {
            format!(
                "SELECT t.{sid}::text, {data}, {expires} FROM {table} AS t WHERE t.{sid} = ANY($1::text[]){not_deleted}",
                data = data_text(layout),
                expires = expires_value(layout),
                table = layout.table,
                sid = layout.sid,
                not_deleted = not_deleted(layout),
            )
        });
        let mut arguments = PgArguments::default();
        add(&mut arguments, sids);
        Statement { sql, arguments }
    }

    fn stored(row: &PgRow) -> sqlx::Result<(Key, Stored)> {
        let expires = if row.column(2).type_info().name() == "TIMESTAMPTZ" {
            let at: Option<OffsetDateTime> = row.try_get(2)?;
            at.map_or(Expires::Never, |at| Expires::At(at.into()))
        } else {
            expires_of(row.try_get(2)?)
        };
        let data = row.try_get(1)?;
        Ok((Key::Sid(row.try_get(0)?), Stored { data, expires }))
    }

    fn write(layout: &Layout, batch: &Batch<'_>, now: Timestamp) -> Vec<Statement<Self>> {
        let key = format!("write {:?} {:?}", batch.kinds(), batch.extra);
        let sql = layout.text(&key, || write_text(layout, batch));
        let mut arguments = PgArguments::default();
        add(&mut arguments, now.0);
        add_rows(&mut arguments, layout, &batch.upserts, &batch.extra);
        add_rows(&mut arguments, layout, &batch.updates, &batch.extra);
        add_touches(&mut arguments, &batch.touches);
        add_sids(&mut arguments, &batch.destroys);
        vec![Statement { sql, arguments }]
    }

    fn gone(batch: &Batch<'_>, affected: &[u64]) -> u64 {
        // An update is always the main part of its statement, the one whose rows are counted.
        let updated = affected.first().copied().unwrap_or(0);
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
                "SELECT t.{sid}::text, {data} FROM {table} AS t WHERE t.{sid} > $2 AND {live} ORDER BY t.{sid} LIMIT $3",
                sid = layout.sid,
                data = if with_data { data_text(layout) } else { "NULL::text".to_owned() },
                table = layout.table,
                live = live(layout),
            )
        });
        let mut arguments = PgArguments::default();
        add(&mut arguments, now.0);
        add(&mut arguments, after.unwrap_or_default());
        add(&mut arguments, i64::from(limit));
        Statement { sql, arguments }
    }

    fn length(layout: &Layout, now: Timestamp) -> Statement<Self> {
        let sql = layout.text("length", || {
            format!(
                "SELECT count(*) FROM {} AS t WHERE {}",
                layout.table,
                live(layout)
            )
        });
        let mut arguments = PgArguments::default();
        add(&mut arguments, now.0);
        Statement { sql, arguments }
    }

    fn prune_lock(layout: &Layout) -> Option<Statement<Self>> {
        // By the table's own number: tables of one name in several schemas are different tables.
        let sql = "SELECT pg_try_advisory_xact_lock(\
             hashtextextended('rust-sequelize-store ' || to_regclass($1)::oid::text, 0))";
        let mut arguments = PgArguments::default();
        add(&mut arguments, layout.table.clone());
        Some(Statement {
            sql: layout.text("prune lock", || sql.to_owned()),
            arguments,
        })
    }

    fn expired(layout: &Layout, now: Timestamp, cursor: Option<&str>) -> Statement<Self> {
        // The number of blocks rides along, since the statement has to say where the table ends.
        let sql = layout.text("expired", || {
            format!(
                "SELECT w.next, e.sid FROM (SELECT CASE WHEN $2 + {PRUNE_BLOCKS} < \
                 COALESCE((SELECT max(pg_relation_size(p.relid)) FROM pg_partition_tree($3::regclass) AS p), \
                 pg_relation_size($3::regclass)) / current_setting('block_size')::bigint \
                 THEN ($2 + {PRUNE_BLOCKS})::text END AS next) AS w LEFT JOIN (SELECT t.{sid}::text AS sid FROM {table} AS t \
                 WHERE t.ctid >= format('(%s,0)', $2)::tid AND t.ctid < format('(%s,0)', $2 + {PRUNE_BLOCKS})::tid \
                 AND {expired}) AS e ON true",
                sid = layout.sid,
                table = layout.table,
                expired = expired(layout),
            )
        });
        let mut arguments = PgArguments::default();
        add(&mut arguments, now.0);
        let block: i64 = cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
        add(&mut arguments, block);
        add(&mut arguments, layout.table.clone());
        Statement { sql, arguments }
    }

    fn delete_expired(layout: &Layout, now: Timestamp, sids: &[&str]) -> Statement<Self> {
        let sql = layout.text("delete expired", || {
            // A row that somebody holds is left to the next time: waiting for it would hold up others.
            format!(
                "DELETE FROM {table} WHERE {sid} = ANY(ARRAY(SELECT t.{sid} FROM {table} AS t \
                 WHERE t.{sid} = ANY($2) AND {expired} FOR UPDATE SKIP LOCKED))",
                table = layout.table,
                sid = layout.sid,
                expired = expired(layout)
            )
        });
        let mut arguments = PgArguments::default();
        add(&mut arguments, now.0);
        add(&mut arguments, sids);
        Statement { sql, arguments }
    }

    fn rows_affected(result: &Self::QueryResult) -> u64 {
        result.rows_affected()
    }

    // SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html
    fn error(error: sqlx::Error) -> StoreError {
        let mut failed = driver_error(&error);
        let code = failed
            .cause
            .as_ref()
            .and_then(|cause| cause.code.as_deref());
        let Some(code) = code else {
            return failed;
        };
        let (kind, remedy) = match code {
            // Serialization failure, deadlock, lock not available.
            "40001" | "40P01" | "55P03" => (Kind::Timeout, Remedy::Retry),
            // Table created or type made by another process at the same moment.
            "23505" if failed.message.contains("pg_") => (Kind::Database, Remedy::Retry),
            "42P07" | "42710" => (Kind::Database, Remedy::Retry),
            // A plan that no longer fits, because the table was altered.
            "0A000" if failed.message.contains("cached plan") => {
                (Kind::Database, Remedy::Reconnect)
            }
            // Prepared statements that went to another connection, or met one of another client.
            "26000" | "42P05" | "08P01" | "22P03" => {
                failed.message = format!(
                    "{}; behind a pooler in transaction mode, set the option `preparedStatements` to false",
                    failed.message
                );
                (Kind::Database, Remedy::Discard)
            }
            // Types that no longer fit, likewise: the table is looked at again.
            "42804" | "42883" => (Kind::Table, Remedy::Retry),
            "42P01" | "42703" | "3F000" | "42501" => (Kind::Table, Remedy::None),
            // Shut down, crashed, starting up; and sessions ended by the administrator or for being idle.
            "57P01" | "57P02" | "57P03" | "57P05" | "25P03" => {
                (Kind::Connection, Remedy::Reconnect)
            }
            // Canceled, by statement_timeout as a rule.
            "57014" => (Kind::Timeout, Remedy::None),
            _ => match &code[..2] {
                "08" => (Kind::Connection, Remedy::Reconnect),
                // Wrong password, unknown database, too many connections.
                "28" | "3D" => (Kind::Connection, Remedy::Discard),
                "53" => (Kind::Connection, Remedy::None),
                // Data, constraint, syntax or access.
                "22" | "23" | "42" => (Kind::Database, Remedy::Isolate),
                _ => (Kind::Database, Remedy::None),
            },
        };
        StoreError {
            kind,
            remedy,
            ..failed
        }
    }
}

/// Adds a value. None of the types that are bound here can fail to encode.
fn add<'q, T: Encode<'q, Postgres> + Type<Postgres>>(arguments: &mut PgArguments, value: T) {
    _ = arguments.add(value);
}

/// Adds the arrays of upserts or updates: sids, expiries, texts, and one for each extra column.
fn add_rows(
    arguments: &mut PgArguments,
    layout: &Layout,
    writes: &[Write<'_>],
    extra_columns: &[&str],
) {
    if writes.is_empty() {
        return;
    }
    let mut expiries = Vec::with_capacity(writes.len());
    let mut texts = Vec::with_capacity(writes.len());
    let mut extras: Vec<Vec<Option<String>>> = vec![Vec::new(); extra_columns.len()];
    for write in writes {
        if let Effect::Save {
            data,
            expires,
            extra,
            ..
        } = write.effect
        {
            expiries.push(expires.0);
            texts.push(data);
            for (
                column,
                Extra {
                    column: name,
                    value,
                },
            ) in extras.iter_mut().zip(extra)
            {
                column.push(text(value, layout.offset_of::<Postgres>(name)));
            }
        }
    }
    add_sids(arguments, writes);
    add(arguments, expiries);
    add(arguments, texts);
    for column in extras {
        add(arguments, column);
    }
}

fn add_touches(arguments: &mut PgArguments, touches: &[Write<'_>]) {
    if touches.is_empty() {
        return;
    }
    let expiries = touches.iter().filter_map(|write| match write.effect {
        Effect::Touch { expires } => Some(expires.0),
        _ => None,
    });
    add_sids(arguments, touches);
    add(arguments, expiries.collect::<Vec<i64>>());
}

fn add_sids(arguments: &mut PgArguments, writes: &[Write<'_>]) {
    if !writes.is_empty() {
        let sids: Vec<&str> = writes.iter().map(|write| write.sid).collect();
        add(arguments, sids);
    }
}

/// A value as text that PostgreSQL casts to the type of its column.
fn text(value: &Value, offset: i32) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Bool(value) => Some(value.to_string()),
        Value::Integer(value) => Some(value.to_string()),
        Value::Real(value) => Some(format!("{value:?}")),
        Value::Text(text) | Value::Json(text) => Some(text.clone()),
        // A column without a zone takes the clock as it reads, and leaves the zone away.
        Value::Date(at) => Some(at.east(offset).to_text()),
        Value::Blob(bytes) => {
            let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
            Some(format!("\\x{}", digits.collect::<String>()))
        }
    }
}

/// The session as text.
fn data_text(layout: &Layout) -> String {
    match layout.data_form {
        DataForm::Text | DataForm::Json => format!("t.{}::text", layout.data),
        DataForm::Binary => format!("convert_from(t.{}, 'UTF8')", layout.data),
    }
}

/// The expiry as a date where it is one, and as text otherwise.
fn expires_value(layout: &Layout) -> String {
    let expires = format!("t.{}", layout.expires.name);
    match layout.expires.form {
        InstantForm::Zoned => expires,
        InstantForm::Local => format!("{expires} AT TIME ZONE {}", zone(layout)),
        InstantForm::Seconds => format!("({expires}::bigint * 1000)::text"),
        InstantForm::Text | InstantForm::Iso | InstantForm::Milliseconds => {
            format!("{expires}::text")
        }
    }
}

fn expires_of(text: Option<String>) -> Expires {
    let Some(text) = text else {
        return Expires::Never;
    };
    let at = text.parse().ok().map(Timestamp);
    at.or_else(|| Timestamp::parse(&text))
        .map_or(Expires::Unreadable, Expires::At)
}

fn zone(layout: &Layout) -> String {
    format!("INTERVAL '{} minutes'", layout.offset)
}

/// An instant, given in ms as an expression of bigint, in the form of a column. Digits that the column does not keep are cut
/// off here: PostgreSQL would round them, and a session would live longer than it should.
fn instant(layout: &Layout, column: &InstantColumn, ms: &str) -> String {
    let kept = match column.fraction {
        Some(digits @ 0..3) => {
            let unit = 10_u32.pow(3 - digits);
            format!("({ms} / {unit} * {unit})")
        }
        _ => ms.to_owned(),
    };
    match column.form {
        InstantForm::Zoned => format!("to_timestamp({kept} / 1000::float8)"),
        InstantForm::Local => format!(
            "(to_timestamp({kept} / 1000::float8) AT TIME ZONE {})",
            zone(layout)
        ),
        InstantForm::Text => text_instant(ms, "YYYY-MM-DD HH24:MI:SS.MS +00:00"),
        InstantForm::Iso => text_instant(ms, "YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\""),
        InstantForm::Seconds => format!("({ms} / 1000)"),
        InstantForm::Milliseconds => ms.to_owned(),
    }
}

fn text_instant(ms: &str, format: &str) -> String {
    format!("to_char(to_timestamp({ms} / 1000::float8) AT TIME ZONE 'UTC', '{format}')")
}

/// The time of the statement, in the form of a column.
fn now(layout: &Layout, column: &InstantColumn) -> String {
    instant(layout, column, "$1::bigint")
}

fn expired(layout: &Layout) -> String {
    let expires = &layout.expires;
    format!("t.{} <= {}", expires.name, now(layout, expires))
}

fn live(layout: &Layout) -> String {
    let expires = &layout.expires;
    format!(
        "(t.{name} IS NULL OR t.{name} > {now}){not_deleted}",
        name = expires.name,
        now = now(layout, expires),
        not_deleted = not_deleted(layout)
    )
}

/// The statement of a batch. $1 is the time in ms; then come the arrays of each kind that there is.
fn write_text(layout: &Layout, batch: &Batch<'_>) -> String {
    let mut parameters = Parameters { last: 1 };
    let cast = |column: &str| layout.column(column).map_or("text", |found| &found.cast);
    let extra = batch.extra.iter().enumerate().map(|(index, column)| {
        let value = format!("j.x{index}::{}", cast(column));
        (Postgres::quote(column), value)
    });
    let rows = Rows {
        layout,
        sid: "j.sid",
        expires: instant(layout, &layout.expires, "j.e"),
        data: match layout.data_form {
            DataForm::Text => "j.d".to_owned(),
            DataForm::Json if layout.data_quoted => "to_json(j.d)".to_owned(),
            DataForm::Json => "j.d::json".to_owned(),
            DataForm::Binary => "convert_to(j.d, 'UTF8')".to_owned(),
        },
        extra: extra.collect(),
        now: &|column: &InstantColumn| now(layout, column),
        live: live(layout),
    };
    let mut parts = Vec::new();
    if !batch.upserts.is_empty() {
        parts.push(rows.upsert(&parameters.rows(batch.extra.len())));
    }
    let update =
        (!batch.updates.is_empty()).then(|| rows.update(&parameters.rows(batch.extra.len())));
    if !batch.touches.is_empty() {
        let arrays = [parameters.array("text"), parameters.array("bigint")];
        parts.push(rows.touch(&format!("unnest({}) AS j (sid, e)", arrays.join(", "))));
    }
    if !batch.destroys.is_empty() {
        parts.push(format!(
            "DELETE FROM {} AS t WHERE t.{} = ANY({})",
            layout.table,
            layout.sid,
            parameters.array("text")
        ));
    }
    let main = update.or_else(|| parts.pop()).unwrap_or_default();
    if parts.is_empty() {
        return main;
    }
    let others: Vec<String> = (0..)
        .zip(&parts)
        .map(|(index, part)| format!("p{index} AS ({part})"))
        .collect();
    format!("WITH {} {main}", others.join(", "))
}

/// Numbers the parameters of a statement.
struct Parameters {
    last: u32,
}

impl Parameters {
    fn array(&mut self, element: &str) -> String {
        self.last += 1;
        format!("${}::{element}[]", self.last)
    }

    /// The arrays of [`add_rows`] as a relation.
    fn rows(&mut self, extra_columns: usize) -> String {
        let mut arrays = ["text", "bigint", "text"]
            .map(|element| self.array(element))
            .to_vec();
        let mut names = ["sid", "e", "d"].map(String::from).to_vec();
        for index in 0..extra_columns {
            arrays.push(self.array("text"));
            names.push(format!("x{index}"));
        }
        format!("unnest({}) AS j ({})", arrays.join(", "), names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::tests::{batch, column, table, write};

    fn layout(expires: &str, data: &str) -> Layout {
        let zoned = "timestamp with time zone";
        let columns = vec![
            column("sid", "character varying(36)"),
            column("expires", expires),
            column("data", data),
            column("updatedAt", zoned),
            column("userId", "integer"),
        ];
        Layout::new::<Postgres>(&table(), columns).unwrap()
    }

    fn sql(layout: &Layout, batch: &Batch<'_>) -> String {
        Postgres::write(layout, batch, Timestamp(1))[0]
            .sql
            .as_str()
            .to_owned()
    }

    #[test]
    fn creates_a_table_with_a_wide_sid() {
        let mut table = table();
        table.schema = Some("app".into());
        assert_eq!(
            Postgres::create_table(&table),
            "CREATE TABLE IF NOT EXISTS \"app\".\"Sessions\" (\"sid\" VARCHAR(128), \
             \"expires\" TIMESTAMP WITH TIME ZONE, \"data\" TEXT, \"createdAt\" TIMESTAMP WITH TIME ZONE NOT NULL, \
             \"updatedAt\" TIMESTAMP WITH TIME ZONE NOT NULL, PRIMARY KEY (\"sid\"));"
        );
    }

    #[test]
    fn a_batch_of_several_kinds_is_one_statement_around_the_update() {
        let layout = layout("timestamp with time zone", "text");
        let extra = [Extra {
            column: "userId".into(),
            value: Value::Integer(5),
        }];
        let (data, expires) = ("{}", Timestamp(0));
        let writes = [
            write(
                "a",
                Effect::Save {
                    data,
                    expires,
                    extra: &extra,
                    only_if_exists: false,
                },
            ),
            write(
                "b",
                Effect::Save {
                    data,
                    expires,
                    extra: &extra,
                    only_if_exists: true,
                },
            ),
            write("c", Effect::Touch { expires }),
            write("d", Effect::Destroy),
        ];
        assert_eq!(
            sql(&layout, &batch(&writes)),
            "WITH p0 AS (INSERT INTO \"Sessions\" (\"sid\", \"expires\", \"data\", \"updatedAt\", \"userId\") \
             SELECT j.sid, to_timestamp(j.e / 1000::float8), j.d, to_timestamp($1::bigint / 1000::float8), j.x0::integer \
             FROM unnest($2::text[], $3::bigint[], $4::text[], $5::text[]) AS j (sid, e, d, x0) WHERE true \
             ON CONFLICT (\"sid\") DO UPDATE SET \"expires\" = excluded.\"expires\", \"data\" = excluded.\"data\", \
             \"updatedAt\" = excluded.\"updatedAt\", \"userId\" = excluded.\"userId\"), \
             p1 AS (UPDATE \"Sessions\" AS t SET \"expires\" = to_timestamp(j.e / 1000::float8), \
             \"updatedAt\" = to_timestamp($1::bigint / 1000::float8) FROM unnest($10::text[], $11::bigint[]) AS j (sid, e) \
             WHERE t.\"sid\" = j.sid AND (t.\"expires\" IS NULL OR t.\"expires\" > to_timestamp($1::bigint / 1000::float8))), \
             p2 AS (DELETE FROM \"Sessions\" AS t WHERE t.\"sid\" = ANY($12::text[])) \
             UPDATE \"Sessions\" AS t SET \"expires\" = to_timestamp(j.e / 1000::float8), \"data\" = j.d, \
             \"updatedAt\" = to_timestamp($1::bigint / 1000::float8), \"userId\" = j.x0::integer \
             FROM unnest($6::text[], $7::bigint[], $8::text[], $9::text[]) AS j (sid, e, d, x0) WHERE t.\"sid\" = j.sid"
        );
    }

    #[test]
    fn columns_of_other_types_get_values_of_their_form() {
        let read = |expires, data| {
            let statement = Postgres::read(&layout(expires, data), &["a"]);
            statement.sql.as_str().to_owned()
        };
        assert!(read("bigint", "jsonb").contains("t.\"data\"::text, t.\"expires\"::text"));
        assert!(
            read("integer", "bytea")
                .contains("convert_from(t.\"data\", 'UTF8'), (t.\"expires\"::bigint * 1000)")
        );
        assert!(
            read("timestamp(6) without time zone", "json")
                .contains("\"expires\" AT TIME ZONE INTERVAL '0 minutes'")
        );
    }

    #[test]
    fn values_become_text_that_the_server_casts() {
        assert_eq!(text(&Value::Blob(vec![0, 255]), 0).unwrap(), "\\x00ff");
        assert_eq!(text(&Value::Bool(true), 0).unwrap(), "true");
        assert_eq!(text(&Value::Null, 0), None);
    }
}
