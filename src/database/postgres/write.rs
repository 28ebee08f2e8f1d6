//! Writing to PostgreSQL.

use sqlx::Postgres;
use sqlx::postgres::{PgArguments, PgQueryResult};

use super::{add, comparable, comparable_instant, instant, live, now};
use crate::database::on_conflict::{Keeps, Rows};
use crate::database::{
    Batch, DataForm, Effects, InspectedTable, InstantColumn, Save, Schema, Statement, Text, Touch,
    WriteStatements, unless_after,
};
use crate::operation::Value;
use crate::timestamp::Timestamp;

impl WriteStatements for Postgres {
    fn write(table: &InspectedTable, batch: &Batch<'_>, now: Timestamp) -> Vec<Statement<Self>> {
        if table.portable {
            // CockroachDB changes a table once per statement.
            let batches = batch.by_effect();
            return batches
                .iter()
                .map(|batch| statement(table, batch, now))
                .collect();
        }
        vec![statement(table, batch, now)]
    }

    fn rows_affected(result: &PgQueryResult) -> u64 {
        result.rows_affected()
    }
}

/// One statement for a whole batch.
fn statement(table: &InspectedTable, batch: &Batch<'_>, now: Timestamp) -> Statement<Postgres> {
    let effects = batch.effects();
    let sql = table.text_with(Text::Commit(effects), &batch.extra, || {
        write_text(table, batch, effects)
    });
    let mut arguments = PgArguments::default();
    add(&mut arguments, now.0);
    add_rows(&mut arguments, table, &batch.upserts, &batch.extra);
    add_rows(&mut arguments, table, &batch.updates, &batch.extra);
    if effects.keep_later {
        let keep_later = batch.updates.iter().map(|save| save.keep_later);
        add(&mut arguments, keep_later.collect::<Vec<bool>>());
    }
    add_touches(&mut arguments, &batch.touches);
    if !batch.destroys.is_empty() {
        add(&mut arguments, &batch.destroys);
    }
    // An update is always the main part of the statement, whose rows are counted.
    let update = (!batch.updates.is_empty()).then_some(0);
    Statement::new(sql, arguments).counting_updates(update)
}

/// Adds the arrays of upserts or updates: sids, expiries, texts, and one for each extra column.
fn add_rows(
    arguments: &mut PgArguments,
    table: &InspectedTable,
    saves: &[Save<'_>],
    extra_columns: &[&str],
) {
    if saves.is_empty() {
        return;
    }
    let sids: Vec<&str> = saves.iter().map(|save| save.sid).collect();
    let expiries: Vec<i64> = saves.iter().map(|save| save.expires.0).collect();
    let texts: Vec<&str> = saves.iter().map(|save| save.data).collect();
    add(arguments, sids);
    add(arguments, expiries);
    add(arguments, texts);
    for (index, column) in extra_columns.iter().enumerate() {
        let utc_offset_minutes = table.utc_offset_minutes_of::<Postgres>(column);
        let values = saves
            .iter()
            .map(|save| text(&save.extra[index].value, utc_offset_minutes));
        add(arguments, values.collect::<Vec<Option<String>>>());
    }
}

fn add_touches(arguments: &mut PgArguments, touches: &[Touch<'_>]) {
    if touches.is_empty() {
        return;
    }
    let sids: Vec<&str> = touches.iter().map(|touch| touch.sid).collect();
    let expiries: Vec<i64> = touches.iter().map(|touch| touch.expires.0).collect();
    add(arguments, sids);
    add(arguments, expiries);
    if unless_after(touches) {
        // No row expires both after and not after the same time.
        let afters = touches
            .iter()
            .map(|touch| touch.unless_after.unwrap_or(touch.expires).0);
        add(arguments, afters.collect::<Vec<i64>>());
    }
}

/// A value as text that PostgreSQL casts to the type of its column.
fn text(value: &Value, utc_offset_minutes: i32) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Bool(value) => Some(value.to_string()),
        Value::Integer(value) => Some(value.to_string()),
        Value::Real(value) => Some(format!("{value:?}")),
        Value::Text(text) | Value::Json(text) => Some(text.clone()),
        // A column without a zone keeps date and time, and ignores the zone.
        Value::Date(at) => Some(at.east(utc_offset_minutes).to_text()),
        Value::Blob(bytes) => {
            let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
            Some(format!("\\x{}", digits.collect::<String>()))
        }
    }
}

