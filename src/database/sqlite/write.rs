//! Writing to SQLite.

use std::fmt::Write as _;

use sqlx::Sqlite;
use sqlx::sqlite::SqliteQueryResult;

use super::{
    Argument, comparable, comparable_of, instant, live, now, now_values, push_string,
    sids_document, statement,
};
use crate::database::on_conflict::{Keeps, Rows};
use crate::database::{
    Batch, Column, Effects, InspectedTable, InstantColumn, InstantForm, Save, Schema, Statement,
    Text, Touch, WriteStatements, unless_after,
};
use crate::operation::Value;
use crate::timestamp::Timestamp;

/// Number of statements in a commit at most.
const MAX_STATEMENTS: usize = 4;

impl WriteStatements for Sqlite {
    const ROLLBACK: Option<&'static str> = Some("ROLLBACK");

    fn write(table: &InspectedTable, batch: &Batch<'_>, now: Timestamp) -> Vec<Statement<Self>> {
        let effects = batch.effects();
        let sql = table.text_with(Text::Commit(effects), &batch.extra, || {
            write_script(table, batch, effects)
        });
        let mut blob = Vec::new();
        let upserts = rows_document(table, &batch.upserts, &mut blob);
        let updates = rows_document(table, &batch.updates, &mut blob);
        let touches = touches_document(table, &batch.touches);
        let destroys = sids_document(&batch.destroys);
        let mut values = now_values(now);
        values.extend([upserts, updates, touches, destroys].map(Argument::Text));
        values.push(Argument::Blob(blob));
        // sqlx 0.9 takes a number that a statement leaves out for a parameter without one, goes on counting through all
        // statements of a text, and stops binding where the count exceeds the values. So values are needed for as many as
        // all statements together can leave out.
        values.extend((0..MAX_STATEMENTS * values.len()).map(|_| Argument::Null));
        vec![statement(sql, values).counting_updates(update_result(effects))]
    }

    fn rows_affected(result: &SqliteQueryResult) -> u64 {
        result.rows_affected()
    }
}

/// The result of the update: after that of BEGIN, if there are several statements, and after that of the upsert.
fn update_result(effects: Effects) -> Option<usize> {
    let several = effects.count() > 1;
    let before = usize::from(several) + usize::from(effects.upserts);
    effects.updates.then_some(before)
}

/// The text of a session, cut from the blob.
const DATA: &str = "CAST(substr(?8, j.value->>2, j.value->>3) AS TEXT)";

/// The statements of a batch. After the time in its three forms, ?4 to ?7 are the documents of upserts, updates,
/// touches and destroys, and ?8 is the blob that holds texts and bytes. More than one statement makes a transaction.
fn write_script(table: &InspectedTable, batch: &Batch<'_>, effects: Effects) -> String {
    let extra = batch.extra.iter().enumerate();
    let rows = Rows {
        table,
        sid: "j.value->>0",
        expires: "j.value->>1".to_owned(),
        keeps: keeps(table, effects),
        data: if table.data_quoted {
            format!("json_quote({DATA})")
        } else {
            DATA.to_owned()
        },
        extra: extra
            .map(|(index, column)| (Sqlite::quote(column), extra_value(index)))
            .collect(),
        now: &|column: &InstantColumn| now(column.form).to_owned(),
        live: live(table),
    };
    let mut statements = Vec::new();
    if !batch.upserts.is_empty() {
        statements.push(rows.upsert(&rows_of(table, "?4")));
    }
    if !batch.updates.is_empty() {
        statements.push(rows.update(&rows_of(table, "?5")));
    }
    if !batch.touches.is_empty() {
        statements.push(rows.touch(&rows_of(table, "?6")));
    }
    if !batch.destroys.is_empty() {
        statements.push(format!(
            "DELETE FROM {} WHERE {} IN (SELECT j.value FROM json_each(?7) AS j)",
            table.name, table.sid
        ));
    }
    if let [statement] = &statements[..] {
        return statement.clone();
    }
    format!("BEGIN IMMEDIATE; {}; COMMIT", statements.join("; "))
}

/// The rows of a document. Fails if another program has given `expires` another type: SQLite would take the values as they
/// are, in any column.
fn rows_of(table: &InspectedTable, document: &str) -> String {
    let text = |name: &str| format!("'{}'", name.replace('\'', "''"));
    let is_expires = |column: &&Column| Sqlite::quote(&column.name) == table.expires.name;
    let Some(expires) = table.columns.iter().find(is_expires) else {
        return format!("json_each({document}) AS j");
    };
    format!(
        "json_each(CASE (SELECT c.type FROM pragma_table_info({name}) AS c WHERE c.name = {column}) \
         WHEN {declared} THEN {document} ELSE 'the table was altered' END) AS j",
        name = text(&unquoted(&table.name)),
        column = text(&expires.name),
        declared = text(&expires.declared),
    )
}

