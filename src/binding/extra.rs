//! The application's own columns, as the text that `lib/columns.js` writes.

use serde_json::Value as JsonValue;

use crate::error::{ErrorKind, Result, StoreError};
use crate::operation::{Extra, Value};
use crate::timestamp::Timestamp;

/// Reads a JSON object from column to scalar, or to an object with one of the tags `integer` (digits), `date` (ms),
/// `json` (text) or `blob` (hexadecimal digits).
///
/// # Errors
/// `ERR_SESSION_INTERNAL` for any other text.
pub fn extra(text: Option<&str>) -> Result<Vec<Extra>> {
    let Some(text) = text else {
        return Ok(Vec::new());
    };
    let Ok(JsonValue::Object(columns)) = serde_json::from_str(text) else {
        return Err(breach(
            "expected the extra columns to be a JSON object".to_owned(),
        ));
    };
    columns
        .into_iter()
        .map(|(column, json)| match value(&json) {
            Some(value) => Ok(Extra { column, value }),
            None => Err(breach(format!(
                "the value of column `{column}` is in no known form"
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

/// An error for text that `lib/columns.js` should not have written.
fn breach(message: String) -> StoreError {
    StoreError::new(ErrorKind::Internal, message)
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
    fn reads_values_of_every_type() {
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
    fn refuses_unknown_forms() {
        for text in [r#"{"a":[1]}"#, r#"{"a":{"blob":"xy"}}"#, "[]"] {
            let error = extra(Some(text)).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Internal, "{text}");
        }
    }
}
