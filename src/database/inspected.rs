//! What was found when the table was inspected, and the statements rendered for it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use sqlx::SqlStr;

use crate::config::Instants;

use super::batch::Effects;
use super::schema::Schema;
use super::statement::rendered;

/// A column as the database describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    /// The type as the database displays it.
    pub declared: String,
    /// The type as a cast names it, without a length: an explicit cast would cut off longer values.
    pub cast: String,
    /// No two rows can have the same value: the column is the primary key, or has a unique index of its own.
    pub unique: bool,
    /// The collation, where it may treat different sids as equal.
    pub collation: Option<String>,
    /// The table keeps its rows in the order of its primary key.
    pub clustered: bool,
}

/// How a column keeps instants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstantForm {
    /// A date type of the database that includes a time zone.
    Zoned,
    /// A date type of the database without a time zone; the zone is [`InspectedTable::utc_offset_minutes`].
    Local,
    /// Text as Sequelize writes it to SQLite.
    Text,
    /// Text as JavaScript's `toISOString` writes it.
    Iso,
    /// Seconds since the Unix epoch.
    Seconds,
    /// Milliseconds since the Unix epoch.
    Milliseconds,
}

impl InstantForm {
    pub fn is_integer(self) -> bool {
        matches!(self, Self::Seconds | Self::Milliseconds)
    }

    /// The form of such a column in a table with the given layout's instants.
    pub fn with_layout(self, instants: Instants) -> Self {
        match (self, instants) {
            (Self::Milliseconds, Instants::Seconds) => Self::Seconds,
            (Self::Text, Instants::Iso) => Self::Iso,
            (form, _) => form,
        }
    }
}

/// How a column keeps sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataForm {
    Text,
    Json,
    Binary,
}

/// A column that holds instants.
#[derive(Debug, Clone)]
pub struct InstantColumn {
    /// Quoted.
    pub name: String,
    pub form: InstantForm,
    /// Digits of a second's fraction, if the declared type has them: 3 for `DATETIME(3)`.
    pub fraction: Option<u32>,
}

/// A text that is rendered once for a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Text {
    /// With parameters for so many sids, or 0 if the text is the same for any number.
    Read(usize),
    Page {
        with_data: bool,
    },
    Length,
    Clear,
    Expired,
    /// With parameters for so many sids, or 0 if the text is the same for any number.
    DeleteExpired(usize),
    PruneLock,
    PruneUnlock,
    /// A whole commit, for any number of rows.
    Commit(Effects),
    /// Parts of a commit, with parameters for so many rows.
    Upsert {
        size: usize,
        keep_later: bool,
    },
    Update {
        size: usize,
        keep_later: bool,
    },
    Touch {
        size: usize,
        unless_after: bool,
    },
    Destroy(usize),
}

/// A table that can hold sessions: quoted names, and the texts of its statements.
#[derive(Debug)]
pub struct InspectedTable {
    /// With its schema if it has one.
    pub name: String,
    pub sid: String,
    /// The sid column as the database describes it.
    pub sid_column: Column,
    pub expires: InstantColumn,
    pub data: String,
    pub data_form: DataForm,
    /// The JSON column holds the text of a session as one JSON string.
    pub data_quoted: bool,
    pub created_at: Option<InstantColumn>,
    pub updated_at: Option<InstantColumn>,
    /// A row in which this column is not NULL is softly deleted (Sequelize's `paranoid`), and counts as absent.
    pub deleted_at: Option<String>,
    /// The zone of dates without a zone, in minutes east of UTC.
    pub utc_offset_minutes: i32,
    /// Size in bytes of the largest packet that the server accepts, if it has a limit.
    pub max_packet: Option<usize>,
    pub(super) columns: Vec<Column>,
    pub(super) texts: Texts,
}

impl InspectedTable {
    /// The text of a statement, rendered at its first use.
    pub fn text(&self, text: Text, render: impl FnOnce() -> String) -> SqlStr {
        self.texts.get(text, &[], render)
    }

    /// The text of a statement that writes these columns of the application, rendered at its first use.
    pub fn text_with(&self, text: Text, extra: &[&str], render: impl FnOnce() -> String) -> SqlStr {
        self.texts.get(text, extra, render)
    }

    /// The session in the data that was read. Objects and strings may occur in one JSON column; a serializer of the
    /// application may also write JSON strings.
    pub fn session_text(&self, data: String) -> String {
        let twice = data.starts_with("\"{") || (self.data_quoted && data.starts_with('"'));
        if self.data_form == DataForm::Json && twice {
            serde_json::from_str(&data).unwrap_or(data)
        } else {
            data
        }
    }

    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The zone of dates in a column of the application, in minutes east of UTC.
    pub fn utc_offset_minutes_of<DB: Schema>(&self, name: &str) -> i32 {
        match self.column(name).map(DB::instant_form) {
            Some(Ok(InstantForm::Local)) => self.utc_offset_minutes,
            _ => 0,
        }
    }

    /// The names of all columns, for messages.
    pub fn column_names(&self) -> String {
        list(&self.columns)
    }
}

/// Rendered texts, each for one or more lists of the application's columns. Nearly always there is one list, so it is found
/// without a copy of the names.
#[derive(Debug, Default)]
pub struct Texts(Mutex<HashMap<Text, Vec<Variant>>>);

/// A text for one list of the application's columns.
#[derive(Debug)]
struct Variant {
    extra: Vec<String>,
    sql: SqlStr,
}

impl Texts {
    fn get(&self, text: Text, extra: &[&str], render: impl FnOnce() -> String) -> SqlStr {
        let mut texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let variants = texts.entry(text).or_default();
        if let Some(variant) = variants.iter().find(|variant| variant.extra == extra) {
            return variant.sql.clone();
        }
        let sql = rendered(render());
        variants.push(Variant {
            extra: extra.iter().map(|column| (*column).to_owned()).collect(),
            sql: sql.clone(),
        });
        sql
    }
}

/// Names of columns, for messages.
pub fn list(columns: &[Column]) -> String {
    columns
        .iter()
        .map(|column| format!("`{}`", column.name))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_rendered_once_for_each_list_of_columns() {
        let texts = Texts::default();
        let get = |extra: &[&str], sql: &str| {
            let text = texts.get(Text::Length, extra, || sql.to_owned());
            text.as_str().to_owned()
        };
        assert_eq!(get(&[], "first"), "first");
        assert_eq!(get(&["a", "b"], "second"), "second");
        assert_eq!(get(&["a"], "third"), "third");
        assert_eq!(get(&[], "never"), "first");
        assert_eq!(get(&["a", "b"], "never"), "second");
    }
}
