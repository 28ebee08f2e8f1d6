//! MySQL and MariaDB.
//!
//! A batch is bound as lists of values in a few fixed sizes, so that a connection keeps few statements: a batch that is
//! smaller than its size repeats a row, which changes nothing. (`JSON_TABLE` would take any size with one text, but old
//! servers lack it, and writing through it takes twice as long.)
//!
//! A collation may treat different sids as equal: that of the server, which connect-session-sequelize's tables have,
//! usually ignores case. So sids are also compared as bytes.

mod connect;
mod error;
mod parameters;
mod prune;
mod read;
mod schema;
mod write;

#[cfg(test)]
pub use parameters::PARAMETERS;

use sqlx::mysql::MySqlArguments;
use sqlx::{Arguments, Encode, MySql, Type};

use super::text_date::TEXT_DATE;
use super::{InspectedTable, InstantColumn, InstantForm};
use crate::timestamp::Timestamp;

/// The sizes in which lists of sids are bound.
const SIZES: [usize; 13] = [1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256];

/// Adds a value. None of the types bound here can fail to encode.
fn add<'q, T: Encode<'q, MySql> + Type<MySql>>(arguments: &mut MySqlArguments, value: T) {
    _ = arguments.add(value);
}

fn add_sids(arguments: &mut MySqlArguments, sids: &[&str], size: usize) {
    for sid in padded(sids, size) {
        add(arguments, sid);
    }
}

/// Adds the start of a window: whether it is the start of the table, and the sid after which the window begins. No sid
/// could stand for the start of the table, since some collations sort characters before the empty text.
fn add_cursor(arguments: &mut MySqlArguments, cursor: Option<&str>) {
    add(arguments, cursor.is_none());
    add(arguments, cursor.unwrap_or_default());
}

/// Adds an instant in the form of its column, or the closest that the column can hold. Milliseconds are cut off if the column does not keep them: MySQL would round
/// them, and a session could live longer than it should.
fn add_instant(
    arguments: &mut MySqlArguments,
    table: &InspectedTable,
    column: &InstantColumn,
    at: Timestamp,
) {
    let at = column.clamp(at);
    let digits = column.fraction.unwrap_or(0);
    match column.form {
        InstantForm::Zoned => add(arguments, local(at, 0, digits)),
        InstantForm::Local => add(arguments, local(at, table.utc_offset_minutes, digits)),
        InstantForm::Text => add(arguments, at.to_text()),
        InstantForm::Iso => add(arguments, at.to_iso()),
        InstantForm::Seconds => add(arguments, at.seconds()),
        InstantForm::Milliseconds => add(arguments, at.0),
    }
}

/// `YYYY-MM-DD HH:MM:SS.mmm` in a zone, with as many digits of the fraction as the column keeps.
fn local(at: Timestamp, utc_offset_minutes: i32, digits: u32) -> String {
    let mut text = at.east(utc_offset_minutes).to_text();
    text.truncate(match digits {
        0 => 19,
        1 => 21,
        2 => 22,
        _ => 23,
    });
    text
}

/// The expiry in a form that compares; a text as `YYYY-MM-DD HH:MM:SS.mmm` in UTC. NULL for a text that is not a date, as
/// `get` finds no expiry in it.
fn comparable(table: &InspectedTable) -> String {
    let text = &table.expires.name;
    if !table.expires.form.is_text() {
        return text.clone();
    }
    let rest = format!("UPPER(SUBSTRING({text}, 12))");
    let time = ["Z", "+", "-"].iter().fold(rest, |text, zone| {
        format!("SUBSTRING_INDEX({text}, '{zone}', 1)")
    });
    let time = format!("LEFT(RTRIM({time}), 12)");
    let clock = format!(
        "CONCAT(LEFT({text}, 10), ' ', {time}, SUBSTRING('00:00:00.000', CHAR_LENGTH({time}) + 1))"
    );
    let zone = format!("SUBSTRING_INDEX(SUBSTRING_INDEX({text}, '+', -1), '-', -1)");
    let zone = format!("RPAD(REPLACE(RTRIM({zone}), ':', ''), 4, '0')");
    let minutes = format!(
        "(LEFT({zone}, 2) * 60 + RIGHT({zone}, 2)) * IF(LOCATE('+', {text}, 12) > 0, 1, -1)"
    );
    let utc = format!(
        "LEFT(DATE_FORMAT(CAST({clock} AS DATETIME(3)) - INTERVAL {minutes} MINUTE, '%Y-%m-%d %H:%i:%s.%f'), 23)"
    );
    // In the first and last years, the server could not say what the clock of UTC shows.
    format!(
        "CASE WHEN {text} NOT REGEXP '{TEXT_DATE}' THEN NULL \
         WHEN {text} REGEXP ':.*[+-][0-9:]*[1-9]' AND LEFT({text}, 4) BETWEEN '0002' AND '9998' THEN {utc} \
         ELSE {clock} END"
    )
}

