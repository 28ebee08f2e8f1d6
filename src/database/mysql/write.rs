//! Writing to MySQL and MariaDB.

use sqlx::MySql;
use sqlx::mysql::{MySqlArguments, MySqlQueryResult};

use super::{
    add, add_instant, add_sids, and_not_deleted, comparable, comparable_value, live, local, marks,
    other_charset, padded, sid_marks, size,
};
use crate::database::{
    Batch, InspectedTable, Save, Schema, Statement, Text, Touch, WriteStatements, keep_later,
    unless_after,
};
use crate::operation::{Extra, Value};
use crate::timestamp::Timestamp;

/// The largest integer of MySQL. An error that names it is that of `same_sid`.
pub const LARGEST: u64 = u64::MAX;

/// The most rows of one UPDATE: each row finds its values with a CASE that has a branch for every row.
const UPDATE_ROWS: usize = 64;

/// The most rows of one INSERT.
const INSERT_ROWS: usize = 128;

impl WriteStatements for MySql {
    fn write(table: &InspectedTable, batch: &Batch<'_>, now: Timestamp) -> Vec<Statement<Self>> {
        let extra = &batch.extra;
        let writer = Writer { table, extra, now };
        let upserts = batch.upserts.chunks(INSERT_ROWS);
        let updates = batch.updates.chunks(UPDATE_ROWS);
        let touches = batch.touches.chunks(UPDATE_ROWS);
        let mut statements: Vec<_> = upserts.map(|saves| writer.upsert(saves)).collect();
        statements.extend(updates.map(|saves| writer.update(saves)));
        statements.extend(touches.map(|touches| writer.touch(touches)));
        if !batch.destroys.is_empty() {
            statements.push(writer.destroy(&batch.destroys));
        }
        statements
    }

    fn rows_affected(result: &MySqlQueryResult) -> u64 {
        // The connection counts rows that were found, changed or not.
        result.rows_affected()
    }
}

/// Makes the statements of one commit.
struct Writer<'a> {
    table: &'a InspectedTable,
    /// The application's own columns.
    extra: &'a [&'a str],
    now: Timestamp,
}

