//! The check that types without arguments have in common, and the types `bool`, `truthy` and `numeric`.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{ArgumentError, Check, TypeArguments, TypeExpr, number};
use crate::call::{TypeMismatch, Value};
use crate::schema::pattern::ignoring_case_pattern;

/// A type without arguments.
#[derive(Debug)]
pub(super) struct SimpleType {
    /// The name of the type in terms.
    pub(super) name: &'static str,
    /// A description of the valid values, which an error message inserts after the word "expected".
    pub(super) expected: &'static str,
    pub(super) decode: for<'a> fn(Cow<'a, str>) -> Value<'a>,
    /// Changes a value to the form that handlers receive. Returns `false` if the value is invalid.
    pub(super) check: fn(&mut Value<'_>) -> bool,
    pub(super) schema: fn() -> Json,
    pub(super) boundary_values: &'static [Value<'static>],
    /// A typical valid value, which the documentation shows.
    pub(super) example: Value<'static>,
}

/// Compiles a term that names a simple type. The term must not have arguments.
pub(super) fn compile(
    simple_type: &'static SimpleType,
    arguments: &TypeArguments<'_>,
) -> Result<Arc<dyn Check>, ArgumentError> {
    arguments.expect_no_arguments()?;
    Ok(Arc::new(simple_type))
}

impl Check for &'static SimpleType {
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        (self.decode)(text)
    }

    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        if (self.check)(value) { Ok(()) } else { Err(TypeMismatch::new(self.expected, value)) }
    }

    fn expected(&self) -> Cow<'static, str> {
        Cow::Borrowed(self.expected)
    }

    fn schema(&self) -> Json {
        (self.schema)()
    }

    fn type_expr(&self) -> TypeExpr {
        TypeExpr::term(self.name)
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        self.boundary_values.to_vec()
    }

    fn example(&self) -> Option<Value<'static>> {
        Some(self.example.clone())
    }

    fn accepts_null(&self) -> bool {
        self.boundary_values.contains(&Value::Null)
    }

    fn reads_null_text(&self) -> bool {
        self.accepts_null()
    }
}

pub(super) fn keep_text(text: Cow<'_, str>) -> Value<'_> {
    Value::Text(text)
}

pub(super) static BOOL: SimpleType = SimpleType {
    name: "bool",
    expected: "true or false",
    decode: |text| match &*text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => Value::Text(text),
    },
    check: |value| matches!(value, Value::Bool(_)),
    schema: || json!({ "type": "boolean" }),
    boundary_values: &[Value::Bool(false), Value::Bool(true)],
    example: Value::Bool(true),
};

/// A boolean, which a request can also send as one of several words, such as `yes` or `off`.
pub(super) static TRUTHY: SimpleType = SimpleType {
    name: "truthy",
    expected: "a word for true (true, ok, success, on, yes, 1) or false (false, off, no, fail, 0)",
    decode: |text| parse_boolean_word(&text).map_or(Value::Text(text), Value::Bool),
    check: |value| {
        let bool = match &*value {
            Value::Bool(bool) => Some(*bool),
            Value::Text(text) => parse_boolean_word(text),
            other => number::to_whole_number(other).and_then(|whole| match whole {
                0 => Some(false),
                1 => Some(true),
                _ => None,
            }),
        };
        if let Some(bool) = bool {
            *value = Value::Bool(bool);
        }
        bool.is_some()
    },
    schema: || {
        json!({ "anyOf": [
            { "type": "boolean" },
            { "enum": [0, 1] },
            { "type": "string", "pattern": boolean_words_pattern() },
        ] })
    },
    boundary_values: &[Value::Bool(false), Value::Bool(true)],
    example: Value::Bool(true),
};

/// The words that mean true, in any case.
const TRUE_WORDS: [&str; 6] = ["ok", "true", "success", "on", "yes", "1"];
/// The words that mean false, in any case.
const FALSE_WORDS: [&str; 6] = ["off", "no", "fail", "false", "0", ""];

fn parse_boolean_word(text: &str) -> Option<bool> {
    let is = |word: &&str| word.eq_ignore_ascii_case(text);
    let is_true = TRUE_WORDS.iter().any(is);
    (is_true || FALSE_WORDS.iter().any(is)).then_some(is_true)
}

/// Returns a pattern that matches the words for true and false in any case, such as `[Oo][Kk]`.
fn boolean_words_pattern() -> String {
    let words: Vec<_> = TRUE_WORDS.iter().chain(&FALSE_WORDS).map(|word| ignoring_case_pattern(word)).collect();
    format!("^(?:{})$", words.join("|"))
}

/// A number, which in JSON may also be a string, or null, which may also be the string `null`.
///
/// In a JSON string, the number has at most 200 characters and an exponent of at most two digits, so that the pattern
/// in the JSON Schema accepts only finite numbers.
pub(super) static NUMERIC: SimpleType = SimpleType {
    name: "numeric",
    expected: "a number or null",
    decode: decode_numeric,
    check: |value| {
        if let Value::Text(text) = value
            && number::is_short_number_text(text)
        {
            *value = decode_numeric(std::mem::take(text));
        }
        number::normalize_number(value);
        matches!(value, Value::Null | Value::Int(_) | Value::Uint(_) | Value::Float(_))
    },
    schema: || {
        let pattern = format!(r"^(?:null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:{})?)$", number::EXPONENT_PATTERN);
        json!({ "anyOf": [
            { "type": ["number", "null"] },
            { "type": "string", "pattern": pattern, "maxLength": number::MAX_NUMBER_TEXT_LEN },
        ] })
    },
    boundary_values: &[Value::Null, Value::Int(0), Value::Float(0.5), Value::Float(-1.5), Value::Float(f64::MAX)],
    example: Value::Int(42),
};

fn decode_numeric(text: Cow<'_, str>) -> Value<'_> {
    if text == "null" { Value::Null } else { number::decode_number(text) }
}
