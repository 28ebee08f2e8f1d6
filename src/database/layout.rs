//! Detecting which layout a table has, and finding its columns.

use crate::config::{ColumnName, Instants, Json, Layout, TableConfig};
use crate::error::{Result, StoreError};

use super::inspected::{Column, DataForm, InspectedTable, InstantColumn, InstantForm, Texts, list};
use super::schema::{Schema, Unfit};

impl InspectedTable {
    /// Finds the columns of a session table among `columns`.
    ///
    /// # Errors
    /// `ERR_SESSION_TABLE`, naming the column that is missing or does not fit.
    pub fn new<DB: Schema>(config: &TableConfig, columns: Vec<Column>) -> Result<Self> {
        let names = &config.columns;
        let find = |option: &str, name: &ColumnName, defaults: &[&str]| {
            find(config, &columns, option, name, defaults)
        };
        let layout = detect::<DB>(config, &columns);
        let part = |option: &str, name: &ColumnName, default: &str| {
            find(option, name, &[default])?
                .ok_or_else(|| missing::<DB>(config, &columns, option, default))
        };
        let sid = part("sid", &names.sid, &layout.sid)?;
        let expires = part("expires", &names.expires, &layout.expires)?;
        let data = part("data", &names.data, &layout.data)?;
        let created_at = find("createdAt", &names.created_at, &["createdAt", "created_at"])?;
        let updated_at = find("updatedAt", &names.updated_at, &["updatedAt", "updated_at"])?;
        let deleted_at = find("deletedAt", &names.deleted_at, &["deletedAt", "deleted_at"])?;
        if !sid.unique {
            return Err(unfit::<DB>(config, sid, &Unfit::NotUnique));
        }
        DB::check_sid(sid).map_err(|reason| unfit::<DB>(config, sid, &reason))?;
        let instant = |column: &Column| {
            let form =
                DB::instant_form(column).map_err(|reason| unfit::<DB>(config, column, &reason))?;
            Ok(InstantColumn {
                name: DB::quote(&column.name),
                form,
                fraction: fraction(&column.declared),
                range: DB::instant_range(column),
            })
        };
        let data_form = DB::data_form(data).map_err(|reason| unfit::<DB>(config, data, &reason))?;
        let mut expires = instant(expires)?;
        // A single layout is one that was named.
        let is_named = config.layouts.len() == 1;
        let unit_named = is_named && layout.instants == Instants::Seconds;
        // The default of 64 bits: what has 32 cannot hold milliseconds.
        let unit_open = expires.form == InstantForm::Milliseconds && !unit_named;
        expires.form = expires.form.with_layout(layout.instants);
        Ok(Self {
            name: DB::table_name(config),
            sid: DB::quote(&sid.name),
            sid_column: sid.clone(),
            expires,
            unit_open,
            data: DB::quote(&data.name),
            data_form,
            data_quoted: data_form == DataForm::Json && layout.json == Json::Strings,
            created_at: created_at.map(instant).transpose()?,
            updated_at: updated_at.map(instant).transpose()?,
            deleted_at: deleted_at.map(|column| DB::quote(&column.name)),
            utc_offset_minutes: config.utc_offset_minutes,
            portable: config.portable.unwrap_or(sid.portable),
            max_packet: None,
            texts: Texts::default(),
            columns,
        })
    }
}

/// The first layout whose columns are all there, or else the one that a new table would have.
fn detect<'a, DB: Schema>(config: &'a TableConfig, columns: &[Column]) -> &'a Layout {
    let names = &config.columns;
    let found = |name: &ColumnName, default: &str| {
        let name = name.or(default);
        columns
            .iter()
            .find(|column| Some(column.name.as_str()) == name)
    };
    let keeps = |column: &Column, instants: Instants| {
        let integer = DB::instant_form(column).is_ok_and(InstantForm::is_integer);
        integer || instants != Instants::Seconds
    };
    let fits = |layout: &&Layout| {
        found(&names.sid, &layout.sid).is_some()
            && found(&names.data, &layout.data).is_some()
            && found(&names.expires, &layout.expires)
                .is_some_and(|column| keeps(column, layout.instants))
    };
    let mut layouts = config.layouts.iter();
    layouts
        .find(fits)
        .unwrap_or_else(|| config.preferred_layout())
}

fn fraction(declared: &str) -> Option<u32> {
    let (_, rest) = declared.split_once('(')?;
    rest.split_once(')')?.0.parse().ok()
}

/// A column by its name or, if the options give none, by its default names.
///
/// # Errors
/// `ERR_SESSION_TABLE` if the column that the options name is missing.
fn find<'a>(
    config: &TableConfig,
    columns: &'a [Column],
    option: &str,
    name: &ColumnName,
    defaults: &[&str],
) -> Result<Option<&'a Column>> {
    let named = |name: &str| columns.iter().find(|column| column.name == name);
    match name {
        ColumnName::Found => Ok(defaults.iter().find_map(|name| named(name))),
        ColumnName::Absent => Ok(None),
        ColumnName::Named(name) => named(name).map(Some).ok_or_else(|| {
            StoreError::table(format!(
                "expected option `columns.{option}` to name a column of table `{}`, got `{name}`; its columns: {}",
                config.full_name(),
                list(columns)
            ))
        }),
    }
}

fn missing<DB: Schema>(
    config: &TableConfig,
    columns: &[Column],
    option: &str,
    default: &str,
) -> StoreError {
    StoreError::table(format!(
        "table `{}` has no column `{default}`, only {}; \
         name the column to use with the option `columns.{option}`, or create a table with: {}",
        config.full_name(),
        list(columns),
        DB::create_table(config)
    ))
}

/// The error for a column that cannot be used.
pub fn unfit<DB: Schema>(config: &TableConfig, column: &Column, reason: &Unfit) -> StoreError {
    StoreError::table(format!(
        "column `{}` of table `{}` cannot be used for sessions: {reason}; create a table with: {}",
        column.name,
        config.full_name(),
        DB::create_table(config)
    ))
}
