//! The writes of databases that have `INSERT … ON CONFLICT` and `UPDATE … FROM`. The rows of a batch are a relation `j`,
//! the table is `t`.

use super::{InstantColumn, Layout};

/// How a batch's rows are spelled.
pub struct Rows<'a> {
    pub layout: &'a Layout,
    /// Expressions over `j`.
    pub sid: &'a str,
    pub expires: String,
    pub data: String,
    /// The application's own columns, quoted, each with its expression over `j`.
    pub extra: Vec<(String, String)>,
    /// The time of the statement in the form of a column.
    pub now: &'a dyn Fn(&InstantColumn) -> String,
    /// That the row of `t` is live.
    pub live: String,
}

impl Rows<'_> {
    pub fn upsert(&self, from: &str) -> String {
        let layout = self.layout;
        let changes = self.changes();
        let revived = layout.deleted_at.iter();
        let replaced = changes
            .iter()
            .map(|(column, _)| format!("{column} = excluded.{column}"))
            .chain(revived.map(|column| format!("{column} = NULL")));
        let replaced = list(replaced);
        let (columns, values): (Vec<_>, Vec<_>) = [(layout.sid.clone(), self.sid.to_owned())]
            .into_iter()
            .chain(self.stamp(layout.created_at.as_ref()))
            .chain(changes)
            .unzip();
        // Without WHERE, SQLite would take ON for the beginning of a join's condition.
        format!(
            "INSERT INTO {} ({}) SELECT {} FROM {from} WHERE true ON CONFLICT ({}) DO UPDATE SET {replaced}",
            layout.table,
            columns.join(", "),
            values.join(", "),
            layout.sid,
        )
    }

    pub fn update(&self, from: &str) -> String {
        let changes = self.changes().into_iter();
        format!(
            "UPDATE {} AS t SET {} FROM {from} WHERE t.{} = {}{}",
            self.layout.table,
            list(changes.map(|(column, value)| format!("{column} = {value}"))),
            self.layout.sid,
            self.sid,
            not_deleted(self.layout)
        )
    }

    pub fn touch(&self, from: &str) -> String {
        let changes = [(self.layout.expires.name.clone(), self.expires.clone())]
            .into_iter()
            .chain(self.stamp(self.layout.updated_at.as_ref()));
        format!(
            "UPDATE {} AS t SET {} FROM {from} WHERE t.{} = {} AND {}",
            self.layout.table,
            list(changes.map(|(column, value)| format!("{column} = {value}"))),
            self.layout.sid,
            self.sid,
            self.live
        )
    }

    /// The columns that both a new and an old row get, with their values.
    fn changes(&self) -> Vec<(String, String)> {
        let layout = self.layout;
        [
            (layout.expires.name.clone(), self.expires.clone()),
            (layout.data.clone(), self.data.clone()),
        ]
        .into_iter()
        .chain(self.stamp(layout.updated_at.as_ref()))
        .chain(self.extra.iter().cloned())
        .collect()
    }

    fn stamp(&self, column: Option<&InstantColumn>) -> Option<(String, String)> {
        column.map(|column| (column.name.clone(), (self.now)(column)))
    }
}

/// That the row of `t` is not softly deleted, behind another condition.
pub fn not_deleted(layout: &Layout) -> String {
    match &layout.deleted_at {
        Some(column) => format!(" AND t.{column} IS NULL"),
        None => String::new(),
    }
}

fn list(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}
