//! How a database describes and creates tables.

use sqlx::SqlStr;

use crate::config::{ColumnName, Instants, Json, TableConfig};
use crate::error::StoreError;
use crate::timestamp::Timestamp;

use super::inspected::{Column, DataForm, InspectedTable, InstantForm};
use super::statement::{Statement, rendered};

/// How many rows decide whether integers are seconds or milliseconds.
const VOTERS: u32 = 100;

/// How far from now, in ms, the expiry of a row that decides may be: 20 years. What is plausible as seconds is then never
/// plausible as milliseconds, and neither are the ends of the calendar, which mean "never".
const PLAUSIBLE: i64 = 20 * 365 * 86_400_000;

/// Why a table or column cannot be used for sessions.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    #[error("expected a column of type {expected}, got {got}")]
    Type { expected: &'static str, got: String },
    #[error("expected it to be the primary key or to have a unique index of its own")]
    NotUnique,
    #[error(
        "expected a collation that tells all session ids apart, got {0}, which treats different ones as equal"
    )]
    Collation(String),
    #[error("expected a name without characters beyond U+FFFF, which {0} do not allow")]
    Name(&'static str),
    #[error("expected a name of at most {max} {unit}, the limit of {database}, got {got} {unit}")]
    Length {
        database: &'static str,
        max: usize,
        unit: &'static str,
        got: usize,
    },
}

impl Unfit {
    pub fn of_type(expected: &'static str, got: &str) -> Self {
        let got = got.to_owned();
        Self::Type { expected, got }
    }
}

/// Tables and columns of one database.
pub trait Schema: sqlx::Database {
    /// The widest integer type as `CAST` names it.
    const BIGINT: &'static str;

    /// Reads the size in bytes of the largest packet that the server accepts, where there is such a limit.
    const MAX_PACKET: Option<&'static str> = None;

    /// The type of the sid in a new table.
    const SID_TYPE: &'static str;

    /// The type of a column of a new table that holds instants.
    fn instant_type(instants: Instants) -> &'static str;

    /// The type of the data in a new table, as text or as JSON.
    fn data_type(json: bool) -> &'static str;

    /// What follows the columns of a new table, given its quoted sid, and what follows the table.
    fn table_constraints(sid: &str) -> [String; 2];

    /// Quotes the name of a table or column.
    fn quote(identifier: &str) -> String;

    /// The first two characters of a JSON column as text.
    fn first_two_chars(column: &str) -> String;

    /// Reads the columns of a table; no row means that there is no such table.
    fn inspect(table: &TableConfig) -> Statement<Self>;

    /// Decodes a row of [`Schema::inspect`].
    fn column(row: &Self::Row) -> sqlx::Result<Column>;

    /// Checks the name of a schema, table or column. Where a database cuts a name off, two names that begin alike would be
    /// one table.
    fn check_name(_name: &str) -> Result<(), Unfit> {
        Ok(())
    }

    /// Checks all names that the options give.
    ///
    /// # Errors
    /// `ERR_SESSION_OPTIONS`, with the name.
    fn check_names(table: &TableConfig) -> Result<(), StoreError> {
        let columns = &table.columns;
        let columns = [
            &columns.sid,
            &columns.expires,
            &columns.data,
            &columns.created_at,
            &columns.updated_at,
            &columns.deleted_at,
        ];
        let columns = columns.into_iter().filter_map(|column| match column {
            ColumnName::Named(name) => Some(("column", name)),
            ColumnName::Found | ColumnName::Absent => None,
        });
        let schema = table.schema.iter().map(|name| ("schema", name));
        let names = schema.chain([("table", &table.name)]).chain(columns);
        for (what, name) in names {
            Self::check_name(name).map_err(|reason| {
                StoreError::options(format!("{what} name `{name}` cannot be used: {reason}"))
            })?;
        }
        Ok(())
    }

    /// Checks whether a column can hold the sid.
    fn check_sid(column: &Column) -> Result<(), Unfit>;

    /// Reads whether the sid column treats different sids as equal, where its description does not say so.
    fn sids_compare_equal(_table: &InspectedTable) -> Option<SqlStr> {
        None
    }

    /// The collation of a sid column that was not refused, if it treats different sids as equal.
    fn inexact_collation(_table: &InspectedTable) -> Option<&str> {
        None
    }

