//! Reading from MySQL and MariaDB.

use sqlx::mysql::{MySqlArguments, MySqlRow};
use sqlx::{Decode, MySql, Row, TypeInfo as _, ValueRef as _};

use super::{add, add_instant, add_sids, and_not_deleted, is_binary, live, sid_marks, size};
use crate::database::{
    DataForm, InspectedTable, InstantForm, Key, ReadStatements, Statement, Text, expires_at, listed,
};
use crate::operation::{Expires, Listed, PageRequest, Stored};
use crate::timestamp::Timestamp;

impl ReadStatements for MySql {
    fn read(table: &InspectedTable, sids: &[&str]) -> Statement<Self> {
        let size = size(sids.len());
        let sql = table.text(Text::Read(size), || {
            format!(
                "SELECT {sid}, {data}, {expires} FROM {name} WHERE {sid} IN ({list}){not_deleted}",
                sid = table.sid,
                data = data_text(table),
                expires = table.expires.name,
                name = table.name,
                list = sid_marks(table, size),
                not_deleted = and_not_deleted(table),
            )
        });
        let mut arguments = MySqlArguments::default();
        add_sids(&mut arguments, sids, size);
        Statement::new(sql, arguments)
    }

    fn stored(table: &InspectedTable, row: &MySqlRow) -> sqlx::Result<(Key, Stored)> {
        let sid = row.try_get_unchecked(0)?;
        // Bytes may be no text.
        let data = row.try_get_unchecked(1).ok().flatten();
        let expires = row.try_get_raw(2)?;
        let declared = expires.type_info().into_owned();
        // The driver takes the date 0000-00-00 for NULL, but only NULL has no bytes.
        let expires = <&[u8] as Decode<MySql>>::decode(expires).map_or(Expires::Never, |bytes| {
            expires_of(table, declared.name(), bytes)
        });
        // The caller compares sids as text, so those that differ in case stay apart in any collation.
        Ok((Key::Sid(sid), Stored { data, expires }))
    }

    fn page(table: &InspectedTable, request: &PageRequest, now: Timestamp) -> Statement<Self> {
        let with_data = request.with_data;
        let sql = table.text(Text::Page { with_data }, || {
            format!(
                "SELECT {sid}, {data}, {expires} FROM {name} WHERE (? OR {sid} > ?) AND {live} ORDER BY {sid} LIMIT ?",
                sid = table.sid,
                data = if with_data { data_text(table) } else { "NULL".to_owned() },
                expires = if with_data { &table.expires.name } else { "NULL" },
                name = table.name,
                live = live(table),
            )
        });
        let mut arguments = MySqlArguments::default();
        add(&mut arguments, request.after.is_none());
        let after = request.after.as_deref().unwrap_or_default();
        if is_binary(table) {
            add(&mut arguments, after);
        } else {
            add(&mut arguments, String::from_utf8_lossy(after).into_owned());
        }
        add_instant(&mut arguments, table, &table.expires, now);
        add(&mut arguments, request.limit);
        Statement::new(sql, arguments)
    }

    fn listed(table: &InspectedTable, row: &MySqlRow) -> sqlx::Result<Listed> {
        listed(Self::stored(table, row)?)
    }

    fn sid_bytes(row: &MySqlRow) -> Option<Vec<u8>> {
        row.try_get_unchecked(0).ok()
    }

    fn length(table: &InspectedTable, now: Timestamp) -> Statement<Self> {
        let sql = table.text(Text::Length, || {
            format!("SELECT COUNT(*) FROM {} WHERE {}", table.name, live(table))
        });
        let mut arguments = MySqlArguments::default();
        add_instant(&mut arguments, table, &table.expires, now);
        Statement::new(sql, arguments)
    }
}

/// The session as text, or as the bytes of one.
fn data_text(table: &InspectedTable) -> String {
    match table.data_form {
        DataForm::Text | DataForm::Binary => table.data.clone(),
        DataForm::Json => format!("CAST({} AS CHAR)", table.data),
    }
}

/// The expiry in a value of the given type, in the binary format. A type that is not that of the column's form means that
/// the column was altered.
fn expires_of(table: &InspectedTable, declared: &str, bytes: &[u8]) -> Expires {
    let expires = &table.expires;
    match (expires.form, declared) {
        (InstantForm::Zoned, "TIMESTAMP") => date(bytes, 0),
        (InstantForm::Local, "DATETIME") => date(bytes, table.utc_offset_minutes),
        (_, "INT" | "INT UNSIGNED" | "BIGINT" | "BIGINT UNSIGNED") => {
            let unsigned = declared.ends_with("UNSIGNED");
            integer(bytes, unsigned).map_or(Expires::Unreadable, |count| {
                expires.expires_of_integer(count)
            })
        }
        (_, "VARCHAR" | "TINYTEXT" | "TEXT" | "MEDIUMTEXT" | "LONGTEXT") => {
            expires.expires_of_text(bytes)
        }
        _ => Expires::Unreadable,
    }
}

