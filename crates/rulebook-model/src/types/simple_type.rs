//! The check that types without arguments have in common, the types `bool`, `truthy`, `numeric` and `any` (any JSON
//! value), and the check that stands for a type with an error.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use serde_json::{Value as Json, json};

use super::named_schema::is_unresolved_reference;
use super::object::refuse_repeated_members_within;
use super::{ArgumentError, Check, Structure, TypeArguments, TypeExpr, number};
use crate::call::{JsonLimits, TypeMismatch, Value, value_from_json};
use crate::schema::pattern::ignoring_case_pattern;

/// A type without arguments.
#[derive(Debug)]
pub(super) struct SimpleType {
    pub(super) name: &'static str,
    /// An error message inserts it after the word "expected".
    pub(super) expected: &'static str,
    pub(super) decode: for<'a> fn(Cow<'a, str>) -> Value<'a>,
    /// Changes a value to the form that handlers receive. Returns `false` if the value is invalid.
    pub(super) check: fn(&mut Value<'_>) -> bool,
    pub(super) schema: fn() -> Json,
    pub(super) boundary_values: &'static [Value<'static>],
    pub(super) example: Value<'static>,
}

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

// The check that stands for a type with an error, so that the other errors around the type are found. It is never a
// part of a model, because a definition with errors has no model.

static FAILED: SimpleType = SimpleType {
    name: "",
    expected: "a value of a valid type",
    decode: keep_text,
    check: |_| false,
    schema: || json!({}),
    boundary_values: &[],
    example: Value::Null,
};

static FAILED_TYPE: LazyLock<Arc<dyn Check>> = LazyLock::new(|| Arc::new(&FAILED));

pub(crate) fn failed_type() -> Arc<dyn Check> {
    Arc::clone(&FAILED_TYPE)
}

/// Returns `true` if the check stands for a type with an error, about which nothing more is reported.
pub(crate) fn is_failed_type(check: &Arc<dyn Check>) -> bool {
    Arc::ptr_eq(check, &FAILED_TYPE)
}

/// Returns `true` if the values of a type are, or can be, those of a type with an error. The result is correct only
/// when all schemas are compiled: before that, every reference to a later schema looks like one with an error.
pub(super) fn contains_failed_type(check: &Arc<dyn Check>) -> bool {
    if is_failed_type(check) {
        return true;
    }
    // The recursion ends, because schemas that refer to themselves without an object between are never compiled.
    match check.structure() {
        Structure::Scalar => is_unresolved_reference(&**check),
        Structure::Schema(schema) => contains_failed_type(&schema.check),
        Structure::Nullable(inner) => contains_failed_type(&inner),
        Structure::Union(branches) => branches.iter().any(contains_failed_type),
        Structure::Array(_) | Structure::Map(_) | Structure::Object(_) | Structure::TaggedUnion { .. } => false,
    }
}

/// The maximum nesting depth of a JSON value that is parsed from a text of the request.
pub(super) const MAX_JSON_DEPTH: u64 = 64;

/// The maximum number of items or members, or of parts of a separated list, that are parsed from a text.
pub(super) const MAX_DECODED_ITEMS: u64 = 10_000;

#[derive(Debug)]
struct AnyCheck;

pub(super) fn compile_any(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    arguments.expect_no_arguments()?;
    Ok(any_check())
}

pub(super) fn any_check() -> Arc<dyn Check> {
    Arc::new(AnyCheck)
}

/// Parses a text as JSON if it begins with one of the characters `openings`. Invalid JSON is returned unchanged.
pub(super) fn decode_json<'a>(text: Cow<'a, str>, openings: &[char]) -> Value<'a> {
    if !text.trim_start().starts_with(openings) {
        return Value::Text(text);
    }
    let limits = JsonLimits::new(MAX_JSON_DEPTH, MAX_DECODED_ITEMS).keeping_last(true);
    match text {
        Cow::Borrowed(borrowed) => value_from_json(borrowed, &limits).unwrap_or(Value::Text(text)),
        Cow::Owned(owned) => match value_from_json(&owned, &limits).map(Value::into_owned) {
            Some(value) => value,
            None => Value::Text(owned.into()),
        },
    }
}

impl Check for AnyCheck {
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        decode_json(text, &['[', '{'])
    }

    fn decode_item<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        Value::Text(text)
    }

    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        match value {
            Value::File(_) => Err(TypeMismatch::new(self.expected(), value)),
            _ => refuse_repeated_members_within(value),
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        Cow::Borrowed("a value")
    }

    fn schema(&self) -> Json {
        json!({})
    }

    fn type_expr(&self) -> TypeExpr {
        TypeExpr::term("any")
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        vec![
            Value::Null,
            Value::Bool(true),
            Value::Int(0),
            Value::Float(0.5),
            Value::Text(Cow::Borrowed("")),
            Value::List(Vec::new()),
            Value::Map(Vec::new()),
        ]
    }

    fn example(&self) -> Option<Value<'static>> {
        Some(Value::Text(Cow::Borrowed("anything")))
    }

    fn accepts_null(&self) -> bool {
        true
    }
}
