//! Reading from SQLite.

use sqlx::sqlite::{SqliteRow, SqliteValueRef};
use sqlx::{Row, Sqlite, TypeInfo, ValueRef};

use super::{Argument, live, now_values, sids_document, statement, text_of};
use crate::database::on_conflict::and_not_deleted;
use crate::database::{InspectedTable, Key, ReadStatements, Statement, Text};
use crate::operation::{Expires, Listed, PageRequest, Stored};
use crate::timestamp::Timestamp;

impl ReadStatements for Sqlite {
    fn read(table: &InspectedTable, sids: &[&str]) -> Statement<Self> {
        let sql = table.text(Text::Read(0), || {
            format!(
                "SELECT j.key, t.{data}, t.{expires} \
                 FROM json_each(?1) AS j CROSS JOIN {name} AS t ON t.{sid} = j.value{not_deleted}",
                data = table.data,
                expires = table.expires.name,
                name = table.name,
                sid = table.sid,
                not_deleted = and_not_deleted(table),
            )
        });
        statement(sql, [sids_document(sids).into()])
    }

    fn stored(table: &InspectedTable, row: &SqliteRow) -> sqlx::Result<(Key, Stored)> {
        let index: i64 = row.try_get(0)?;
        let expires = expires(table, row)?;
        let data = match Found::of(&row.try_get_raw(1)?) {
            Found::Text | Found::Blob => row.try_get_unchecked(1).ok(),
            _ => None,
        };
        let index = usize::try_from(index).map_err(|error| sqlx::Error::Decode(error.into()))?;
        Ok((Key::Index(index), Stored { data, expires }))
    }

    fn page(table: &InspectedTable, request: &PageRequest, now: Timestamp) -> Statement<Self> {
        let with_data = request.with_data;
        let sql = table.text(Text::Page { with_data }, || {
            format!(
                "SELECT {sid}, {data}, {expires} FROM {name} AS t WHERE {sid} > {after} AND {sid} < x'' AND {live} \
                 ORDER BY {sid} LIMIT ?5",
                sid = table.sid,
                after = text_of("?4"),
                data = if with_data { &table.data } else { "NULL" },
                expires = if with_data {
                    &table.expires.name
                } else {
                    "NULL"
                },
                name = table.name,
                live = live(table),
            )
        });
        let mut values = now_values(now);
        let after = request.after.clone().unwrap_or_default();
        // A text may have bytes that are not UTF-8, and a text of UTF-8 may be kept in UTF-16.
        let after = String::from_utf8(after)
            .map_or_else(|error| Argument::Blob(error.into_bytes()), Argument::from);
        values.extend([after, Argument::Integer(request.limit.into())]);
        statement(sql, values)
    }

    fn listed(table: &InspectedTable, row: &SqliteRow) -> sqlx::Result<Listed> {
        Ok(Listed {
            sid: row.try_get_unchecked(0)?,
            data: row.try_get_unchecked(1).ok().flatten(),
            expires: expires(table, row)?.at(),
        })
    }

    fn sid_bytes(row: &SqliteRow) -> Option<Vec<u8>> {
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
        statement(sql, now_values(now))
    }
}

/// The expiry in the third column.
fn expires(table: &InspectedTable, row: &SqliteRow) -> sqlx::Result<Expires> {
    Ok(match Found::of(&row.try_get_raw(2)?) {
        Found::Null => Expires::Never,
        Found::Integer => table.expires.expires_of_integer(row.try_get_unchecked(2)?),
        Found::Text => table.expires.expires_of_text(row.try_get_unchecked(2)?),
        Found::Blob | Found::Other => Expires::Unreadable,
    })
}

/// The type of a value, which does not have to be that of its column.
enum Found {
    Null,
    Text,
    Blob,
    Integer,
    Other,
}

impl Found {
    fn of(value: &SqliteValueRef<'_>) -> Self {
        match value.type_info().name() {
            _ if value.is_null() => Self::Null,
            "TEXT" => Self::Text,
            "BLOB" => Self::Blob,
            "INTEGER" => Self::Integer,
            _ => Self::Other,
        }
    }
}