/// The name that was quoted.
fn unquoted(name: &str) -> String {
    let inner = name
        .strip_prefix('`')
        .and_then(|name| name.strip_suffix('`'));
    inner.unwrap_or(name).replace("``", "`")
}

/// Expiries are compared in the one form that all of them can be converted to.
fn keeps(table: &InspectedTable, effects: Effects) -> Keeps {
    let row = comparable(table);
    let given = comparable_of(table, "j.value->>1");
    let update = || {
        let name = &table.expires.name;
        format!("j.value->>4 AND (t.{name} IS NULL OR {row} > {given})")
    };
    let touch = || {
        let after = comparable_of(table, "j.value->>2");
        format!("{row} IS NOT NULL AND {row} > {after} AND {row} <= {given}")
    };
    let upsert = || {
        let name = &table.expires.name;
        let excluded = comparable_of(table, &format!("excluded.{name}"));
        format!("t.{name} IS NULL OR {row} > {excluded}")
    };
    Keeps {
        upsert: effects.upserts_keep_later.then(upsert),
        update: effects.keep_later.then(update),
        touch: effects.unless_after.then(touch),
    }
}

/// The value of the extra column at `index`: a JSON scalar, or an array that gives the position of a piece of the blob.
fn extra_value(index: usize) -> String {
    let path = format!("$[{}]", index + 5);
    format!(
        "CASE json_type(j.value, '{path}') WHEN 'array' THEN CASE j.value->>'{path}[0]' \
         WHEN 'text' THEN CAST(substr(?8, j.value->>'{path}[1]', j.value->>'{path}[2]') AS TEXT) \
         ELSE substr(?8, j.value->>'{path}[1]', j.value->>'{path}[2]') END ELSE j.value->>'{path}' END"
    )
}

