//! What was found when the table was looked at, and the statements made for it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use sqlx::SqlStr;

use crate::config::{ColumnName, Convention, Instants, Json, TableConfig};
use crate::error::{Result, StoreError};

use super::{Dialect, rendered};

/// A column as the database describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    /// The type in the database's own words.
    pub declared: String,
    /// The type as a cast names it, without a length: an explicit cast would cut off what is too long.
    pub cast: String,
    /// No two rows can have the same value: it is the primary key, or has a unique index of its own.
    pub unique: bool,
    /// The collation, where it decides which sids are the same.
    pub collation: Option<String>,
    /// The table keeps its rows in the order of its primary key.
    pub clustered: bool,
}

/// How a column keeps instants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstantForm {
    /// A date of the database that knows its zone.
    Zoned,
    /// A date of the database without a zone; kept in the zone that the options say.
    Local,
    /// Text as Sequelize writes it to SQLite.
    Text,
    /// Text as JavaScript's `toISOString` makes it.
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

    /// What is in a column of this form in the table of a store with these habits.
    fn as_kept(self, instants: Instants) -> Self {
        match (self, instants) {
            (Self::Milliseconds, Instants::Seconds) => Self::Seconds,
            (Self::Text, Instants::Iso) => Self::Iso,
            (form, _) => form,
        }
    }
}

/// How a column keeps the session.
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
    /// Digits of a second's fraction, where the declared type says: 3 for `DATETIME(3)`.
    pub fraction: Option<u32>,
}

/// A table that can serve: quoted names, and a text for each statement.
#[derive(Debug)]
pub struct Layout {
    pub table: String,
    pub sid: String,
    /// The sid column as the database describes it.
    pub sid_column: Column,
    pub expires: InstantColumn,
    pub data: String,
    pub data_form: DataForm,
    /// The JSON column holds the session's text as one JSON string.
    pub data_quoted: bool,
    pub created_at: Option<InstantColumn>,
    pub updated_at: Option<InstantColumn>,
    /// Where it is not NULL, the row is softly deleted (Sequelize's `paranoid`), and counts as absent.
    pub deleted_at: Option<String>,
    /// Minutes east of UTC in which dates without a zone are kept.
    pub offset: i32,
    /// The bytes that the server takes at a time, if it says.
    pub packet: Option<usize>,
    columns: Vec<Column>,
    texts: Mutex<HashMap<String, SqlStr>>,
}

impl Layout {
    /// Finds the columns of a session table among `columns`.
    ///
    /// # Errors
    /// `ERR_SESSION_TABLE`, naming the column that is missing or cannot serve.
    pub fn new<DB: Dialect>(config: &TableConfig, columns: Vec<Column>) -> Result<Self> {
        let names = &config.columns;
        let find = |option: &str, wanted: &ColumnName, usual: &[&str]| {
            find(config, &columns, option, wanted, usual)
        };
        let convention = convention::<DB>(config, &columns);
        let part = |part: &str, wanted: &ColumnName, usual: &str| {
            let column = find(part, wanted, &[usual])?;
            required::<DB>(config, &columns, usual, column)
        };
        let sid = part("sid", &names.sid, &convention.sid)?;
        let expires = part("expires", &names.expires, &convention.expires)?;
        let data = part("data", &names.data, &convention.data)?;
        let created_at = find("createdAt", &names.created_at, &["createdAt", "created_at"])?;
        let updated_at = find("updatedAt", &names.updated_at, &["updatedAt", "updated_at"])?;
        let deleted_at = find("deletedAt", &names.deleted_at, &["deletedAt", "deleted_at"])?;
        if !sid.unique {
            let reason = "it has to be the primary key or have a unique index of its own";
            return Err(unfit::<DB>(config, sid, reason));
        }
        if let Some(reason) = DB::refuse_sid(sid) {
            return Err(unfit::<DB>(config, sid, &reason));
        }
        let instant = |column: &Column| {
            let form =
                DB::instant_form(column).map_err(|reason| unfit::<DB>(config, column, &reason))?;
            Ok(InstantColumn {
                name: DB::quote(&column.name),
                form,
                fraction: fraction(&column.declared),
            })
        };
        let data_form = DB::data_form(data).map_err(|reason| unfit::<DB>(config, data, &reason))?;
        let mut expires = instant(expires)?;
        expires.form = expires.form.as_kept(convention.instants);
        Ok(Self {
            table: DB::table_name(config),
            sid: DB::quote(&sid.name),
            sid_column: sid.clone(),
            expires,
            data: DB::quote(&data.name),
            data_form,
            data_quoted: data_form == DataForm::Json && convention.json == Json::Strings,
            created_at: created_at.map(instant).transpose()?,
            updated_at: updated_at.map(instant).transpose()?,
            deleted_at: deleted_at.map(|column| DB::quote(&column.name)),
            offset: config.utc_offset_minutes,
            packet: None,
            texts: Mutex::default(),
            columns,
        })
    }

