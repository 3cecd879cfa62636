//! The arguments of statements of PostgreSQL: the texts of values.

use std::borrow::Cow;

use serde_json::Value as Json;
use sqlx::Arguments;
use sqlx::error::BoxDynError;
use sqlx::postgres::PgArguments;

use super::prepared::UNREAD_FILE;
use super::{Accepts, Binding, Prepared};
use crate::value::SqlValue;
use crate::value_error::InvalidValue;

pub(super) fn arguments(prepared: &Prepared, values: &[SqlValue]) -> Result<PgArguments, BoxDynError> {
    let mut arguments = PgArguments::default();
    for bound in &prepared.bound {
        match &values[bound.value] {
            SqlValue::Bytes(bytes) => arguments.add(bytes.as_slice())?,
            SqlValue::File(_) => return Err(UNREAD_FILE.into()),
            SqlValue::Null if bound.binding == Binding::Bytes => arguments.add(None::<&[u8]>)?,
            value => {
                let text = text(value, bound.binding);
                if let Some(expected) = expected_value(value, text.as_deref(), bound.accepts) {
                    return Err(InvalidValue { value: bound.value, expected }.into());
                }
                arguments.add(text)?;
            }
        }
    }
    Ok(arguments)
}

/// Returns a description of the values that PostgreSQL accepts, if it rejects this value.
fn expected_value(value: &SqlValue, text: Option<&str>, accepts: Accepts) -> Option<Cow<'static, str>> {
    match (accepts, value) {
        (Accepts::Integer { min, max, is_strict: true }, SqlValue::Int(int)) if !(min..=max).contains(int) => {
            Some(format!("a whole number from {min} to {max}").into())
        }
        (Accepts::Integers { min, max }, SqlValue::Nested(array)) if has_integer_beyond(array, min, max) => {
            Some(format!("an array of whole numbers from {min} to {max}").into())
        }
        (Accepts::Time, SqlValue::Text(text)) if text.starts_with("0000-") => Some("a date from the year 1".into()),
        _ => text.filter(|text| text.contains('\0')).map(|_| "a text without the character U+0000".into()),
    }
}

/// Returns `true` if an array, perhaps of arrays, contains a whole number outside of a range.
fn has_integer_beyond(json: &Json, min: i64, max: i64) -> bool {
    match json {
        Json::Array(items) => items.iter().any(|item| has_integer_beyond(item, min, max)),
        Json::Number(number) if number.is_u64() || number.is_i64() => {
            number.as_i64().is_none_or(|int| !(min..=max).contains(&int))
        }
        _ => false,
    }
}

/// Returns the text of a value, which PostgreSQL converts to the type of the parameter.
fn text(value: &SqlValue, binding: Binding) -> Option<String> {
    if binding == Binding::Json {
        return json(value).map(|json| json.to_string());
    }
    Some(match value {
        SqlValue::Null | SqlValue::File(_) | SqlValue::Bytes(_) => return None,
        SqlValue::Bool(bool) => bool.to_string(),
        SqlValue::Int(int) => int.to_string(),
        SqlValue::Uint(uint) => uint.to_string(),
        SqlValue::Float(float) => float.to_string(),
        SqlValue::Text(text) => text.clone(),
        SqlValue::Nested(Json::Array(items)) if binding == Binding::Array => array_text(items),
        SqlValue::Nested(json) => json.to_string(),
    })
}

fn json(value: &SqlValue) -> Option<Json> {
    Some(match value {
        SqlValue::Null | SqlValue::File(_) | SqlValue::Bytes(_) => return None,
        SqlValue::Bool(bool) => Json::from(*bool),
        SqlValue::Int(int) => Json::from(*int),
        SqlValue::Uint(uint) => Json::from(*uint),
        SqlValue::Float(float) => Json::from(*float),
        SqlValue::Text(text) => Json::from(text.as_str()),
        SqlValue::Nested(json) => json.clone(),
    })
}

/// Returns the text of an array. Every item is quoted, so that its content has no meaning in the notation of arrays.
fn array_text(items: &[Json]) -> String {
    let items = items.iter().map(|item| match item {
        Json::Null => "NULL".to_owned(),
        Json::Array(inner) => array_text(inner),
        Json::String(text) => quoted(text),
        other => quoted(&other.to_string()),
    });
    format!("{{{}}}", items.collect::<Vec<_>>().join(","))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
