//! Writes for databases that have `INSERT … ON CONFLICT` and `UPDATE … FROM`. The rows of a batch are a relation `j`,
//! the table is `t`.

use super::inspected::{InspectedTable, InstantColumn};

/// How the rows of a batch are spelled.
pub struct Rows<'a> {
    pub table: &'a InspectedTable,
    /// Expressions over `j`.
    pub sid: &'a str,
    pub expires: String,
    /// The conditions over `j` and `t` under which a row keeps its expiry, for the effects that have such.
    pub keeps: Keeps,
    pub data: String,
    /// The application's own columns, quoted, each with its expression over `j`.
    pub extra: Vec<(String, String)>,
    /// The time of the statement in the form of a column.
    pub now: &'a dyn Fn(&InstantColumn) -> String,
    /// The condition that the row of `t` is live.
    pub live: String,
}

/// The conditions under which a row keeps its expiry.
#[derive(Default)]
pub struct Keeps {
    /// In an upsert, where a later one stays, over `excluded` and `t`.
    pub upsert: Option<String>,
    /// In an update, where a later one stays.
    pub update: Option<String>,
    /// In a touch, where a row is left alone.
    pub touch: Option<String>,
}

impl Rows<'_> {
    pub fn upsert(&self, from: &str) -> String {
        let table = self.table;
        let changes = self.changes();
        let restored = table.deleted_at.iter();
        let replaced = changes
            .iter()
            .map(|(column, _)| match &self.keeps.upsert {
                Some(keeps) if *column == table.expires.name => {
                    format!(
                        "{column} = CASE WHEN {keeps} THEN t.{column} ELSE excluded.{column} END"
                    )
                }
                _ => format!("{column} = excluded.{column}"),
            })
            .chain(restored.map(|column| format!("{column} = NULL")));
        let replaced = list(replaced);
        let (columns, values): (Vec<_>, Vec<_>) = [(table.sid.clone(), self.sid.to_owned())]
            .into_iter()
            .chain(self.stamp(table.created_at.as_ref()))
            .chain(changes)
            .unzip();
        // Without WHERE, SQLite would take ON for the condition of a join.
        format!(
            "INSERT INTO {}{} ({}) SELECT {} FROM {from} WHERE true ON CONFLICT ({}) DO UPDATE SET {replaced}",
            table.name,
            if self.keeps.upsert.is_some() {
                " AS t"
            } else {
                ""
            },
            columns.join(", "),
            values.join(", "),
            table.sid,
        )
    }

    pub fn update(&self, from: &str) -> String {
        let mut changes = self.changes();
        if let Some(keeps) = &self.keeps.update {
            let (column, value) = &mut changes[0];
            *value = format!("CASE WHEN {keeps} THEN t.{column} ELSE {value} END");
        }
        let changes = changes.into_iter();
        format!(
            "UPDATE {} AS t SET {} FROM {from} WHERE t.{} = {}{}",
            self.table.name,
            list(changes.map(|(column, value)| format!("{column} = {value}"))),
            self.table.sid,
            self.sid,
            and_not_deleted(self.table)
        )
    }

    pub fn touch(&self, from: &str) -> String {
        let changes = [(self.table.expires.name.clone(), self.expires.clone())]
            .into_iter()
            .chain(self.stamp(self.table.updated_at.as_ref()));
        format!(
            "UPDATE {} AS t SET {} FROM {from} WHERE t.{} = {} AND {}{}",
            self.table.name,
            list(changes.map(|(column, value)| format!("{column} = {value}"))),
            self.table.sid,
            self.sid,
            self.live,
            match &self.keeps.touch {
                Some(keeps) => format!(" AND NOT ({keeps})"),
                None => String::new(),
            }
        )
    }

    /// The columns that both a new and an old row get, with their values.
    fn changes(&self) -> Vec<(String, String)> {
        let table = self.table;
        [
            (table.expires.name.clone(), self.expires.clone()),
            (table.data.clone(), self.data.clone()),
        ]
        .into_iter()
        .chain(self.stamp(table.updated_at.as_ref()))
        .chain(self.extra.iter().cloned())
        .collect()
    }

    fn stamp(&self, column: Option<&InstantColumn>) -> Option<(String, String)> {
        column.map(|column| (column.name.clone(), (self.now)(column)))
    }
}

/// ` AND …`, the condition that the row of `t` is not softly deleted; empty if the table has no soft deletion.
pub fn and_not_deleted(table: &InspectedTable) -> String {
    match &table.deleted_at {
        Some(column) => format!(" AND t.{column} IS NULL"),
        None => String::new(),
    }
}

fn list(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}
