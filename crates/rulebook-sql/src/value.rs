//! The values that calls bind to the parameters of statements, and what is known about them before a call; with the
//! JSON values that a type of the definition accepts, and the points in time, which databases get and return in UTC.

use std::sync::Arc;

use jiff::SignedDuration;
use jiff::civil::DateTime;
use rulebook::handler_kind::{ArgumentSlot, ArgumentSlots, HandlerError};
use rulebook::types::{Arity, Check, Structure, TypeExpr, Value};
use rulebook::{ApiError, Claims, Context, Upload};
use rulebook_model::model::Parameter;
use serde_json::Value as Json;

use crate::database::Dialect;
use crate::errors::parameter_error;

/// Where the value of a name in a statement comes from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// The parameter with this index, or the member of its value that these names lead to.
    Parameter(usize, Vec<String>),
    /// Whether the client has sent this parameter, or this member of its value.
    Given(usize, Vec<String>),
    /// A fact about the uploaded file of the parameter of the method with this index.
    FileFact(usize, FileFact),
    IdentityName,
    IdentityPermissions,
    /// The claim with this name in the caller's token.
    IdentityClaim(String),
    /// A value that the call finds itself, such as the id of a row that it has inserted.
    Computed,
}

pub(crate) type FileFact = fn(&Upload) -> SqlValue;

/// The names of the facts about an uploaded file, which follow the name of its parameter: `file.name`.
pub(crate) const FILE_FACTS: [(&str, FileFact, Target); 3] = [
    ("name", |upload| SqlValue::Text(upload.filename().to_owned()), Target::Text),
    ("type", |upload| SqlValue::Text(upload.media_type().to_owned()), Target::Text),
    ("size", |upload| SqlValue::Int(i64::try_from(upload.size()).unwrap_or(i64::MAX)), Target::Integer),
];

/// The names of values of the caller. After the last one follows the name of a claim.
pub(crate) const IDENTITY_NAMES: [&str; 3] = ["identity.name", "identity.permissions", "identity.claims.NAME"];

/// A value that is bound to a parameter of a statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SqlValue {
    Null,
    Bool(bool),
    Int(i64),
    /// A whole number above the range of [`SqlValue::Int`].
    Uint(u64),
    Float(f64),
    /// A decimal in a cursor of MySQL.
    Decimal(String),
    Text(String),
    /// An array or an object.
    Nested(Json),
    /// An uploaded file before its content is read.
    File(Upload),
    Bytes(Vec<u8>),
}

impl Source {
    pub(crate) fn value(&self, arguments: &ArgumentSlots<'_, '_>, context: &Context) -> SqlValue {
        let identity = context.identity();
        let argument = |index: &usize| match arguments.values.get(*index) {
            Some(ArgumentSlot::Value(value)) => value,
            Some(ArgumentSlot::Null | ArgumentSlot::Absent) | None => &Value::Null,
        };
        match self {
            Self::Parameter(index, path) => member(argument(index), path).map_or(SqlValue::Null, SqlValue::from),
            Self::Given(index, path) if path.is_empty() => {
                SqlValue::Bool(!matches!(arguments.values.get(*index), Some(ArgumentSlot::Absent) | None))
            }
            Self::Given(index, path) => SqlValue::Bool(member(argument(index), path).is_some()),
            Self::FileFact(index, fact) => match argument(index) {
                Value::File(upload) => fact(upload),
                _ => SqlValue::Null,
            },
            Self::IdentityName => {
                identity.map_or(SqlValue::Null, |identity| SqlValue::Text(identity.name().to_owned()))
            }
            Self::IdentityPermissions => {
                let permissions = identity.map(|identity| identity.permissions().map(Json::from).collect());
                SqlValue::Nested(Json::Array(permissions.unwrap_or_default()))
            }
            Self::IdentityClaim(name) => {
                let claim = identity.and_then(|identity| identity.data::<Claims>()?.get(name));
                claim.map_or(SqlValue::Null, |claim| SqlValue::from(&Value::from(claim)))
            }
            Self::Computed => SqlValue::Null,
        }
    }
}