/// An integer of 32 or 64 bits; one that is larger than ours can be is the largest.
fn integer(bytes: &[u8], unsigned: bool) -> Option<i64> {
    match (bytes.len(), unsigned) {
        (4, false) => bytes.try_into().map(i32::from_le_bytes).map(i64::from).ok(),
        (4, true) => bytes.try_into().map(u32::from_le_bytes).map(i64::from).ok(),
        (_, false) => bytes.try_into().map(i64::from_le_bytes).ok(),
        (_, true) => {
            let count = bytes.try_into().map(u64::from_le_bytes).ok()?;
            Some(i64::try_from(count).unwrap_or(i64::MAX))
        }
    }
}

/// A date as the protocol has it: its length; year, month and day; hour, minute and second; microseconds. What is zero at
/// the end may be left out. <https://mariadb.com/docs/server/reference/clientserver-protocol/4-server-response-packets/resultset-row#timestamp-binary-encoding>
///
/// Without strict mode, a column may hold dates that no calendar has. They are read as the closest one that there is:
/// 2030-00-00 compares as a date before 2030-01-01, and 0000-00-00 as one before all others.
fn date(bytes: &[u8], utc_offset_minutes: i32) -> Expires {
    let mut parts = [0_u8; 11];
    let given = bytes.get(1..).unwrap_or_default();
    let given = &given[..given.len().min(parts.len())];
    parts[..given.len()].copy_from_slice(given);
    let [y0, y1, month, day, hour, minute, second, m0, m1, m2, m3] = parts;
    let year = u16::from_le_bytes([y0, y1]);
    let microsecond = u32::from_le_bytes([m0, m1, m2, m3]);
    Timestamp::of_clock(
        year,
        [month, day],
        [hour, minute, second],
        microsecond / 1000,
    )
    .map_or(Expires::Unreadable, |at| {
        expires_at(at.east(-utc_offset_minutes).0)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::inspected;
    use super::*;

    const TYPES: [&str; 10] = [
        "TIMESTAMP",
        "DATETIME",
        "INT",
        "INT UNSIGNED",
        "BIGINT",
        "BIGINT UNSIGNED",
        "VARCHAR",
        "LONGTEXT",
        "BLOB",
        "DOUBLE",
    ];

    const COLUMNS: [&str; 6] = [
        "datetime(6)",
        "timestamp",
        "int(11) unsigned",
        "bigint(20)",
        "varchar(64)",
        "text",
    ];

    /// Dates as the protocol has them, of any numbers.
    fn dates() -> impl Strategy<Value = Vec<u8>> {
        let bytes = prop::collection::vec(any::<u8>(), 11);
        (prop::sample::select(vec![0, 4, 7, 11]), bytes).prop_map(|(length, bytes)| {
            let mut date = vec![u8::try_from(length).unwrap()];
            date.extend(&bytes[..length]);
            date
        })
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(
            declared in 0..TYPES.len(),
            column in 0..COLUMNS.len(),
            bytes in prop_oneof![dates(), prop::collection::vec(any::<u8>(), 0..40)],
            minutes in -899..=899_i32,
        ) {
            let mut table = inspected("utf8mb4_bin", COLUMNS[column]);
            table.utc_offset_minutes = minutes;
            if let Expires::At(at) = expires_of(&table, TYPES[declared], &bytes) {
                prop_assert!(at <= Timestamp::LAST);
            }
        }

        #[test]
        fn integers_are_read_and_limited(count in any::<i64>(), unsigned in any::<u64>()) {
            prop_assert_eq!(integer(&count.to_le_bytes(), false), Some(count));
            let limited = i64::try_from(unsigned).unwrap_or(i64::MAX);
            prop_assert_eq!(integer(&unsigned.to_le_bytes(), true), Some(limited));
        }
    }

    #[test]
    fn dates_that_no_calendar_has_are_the_closest_ones() {
        let read = |bytes: &[u8]| date(bytes, 0);
        let at = |text: &str| Expires::At(Timestamp::parse(text).unwrap());
        assert_eq!(read(&[0]), at("0000-01-01"));
        assert_eq!(read(&[4, 0xee, 7, 0, 0]), at("2030-01-01"));
        assert_eq!(
            read(&[7, 0xee, 7, 2, 31, 3, 4, 5]),
            at("2030-02-28 03:04:05")
        );
        let fraction = [11, 0xee, 7, 1, 2, 3, 4, 5, 0x70, 0x58, 0x0a, 0];
        assert_eq!(read(&fraction), at("2030-01-02 03:04:05.678"));
        assert_eq!(date(&fraction, 330), at("2030-01-01 21:34:05.678"));
        assert_eq!(read(&[7, 0xee, 7, 1, 2, 25, 0, 0]), Expires::Unreadable);
    }
}
