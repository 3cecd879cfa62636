//! Which JSON values a type of the definition accepts, as far as conversions from and to a database depend on it.

use rulebook::types::{Check, Structure, TypeExpr, Value};
use serde_json::Value as Json;

use crate::moments::{is_date, is_datetime, is_time};

/// The kind of JSON value that a type accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// Values of several kinds, or of kinds that are not known.
    Any,
    Bool,
    Integer,
    Number,
    Text,
    /// Numbers with all digits, as strings.
    Decimal,
    /// Points in time, as strings. Only outputs have this kind and the two following ones: databases get those of
    /// parameters as texts.
    Datetime,
    /// Dates, as strings.
    Date,
    /// Times of day, as strings.
    Time,
    Nested,
    /// The content of a file: that of an uploaded file, or that of a download.
    Binary,
    /// The fields of a CSV file: values of any kind, with all digits.
    Csv,
}

impl Target {
    /// Returns the kind of value that a check accepts.
    pub(crate) fn of(check: &dyn Check) -> Self {
        match check.structure() {
            Structure::Array(_) | Structure::Map(_) | Structure::Object(_) | Structure::TaggedUnion { .. } => {
                Self::Nested
            }
            Structure::Nullable(inner) => Self::of(&*inner),
            Structure::Schema(schema) => Self::of(&*schema.check),
            Structure::Scalar => match check.schema().get("type").and_then(Json::as_str) {
                Some("boolean") => Self::Bool,
                Some("integer") => Self::Integer,
                Some("number") => Self::Number,
                Some("string") if decimal_term(check).is_some() => Self::Decimal,
                Some("string") if is_datetime(check) => Self::Datetime,
                Some("string") if is_date(check) => Self::Date,
                Some("string") if is_time(check) => Self::Time,
                Some("string") => Self::Text,
                Some("array" | "object") => Self::Nested,
                _ => Self::Any,
            },
            _ => Self::Any,
        }
    }

    /// Returns the kind of value that a handler gets for a parameter. Some types convert their values: a date can
    /// become the seconds since 1970.
    pub(crate) fn of_argument(check: &dyn Check) -> Self {
        let target = match Self::of(check) {
            Self::Datetime | Self::Date | Self::Time => Self::Text,
            target => target,
        };
        let example = check.example().and_then(|example| check.checked(example).ok());
        match (target, example) {
            (Self::Text, Some(Value::Int(_) | Value::Uint(_))) => Self::Integer,
            (Self::Text, Some(Value::Float(_))) => Self::Number,
            (Self::Text, Some(Value::Bool(_))) => Self::Bool,
            (Self::Text | Self::Bool, Some(Value::List(_) | Value::Map(_))) => Self::Nested,
            (Self::Bool | Self::Integer | Self::Number, Some(Value::Text(_))) => Self::Text,
            _ => target,
        }
    }

    /// Describes values of this kind.
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::Any | Self::Csv => "any value",
            Self::Bool => "a boolean",
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::Decimal => "a decimal number",
            Self::Datetime => "a date and time",
            Self::Date => "a date",
            Self::Time => "a time of day",
            Self::Nested => "an array or an object",
            Self::Binary => "a file",
        }
    }
}

/// Returns the term of a `decimal`, such as `decimal(10,2)`, which is the notation of its type in SQL, too.
pub(crate) fn decimal_term(check: &dyn Check) -> Option<String> {
    Some(scalar_expr(check)?.term).filter(|term| term.starts_with("decimal("))
}

/// Returns the notation of a type of single values without null, also if a schema has this type.
pub(crate) fn scalar_expr(check: &dyn Check) -> Option<TypeExpr> {
    match check.structure() {
        Structure::Nullable(inner) => scalar_expr(&*inner),
        Structure::Schema(schema) => scalar_expr(&*schema.check),
        Structure::Scalar => Some(check.type_expr()),
        _ => None,
    }
}
