//! What a column becomes: the values that its output accepts, and the value of a database for it. A column whose type
//! does not fit its output is an error in the definition.

use std::borrow::Cow;
use std::mem::discriminant;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rulebook::types::{Check, Structure, Value};
use serde_json::{Number, Value as Json, json};
use sqlx::error::BoxDynError;

use crate::database::{Column, ColumnType};
use crate::value::{Target, scalar_expr, with_zone, without_fraction};

/// The maximum number of dimensions of an array of PostgreSQL. A schema can be an array of itself.
const MAX_DIMENSIONS: usize = 6;
/// The maximum depth in a JSON value at which its decimals are found.
const MAX_DECIMAL_DEPTH: usize = 6;

#[derive(Debug, Clone)]
pub(crate) struct ColumnOutput {
    pub target: Target,
    /// `true` if a row without the column is valid. In a statement whose columns are known, outputs need all of them.
    pub may_be_missing: bool,
    pub accepts_null: bool,
    /// `true` if a row with null has no such output: it can be left out, but cannot be null.
    pub omits_null: bool,
    pub items: Option<Box<ColumnOutput>>,
    pub accepts_objects: bool,
    /// Where an array or object has decimals, which databases write as numbers there; `None` if it has none.
    decimals: Option<Arc<Decimals>>,
    /// The type of the output; `None` if it accepts any value, or the definition contains none.
    check: Option<Arc<dyn Check>>,
    /// `true` if the log contains that the column has a value that the output cannot express.
    is_reported: Arc<AtomicBool>,
}

impl From<Target> for ColumnOutput {
    fn from(target: Target) -> Self {
        Self {
            target,
            may_be_missing: true,
            accepts_null: true,
            omits_null: false,
            items: None,
            accepts_objects: false,
            decimals: None,
            check: None,
            is_reported: Arc::default(),
        }
    }
}

impl ColumnOutput {
    /// An optional output may be null.
    pub(crate) fn of(check: &Arc<dyn Check>, is_optional: bool) -> Self {
        Self::of_dimension(check, is_optional, 0)
    }

    fn of_dimension(check: &Arc<dyn Check>, is_optional: bool, dimension: usize) -> Self {
        let target = Target::of(&**check);
        let (items, accepts_objects) = match target {
            Target::Nested => nested(&**check, dimension),
            Target::Any => (Some(Box::new(Target::Any.into())), true),
            _ => (None, false),
        };
        Self {
            accepts_null: is_optional || check.checked(Value::Null).is_ok(),
            omits_null: is_optional && check.refuses_null(),
            decimals: if target == Target::Nested { Decimals::of(check, 0).map(Arc::new) } else { None },
            items,
            accepts_objects,
            check: (check.schema() != json!({})).then(|| Arc::clone(check)),
            ..target.into()
        }
    }

    /// Returns what a column becomes without which rows are valid or not.
    pub(crate) fn for_column(&self, may_be_missing: bool) -> Self {
        Self { may_be_missing, ..self.clone() }
    }

    fn accepts_all(&self) -> bool {
        self.check.is_none()
    }

    pub(crate) fn accepts(&self, json: &Json) -> bool {
        self.check.as_ref().is_none_or(|check| check.checked(Value::from(json)).is_ok())
    }

    /// Returns `true` if the type of the output accepts values such as this one, perhaps only others within its bounds.
    /// No such bound is the range of whole numbers of 64 bits.
    fn accepts_kind(&self, json: &Json) -> bool {
        let result = self.check.as_ref().map(|check| check.checked(Value::from(json)).map(drop));
        !matches!(result, Some(Err(mismatch)) if mismatch.violation.is_none() || exceeds_i64(json))
    }

    /// Returns `true` if a type that accepts values of several kinds may accept one of the kind of a value.
    fn may_accept(&self, sample: &Json) -> bool {
        let known = self.check.as_ref().map(|check| check.boundary_values()).unwrap_or_default();
        let is_like = |value: &Value<'_>| discriminant(&value.to_json()) == discriminant(sample);
        known.is_empty() || self.accepts_kind(sample) || known.iter().any(is_like)
    }

