//! Reading from PostgreSQL.

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Column as _, Postgres, Row, TypeInfo, ValueRef as _};

use super::{add, live};
use crate::database::on_conflict::and_not_deleted;
use crate::database::{
    DataForm, InspectedTable, InstantForm, Key, ReadStatements, Statement, Text, expires_at, listed,
};
use crate::operation::{Expires, Listed, PageRequest, Stored};
use crate::timestamp::Timestamp;

impl ReadStatements for Postgres {
    fn read(table: &InspectedTable, sids: &[&str]) -> Statement<Self> {
        let sql = table.text(Text::Read(0), || {
            format!(
                "SELECT t.{sid}::text, {data}, {expires} FROM {name} AS t WHERE t.{sid} = ANY($1::text[]){not_deleted}",
                data = data_text(table),
                expires = format_args!("t.{}", table.expires.name),
                name = table.name,
                sid = table.sid,
                not_deleted = and_not_deleted(table),
            )
        });
        let mut arguments = PgArguments::default();
        add(&mut arguments, sids);
        Statement::new(sql, arguments)
    }

    fn stored(table: &InspectedTable, row: &PgRow) -> sqlx::Result<(Key, Stored)> {
        let expires = row.try_get_raw(2)?;
        let expires = if expires.is_null() {
            Expires::Never
        } else {
            let declared = row.column(2).type_info().name();
            let bytes = expires.as_bytes().map_err(sqlx::Error::Decode)?;
            expires_of(table, declared, bytes)
        };
        let declared = row.column(1).type_info();
        // Bytes may be no text, and neither may a text in a database without an encoding.
        let data = match (table.data_form, declared.name()) {
            (DataForm::Text | DataForm::Json, "TEXT" | "VARCHAR") | (DataForm::Binary, "BYTEA") => {
                row.try_get_unchecked(1).ok().flatten()
            }
            // The column was altered.
            _ => None,
        };
        Ok((Key::Sid(row.try_get(0)?), Stored { data, expires }))
    }

    fn page(table: &InspectedTable, request: &PageRequest, now: Timestamp) -> Statement<Self> {
        let with_data = request.with_data;
        let sql = table.text(Text::Page { with_data }, || {
            format!(
                "SELECT t.{sid}::text, {data}, {expires} FROM {name} AS t WHERE t.{sid} > $2 AND {live} \
                 ORDER BY t.{sid} LIMIT $3",
                sid = table.sid,
                data = if with_data { data_text(table) } else { "NULL::text".to_owned() },
                expires = if with_data { format!("t.{}", table.expires.name) } else { "NULL::text".to_owned() },
                name = table.name,
                live = live(table),
            )
        });
        let mut arguments = PgArguments::default();
        add(&mut arguments, now.0);
        let after = request.after.as_deref().unwrap_or_default();
        add(&mut arguments, String::from_utf8_lossy(after).into_owned());
        add(&mut arguments, i64::from(request.limit));
        Statement::new(sql, arguments)
    }

    fn listed(table: &InspectedTable, row: &PgRow) -> sqlx::Result<Listed> {
        listed(Self::stored(table, row)?)
    }

    fn sid_bytes(row: &PgRow) -> Option<Vec<u8>> {
        row.try_get_unchecked(0).ok()
    }

    fn length(table: &InspectedTable, now: Timestamp) -> Statement<Self> {
        let sql = table.text(Text::Length, || {
            format!(
                "SELECT count(*) FROM {} AS t WHERE {}",
                table.name,
                live(table)
            )
        });
        let mut arguments = PgArguments::default();
        add(&mut arguments, now.0);
        Statement::new(sql, arguments)
    }
}

/// The session as text, or as the bytes of one.
fn data_text(table: &InspectedTable) -> String {
    match table.data_form {
        DataForm::Json => format!("t.{}::text", table.data),
        DataForm::Text | DataForm::Binary => format!("t.{}", table.data),
    }
}

/// The Unix epoch in the server's dates, which count microseconds from 2000-01-01, in ms.
const YEAR_2000: i64 = 946_684_800_000;

