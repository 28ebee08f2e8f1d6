//! SQLite.
//!
//! A batch is bound as one JSON document per effect, so that the text of a statement does not depend on the number of rows.
//! Texts and bytes of any content are bound in one blob beside the documents, and SQL cuts them out by position: the JSON
//! functions stop at a NUL character.

mod connect;
mod error;
mod file_locks;
mod new_file;
mod prune;
mod read;
mod schema;
mod write;

use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, SqlStr, Sqlite};

use super::on_conflict::and_not_deleted;
use super::{InspectedTable, InstantForm, Statement};
use crate::timestamp::Timestamp;

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
        // None of these can fail to encode.
        _ = match value {
            Argument::Null => arguments.add(None::<i64>),
            Argument::Text(text) => arguments.add(text),
            Argument::Integer(integer) => arguments.add(integer),
            Argument::Blob(bytes) => arguments.add(bytes),
        };
    }
    Statement::new(sql, arguments)
}

/// The values of ?1, ?2 and ?3: the time in the three forms that a column can have. A statement uses the one that it
/// needs.
fn now_values(now: Timestamp) -> Vec<Argument> {
    [
        InstantForm::Text,
        InstantForm::Seconds,
        InstantForm::Milliseconds,
    ]
    .map(|form| instant(form, now))
    .into()
}

/// The parameter that holds the time in a form.
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

/// The expiry in a form that compares with the time; NULL for what is not of the column's form. Texts in any form that
/// [`Timestamp::parse`] reads are converted to Sequelize's.
fn comparable(table: &InspectedTable) -> String {
    comparable_of(table, &format!("t.{}", table.expires.name))
}

/// The same of another expression in the form of the expires column.
fn comparable_of(table: &InspectedTable, expires: &str) -> String {
    if table.expires.form.is_integer() {
        return format!("CASE typeof({expires}) WHEN 'integer' THEN {expires} END");
    }
    // What Sequelize writes, but for the last days of a month, compares as it is; that is faster than any conversion.
    let day = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]";
    let time = "[0-9][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9]";
    let sequelize = format!(
        "{expires} GLOB '{day} {time} +00:00' AND typeof({expires}) = 'text' \
         AND substr({expires}, 6, 2) BETWEEN '01' AND '12' AND substr({expires}, 9, 2) BETWEEN '01' AND '28' \
         AND substr({expires}, 12, 2) < '24'"
    );
    // SQLite would also take a time of day, the number of a day, `now`, 30 February and 24 o'clock for dates. Of the
    // offsets, it knows only those with a colon.
    let date = format!(
        "typeof({expires}) = 'text' AND ({expires} GLOB '{day}[ T][0-2][0-9]:*' OR {expires} GLOB '{day}') \
         AND date(substr({expires}, 1, 10)) = substr({expires}, 1, 10) AND substr({expires}, 12, 2) <> '24'"
    );
    let text = |text: &str| format!("strftime('%Y-%m-%d %H:%M:%f +00:00', {text})");
    format!(
        "CASE WHEN {sequelize} THEN {expires} WHEN {date} THEN COALESCE({plain}, \
         CASE WHEN {expires} GLOB '*:*[+-][0-9][0-9][0-9][0-9]' THEN {joined} \
         WHEN {expires} GLOB '*:*[+-][0-9][0-9]' THEN {hours} END) END",
        plain = text(expires),
        joined = text(&format!(
            "substr({expires}, 1, length({expires}) - 2) || ':' || substr({expires}, -2)"
        )),
        hours = text(&format!("{expires} || ':00'")),
    )
}

fn expired(table: &InspectedTable) -> String {
    format!("{} <= {}", comparable(table), now(table.expires.form))
}

fn live(table: &InspectedTable) -> String {
    format!(
        "(t.{} IS NULL OR {} > {}){}",
        table.expires.name,
        comparable(table),
        now(table.expires.form),
        and_not_deleted(table)
    )
}

/// A text, or the bytes of one, as a text that compares with the sid: other values come before all texts, and bytes after
/// them. A cast alone would have the column converted in the comparison.
fn text_of(value: &str) -> String {
    format!("(CAST({value} AS TEXT) || '')")
}

/// `["sid", …]`
fn sids_document(sids: &[&str]) -> String {
    let mut document = String::from("[");
    for (index, sid) in sids.iter().enumerate() {
        if index > 0 {
            document.push(',');
        }
        push_string(&mut document, sid);
    }
    document.push(']');
    document
}

fn push_string(document: &mut String, text: &str) {
    // A string cannot fail to encode as JSON.
    document.push_str(&serde_json::to_string(text).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sqlx::{Connection, SqliteConnection};
    use tokio::runtime::Builder;

    use super::*;
    use crate::database::rendered;
    use crate::database::tests::{column, table};

    pub fn inspected(names: &[&str]) -> InspectedTable {
        let columns = names.iter().map(|name| column(name, "TEXT")).collect();
        InspectedTable::new::<Sqlite>(&table(), columns).unwrap()
    }

    pub fn sequelize() -> InspectedTable {
        inspected(&["sid", "expires", "data", "createdAt", "updatedAt"])
    }

    /// What a condition takes a text for, in a row of its own.
    async fn compared(connection: &mut SqliteConnection, text: &str) -> Option<String> {
        let sql = format!(
            "SELECT {} FROM (SELECT ?1 AS `expires`) AS t",
            comparable(&sequelize())
        );
        sqlx::query_scalar(rendered(sql))
            .bind(text)
            .fetch_one(connection)
            .await
            .unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn conditions_take_the_texts_for_dates_that_are_read(
            texts in prop::collection::vec(
                prop_oneof![
                    "(20[0-9]{2}|[0-9]{4})-(0[1-9]|1[0-9])-[0-3][0-9]",
                    "20[0-9]{2}-(0[1-9]|1[0-2])-[0-3][0-9][ T][0-2][0-9]:[0-6][0-9](:[0-6][0-9](\\.[0-9]{0,6})?)? {0,2}([Zz]|[+-][01][0-9](:?[0-6][0-9])?)?",
                    "[0-9TtZz:. +-]{0,35}",
                    "\\PC{0,20}",
                    Just("now".to_owned()),
                ],
                1..50,
            )
        ) {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
                for text in texts {
                    let read = Timestamp::parse(&text);
                    // Beyond these years there is no text that compares.
                    if read.is_some_and(|at| at < Timestamp(-62_167_219_200_000) || at > Timestamp::LAST) {
                        continue;
                    }
                    let taken = compared(&mut connection, &text).await;
                    let taken = taken.map(|text| Timestamp::parse(&text).unwrap().0);
                    match (read, taken) {
                        // SQLite rounds what follows the milliseconds.
                        (Some(read), Some(taken)) => assert!((taken - read.0).abs() <= 1, "{text:?}"),
                        (read, taken) => assert_eq!(read.is_some(), taken.is_some(), "{text:?}"),
                    }
                }
            });
        }
    }
}