/// A value of ours for the expiry, which is in UTC, in the form of `comparable`.
fn comparable_value(table: &InspectedTable, value: &str) -> String {
    if table.expires.form.is_text() {
        format!("REPLACE(LEFT({value}, 23), 'T', ' ')")
    } else {
        value.to_owned()
    }
}

/// The expiry compared with the time of the statement, which is its parameter.
fn compared(table: &InspectedTable, operator: &str) -> String {
    format!(
        "{} {operator} {}",
        comparable(table),
        comparable_value(table, "?")
    )
}

fn expired(table: &InspectedTable) -> String {
    compared(table, "<=")
}

fn live(table: &InspectedTable) -> String {
    let not_deleted = and_not_deleted(table);
    if table.expires.form.is_text() {
        let (name, live) = (&table.expires.name, compared(table, ">"));
        return format!("({name} IS NULL OR {live}){not_deleted}");
    }
    // In a column that is NOT NULL, the date 0000-00-00 would be found by `IS NULL`.
    format!("({}) IS NOT TRUE{not_deleted}", compared(table, "<="))
}

/// ` AND …`, the condition that a row is not softly deleted; empty if the table has no soft deletion.
fn and_not_deleted(table: &InspectedTable) -> String {
    match &table.deleted_at {
        Some(column) => format!(" AND {column} IS NULL"),
        None => String::new(),
    }
}

/// The size in which so many values are bound.
fn size(count: usize) -> usize {
    let fits = SIZES.into_iter().find(|size| *size >= count);
    fits.unwrap_or(count)
}

/// The values, with the last one repeated until there are `size`.
fn padded<T: Copy>(values: &[T], size: usize) -> Vec<T> {
    let mut padded = values.to_vec();
    if let Some(last) = values.last() {
        padded.resize(size, *last);
    }
    padded
}

/// Whether the sid column keeps bytes, which may be no text.
fn is_binary(table: &InspectedTable) -> bool {
    table.sid_column.collation.is_none()
}

/// The character set of the sid column and its collation, if it is a text of another character set than the parameters.
fn other_charset(table: &InspectedTable) -> Option<(&str, &str)> {
    let collation = table.sid_column.collation.as_deref()?;
    let (charset, _) = collation.split_once('_')?;
    let word = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    (charset != "utf8mb4" && word(collation)).then_some((charset, collation))
}

/// Parameters to be compared with the sid column. A server rejects the comparison if it cannot convert the parameter itself;
/// CONVERT puts question marks in place of the characters that the column cannot hold; for the outer one alone, MySQL would
/// convert the parameter itself again.
fn sid_marks(table: &InspectedTable, count: usize) -> String {
    match other_charset(table) {
        Some((charset, collation)) => {
            let mark =
                format!("CONVERT(CONVERT(? USING utf8mb4) USING {charset}) COLLATE {collation}");
            vec![mark; count].join(", ")
        }
        None => marks(count),
    }
}

/// `?, ?, …`
fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::tests::{column, table};

    pub fn inspected(collation: &str, expires: &str) -> InspectedTable {
        let mut sid = column("sid", "varchar(36)");
        sid.collation = Some(collation.into());
        let columns = vec![
            sid,
            column("expires", expires),
            column("data", "text"),
            column("updatedAt", "datetime"),
        ];
        InspectedTable::new::<MySql>(&table(), columns).unwrap()
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