    /// Returns `true` if the type of the output is `id` without an upper bound. A bound is a promise of the author that
    /// no value is larger.
    fn is_unbounded_id(&self) -> bool {
        let expr = self.check.as_ref().and_then(|check| scalar_expr(&**check));
        expr.is_some_and(|expr| matches!(&*expr.term, "id" | "text_id") && !expr.attributes.contains_key("max"))
    }

    /// Returns the items of an array, whatever its number of dimensions is.
    fn innermost_item(&self) -> Option<&Self> {
        let item = self.items.as_deref()?;
        Some(item.innermost_item().unwrap_or(item))
    }

    /// Returns a date or time in the notation of the output. The error is the text, if the output cannot express it. A
    /// text beyond the bounds of the type remains, so that it is reported like another value beyond its bounds.
    fn moment(&self, text: String) -> Result<Json, Json> {
        let text = match self.target {
            Target::Datetime => with_zone(text),
            Target::Time => without_fraction(text),
            _ => text,
        };
        let json = Json::String(text);
        if self.accepts_kind(&json) { Ok(json) } else { Err(json) }
    }

    /// Returns a number with all digits after the point. The error is the text, if it is not a number with the digits
    /// of the type. A number beyond the bounds of the type remains, so that it is reported like another value beyond
    /// its bounds.
    pub(crate) fn decimal(&self, text: String) -> Result<Json, Json> {
        // A column can have more digits after the point than the output. Zeros at the end are not needed.
        let shortest = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        match self.check.as_ref().map(|check| check.checked(Value::from(shortest))) {
            Some(Ok(value)) => Ok(value.to_json()),
            Some(Err(mismatch)) if mismatch.violation.is_none() => Err(Json::String(text)),
            _ => Ok(Json::String(text)),
        }
    }

    /// Replaces the numbers that are decimals in the type of a JSON value: the databases write both without quotes.
    fn with_decimals(&self, mut json: Json) -> Json {
        if let Some(decimals) = &self.decimals {
            decimals.convert(&mut json);
        }
        json
    }

    /// Replaces a value that the output cannot express by null. If null is not valid, the value remains and is
    /// reported.
    fn null_or(&self, unchanged: Json) -> Json {
        if self.accepts_null { Json::Null } else { unchanged }
    }

    pub(crate) fn in_words(&self) -> Cow<'static, str> {
        match &self.check {
            Some(check) if self.target == Target::Any => check.expected(),
            _ => self.target.in_words().into(),
        }
    }

    /// Writes to the log, the first time, that a column has a value that the output cannot express.
    pub(crate) fn report(&self, column: &str, sql: &str) {
        if !self.is_reported.swap(true, Ordering::Relaxed) {
            let expected = self.in_words();
            log::warn!(
                "the column `{column}` has a value that is not {expected}, without which the output is null: {sql}"
            );
        }
    }
}

#[derive(Debug)]
enum Decimals {
    Value(ColumnOutput),
    /// In each item, or in the value of each member.
    InEach(Box<Decimals>),
    InMembers(Vec<(String, Decimals)>),
}

impl Decimals {
    fn of(check: &Arc<dyn Check>, depth: usize) -> Option<Self> {
        // A schema can contain itself.
        if depth > MAX_DECIMAL_DEPTH {
            return None;
        }
        let inside = |check: &Arc<dyn Check>| Self::of(check, depth + 1);
        match check.structure() {
            Structure::Array(inner) | Structure::Map(inner) => inside(&inner).map(|it| Self::InEach(Box::new(it))),
            Structure::Nullable(inner) => inside(&inner),
            Structure::Schema(schema) => inside(&schema.check),
            Structure::Object(shape) => {
                let fields = shape.fields.into_iter();
                let found: Vec<_> = fields.filter_map(|it| Some((it.name, inside(&it.check)?))).collect();
                (!found.is_empty()).then_some(Self::InMembers(found))
            }
            Structure::Scalar if Target::of(&**check) == Target::Decimal => {
                Some(Self::Value(ColumnOutput::of(check, false)))
            }
            _ => None,
        }
    }