/// `[["sid", "expires", "unless after"], …]`, the last only if some touch has it; for the others it is the expiry, after and
/// not after which no row expires.
fn touches_document(table: &InspectedTable, touches: &[Touch<'_>]) -> String {
    let mut document = String::from("[");
    let conditional = unless_after(touches);
    for (index, touch) in touches.iter().enumerate() {
        document.push_str(if index > 0 { ",[" } else { "[" });
        push_string(&mut document, touch.sid);
        document.push(',');
        push_instant(&mut document, table.expires.form, touch.expires);
        if conditional {
            document.push(',');
            let unless_after = touch.unless_after.unwrap_or(touch.expires);
            push_instant(&mut document, table.expires.form, unless_after);
        }
        document.push(']');
    }
    document.push(']');
    document
}

/// `[["sid", "expires", position, length, keep later, extra…], …]`; the texts are appended to the blob.
fn rows_document(table: &InspectedTable, saves: &[Save<'_>], blob: &mut Vec<u8>) -> String {
    let mut document = String::from("[");
    for (index, save) in saves.iter().enumerate() {
        document.push_str(if index > 0 { ",[" } else { "[" });
        push_string(&mut document, save.sid);
        document.push(',');
        push_instant(&mut document, table.expires.form, save.expires);
        document.push(',');
        push_piece(&mut document, blob, save.data.as_bytes());
        document.push_str(if save.keep_later { ",1" } else { ",0" });
        for extra in save.extra {
            document.push(',');
            push_value(&mut document, blob, &extra.value);
        }
        document.push(']');
    }
    document.push(']');
    document
}

fn push_instant(document: &mut String, form: InstantForm, at: Timestamp) {
    match instant(form, at) {
        Argument::Integer(integer) => _ = write!(document, "{integer}"),
        Argument::Text(text) => push_string(document, &text),
        Argument::Null | Argument::Blob(_) => {}
    }
}

fn push_value(document: &mut String, blob: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => document.push_str("null"),
        Value::Bool(value) => document.push(if *value { '1' } else { '0' }),
        Value::Integer(value) => _ = write!(document, "{value}"),
        // Always with a point or an exponent, so that it stays a real number.
        Value::Real(value) => _ = write!(document, "{value:?}"),
        Value::Text(value) if value.contains('\0') => {
            document.push_str(r#"["text","#);
            push_piece(document, blob, value.as_bytes());
            document.push(']');
        }
        Value::Text(value) | Value::Json(value) => push_string(document, value),
        Value::Date(value) => push_string(document, &value.to_text()),
        Value::Blob(value) => {
            document.push_str(r#"["blob","#);
            push_piece(document, blob, value);
            document.push(']');
        }
    }
}

/// Appends bytes to the blob, and their position, counted from 1, and length to the document.
fn push_piece(document: &mut String, blob: &mut Vec<u8>, bytes: &[u8]) {
    _ = write!(document, "{},{}", blob.len() + 1, bytes.len());
    blob.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::super::tests::{inspected, sequelize};
    use super::*;
    use crate::database::rows_updated;
    use crate::operation::Extra;

    fn only(table: &InspectedTable, batch: &Batch<'_>) -> Statement<Sqlite> {
        let mut statements = Sqlite::write(table, batch, Timestamp(1));
        let statement = statements.pop().unwrap();
        assert!(
            statements.is_empty(),
            "SQLite writes a commit with one text"
        );
        statement
    }

    fn save(sid: &str) -> Save<'_> {
        Save {
            sid,
            data: "{}",
            expires: Timestamp(0),
            keep_later: false,
            extra: &[],
        }
    }

    #[test]
    fn one_effect_is_one_statement() {
        let table = sequelize();
        let batch = Batch {
            upserts: vec![save("a"), save("b")],
            ..Batch::default()
        };
        assert_eq!(
            only(&table, &batch).sql.as_str(),
            format!(
                "INSERT INTO `Sessions` (`sid`, `createdAt`, `expires`, `data`, `updatedAt`) \
             SELECT j.value->>0, ?1, j.value->>1, CAST(substr(?8, j.value->>2, j.value->>3) AS TEXT), ?1 \
             FROM {rows} WHERE true \
             ON CONFLICT (`sid`) DO UPDATE SET `expires` = excluded.`expires`, `data` = excluded.`data`, \
             `updatedAt` = excluded.`updatedAt`",
                rows = rows_of(&table, "?4"),
            )
        );
        let mut blob = Vec::new();
        assert_eq!(
            rows_document(&table, &batch.upserts, &mut blob),
            r#"[["a","1970-01-01 00:00:00.000 +00:00",1,2,0],["b","1970-01-01 00:00:00.000 +00:00",3,2,0]]"#
        );
        assert_eq!(blob, b"{}{}");
    }

    #[test]
    fn several_effects_are_one_transaction() {
        let table = inspected(&["sid", "expires", "data", "updated_at"]);
        let expires = Timestamp(0);
        let batch = Batch {
            updates: vec![save("a")],
            touches: vec![Touch {
                sid: "b",
                expires,
                unless_after: None,
            }],
            destroys: vec!["c"],
            ..Batch::default()
        };
        let statement = only(&table, &batch);
        assert_eq!(
            statement.sql.as_str(),
            format!(
                "BEGIN IMMEDIATE; \
             UPDATE `Sessions` AS t SET `expires` = j.value->>1, \
             `data` = CAST(substr(?8, j.value->>2, j.value->>3) AS TEXT), `updated_at` = ?1 \
             FROM {updates} WHERE t.`sid` = j.value->>0; \
             UPDATE `Sessions` AS t SET `expires` = j.value->>1, `updated_at` = ?1 FROM {touches} \
             WHERE t.`sid` = j.value->>0 AND {live}; \
             DELETE FROM `Sessions` WHERE `sid` IN (SELECT j.value FROM json_each(?7) AS j); \
             COMMIT",
                updates = rows_of(&table, "?5"),
                touches = rows_of(&table, "?6"),
                live = live(&table),
            )
        );
        let missing = |affected: &[u64]| {
            let updated = rows_updated(statement.counts_updates, affected);
            batch.missing(updated)
        };
        assert_eq!(missing(&[0, 0, 1, 1, 0]), 1);
        assert_eq!(missing(&[0, 1, 1, 1, 0]), 0);
    }

    #[test]
    fn the_update_counts_after_begin_and_the_upsert() {
        let result = |upserts, updates, touches, destroys| {
            update_result(Effects {
                upserts,
                updates,
                touches,
                destroys,
                ..Effects::default()
            })
        };
        assert_eq!(result(false, true, false, false), Some(0));
        assert_eq!(result(true, true, false, false), Some(2));
        assert_eq!(result(false, true, false, true), Some(1));
        assert_eq!(result(true, false, true, false), None);
    }

    #[test]
    fn texts_and_bytes_of_any_content_travel_in_the_blob() {
        let extra = [
            Value::Real(2.0),
            Value::Text("a\0b".into()),
            Value::Blob(vec![255]),
        ]
        .map(|value| Extra {
            column: "c".into(),
            value,
        });
        let save = Save {
            data: "\0",
            extra: &extra,
            ..save("a\"")
        };
        let mut blob = Vec::new();
        assert_eq!(
            rows_document(&sequelize(), &[save], &mut blob),
            r#"[["a\"","1970-01-01 00:00:00.000 +00:00",1,1,0,2.0,["text",2,3],["blob",5,1]]]"#
        );
        assert_eq!(blob, b"\0a\0b\xff");
    }
}
