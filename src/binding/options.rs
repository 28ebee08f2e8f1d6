//! Options as they come from `lib/options.js`, where they were checked and completed.

use std::time::Duration;

use napi::bindgen_prelude::Either;
use napi_derive::napi;
use serde_json::Value as JsonValue;

use crate::config::{
    ColumnName, ColumnNames, Config, ConnectionConfig, Instants, Json, Layout, PoolConfig,
    QueueConfig, TableConfig,
};
use crate::error::{Result, StoreError};
use crate::operation::{Extra, Value};
use crate::timestamp::Timestamp;

/// Everything a store needs to know; every value is given.
#[napi(object, object_to_js = false)]
pub struct StoreOptions {
    pub url: String,
    pub prepared_statements: bool,
    pub shared_file: bool,
    pub table: TableOptions,
    pub pool: PoolOptions,
    pub queue: QueueOptions,
}

/// Which table. `offset` in minutes east of UTC.
#[napi(object, object_to_js = false)]
pub struct TableOptions {
    pub schema: Option<String>,
    pub name: String,
    pub create: bool,
    pub conventions: Vec<ConventionOptions>,
    pub columns: ColumnOptions,
    pub offset: i32,
}

/// What the table may look like; see `lib/layouts.js`.
#[napi(object, object_to_js = false)]
pub struct ConventionOptions {
    pub sid: String,
    pub expires: String,
    pub data: String,
    #[napi(ts_type = "'date' | 'local' | 'seconds' | 'iso'")]
    pub instants: String,
    #[napi(ts_type = "'unused' | 'strings' | 'objects'")]
    pub json: String,
    pub data_first: bool,
    pub timestamps: bool,
}

/// Column names; absent: look at the table, `false`: the table has none.
#[napi(object, object_to_js = false)]
pub struct ColumnOptions {
    pub sid: Option<String>,
    pub expires: Option<String>,
    pub data: Option<String>,
    pub created_at: Option<Either<String, bool>>,
    pub updated_at: Option<Either<String, bool>>,
    pub deleted_at: Option<Either<String, bool>>,
}

/// Times in ms.
#[napi(object, object_to_js = false)]
pub struct PoolOptions {
    pub max: u32,
    pub acquire_timeout: u32,
    pub query_timeout: u32,
    pub idle_timeout: u32,
    pub max_lifetime: u32,
}

/// Bounds of what may be pending.
#[napi(object, object_to_js = false)]
pub struct QueueOptions {
    pub max_operations: u32,
    pub max_bytes: f64,
}

impl From<StoreOptions> for Config {
    fn from(options: StoreOptions) -> Self {
        let ms = |ms: u32| Duration::from_millis(ms.into());
        Self {
            connection: ConnectionConfig {
                url: options.url,
                prepared_statements: options.prepared_statements,
                shared_file: options.shared_file,
            },
            table: options.table.into(),
            pool: PoolConfig {
                max: options.pool.max,
                acquire_timeout: ms(options.pool.acquire_timeout),
                query_timeout: ms(options.pool.query_timeout),
                idle_timeout: ms(options.pool.idle_timeout),
                max_lifetime: ms(options.pool.max_lifetime),
            },
            queue: QueueConfig {
                max_operations: options.queue.max_operations as usize,
                max_bytes: bytes(options.queue.max_bytes),
            },
        }
    }
}

impl From<TableOptions> for TableConfig {
    fn from(options: TableOptions) -> Self {
        Self {
            schema: options.schema,
            name: options.name,
            layouts: options.conventions.into_iter().map(Into::into).collect(),
            columns: options.columns.into(),
            utc_offset_minutes: options.offset,
            create: options.create,
        }
    }
}