    fn convert(&self, json: &mut Json) {
        match (self, json) {
            (Self::InEach(inner), Json::Array(items)) => items.iter_mut().for_each(|item| inner.convert(item)),
            (Self::InEach(inner), Json::Object(members)) => members.values_mut().for_each(|value| inner.convert(value)),
            (Self::InMembers(fields), Json::Object(members)) => {
                for (name, inner) in fields {
                    members.get_mut(name).into_iter().for_each(|value| inner.convert(value));
                }
            }
            (Self::Value(output), json @ Json::Number(_)) => {
                let text = json.to_string();
                // With more digits, the number may have lost some when the JSON was read.
                let digits = text.chars().filter(char::is_ascii_digit).count();
                if digits <= FLOAT_DIGITS && !text.contains('e') {
                    *json = output.decimal(text).unwrap_or_else(|unchanged| unchanged);
                }
            }
            _ => {}
        }
    }
}

/// Returns the items of arrays and whether objects are accepted, for a type whose values are arrays or objects.
fn nested(check: &dyn Check, dimension: usize) -> (Option<Box<ColumnOutput>>, bool) {
    match check.structure() {
        Structure::Array(item) if dimension < MAX_DIMENSIONS => {
            (Some(Box::new(ColumnOutput::of_dimension(&item, false, dimension + 1))), false)
        }
        Structure::Nullable(inner) => nested(&*inner, dimension),
        Structure::Schema(schema) => nested(&*schema.check, dimension),
        Structure::Map(_) | Structure::Object(_) | Structure::TaggedUnion { .. } => (None, true),
        _ => (Some(Box::new(Target::Any.into())), true),
    }
}

/// Returns `true` for a number, or the text of one, above the largest whole number of 64 bits or below the smallest.
fn exceeds_i64(json: &Json) -> bool {
    match json {
        Json::Number(number) => number.is_u64() && !number.is_i64(),
        Json::String(text) => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            digits.bytes().all(|digit| digit.is_ascii_digit()) && !digits.is_empty() && text.parse::<i64>().is_err()
        }
        _ => false,
    }
}

/// The maximum number of digits with which each decimal is exact as a floating-point number of 64 bits.
const FLOAT_DIGITS: usize = 15;

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
    JsonText(String),
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

    /// The boolean or text that a value becomes if the output accepts several kinds of values, but not this one.
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

/// Numbers beyond 64 bits, such as `1e400`, become null. `None` if the text is not JSON, or is too deep.
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

/// Describes the mismatch of a column and an output, and how to fix it; `None` if none is known.
pub(crate) fn type_error(column: &Column, output: &ColumnOutput) -> Option<(String, &'static str)> {
    let (name, found) = (&column.name, column.r#type.in_words());
    match &column.r#type {
        ColumnType::Unsupported(r#type) => {
            let cast = "convert it to a text in the statement";
            Some((format!("the column `{name}` has the type `{type}`, which is not supported; {cast}"), ""))
        }
        ColumnType::Binary => {
            let help =
                "only a download with `\"format\": \"file\"` can return it; convert it to a text in the statement";
            Some((format!("the column `{name}` is binary data; {help}"), ""))
        }
        r#type if has_larger_numbers(r#type, output) => {
            let message = format!("the column `{name}` can have numbers above 2147483647, the largest `id`");
            Some((message, "declare an `int` or a `uint`, or `int(0,2147483647)` if there are no larger numbers"))
        }
        r#type if agrees(r#type, output) => None,
        ColumnType::Array(item) if output.target == Target::Nested && output.items.is_some() => {
            let (found, output) = (item.in_words(), output.innermost_item().map_or("", |item| item.target.in_words()));
            Some((format!("each item of the column `{name}` is {found}, but each item of the output is {output}"), ""))
        }
        r#type => {
            let message = format!("the column `{name}` is {found}, but the output is {}", output.in_words());
            let is_decimal = *r#type == ColumnType::Decimal && output.target == Target::Integer;
            let help = "declare a `decimal(p,s)`, or convert the column in the statement, such as with \
                        `cast(… as bigint)` (`signed` in MySQL and MariaDB)";
            Some((message, if is_decimal { help } else { "" }))
        }
    }
}