    /// The statement text of this name, rendered at its first use.
    pub fn text(&self, name: &str, render: impl FnOnce() -> String) -> SqlStr {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = texts.get(name) {
            return text.clone();
        }
        let text = rendered(render());
        texts.insert(name.to_owned(), text.clone());
        text
    }

    /// The text of a session as it was read. Rows of both forms may stand in one column of JSON; a serializer of the
    /// application may make strings of its own.
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

    /// Minutes east of UTC in which a column of the application keeps dates.
    pub fn offset_of<DB: Dialect>(&self, name: &str) -> i32 {
        let form = self.column(name).map(DB::instant_form);
        match form {
            Some(Ok(InstantForm::Local)) => self.offset,
            _ => 0,
        }
    }

    pub fn column_names(&self) -> String {
        list(&self.columns)
    }
}

/// The first convention whose columns are all there; if there is none, the one that a new table would follow.
fn convention<'a, DB: Dialect>(config: &'a TableConfig, columns: &[Column]) -> &'a Convention {
    let names = &config.columns;
    let found = |wanted: &ColumnName, usual: &str| {
        let name = wanted.or(usual);
        columns
            .iter()
            .find(|column| Some(column.name.as_str()) == name)
    };
    let keeps = |column: &Column, instants: Instants| {
        let integer = DB::instant_form(column).is_ok_and(InstantForm::is_integer);
        integer || instants != Instants::Seconds
    };
    let fits = |convention: &&Convention| {
        found(&names.sid, &convention.sid).is_some()
            && found(&names.data, &convention.data).is_some()
            && found(&names.expires, &convention.expires)
                .is_some_and(|column| keeps(column, convention.instants))
    };
    let mut conventions = config.layouts.iter();
    conventions
        .find(fits)
        .unwrap_or_else(|| config.convention())
}

fn fraction(declared: &str) -> Option<u32> {
    let (_, rest) = declared.split_once('(')?;
    rest.split_once(')')?.0.parse().ok()
}

/// The column that plays a part, if there is one. A column that was named has to be there.
fn find<'a>(
    config: &TableConfig,
    columns: &'a [Column],
    option: &str,
    wanted: &ColumnName,
    usual: &[&str],
) -> Result<Option<&'a Column>> {
    let named = |name: &str| columns.iter().find(|column| column.name == name);
    match wanted {
        ColumnName::Found => Ok(usual.iter().find_map(|name| named(name))),
        ColumnName::Absent => Ok(None),
        ColumnName::Named(name) => named(name).map(Some).ok_or_else(|| {
            StoreError::table(format!(
                "table `{}` has no column `{name}`, which the option `columns.{option}` names; it has {}",
                config.full_name(),
                list(columns)
            ))
        }),
    }
}

fn required<'a, DB: Dialect>(
    config: &TableConfig,
    columns: &[Column],
    part: &str,
    column: Option<&'a Column>,
) -> Result<&'a Column> {
    column.ok_or_else(|| {
        StoreError::table(format!(
            "table `{}` cannot serve as a session table: it has no column `{part}`, only {}; \
             the option `columns` says which column to use; a table that would do: {}",
            config.full_name(),
            list(columns),
            DB::create_table(config)
        ))
    })
}

fn unfit<DB: Dialect>(config: &TableConfig, column: &Column, reason: &str) -> StoreError {
    StoreError::table(format!(
        "table `{}` cannot serve as a session table: column `{}` does not fit: {reason}; \
         a table that would do: {}",
        config.full_name(),
        column.name,
        DB::create_table(config)
    ))
}

fn list(columns: &[Column]) -> String {
    columns
        .iter()
        .map(|column| format!("`{}`", column.name))
        .collect::<Vec<_>>()
        .join(", ")
}