impl Writer<'_> {
    fn upsert(&self, saves: &[Save<'_>]) -> Statement<MySql> {
        let table = self.table;
        let size = size(saves.len());
        let keep_later = keep_later(saves);
        let sql = table.text_with(Text::Upsert { size, keep_later }, self.extra, || {
            self.upsert_text(size, keep_later)
        });
        let mut arguments = MySqlArguments::default();
        for save in padded_saves(saves, size) {
            add(&mut arguments, save.sid);
            add_instant(&mut arguments, table, &table.expires, save.expires);
            add(&mut arguments, save.data);
            let stamps = [&table.created_at, &table.updated_at];
            for column in stamps.into_iter().flatten() {
                add_instant(&mut arguments, table, column, self.now);
            }
            for extra in save.extra {
                add_value(&mut arguments, table, extra);
            }
        }
        Statement::new(sql, arguments)
    }

    fn upsert_text(&self, size: usize, keep_later: bool) -> String {
        let table = self.table;
        let stamps = [&table.created_at, &table.updated_at];
        let stamps = stamps.into_iter().flatten().map(|column| &column.name);
        let columns: Vec<String> = [&table.sid, &table.expires.name, &table.data]
            .into_iter()
            .chain(stamps)
            .cloned()
            .chain(self.extra_columns())
            .collect();
        let mut values = vec!["?"; columns.len()];
        if other_charset(table).is_some() {
            // MySQL would convert the parameter itself, with an error that names no column.
            values[0] = "CONVERT(? USING utf8mb4)";
        }
        values[2] = data_mark(table);
        let row = format!("({})", values.join(", "));
        let changed = [&table.expires.name, &table.data]
            .into_iter()
            .chain(table.updated_at.iter().map(|column| &column.name))
            .cloned()
            .chain(self.extra_columns())
            .map(|column| {
                let value = format!("VALUES({column})");
                if keep_later && column == table.expires.name {
                    let later = later(table, &value);
                    format!("{column} = IF({later}, {column}, {value})")
                } else {
                    format!("{column} = {value}")
                }
            });
        let restored = table.deleted_at.iter();
        let replaced: Vec<String> = [self.same_sid()]
            .into_iter()
            .chain(changed)
            .chain(restored.map(|column| format!("{column} = NULL")))
            .collect();
        format!(
            "INSERT INTO {} ({}) VALUES {} ON DUPLICATE KEY UPDATE {}",
            table.name,
            columns.join(", "),
            vec![row; size].join(", "),
            replaced.join(", ")
        )
    }

    /// Fails by an overflow unless the row that is found has the very same sid. It could be another session's, whose sid the
    /// collation treats as equal, or which has the same value in another unique key.
    ///
    /// NULL would not do, as the sid of a table may be nullable. A subquery of two rows fails too, but takes a quarter of
    /// the time of the whole statement on MariaDB.
    fn same_sid(&self) -> String {
        let sid = &self.table.sid;
        format!(
            "{sid} = IF(BINARY {sid} = BINARY VALUES({sid}), {sid}, \
             CONCAT({sid}, COALESCE(LENGTH({sid}), 0) + 1 + {LARGEST}))"
        )
    }

    fn update(&self, saves: &[Save<'_>]) -> Statement<MySql> {
        let table = self.table;
        let size = size(saves.len());
        let keep_later = keep_later(saves);
        let sql = table.text_with(Text::Update { size, keep_later }, self.extra, || {
            let name = &table.expires.name;
            let kept = format!("IF(? AND ({}), {name}, ?)", later(table, "?"));
            let expires = self.chosen(name, if keep_later { &kept } else { "?" }, size);
            let data = self.chosen(&table.data, data_mark(table), size);
            let extra = self.extra_columns();
            let changes: Vec<String> = [expires, data]
                .into_iter()
                .chain(extra.map(|column| self.chosen(&column, "?", size)))
                .chain(self.stamped())
                .collect();
            format!(
                "UPDATE {} SET {} WHERE {}{}",
                table.name,
                changes.join(", "),
                among(table, size),
                and_not_deleted(table)
            )
        });
        let rows = padded_saves(saves, size);
        let mut arguments = MySqlArguments::default();
        for save in &rows {
            add(&mut arguments, save.sid);
            if keep_later {
                add(&mut arguments, save.keep_later);
                add_instant(&mut arguments, table, &table.expires, save.expires);
            }
            add_instant(&mut arguments, table, &table.expires, save.expires);
        }
        for save in &rows {
            add(&mut arguments, save.sid);
            add(&mut arguments, save.data);
        }
        for index in 0..self.extra.len() {
            for save in &rows {
                add(&mut arguments, save.sid);
                add_value(&mut arguments, table, &save.extra[index]);
            }
        }
        self.add_stamp(&mut arguments);
        let sids: Vec<&str> = saves.iter().map(|save| save.sid).collect();
        add_among(&mut arguments, table, &sids, size);
        Statement::new(sql, arguments).counting_updates(Some(0))
    }

    fn touch(&self, touches: &[Touch<'_>]) -> Statement<MySql> {
        let table = self.table;
        let size = size(touches.len());
        let unless_after = unless_after(touches);
        let sql = table.text(Text::Touch { size, unless_after }, || {
            let changes: Vec<String> = [self.chosen(&table.expires.name, "?", size)]
                .into_iter()
                .chain(self.stamped())
                .collect();
            format!(
                "UPDATE {} SET {} WHERE {} AND {}{}",
                table.name,
                changes.join(", "),
                among(table, size),
                live(table),
                if unless_after {
                    self.not_left_alone(size)
                } else {
                    String::new()
                }
            )
        });
        let mut arguments = MySqlArguments::default();
        let padded = padded(touches, size);
        for touch in &padded {
            add(&mut arguments, touch.sid);
            add_instant(&mut arguments, table, &table.expires, touch.expires);
        }
        self.add_stamp(&mut arguments);
        let sids: Vec<&str> = touches.iter().map(|touch| touch.sid).collect();
        add_among(&mut arguments, table, &sids, size);
        add_instant(&mut arguments, table, &table.expires, self.now);
        if unless_after {
            for touch in &padded {
                add(&mut arguments, touch.sid);
                // Every row expires either not after or after the same time.
                let after = touch.unless_after.unwrap_or(touch.expires);
                add_instant(&mut arguments, table, &table.expires, after);
                add_instant(&mut arguments, table, &table.expires, touch.expires);
            }
        }
        Statement::new(sql, arguments)
    }

    /// ` AND …`, the condition that a touch does not leave the row alone.
    fn not_left_alone(&self, size: usize) -> String {
        let name = &self.table.expires.name;
        let (row, given) = (comparable(self.table), comparable_value(self.table, "?"));
        let branch = format!(" WHEN ? THEN {name} IS NULL OR {row} <= {given} OR {row} > {given}");
        format!(
            " AND CASE {}{} END",
            compared_sid(self.table),
            branch.repeat(size)
        )
    }

    fn destroy(&self, sids: &[&str]) -> Statement<MySql> {
        let table = self.table;
        let size = size(sids.len());
        let sql = table.text(Text::Destroy(size), || {
            format!("DELETE FROM {} WHERE {}", table.name, among(table, size))
        });
        let mut arguments = MySqlArguments::default();
        add_among(&mut arguments, table, sids, size);
        Statement::new(sql, arguments)
    }

    fn extra_columns(&self) -> impl Iterator<Item = String> {
        self.extra.iter().map(|column| MySql::quote(column))
    }

    /// Sets a column to a value that depends on the sid.
    fn chosen(&self, column: &str, mark: &str, size: usize) -> String {
        let branches = format!(" WHEN ? THEN {mark}").repeat(size);
        format!(
            "{column} = CASE {}{branches} ELSE {column} END",
            compared_sid(self.table)
        )
    }

    fn stamped(&self) -> Option<String> {
        let column = self.table.updated_at.as_ref()?;
        Some(format!("{} = ?", column.name))
    }

    fn add_stamp(&self, arguments: &mut MySqlArguments) {
        if let Some(column) = &self.table.updated_at {
            add_instant(arguments, self.table, column, self.now);
        }
    }
}

/// The condition that a row expires later than a value of ours.
fn later(table: &InspectedTable, value: &str) -> String {
    let name = &table.expires.name;
    format!(
        "{name} IS NULL OR {} > {}",
        comparable(table),
        comparable_value(table, value)
    )
}

/// Whether the column itself tells all sids apart. In another character set, a sid that the column cannot hold is looked up
/// as one with question marks.
fn is_exact(table: &InspectedTable) -> bool {
    MySql::inexact_collation(table).is_none() && other_charset(table).is_none()
}

/// The sid as it is compared with parameters, byte by byte.
fn compared_sid(table: &InspectedTable) -> String {
    let sid = &table.sid;
    if is_exact(table) {
        sid.clone()
    } else if other_charset(table).is_some() {
        format!("BINARY CONVERT({sid} USING utf8mb4)")
    } else {
        format!("BINARY {sid}")
    }
}

/// The condition that a row is one of `size` sids. The first part finds the rows in the index.
fn among(table: &InspectedTable, size: usize) -> String {
    let found = format!("{} IN ({})", table.sid, sid_marks(table, size));
    if is_exact(table) {
        found
    } else {
        format!("{found} AND {} IN ({})", compared_sid(table), marks(size))
    }
}

fn add_among(arguments: &mut MySqlArguments, table: &InspectedTable, sids: &[&str], size: usize) {
    add_sids(arguments, sids, size);
    if !is_exact(table) {
        add_sids(arguments, sids, size);
    }
}

fn add_value(arguments: &mut MySqlArguments, table: &InspectedTable, extra: &Extra) {
    match &extra.value {
        Value::Null => add(arguments, None::<String>),
        Value::Bool(value) => add(arguments, *value),
        Value::Integer(value) => add(arguments, *value),
        Value::Real(value) => add(arguments, *value),
        Value::Text(text) | Value::Json(text) => add(arguments, text.as_str()),
        Value::Blob(bytes) => add(arguments, bytes.as_slice()),
        Value::Date(at) => {
            let utc_offset_minutes = table.utc_offset_minutes_of::<MySql>(&extra.column);
            add(arguments, local(*at, utc_offset_minutes, 3));
        }
    }
}

/// The parameter of the session's text.
fn data_mark(table: &InspectedTable) -> &'static str {
    if table.data_quoted {
        "JSON_QUOTE(?)"
    } else {
        "?"
    }
}

/// The rows, with the smallest of them repeated until there are `size`.
fn padded_saves<'a>(saves: &[Save<'a>], size: usize) -> Vec<Save<'a>> {
    let mut padded = saves.to_vec();
    if let Some(smallest) = saves.iter().min_by_key(|save| save.data.len()) {
        padded.resize(size, *smallest);
    }
    padded
}