    /// Reads the names of the unique keys other than that of the sid, where an upsert does not fail by itself if it meets
    /// the row of another session there.
    fn other_unique_keys(
        _config: &TableConfig,
        _table: &InspectedTable,
    ) -> Option<Statement<Self>> {
        None
    }

    /// How a column keeps instants.
    fn instant_form(column: &Column) -> Result<InstantForm, Unfit>;

    /// The first and the last instant that a column can hold.
    fn instant_range(_column: &Column) -> [Timestamp; 2] {
        [Timestamp(0), Timestamp::LAST]
    }

    /// How a column keeps sessions.
    fn data_form(column: &Column) -> Result<DataForm, Unfit>;

    /// The quoted name of the table, with its schema if it has one.
    fn table_name(table: &TableConfig) -> String {
        let name = Self::quote(&table.name);
        match &table.schema {
            Some(schema) => format!("{}.{name}", Self::quote(schema)),
            None => name,
        }
    }

    /// The DDL of a new table.
    fn create_table(table: &TableConfig) -> String {
        let (layout, columns) = (table.preferred_layout(), &table.columns);
        let required =
            |name: &ColumnName, default: &str| Self::quote(name.or(default).unwrap_or(default));
        let sid = required(&columns.sid, &layout.sid);
        let expires = required(&columns.expires, &layout.expires);
        let data = required(&columns.data, &layout.data);
        let mut definitions = vec![
            format!("{sid} {}", Self::SID_TYPE),
            format!("{expires} {}", Self::instant_type(layout.instants)),
            format!("{data} {}", Self::data_type(layout.json == Json::Objects)),
        ];
        if layout.data_first {
            definitions.swap(1, 2);
        }
        let date = Self::instant_type(Instants::Date);
        let stamps = [
            (&columns.created_at, "createdAt"),
            (&columns.updated_at, "updatedAt"),
        ];
        for (name, default) in stamps {
            let name = match name {
                ColumnName::Found if !layout.timestamps => None,
                name => name.or(default),
            };
            definitions.extend(name.map(|name| format!("{} {date} NOT NULL", Self::quote(name))));
        }
        if let ColumnName::Named(name) = &columns.deleted_at {
            definitions.push(format!("{} {date}", Self::quote(name)));
        }
        let [after_columns, after_table] = Self::table_constraints(&sid);
        format!(
            "CREATE TABLE IF NOT EXISTS {} ({}{after_columns}){after_table};",
            Self::table_name(table),
            definitions.join(", ")
        )
    }

    /// Drops the table if it exists.
    fn drop_table(table: &TableConfig) -> SqlStr {
        rendered(format!("DROP TABLE IF EXISTS {}", Self::table_name(table)))
    }

    /// Reads what the column types leave open from rows that are there: how many integer expiries are near `now` if taken
    /// for seconds, how many if taken for milliseconds, and the first characters of JSON data. NULL where the type is
    /// enough, or there is no such row.
    fn sample(table: &InspectedTable, now: Timestamp) -> SqlStr {
        let (name, expires, data) = (&table.name, &table.expires.name, &table.data);
        let votes = if table.unit_open {
            let near = |column: &str, unit: i64| {
                let (first, last) = (now.0 - PLAUSIBLE, now.0 + PLAUSIBLE);
                format!("{column} BETWEEN {} AND {}", first / unit, last / unit)
            };
            // Rows that decide nothing are left out before they are counted.
            let voters = format!(
                "SELECT {expires} AS e FROM {name} WHERE {} OR {} LIMIT {VOTERS}",
                near(expires, 1000),
                near(expires, 1)
            );
            let count = |unit| {
                format!(
                    "(SELECT COUNT(*) FROM ({voters}) AS v WHERE {})",
                    near("e", unit)
                )
            };
            [count(1000), count(1)]
        } else {
            ["NULL", "NULL"].map(str::to_owned)
        };
        let text = match table.data_form {
            DataForm::Json => {
                let chars = Self::first_two_chars(data);
                format!("(SELECT {chars} FROM {name} WHERE {data} IS NOT NULL LIMIT 1)")
            }
            DataForm::Text | DataForm::Binary => "NULL".to_owned(),
        };
        let [seconds, milliseconds] =
            votes.map(|count| format!("CAST({count} AS {})", Self::BIGINT));
        rendered(format!("SELECT {seconds}, {milliseconds}, {text}"))
    }
}