/// The expiry in a value of the given type, in the binary format. The driver would panic on dates that its own types
/// cannot hold. A type that is not that of the column's form means that the column was altered.
fn expires_of(table: &InspectedTable, declared: &str, bytes: &[u8]) -> Expires {
    let expires = &table.expires;
    let integer = || match bytes.len() {
        4 => bytes.try_into().map(i32::from_be_bytes).map(i64::from).ok(),
        _ => bytes.try_into().map(i64::from_be_bytes).ok(),
    };
    let date = |utc_offset_minutes: i32| match integer() {
        None => Expires::Unreadable,
        // `infinity` and `-infinity`.
        Some(i64::MAX) => Expires::Never,
        Some(i64::MIN) => Expires::At(Timestamp(i64::MIN)),
        Some(microseconds) => {
            let ms = microseconds.div_euclid(1000) + YEAR_2000;
            expires_at(ms - i64::from(utc_offset_minutes) * 60_000)
        }
    };
    match (expires.form, declared) {
        (InstantForm::Zoned, "TIMESTAMPTZ") => date(0),
        (InstantForm::Local, "TIMESTAMP") => date(table.utc_offset_minutes),
        (_, "INT4" | "INT8") => integer().map_or(Expires::Unreadable, |count| {
            expires.expires_of_integer(count)
        }),
        (_, "TEXT" | "VARCHAR") => expires.expires_of_text(bytes),
        _ => Expires::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::inspected;
    use super::*;

    #[test]
    fn columns_of_other_types_get_values_of_their_form() {
        let read = |expires, data| {
            let statement = Postgres::read(&inspected(expires, data), &["a"]);
            statement.sql.as_str().to_owned()
        };
        assert!(read("bigint", "jsonb").contains("t.\"data\"::text, t.\"expires\" FROM"));
        assert!(read("integer", "bytea").contains("t.\"data\", t.\"expires\" FROM"));
    }

    mod properties {
        use proptest::prelude::*;

        use super::*;

        const TYPES: [&str; 9] = [
            "TIMESTAMPTZ",
            "TIMESTAMP",
            "INT4",
            "INT8",
            "TEXT",
            "VARCHAR",
            "BYTEA",
            "FLOAT8",
            "NUMERIC",
        ];

        const COLUMNS: [&str; 5] = [
            "timestamp with time zone",
            "timestamp without time zone",
            "integer",
            "bigint",
            "text",
        ];

        proptest! {
            #[test]
            fn any_bytes_are_read(
                declared in 0..TYPES.len(),
                column in 0..COLUMNS.len(),
                bytes in prop::collection::vec(any::<u8>(), 0..40),
                minutes in -899..=899_i32,
            ) {
                let mut table = inspected(COLUMNS[column], "text");
                table.utc_offset_minutes = minutes;
                if let Expires::At(at) = expires_of(&table, TYPES[declared], &bytes) {
                    prop_assert!(at <= Timestamp::LAST);
                }
            }

            #[test]
            fn dates_are_read_to_the_millisecond(microseconds in any::<i64>()) {
                let table = inspected(COLUMNS[0], "text");
                let expires = expires_of(&table, "TIMESTAMPTZ", &microseconds.to_be_bytes());
                let ms = i128::from(microseconds).div_euclid(1000) + i128::from(YEAR_2000);
                let ms = ms.min(i128::from(Timestamp::LAST.0));
                match microseconds {
                    i64::MAX => prop_assert_eq!(expires, Expires::Never),
                    i64::MIN => prop_assert_eq!(expires, Expires::At(Timestamp(i64::MIN))),
                    _ => prop_assert_eq!(expires, Expires::At(Timestamp(i64::try_from(ms).unwrap()))),
                }
            }
        }

        #[test]
        fn the_ends_of_time_are_never_and_long_ago() {
            let table = inspected(COLUMNS[0], "text");
            let read =
                |microseconds: i64| expires_of(&table, "TIMESTAMPTZ", &microseconds.to_be_bytes());
            assert_eq!(read(i64::MAX), Expires::Never);
            assert_eq!(read(i64::MAX - 1), Expires::At(Timestamp::LAST));
            assert_eq!(read(i64::MIN), Expires::At(Timestamp(i64::MIN)));
            assert_eq!(read(0), Expires::At(Timestamp(YEAR_2000)));
        }
    }
}
