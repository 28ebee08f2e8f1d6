//! What was found when the table was inspected, and the statements rendered for it.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Mutex;

use sqlx::SqlStr;

use crate::config::Instants;
use crate::lock::lock;
use crate::operation::Expires;
use crate::timestamp::Timestamp;

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
    /// The server is only a relative of the database, which takes fewer kinds of statements.
    pub portable: bool,
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

    pub fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Iso)
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
    /// The first and the last instant that the column can hold.
    pub range: [Timestamp; 2],
}

impl InstantColumn {
    /// The instant that the column can hold which is closest to this one.
    pub fn clamp(&self, at: Timestamp) -> Timestamp {
        let [first, last] = self.range;
        at.clamp(first, last)
    }

    /// The expiry that an integer in the column means.
    pub fn expires_of_integer(&self, count: i64) -> Expires {
        match self.form {
            InstantForm::Seconds => expires_at(count.saturating_mul(1000)),
            InstantForm::Milliseconds => expires_at(count),
            _ => Expires::Unreadable,
        }
    }

    /// The expiry that a text in the column means.
    pub fn expires_of_text(&self, text: &[u8]) -> Expires {
        if !self.form.is_text() {
            return Expires::Unreadable;
        }
        let text = std::str::from_utf8(text).ok();
        text.and_then(Timestamp::parse)
            .map_or(Expires::Unreadable, |at| expires_at(at.0))
    }
}

/// An expiry in ms since the epoch. One that is later than JavaScript or the store can say is their last.
pub fn expires_at(ms: i64) -> Expires {
    Expires::At(Timestamp(ms).min(Timestamp::LAST))
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
    /// Neither the type of `expires` nor the layout says whether its integers are seconds or milliseconds.
    pub unit_open: bool,
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
    /// The statements have to be those that all relatives of the database take.
    pub portable: bool,
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

    /// Decides whether integers are seconds or milliseconds by the number of rows that are plausible as each. Without a
    /// majority, the default of the type or of the layout holds.
    pub fn guess_unit(&mut self, seconds: i64, milliseconds: i64) {
        match seconds.cmp(&milliseconds) {
            Ordering::Greater => self.expires.form = InstantForm::Seconds,
            Ordering::Less => self.expires.form = InstantForm::Milliseconds,
            Ordering::Equal => {}
        }
    }

    /// Whether the table still has the columns that it was found with.
    pub fn has_columns(&self, columns: &[Column]) -> bool {
        self.columns == columns
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
        let mut texts = lock(&self.0);
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

    mod properties {
        use proptest::prelude::*;

        use super::*;

        fn column(form: InstantForm) -> InstantColumn {
            InstantColumn {
                name: "expires".into(),
                form,
                fraction: None,
                range: [Timestamp(0), Timestamp::LAST],
            }
        }

        proptest! {
            #[test]
            fn any_integer_is_an_expiry_in_the_same_order(one in any::<i64>(), other in any::<i64>()) {
                for form in [InstantForm::Seconds, InstantForm::Milliseconds] {
                    let [one_at, other_at] = [one, other].map(|count| match column(form).expires_of_integer(count) {
                        Expires::At(at) => at,
                        _ => unreachable!("an integer is an instant"),
                    });
                    prop_assert!(one_at <= Timestamp::LAST);
                    prop_assert!(one > other || one_at <= other_at);
                }
            }

            #[test]
            fn any_bytes_are_a_text_or_unreadable(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
                for form in [InstantForm::Text, InstantForm::Iso] {
                    if let Expires::At(at) = column(form).expires_of_text(&bytes) {
                        prop_assert!(at <= Timestamp::LAST);
                    }
                }
                prop_assert_eq!(
                    column(InstantForm::Zoned).expires_of_text(&bytes),
                    Expires::Unreadable
                );
            }

            #[test]
            fn what_a_column_gets_is_within_its_range(first in any::<i64>(), length in 0..i64::MAX, ms in any::<i64>()) {
                let last = first.saturating_add(length);
                let range = [Timestamp(first), Timestamp(last)];
                let held = InstantColumn { range, ..column(InstantForm::Seconds) }.clamp(Timestamp(ms));
                prop_assert!(range[0] <= held && held <= range[1]);
                prop_assert!(held.0 == ms || held == range[0] || held == range[1]);
            }
        }
    }
}
