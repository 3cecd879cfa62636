//! Values of databases, and what they become for an output.

use serde_json::{Number, Value as Json};
use sqlx::error::BoxDynError;

use crate::column_output::ColumnOutput;
use crate::target::Target;

/// The maximum number of digits with which each decimal is exact as a floating-point number of 64 bits.
pub(crate) const FLOAT_DIGITS: usize = 15;

/// A value of a database before its conversion.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RawValue {
    Null,
    Bool(bool),
    /// A whole number, which is a boolean in databases without booleans.
    Int(i64),
    /// A whole number above the range of [`RawValue::Int`].
    Uint(u64),
    Float(f64),
    /// A decimal number in decimal notation, `NaN` or an infinity.
    Decimal(String),
    /// A text, which contains JSON in databases without a type for it.
    Text(String),
    /// The text of a JSON value.
    JsonText(String),
    /// An array of PostgreSQL.
    List(Vec<RawValue>),
    Bytes(Vec<u8>),
}

impl From<u64> for RawValue {
    fn from(uint: u64) -> Self {
        i64::try_from(uint).map_or(Self::Uint(uint), Self::Int)
    }
}

impl RawValue {
    /// Returns a text, or binary data if the bytes are not a text.
    pub(crate) fn from_text(bytes: &[u8]) -> Self {
        std::str::from_utf8(bytes).map_or_else(|_| Self::Bytes(bytes.to_vec()), |text| Self::Text(text.to_owned()))
    }

    /// Converts the value for an output. `report` is called if the output cannot express the value, or an item of it.
    pub(crate) fn into_json(self, output: &ColumnOutput, report: &dyn Fn()) -> Json {
        if let Some(json) = self.alternative(output) {
            return json;
        }
        match self.convert(output, report) {
            Ok(json) if output.target != Target::Any || json.is_null() || output.accepts_kind(&json) => json,
            Ok(unchanged) | Err(unchanged) => {
                report();
                output.null_or(unchanged)
            }
        }
    }

    /// Returns the boolean or the text that a number or a JSON value becomes if the output accepts values of several
    /// kinds, but not this number or value.
    fn alternative(&self, output: &ColumnOutput) -> Option<Json> {
        let is_number = matches!(self, Self::Int(_) | Self::Uint(_) | Self::Float(_) | Self::Decimal(_));
        if output.target != Target::Any || output.accepts_all() || !(is_number || matches!(self, Self::JsonText(_))) {
            return None;
        }
        let convert = |target: Target| self.clone().convert(&target.into(), &|| {}).ok();
        let json = convert(Target::Any)?;
        if output.accepts(&json) || (json.is_null() && output.accepts_null) {
            return None;
        }
        let is_bit = matches!(self, Self::Int(0 | 1));
        let bool = if is_bit { convert(Target::Bool) } else { None };
        let mut alternatives = bool.into_iter().chain(convert(Target::Text));
        alternatives.find(|json| output.accepts(json))
    }

    /// Converts the value for an output. The error is a value that the output does not express, for messages.
    fn convert(self, output: &ColumnOutput, report: &dyn Fn()) -> Result<Json, Json> {
        match self {
            Self::Null => Ok(Json::Null),
            Self::Bool(bool) => match output.target {
                Target::Bool | Target::Any | Target::Csv => Ok(bool.into()),
                _ => Err(bool.into()),
            },
            Self::Int(int) => whole_number(int.into(), int != 0, output),
            Self::Uint(uint) => whole_number(uint.into(), true, output),
            Self::Float(float) => float_to_json(float, output),
            Self::Decimal(text) => decimal_to_json(text, output),
            Self::Text(text) => text_to_json(text, output),
            Self::JsonText(text) => match output.target {
                Target::Text | Target::Csv => Ok(Json::String(text)),
                target => match parse_json(&text) {
                    Some(json) => expressible(json, output),
                    None if target == Target::Any => Ok(Json::String(text)),
                    None => Err(Json::String(text)),
                },
            },
            Self::List(items) => {
                let item = output.items.as_deref().unwrap_or(output);
                let array = Json::Array(items.into_iter().map(|raw| raw.into_json(item, report)).collect());
                match output.target {
                    Target::Any | Target::Csv => Ok(array),
                    Target::Nested if output.items.is_some() => Ok(array),
                    _ => Err(array),
                }
            }
            Self::Bytes(_) => Err(Json::Null),
        }
    }

    /// Converts the value to the bytes of a file; `None` if it is null.
    pub(crate) fn into_bytes(self) -> Result<Option<Vec<u8>>, BoxDynError> {
        match self {
            Self::Null => Ok(None),
            Self::Bytes(bytes) => Ok(Some(bytes)),
            Self::Text(text) | Self::JsonText(text) => Ok(Some(text.into_bytes())),
            _ => Err("the value is neither binary data nor a text".into()),
        }
    }
}

fn whole_number(number: Number, is_true: bool, output: &ColumnOutput) -> Result<Json, Json> {
    match output.target {
        Target::Bool => Ok(is_true.into()),
        Target::Integer if number.is_i64() || output.accepts(&Json::Number(number.clone())) => Ok(Json::Number(number)),
        Target::Number | Target::Any | Target::Csv => Ok(Json::Number(number)),
        Target::Text => Ok(Json::String(number.to_string())),
        Target::Decimal => output.decimal(number.to_string()),
        _ => Err(Json::Number(number)),
    }
}