impl From<ConventionOptions> for Layout {
    fn from(options: ConventionOptions) -> Self {
        Self {
            sid: options.sid,
            expires: options.expires,
            data: options.data,
            instants: match options.instants.as_str() {
                "local" => Instants::Local,
                "seconds" => Instants::Seconds,
                "iso" => Instants::Iso,
                _ => Instants::Date,
            },
            json: match options.json.as_str() {
                "strings" => Json::Strings,
                "objects" => Json::Objects,
                _ => Json::Unused,
            },
            data_first: options.data_first,
            timestamps: options.timestamps,
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked in JavaScript to be a positive integer; the cast saturates"
)]
fn bytes(bytes: f64) -> usize {
    bytes as usize
}

impl From<ColumnOptions> for ColumnNames {
    fn from(options: ColumnOptions) -> Self {
        let named = |name: Option<String>| name.map_or(ColumnName::Found, ColumnName::Named);
        let optional = |name: Option<Either<String, bool>>| match name {
            Some(Either::A(name)) => ColumnName::Named(name),
            Some(Either::B(false)) => ColumnName::Absent,
            Some(Either::B(true)) | None => ColumnName::Found,
        };
        Self {
            sid: named(options.sid),
            expires: named(options.expires),
            data: named(options.data),
            created_at: optional(options.created_at),
            updated_at: optional(options.updated_at),
            deleted_at: optional(options.deleted_at),
        }
    }
}

/// Reads the application's own columns: a JSON object from column to scalar, or to an object with one of the tags
/// `integer` (digits), `date` (ms), `json` (text) or `blob` (hexadecimal digits).
pub fn extra(text: Option<&str>) -> Result<Vec<Extra>> {
    let Some(text) = text else {
        return Ok(Vec::new());
    };
    let Ok(JsonValue::Object(columns)) = serde_json::from_str(text) else {
        return Err(StoreError::options(
            "the extra columns are no JSON object".to_owned(),
        ));
    };
    columns
        .into_iter()
        .map(|(column, json)| match value(&json) {
            Some(value) => Ok(Extra { column, value }),
            None => Err(StoreError::options(format!(
                "the value of column `{column}` cannot be read"
            ))),
        })
        .collect()
}

fn value(json: &JsonValue) -> Option<Value> {
    Some(match json {
        JsonValue::Null => Value::Null,
        JsonValue::Bool(value) => Value::Bool(*value),
        JsonValue::Number(number) => match number.as_i64() {
            Some(integer) => Value::Integer(integer),
            None => Value::Real(number.as_f64()?),
        },
        JsonValue::String(text) => Value::Text(text.clone()),
        JsonValue::Array(_) => return None,
        JsonValue::Object(tagged) => {
            let (tag, value) = tagged.iter().next()?;
            match (tag.as_str(), value) {
                ("integer", JsonValue::String(digits)) => Value::Integer(digits.parse().ok()?),
                ("date", value) => Value::Date(Timestamp(value.as_i64()?)),
                ("json", JsonValue::String(text)) => Value::Json(text.clone()),
                ("blob", JsonValue::String(digits)) => Value::Blob(hexadecimal(digits)?),
                _ => return None,
            }
        }
    })
}

fn hexadecimal(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_kind_of_value() {
        let text = r#"{"a":null,"b":true,"c":5,"d":1.5,"e":"x","f":{"integer":"-9223372036854775808"},
            "g":{"date":1000},"h":{"json":"[1]"},"i":{"blob":"00ff"}}"#;
        let values: Vec<Value> = extra(Some(text))
            .unwrap()
            .into_iter()
            .map(|extra| extra.value)
            .collect();
        assert_eq!(
            values,
            [
                Value::Null,
                Value::Bool(true),
                Value::Integer(5),
                Value::Real(1.5),
                Value::Text("x".into()),
                Value::Integer(i64::MIN),
                Value::Date(Timestamp(1000)),
                Value::Json("[1]".into()),
                Value::Blob(vec![0, 255]),
            ]
        );
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        assert!(extra(Some(r#"{"a":[1]}"#)).is_err());
        assert!(extra(Some(r#"{"a":{"blob":"xy"}}"#)).is_err());
        assert!(extra(Some("[]")).is_err());
    }
}