#[cfg(test)]
mod tests {
    use super::super::tests::inspected;
    use super::*;

    fn sql(table: &InspectedTable, batch: &Batch<'_>) -> Vec<String> {
        MySql::write(table, batch, Timestamp(1))
            .iter()
            .map(|statement| statement.sql.as_str().to_owned())
            .collect()
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
    fn each_effect_is_one_statement() {
        let expires = Timestamp(0);
        let batch = Batch {
            upserts: vec![save("a")],
            updates: vec![save("b")],
            touches: vec![Touch {
                sid: "c",
                expires,
                unless_after: None,
            }],
            destroys: vec!["d"],
            ..Batch::default()
        };
        let table = inspected("utf8mb4_nopad_bin", "datetime");
        let same_sid = "`sid` = IF(BINARY `sid` = BINARY VALUES(`sid`), `sid`, \
             CONCAT(`sid`, COALESCE(LENGTH(`sid`), 0) + 1 + 18446744073709551615))";
        assert_eq!(
            sql(&table, &batch),
            [
                &format!(
                    "INSERT INTO `Sessions` (`sid`, `expires`, `data`, `updatedAt`) VALUES (?, ?, ?, ?) \
                     ON DUPLICATE KEY UPDATE {same_sid}, `expires` = VALUES(`expires`), `data` = VALUES(`data`), \
                     `updatedAt` = VALUES(`updatedAt`)"
                ),
                "UPDATE `Sessions` SET `expires` = CASE `sid` WHEN ? THEN ? ELSE `expires` END, \
                 `data` = CASE `sid` WHEN ? THEN ? ELSE `data` END, `updatedAt` = ? WHERE `sid` IN (?)",
                "UPDATE `Sessions` SET `expires` = CASE `sid` WHEN ? THEN ? ELSE `expires` END, `updatedAt` = ? \
                 WHERE `sid` IN (?) AND (`expires` <= ?) IS NOT TRUE",
                "DELETE FROM `Sessions` WHERE `sid` IN (?)",
            ]
        );
        let counts = MySql::write(&table, &batch, Timestamp(1));
        let counts = counts.iter().map(|statement| statement.counts_updates);
        assert_eq!(counts.collect::<Vec<_>>(), [None, Some(0), None, None]);
    }

    #[test]
    fn rows_may_keep_their_expiry() {
        let expires = Timestamp(0);
        let batch = Batch {
            updates: vec![Save {
                keep_later: true,
                ..save("a")
            }],
            touches: vec![Touch {
                sid: "b",
                expires,
                unless_after: Some(expires),
            }],
            ..Batch::default()
        };
        let table = inspected("utf8mb4_nopad_bin", "datetime");
        assert_eq!(
            sql(&table, &batch),
            [
                "UPDATE `Sessions` SET `expires` = CASE `sid` WHEN ? \
                 THEN IF(? AND (`expires` IS NULL OR `expires` > ?), `expires`, ?) ELSE `expires` END, \
                 `data` = CASE `sid` WHEN ? THEN ? ELSE `data` END, `updatedAt` = ? WHERE `sid` IN (?)",
                "UPDATE `Sessions` SET `expires` = CASE `sid` WHEN ? THEN ? ELSE `expires` END, `updatedAt` = ? \
                 WHERE `sid` IN (?) AND (`expires` <= ?) IS NOT TRUE AND \
                 CASE `sid` WHEN ? THEN `expires` IS NULL OR `expires` <= ? OR `expires` > ? END",
            ]
        );
    }

    #[test]
    fn a_collation_that_ignores_case_is_made_up_for() {
        let table = inspected("utf8mb4_general_ci", "datetime");
        let destroy = Batch {
            destroys: vec!["a"],
            ..Batch::default()
        };
        assert_eq!(
            sql(&table, &destroy),
            ["DELETE FROM `Sessions` WHERE `sid` IN (?) AND BINARY `sid` IN (?)"]
        );
    }

    #[test]
    fn another_character_set_is_converted() {
        let table = inspected("latin1_german1_ci", "datetime");
        let destroy = Batch {
            destroys: vec!["a"],
            ..Batch::default()
        };
        assert_eq!(
            sql(&table, &destroy),
            [
                "DELETE FROM `Sessions` WHERE `sid` IN (CONVERT(CONVERT(? USING utf8mb4) USING latin1) COLLATE latin1_german1_ci) \
                 AND BINARY CONVERT(`sid` USING utf8mb4) IN (?)"
            ]
        );
    }
}
