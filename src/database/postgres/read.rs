//! Reading from PostgreSQL.

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Column as _, Postgres, Row, TypeInfo};
use time::OffsetDateTime;

use super::{add, live, zone};
use crate::database::on_conflict::and_not_deleted;
use crate::database::{
    DataForm, InspectedTable, InstantForm, Key, ReadStatements, Statement, Text, listed,
};
use crate::operation::{Expires, Listed, PageRequest, Stored};
use crate::timestamp::Timestamp;

impl ReadStatements for Postgres {
    fn read(table: &InspectedTable, sids: &[&str]) -> Statement<Self> {
        let sql = table.text(Text::Read(0), || {
            format!(
                "SELECT t.{sid}::text, {data}, {expires} FROM {name} AS t WHERE t.{sid} = ANY($1::text[]){not_deleted}",
                data = data_text(table),
                expires = expires_value(table),
                name = table.name,
                sid = table.sid,
                not_deleted = and_not_deleted(table),
            )
        });
        let mut arguments = PgArguments::default();
        add(&mut arguments, sids);
        Statement::new(sql, arguments)
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

    fn page(table: &InspectedTable, request: &PageRequest, now: Timestamp) -> Statement<Self> {
        let with_data = request.with_data;
        let sql = table.text(Text::Page { with_data }, || {
            format!(
                "SELECT t.{sid}::text, {data}, {expires} FROM {name} AS t WHERE t.{sid} > $2 AND {live} \
                 ORDER BY t.{sid} LIMIT $3",
                sid = table.sid,
                data = if with_data { data_text(table) } else { "NULL::text".to_owned() },
                expires = if with_data { expires_value(table) } else { "NULL::text".to_owned() },
                name = table.name,
                live = live(table),
            )
        });
        let mut arguments = PgArguments::default();
        add(&mut arguments, now.0);
        add(&mut arguments, request.after.as_deref().unwrap_or_default());
        add(&mut arguments, i64::from(request.limit));
        Statement::new(sql, arguments)
    }

    fn listed(row: &PgRow) -> sqlx::Result<Listed> {
        listed(Self::stored(row)?)
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

/// The session as text.
fn data_text(table: &InspectedTable) -> String {
    match table.data_form {
        DataForm::Text | DataForm::Json => format!("t.{}::text", table.data),
        DataForm::Binary => format!("convert_from(t.{}, 'UTF8')", table.data),
    }
}

/// The expiry as a date if it is one, or else as text.
fn expires_value(table: &InspectedTable) -> String {
    let expires = format!("t.{}", table.expires.name);
    match table.expires.form {
        InstantForm::Zoned => expires,
        InstantForm::Local => format!("{expires} AT TIME ZONE {}", zone(table)),
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
}