/// The statement of a batch. $1 is the time in ms, followed by the arrays of each effect that there is.
fn write_text(table: &InspectedTable, batch: &Batch<'_>, effects: Effects) -> String {
    let mut parameters = Parameters { last: 1 };
    let cast = |column: &str| table.column(column).map_or("text", |found| &found.cast);
    let extra = batch.extra.iter().enumerate().map(|(index, column)| {
        let value = format!("j.x{index}::{}", cast(column));
        (Postgres::quote(column), value)
    });
    let rows = Rows {
        table,
        sid: "j.sid",
        expires: instant(table, &table.expires, "j.e"),
        keeps: keeps(table, effects),
        data: match table.data_form {
            DataForm::Text => "j.d".to_owned(),
            DataForm::Json if table.data_quoted => "to_json(j.d)".to_owned(),
            DataForm::Json => "j.d::json".to_owned(),
            DataForm::Binary => "convert_to(j.d, 'UTF8')".to_owned(),
        },
        extra: extra.collect(),
        now: &|column: &InstantColumn| now(table, column),
        live: live(table),
    };
    let mut parts = Vec::new();
    if !batch.upserts.is_empty() {
        parts.push(rows.upsert(&parameters.rows(batch.extra.len(), false)));
    }
    let update = effects
        .updates
        .then(|| rows.update(&parameters.rows(batch.extra.len(), effects.keep_later)));
    if effects.touches {
        parts.push(rows.touch(&parameters.touches(effects.unless_after)));
    }
    if !batch.destroys.is_empty() {
        parts.push(format!(
            "DELETE FROM {} AS t WHERE t.{} = ANY({})",
            table.name,
            table.sid,
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

fn keeps(table: &InspectedTable, effects: Effects) -> Keeps {
    let name = &table.expires.name;
    let row = comparable(table, &format!("t.{name}"));
    let given = comparable_instant(table, "j.e");
    let update = || format!("j.k AND (t.{name} IS NULL OR {row} > {given})");
    let touch = || {
        let after = comparable_instant(table, "j.a");
        format!("{row} IS NOT NULL AND {row} > {after} AND {row} <= {given}")
    };
    let upsert = || {
        let excluded = comparable(table, &format!("excluded.{name}"));
        format!("t.{name} IS NULL OR {row} > {excluded}")
    };
    Keeps {
        upsert: effects.upserts_keep_later.then(upsert),
        update: effects.keep_later.then(update),
        touch: effects.unless_after.then(touch),
    }
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

    /// The arrays of [`add_rows`], and of which rows keep a later expiry, as a relation.
    fn rows(&mut self, extra_columns: usize, keep_later: bool) -> String {
        let mut arrays = ["text", "bigint", "text"]
            .map(|element| self.array(element))
            .to_vec();
        let mut names = ["sid", "e", "d"].map(String::from).to_vec();
        for index in 0..extra_columns {
            arrays.push(self.array("text"));
            names.push(format!("x{index}"));
        }
        if keep_later {
            arrays.push(self.array("boolean"));
            names.push("k".to_owned());
        }
        format!("unnest({}) AS j ({})", arrays.join(", "), names.join(", "))
    }

    /// The arrays of [`add_touches`] as a relation.
    fn touches(&mut self, unless_after: bool) -> String {
        let arrays = [self.array("text"), self.array("bigint")].join(", ");
        if unless_after {
            let after = self.array("bigint");
            format!("unnest({arrays}, {after}) AS j (sid, e, a)")
        } else {
            format!("unnest({arrays}) AS j (sid, e)")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::inspected;
    use super::*;
    use crate::operation::Extra;

    #[test]
    fn a_batch_of_several_effects_is_one_statement_around_the_update_or_one_for_each() {
        let table = inspected("timestamp with time zone", "text");
        let extra = [Extra {
            column: "userId".into(),
            value: Value::Integer(5),
        }];
        let expires = Timestamp(0);
        let save = |sid| Save {
            sid,
            data: "{}",
            expires,
            keep_later: false,
            extra: &extra,
        };
        let batch = Batch {
            upserts: vec![save("a")],
            updates: vec![save("b")],
            touches: vec![Touch {
                sid: "c",
                expires,
                unless_after: None,
            }],
            destroys: vec!["d"],
            extra: vec!["userId"],
        };
        let statements = Postgres::write(&table, &batch, Timestamp(1));
        assert_eq!(
            statements[0].sql.as_str(),
            "WITH p0 AS (INSERT INTO \"Sessions\" (\"sid\", \"expires\", \"data\", \"updatedAt\", \"userId\") \
             SELECT j.sid, to_timestamp(j.e::float8 / 1000), j.d, to_timestamp($1::bigint::float8 / 1000), j.x0::integer \
             FROM unnest($2::text[], $3::bigint[], $4::text[], $5::text[]) AS j (sid, e, d, x0) WHERE true \
             ON CONFLICT (\"sid\") DO UPDATE SET \"expires\" = excluded.\"expires\", \"data\" = excluded.\"data\", \
             \"updatedAt\" = excluded.\"updatedAt\", \"userId\" = excluded.\"userId\"), \
             p1 AS (UPDATE \"Sessions\" AS t SET \"expires\" = to_timestamp(j.e::float8 / 1000), \
             \"updatedAt\" = to_timestamp($1::bigint::float8 / 1000) FROM unnest($10::text[], $11::bigint[]) AS j (sid, e) \
             WHERE t.\"sid\" = j.sid AND (t.\"expires\" IS NULL OR t.\"expires\" > to_timestamp($1::bigint::float8 / 1000))), \
             p2 AS (DELETE FROM \"Sessions\" AS t WHERE t.\"sid\" = ANY($12::text[])) \
             UPDATE \"Sessions\" AS t SET \"expires\" = to_timestamp(j.e::float8 / 1000), \"data\" = j.d, \
             \"updatedAt\" = to_timestamp($1::bigint::float8 / 1000), \"userId\" = j.x0::integer \
             FROM unnest($6::text[], $7::bigint[], $8::text[], $9::text[]) AS j (sid, e, d, x0) WHERE t.\"sid\" = j.sid"
        );
        assert_eq!(statements[0].counts_updates, Some(0));

        let mut portable = inspected("timestamp with time zone", "text");
        portable.portable = true;
        let statements = Postgres::write(&portable, &batch, Timestamp(1));
        let words: Vec<_> = statements
            .iter()
            .map(|statement| statement.sql.as_str().split(' ').next().unwrap())
            .collect();
        assert_eq!(words, ["INSERT", "UPDATE", "UPDATE", "DELETE"]);
        let counts: Vec<_> = statements
            .iter()
            .map(|statement| statement.counts_updates)
            .collect();
        assert_eq!(counts, [None, Some(0), None, None]);
    }

    #[test]
    fn rows_may_keep_their_expiry() {
        let table = inspected("bigint", "text");
        let expires = Timestamp(0);
        let batch = Batch {
            updates: vec![Save {
                sid: "a",
                data: "{}",
                expires,
                keep_later: true,
                extra: &[],
            }],
            touches: vec![Touch {
                sid: "b",
                expires,
                unless_after: Some(expires),
            }],
            ..Batch::default()
        };
        let statements = Postgres::write(&table, &batch, Timestamp(1));
        assert_eq!(
            statements[0].sql.as_str(),
            "WITH p0 AS (UPDATE \"Sessions\" AS t SET \"expires\" = j.e, \
             \"updatedAt\" = to_timestamp($1::bigint::float8 / 1000) \
             FROM unnest($6::text[], $7::bigint[], $8::bigint[]) AS j (sid, e, a) WHERE t.\"sid\" = j.sid AND \
             (t.\"expires\" IS NULL OR t.\"expires\" > $1::bigint) AND \
             NOT (t.\"expires\" IS NOT NULL AND t.\"expires\" > j.a AND t.\"expires\" <= j.e)) \
             UPDATE \"Sessions\" AS t SET \"expires\" = CASE WHEN j.k AND (t.\"expires\" IS NULL OR t.\"expires\" > j.e) \
             THEN t.\"expires\" ELSE j.e END, \"data\" = j.d, \"updatedAt\" = to_timestamp($1::bigint::float8 / 1000) \
             FROM unnest($2::text[], $3::bigint[], $4::text[], $5::boolean[]) AS j (sid, e, d, k) WHERE t.\"sid\" = j.sid"
        );
    }

    #[test]
    fn values_become_text_that_the_server_casts() {
        assert_eq!(text(&Value::Blob(vec![0, 255]), 0).unwrap(), "\\x00ff");
        assert_eq!(text(&Value::Bool(true), 0).unwrap(), "true");
        assert_eq!(text(&Value::Null, 0), None);
    }
}