fn member<'v, 'a>(value: &'v Value<'a>, path: &[String]) -> Option<&'v Value<'a>> {
    path.iter().try_fold(value, |value, name| match value {
        Value::Map(members) => members.iter().find(|(known, _)| known == name).map(|(_, value)| value),
        _ => None,
    })
}

impl SqlValue {
    /// Returns the JSON text of a value; `None` for null and for files.
    pub(crate) fn json_text(&self) -> Option<String> {
        Some(match self {
            Self::Null | Self::File(_) | Self::Bytes(_) => return None,
            Self::Bool(bool) => bool.to_string(),
            Self::Int(int) => int.to_string(),
            Self::Uint(uint) => uint.to_string(),
            Self::Float(float) => Json::from(*float).to_string(),
            Self::Text(text) | Self::Decimal(text) => Json::from(text.as_str()).to_string(),
            Self::Nested(json) => json.to_string(),
        })
    }
}

impl From<&Value<'_>> for SqlValue {
    fn from(value: &Value<'_>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(bool) => Self::Bool(*bool),
            Value::Int(int) => Self::Int(*int),
            Value::Uint(uint) => Self::Uint(*uint),
            Value::Float(float) => Self::Float(*float),
            Value::Text(text) => Self::Text(text.clone().into_owned()),
            Value::List(_) | Value::Map(_) => Self::Nested(value.to_json()),
            Value::File(upload) => Self::File(upload.clone()),
        }
    }
}

/// What is known about a value of a method before a call.
#[derive(Debug)]
pub(crate) struct NamedValue {
    pub name: String,
    pub source: Source,
    pub target: Target,
    /// The type in SQL of a decimal number, such as `decimal(10,2)`; `None` for other values.
    pub decimal: Option<String>,
    /// Where the value contains points in time; `None` if it contains none.
    pub moments: Option<Moments>,
    /// `true` if the statement uses the value as JSON text.
    pub is_json: bool,
    /// `true` if the value can be above the largest whole number of most databases.
    pub exceeds_i64: bool,
    /// The maximum size in bytes of an uploaded file, if the type of its parameter limits it.
    pub max_bytes: Option<u64>,
    /// The parameter of the method; `None` for values of the caller.
    pub request: Option<Parameter>,
}

impl NamedValue {
    /// Returns what is known about a value that is not a parameter.
    pub(crate) fn new(name: &str, source: Source, target: Target) -> Self {
        let name = name.to_owned();
        let (decimal, moments, max_bytes, request) = (None, None, None, None);
        Self { name, source, target, decimal, is_json: false, moments, exceeds_i64: false, max_bytes, request }
    }

    /// Returns the error of a value that is larger than a whole number of the database.
    pub(crate) fn range_error(&self) -> HandlerError {
        let message = format!("the values of `:{}` are larger than the whole numbers of the database", self.name);
        HandlerError::new(message).help("give the type an upper bound, such as `uint(0,9223372036854775807)`")
    }
}

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
    /// Points in time. Only outputs have this kind and the following two: databases get parameters as texts.
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

    /// Some types convert their values: a date can become the seconds since 1970.
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

/// Where a value of a method contains points in time.
#[derive(Debug)]
pub(crate) enum Moments {
    One(Arc<dyn Check>),
    Items(Arc<dyn Check>),
}

/// Returns `true` if the values of a type are points in time, at least before they are converted.
fn is_datetime(check: &dyn Check) -> bool {
    check.example().is_some_and(|example| check.point_in_time(&example).is_some())
}

pub(crate) fn is_date(check: &dyn Check) -> bool {
    check.schema().get("format").is_some_and(|format| format == "date")
}

fn is_time(check: &dyn Check) -> bool {
    let accepts = |text| check.checked(Value::from(text)).is_ok();
    accepts("00:00:00") && accepts("23:59") && !accepts("24:00:00") && !accepts("00:00:00.5")
}