fn float_to_json(float: f64, output: &ColumnOutput) -> Result<Json, Json> {
    let target = output.target;
    let Some(number) = Number::from_f64(float) else {
        let name = match (float.is_nan(), float > 0.0) {
            (true, _) => "NaN",
            (false, true) => "Infinity",
            (false, false) => "-Infinity",
        };
        return match target {
            Target::Text | Target::Csv => Ok(name.into()),
            Target::Any => Ok(Json::Null),
            _ => Err(name.into()),
        };
    };
    match target {
        Target::Number | Target::Any | Target::Csv => Ok(Json::Number(number)),
        Target::Text => Ok(Json::String(number.to_string())),
        Target::Decimal => output.decimal(float_digits(float)),
        // 2^63, the first number above the range of whole numbers.
        Target::Integer if float.fract() == 0.0 && float.abs() < 9_223_372_036_854_775_808.0 => {
            Ok((float as i64).into())
        }
        _ => Err(Json::Number(number)),
    }
}

/// Returns a number with the digits that are exact in floating-point numbers: the sum of 0.1 and 0.2 is 0.3.
fn float_digits(float: f64) -> String {
    let rounded = format!("{float:.*e}", FLOAT_DIGITS - 1);
    rounded.parse().unwrap_or(float).to_string()
}

fn decimal_to_json(text: String, output: &ColumnOutput) -> Result<Json, Json> {
    let target = output.target;
    if target == Target::Decimal {
        return output.decimal(text);
    }
    let whole = match text.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => whole,
        _ => &text,
    };
    let whole = whole.parse::<i64>().map(Number::from).or_else(|_| whole.parse::<u64>().map(Number::from));
    match (target, whole) {
        (Target::Text | Target::Csv, _) => Ok(Json::String(text)),
        (Target::Integer | Target::Number | Target::Any, Ok(whole)) => Ok(Json::Number(whole)),
        (Target::Number | Target::Any, Err(_)) => match text.parse::<f64>().ok().and_then(Number::from_f64) {
            Some(number) if target == Target::Number || is_exact(&text, &number) => Ok(Json::Number(number)),
            _ if target == Target::Number => Err(Json::String(text)),
            // `NaN` and infinities are null, as those of floats are.
            _ if text.trim_start_matches('-').starts_with(char::is_alphabetic) => Ok(Json::Null),
            _ => Ok(Json::String(text)),
        },
        _ => Err(Json::String(text)),
    }
}

/// Returns `true` if a number has the value of a decimal, whatever the decimal is.
fn is_exact(text: &str, number: &Number) -> bool {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    digits.trim_matches('0').len() <= FLOAT_DIGITS && number.as_f64().is_some_and(f64::is_normal)
}

/// Converts a text. The columns of SQLite, and those of `returning` in MariaDB, can contain texts of numbers.
fn text_to_json(text: String, output: &ColumnOutput) -> Result<Json, Json> {
    match output.target {
        Target::Text | Target::Any | Target::Csv => Ok(Json::String(text)),
        Target::Date | Target::Time | Target::Datetime => output.moment(text),
        Target::Decimal => output.decimal(text),
        Target::Nested | Target::Number | Target::Integer => match parse_json(&text) {
            Some(Json::Number(number)) if output.target == Target::Integer && number.is_f64() => {
                Err(Json::String(text))
            }
            Some(json) => expressible(json, output),
            None => Err(Json::String(text)),
        },
        Target::Bool | Target::Binary => Err(Json::String(text)),
    }
}

/// Returns a JSON value if it has the kind of an output.
fn expressible(json: Json, output: &ColumnOutput) -> Result<Json, Json> {
    let is_expressible = match (output.target, &json) {
        (Target::Any, _) | (_, Json::Null) | (Target::Bool, Json::Bool(_)) | (Target::Number, Json::Number(_)) => true,
        (Target::Integer, Json::Number(number)) => number.is_i64() || output.accepts(&json),
        (Target::Date | Target::Time | Target::Datetime, Json::String(text)) => return output.moment(text.clone()),
        (Target::Decimal, Json::String(text)) => return output.decimal(text.clone()),
        (Target::Decimal, Json::Number(number)) => return output.decimal(number.to_string()),
        (Target::Nested, Json::Array(_)) => output.items.is_some(),
        (Target::Nested, Json::Object(_)) => output.accepts_objects,
        _ => false,
    };
    if is_expressible { Ok(output.with_decimals(json)) } else { Err(json) }
}

/// Parses a JSON text. Numbers beyond the range of numbers of 64 bits, such as `1e400`, become null. Returns `None` if
/// the text is not JSON, or is too deep.
fn parse_json(text: &str) -> Option<Json> {
    serde_json::from_str(text).or_else(|_| serde_json::from_str(&without_infinite_numbers(text))).ok()
}

fn without_infinite_numbers(text: &str) -> String {
    let (mut result, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(start) = rest.find(|c: char| c == '"' || c == '-' || c.is_ascii_digit()) {
        let (before, token) = rest.split_at(start);
        result.push_str(before);
        let end = match token.strip_prefix('"') {
            Some(text) => {
                let mut is_escaped = false;
                let is_end = |c: char| {
                    let is_end = c == '"' && !is_escaped;
                    is_escaped = c == '\\' && !is_escaped;
                    is_end
                };
                text.find(is_end).map_or(token.len(), |end| end + 2)
            }
            None => token.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)).unwrap_or(token.len()),
        };
        let (token, after) = token.split_at(end);
        result.push_str(if token.parse().is_ok_and(f64::is_infinite) { "null" } else { token });
        rest = after;
    }
    result.push_str(rest);
    result
}