/// Returns `true` if an output is an `id`, and the column has numbers that are larger.
fn has_larger_numbers(column: &ColumnType, output: &ColumnOutput) -> bool {
    match column {
        ColumnType::Integer { exceeds_id: true, .. } => output.is_unbounded_id(),
        ColumnType::Array(item) => output.innermost_item().is_some_and(|output| has_larger_numbers(item, output)),
        _ => false,
    }
}

/// A value can still be one that the output cannot express, such as infinity.
fn agrees(column: &ColumnType, output: &ColumnOutput) -> bool {
    use Target::{Any, Bool, Csv, Date, Datetime, Decimal, Integer, Nested, Number, Text, Time};
    match (column, output.target) {
        (ColumnType::Unknown | ColumnType::Json, _) | (_, Csv) => true,
        (column, Any) => samples(column).iter().any(|sample| output.may_accept(sample)),
        (ColumnType::Integer { is_boolean, .. }, target) => {
            matches!(target, Integer | Number | Decimal) || (*is_boolean && target == Bool)
        }
        (ColumnType::Float, target) => target == Number,
        (ColumnType::Decimal, target) => matches!(target, Number | Text | Decimal),
        (ColumnType::Bool, target) => target == Bool,
        (ColumnType::Text, target) => matches!(target, Text | Decimal | Date | Time | Datetime | Nested),
        (ColumnType::Uuid, target) => target == Text,
        (ColumnType::Date, target) => matches!(target, Text | Date | Datetime),
        (ColumnType::Time, target) => matches!(target, Text | Time),
        (ColumnType::Datetime, target) => matches!(target, Text | Datetime),
        (ColumnType::Array(item), target) => {
            target == Nested && output.innermost_item().is_some_and(|output| agrees(item, output))
        }
        (ColumnType::Binary | ColumnType::Unsupported(_), _) => false,
    }
}

/// Returns what values of a column become for an output that accepts several kinds of values.
fn samples(column: &ColumnType) -> Vec<Json> {
    match column {
        ColumnType::Integer { is_boolean: true, .. } => vec![json!(1), json!(true)],
        ColumnType::Integer { .. } | ColumnType::Float => vec![json!(1)],
        ColumnType::Decimal => vec![json!(1), json!("1")],
        ColumnType::Bool => vec![json!(true)],
        ColumnType::Array(_) => vec![json!([])],
        ColumnType::Date | ColumnType::Time | ColumnType::Datetime | ColumnType::Uuid | ColumnType::Text => {
            vec![json!("")]
        }
        ColumnType::Unknown | ColumnType::Json | ColumnType::Binary | ColumnType::Unsupported(_) => Vec::new(),
    }
}

pub(crate) fn file_type_error(column: &Column, target: Target) -> Option<(String, &'static str)> {
    let is_accepted = match column.r#type {
        ColumnType::Unknown | ColumnType::Text => true,
        ColumnType::Binary | ColumnType::Json => target == Target::Binary,
        _ => false,
    };
    let (name, found) = (&column.name, column.r#type.in_words());
    let accepted = if target == Target::Binary { "binary data or a text" } else { "a text" };
    (!is_accepted).then(|| (format!("the column `{name}` is {found}, but the {name} of a file is {accepted}"), ""))
}
