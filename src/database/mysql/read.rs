//! Reading from MySQL and MariaDB.

use sqlx::mysql::{MySqlArguments, MySqlRow};
use sqlx::{MySql, Row};

use super::{add, add_cursor, add_instant, add_sids, and_not_deleted, live, sid_marks, size};
use crate::database::{
    DataForm, InspectedTable, InstantForm, Key, ReadStatements, Statement, Text,
};
use crate::operation::{Expires, PageRequest, Stored};
use crate::timestamp::Timestamp;

impl ReadStatements for MySql {
    fn read(table: &InspectedTable, sids: &[&str]) -> Statement<Self> {
        let size = size(sids.len());
        let sql = table.text(Text::Read(size), || {
            format!(
                "SELECT {sid}, {data}, {expires} FROM {name} WHERE {sid} IN ({list}){not_deleted}",
                sid = table.sid,
                data = data_text(table),
                expires = milliseconds(table),
                name = table.name,
                list = sid_marks(table, size),
                not_deleted = and_not_deleted(table),
            )
        });
        let mut arguments = MySqlArguments::default();
        add_sids(&mut arguments, sids, size);
        Statement::new(sql, arguments)
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
        // The caller compares sids as text, so those that differ in case stay apart in any collation.
        Ok((Key::Sid(sid), Stored { data, expires }))
    }

    fn page(table: &InspectedTable, request: &PageRequest, now: Timestamp) -> Statement<Self> {
        let with_data = request.with_data;
        let sql = table.text(Text::Page { with_data }, || {
            format!(
                "SELECT {sid}, {data} FROM {name} WHERE (? OR {sid} > ?) AND {live} ORDER BY {sid} LIMIT ?",
                sid = table.sid,
                data = if with_data { data_text(table) } else { "NULL".to_owned() },
                name = table.name,
                live = live(table),
            )
        });
        let mut arguments = MySqlArguments::default();
        add_cursor(&mut arguments, request.after.as_deref());
        add_instant(&mut arguments, table, &table.expires, now);
        add(&mut arguments, request.limit);
        Statement::new(sql, arguments)
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

/// The session as text.
fn data_text(table: &InspectedTable) -> String {
    match table.data_form {
        DataForm::Text => table.data.clone(),
        DataForm::Json => format!("CAST({} AS CHAR)", table.data),
        DataForm::Binary => format!("CONVERT({} USING utf8mb4)", table.data),
    }
}

/// The expiry as text: in ms since the epoch, or as the column has it if it is a text.
fn milliseconds(table: &InspectedTable) -> String {
    let expires = &table.expires.name;
    let since = |utc_offset_minutes: i32| {
        format!(
            "CAST(FLOOR(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', {expires}) / 1000) - {} AS CHAR)",
            i64::from(utc_offset_minutes) * 60_000
        )
    };
    match table.expires.form {
        InstantForm::Zoned => since(0),
        InstantForm::Local => since(table.utc_offset_minutes),
        InstantForm::Text | InstantForm::Iso => expires.clone(),
        InstantForm::Seconds => format!("CAST({expires} * 1000 AS CHAR)"),
        InstantForm::Milliseconds => format!("CAST({expires} AS CHAR)"),
    }
}