impl Moments {
    /// Returns where the values of a parameter contain points in time; `None` if they contain none.
    pub(crate) fn of(check: &Arc<dyn Check>) -> Option<Self> {
        if check.arity() == Arity::One && is_datetime(&**check) {
            return Some(Self::One(Arc::clone(check)));
        }
        match check.structure() {
            Structure::Array(item) => is_datetime(&*item).then_some(Self::Items(item)),
            Structure::Nullable(inner) => Self::of(&inner),
            Structure::Schema(schema) => Self::of(&schema.check),
            _ => None,
        }
    }

    /// Converts the points in time in a value to UTC, in the notation of a database. Only PostgreSQL has arrays of
    /// them; an array for another database is JSON text, which stays as it is. Returns `None` if the year of a point in
    /// time has more than four digits in UTC.
    fn convert(&self, value: &mut SqlValue, dialect: Dialect) -> Option<()> {
        match (self, value) {
            (Self::One(check), SqlValue::Text(text)) => convert_text(&**check, text, dialect),
            (Self::Items(item), SqlValue::Nested(Json::Array(items))) if dialect == Dialect::Postgres => {
                let texts = items.iter_mut().filter_map(|item| match item {
                    Json::String(text) => Some(text),
                    _ => None,
                });
                texts.into_iter().try_for_each(|text| convert_text(&**item, text, dialect))
            }
            // Null, or the seconds since 1970.
            _ => Some(()),
        }
    }
}

/// Converts the points in time among the values of a call. `named` is what is known about the values.
pub(crate) fn convert_moments(values: &mut [SqlValue], named: &[NamedValue], dialect: Dialect) -> Result<(), ApiError> {
    for (value, named) in values.iter_mut().zip(named) {
        let Some(moments) = &named.moments else { continue };
        if let (None, Some(request)) = (moments.convert(value, dialect), &named.request) {
            let expected = "a date and time from the year 0 to the year 9999 in UTC";
            return Err(ApiError::parameters(vec![parameter_error(request, expected)]));
        }
    }
    Ok(())
}

fn convert_text(check: &dyn Check, text: &mut String, dialect: Dialect) -> Option<()> {
    let Some((seconds, nanos)) = check.point_in_time(&Value::from(text.as_str())) else { return Some(()) };
    *text = in_utc(seconds, nanos, dialect)?;
    Some(())
}

/// Formats a point in time. A database that stores microseconds could round other fractions up to the year 10000.
fn in_utc(seconds: i64, nanos: u32, dialect: Dialect) -> Option<String> {
    let nanos = i32::try_from(nanos / 1_000 * 1_000).ok()?;
    let since_1970 = SignedDuration::new(seconds, nanos);
    let time = DateTime::constant(1970, 1, 1, 0, 0, 0, 0).checked_add(since_1970).ok()?;
    (time.year() >= 0).then(|| match dialect {
        // A `timestamp` of PostgreSQL ignores the zone, and a `timestamptz` needs it.
        Dialect::Postgres => format!("{time}Z"),
        // MySQL knows no `Z`, and `datetime('now')` of SQLite writes none: texts of one notation can be compared.
        Dialect::Sqlite | Dialect::Mysql => time.to_string().replacen('T', " ", 1),
    })
}

/// Adds the zone to a date and time that a database returns without a zone. Other texts stay as they are.
pub(crate) fn with_zone(text: String) -> String {
    let is_clock = |byte: u8, index: usize| match index {
        4 | 7 => byte == b'-',
        10 => byte == b' ' || byte == b'T',
        13 | 16 => byte == b':',
        19 => byte == b'.',
        _ => byte.is_ascii_digit(),
    };
    let is_without_zone =
        (text.len() == 19 || text.len() > 20) && text.bytes().enumerate().all(|(index, byte)| is_clock(byte, index));
    if is_without_zone { format!("{}Z", text.replacen(' ', "T", 1)) } else { text }
}

/// Removes the fraction of a second from a time of day. Other texts stay as they are.
pub(crate) fn without_fraction(mut text: String) -> String {
    let fraction = text.bytes().skip(9);
    if text.len() > 9 && text.as_bytes()[8] == b'.' && fraction.into_iter().all(|byte| byte.is_ascii_digit()) {
        text.truncate(8);
    }
    text
}
