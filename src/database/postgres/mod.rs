//! PostgreSQL.
//!
//! A batch is bound as one array per column, so that the text of a statement does not depend on the number of rows. Values
//! of the application's own columns are bound as text and cast to the type of the column. A batch of several effects is
//! one statement, whose parts change different rows.
//!
//! Relatives of PostgreSQL ([`InspectedTable::portable`]) get statements that all of them take: a statement for each effect,
//! and pruning by sid and without a lock.

mod connect;
mod environment;
mod error;
mod parameters;
mod prune;
mod read;
mod schema;
mod write;

#[cfg(test)]
pub use parameters::PARAMETERS;

use sqlx::postgres::PgArguments;
use sqlx::{Arguments, Encode, Postgres, Type};

use super::on_conflict::and_not_deleted;
use super::text_date::TEXT_DATE;
use super::{InspectedTable, InstantColumn, InstantForm};
use crate::timestamp::Timestamp;

/// Adds a value. None of the types bound here can fail to encode.
fn add<'q, T: Encode<'q, Postgres> + Type<Postgres>>(arguments: &mut PgArguments, value: T) {
    _ = arguments.add(value);
}

/// An instant, given in ms as an expression of bigint, in the form of a column, or the last that the column can hold. Digits that the column does not keep are
/// cut off here: PostgreSQL would round them, and a session could live longer than it should.
///
/// The division of integers is written such that `CockroachDB`, where it yields a decimal, yields the same.
fn instant(table: &InspectedTable, column: &InstantColumn, ms: &str) -> String {
    let [_, last] = column.range;
    let held = if last < Timestamp::LAST {
        format!("LEAST({ms}, {})", last.0)
    } else {
        ms.to_owned()
    };
    let ms = held.as_str();
    let kept = match column.fraction {
        Some(digits @ 0..3) => {
            let unit = 10_u32.pow(3 - digits);
            format!("({ms} - {ms} % {unit})")
        }
        _ => ms.to_owned(),
    };
    match column.form {
        InstantForm::Zoned => timestamp(&kept),
        InstantForm::Local => format!(
            "(({} AT TIME ZONE 'UTC') + INTERVAL '{} minutes')",
            timestamp(&kept),
            table.utc_offset_minutes
        ),
        InstantForm::Text => text_instant(ms, "YYYY-MM-DD HH24:MI:SS.MS +00:00"),
        InstantForm::Iso => text_instant(ms, "YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\""),
        InstantForm::Seconds => format!("(({ms} - {ms} % 1000) / 1000)::bigint"),
        InstantForm::Milliseconds => ms.to_owned(),
    }
}

fn timestamp(ms: &str) -> String {
    format!("to_timestamp({ms}::float8 / 1000)")
}

fn text_instant(ms: &str, format: &str) -> String {
    format!("to_char({} AT TIME ZONE 'UTC', '{format}')", timestamp(ms))
}

/// The time of the statement, $1 in ms, in the form of a column.
fn now(table: &InspectedTable, column: &InstantColumn) -> String {
    instant(table, column, "$1::bigint")
}

/// An expression for the expiry in a form that compares. A text that is not a date becomes NULL, as `get` finds no expiry
/// in it.
fn comparable(table: &InspectedTable, expires: &str) -> String {
    if !table.expires.form.is_text() {
        return expires.to_owned();
    }
    // The zone of the session may be another than UTC, and the server knows no year 0.
    format!(
        "CASE WHEN {expires} ~ '{TEXT_DATE}' AND {expires} !~ '^0000' THEN ({expires} || \
         CASE WHEN {expires} ~ ':.*([Zz]|[+-][0-9:]+) *$' THEN '' ELSE ' UTC' END)::timestamptz END"
    )
}

/// An instant, given in ms as an expression of bigint, in a form that compares with the expiry.
fn comparable_instant(table: &InspectedTable, ms: &str) -> String {
    if table.expires.form.is_text() {
        timestamp(ms)
    } else {
        instant(table, &table.expires, ms)
    }
}

/// The expiry, and the time of the statement in a form that compares with it.
fn compared(table: &InspectedTable) -> [String; 2] {
    let expires = format!("t.{}", table.expires.name);
    [
        comparable(table, &expires),
        comparable_instant(table, "$1::bigint"),
    ]
}

fn expired(table: &InspectedTable) -> String {
    let [expires, now] = compared(table);
    format!("{expires} <= {now}")
}

fn live(table: &InspectedTable) -> String {
    let [expires, now] = compared(table);
    format!(
        "(t.{name} IS NULL OR {expires} > {now}){not_deleted}",
        name = table.expires.name,
        not_deleted = and_not_deleted(table)
    )
}

#[cfg(test)]
mod tests {
    use sqlx::Postgres;

    use crate::database::InspectedTable;
    use crate::database::tests::{column, table};

    pub fn inspected(expires: &str, data: &str) -> InspectedTable {
        let columns = vec![
            column("sid", "character varying(36)"),
            column("expires", expires),
            column("data", data),
            column("updatedAt", "timestamp with time zone"),
            column("userId", "integer"),
        ];
        InspectedTable::new::<Postgres>(&table(), columns).unwrap()
    }
}
