//! The types that also accept other notations of the values of another type: `text_id` (an `id`), `loose_int` (an
//! `int`), `loose_float` (a `float`) and `loose_string` (a `string`).
//!
//! A text of a request that has the strict notation is decoded like the strict type. All other texts stay texts, which
//! are checked like JSON strings, so that one rule and one schema describe both.
//!
//! In such a text, a number of `loose_float` has at most 200 characters and an exponent of at most two digits, so that
//! the pattern in the JSON Schema accepts only finite numbers. The JSON Schema also accepts texts of numbers outside
//! the bounds, because a pattern cannot compare numbers. The description in the schema names the bounds.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::bounds::BoundValue;
use super::number::{FloatCheck, I64_RANGE, ID_RANGE, IntCheck, decimal_pattern};
use super::string::StringCheck;
use super::{ArgumentError, Check, TypeArguments, TypeExpr, number};
use crate::call::{TypeMismatch, Value};

/// The check of a type that also accepts other notations of the values that `strict` accepts.
#[derive(Debug)]
struct LooseCheck<C> {
    strict: C,
    check: fn(&C, &mut Value<'_>) -> Result<(), TypeMismatch>,
    other_schemas: fn(&C) -> Vec<Json>,
    has_exact_schema: bool,
}

impl<C: Check> Check for LooseCheck<C> {
    fn base(&self) -> Option<&dyn Check> {
        Some(&self.strict)
    }

    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        (self.check)(&self.strict, value)
    }

    fn expected(&self) -> Cow<'static, str> {
        self.strict.expected()
    }

    fn schema(&self) -> Json {
        let mut schemas = (self.other_schemas)(&self.strict);
        schemas.insert(0, self.strict.schema());
        if schemas.len() == 1 { schemas.swap_remove(0) } else { json!({ "anyOf": schemas }) }
    }

    fn has_exact_schema(&self) -> bool {
        self.has_exact_schema
    }

    fn type_expr(&self) -> TypeExpr {
        self.strict.type_expr()
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        self.strict.boundary_values()
    }
}

pub(super) fn compile_text_id(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    Ok(Arc::new(LooseCheck {
        has_exact_schema: true,
        strict: IntCheck::from_arguments("text_id", ID_RANGE, arguments)?,
        check: check_text_id,
        other_schemas: |strict| {
            let pattern = decimal_pattern(strict.min(), strict.max(), "", "-");
            vec![json!({ "type": "string", "pattern": pattern })]
        },
    }))
}

fn check_text_id(strict: &IntCheck, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
    let Value::Text(text) = value else { return strict.check(value) };
    // The error must quote the text of the request, not the number to which the text was converted.
    let checked = strict.checked(number::decode_whole_number(Cow::Borrowed(&**text))).map(Value::into_owned);
    *value = checked.map_err(|_| TypeMismatch::new(strict.expected(), value))?;
    Ok(())
}

pub(super) fn compile_int(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    Ok(Arc::new(LooseCheck {
        has_exact_schema: true,
        strict: IntCheck::from_arguments("loose_int", I64_RANGE, arguments)?,
        check: check_int,
        other_schemas: |strict| {
            let pattern = decimal_pattern(strict.min(), strict.max(), "\\+?0*", "-0*");
            vec![json!({ "type": "string", "pattern": pattern })]
        },
    }))
}

fn check_int(strict: &IntCheck, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
    let Value::Text(text) = value else { return strict.check(value) };
    let whole = parse_int(text);
    let valid = whole.and_then(|whole| strict.to_valid_value(whole));
    *value = valid.ok_or_else(|| strict.mismatch_error(value, whole))?;
    Ok(())
}

/// An optional sign and decimal digits.
fn parse_int(text: &str) -> Option<i128> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if number::has_only_digits(digits) { text.parse().ok() } else { None }
}

pub(super) fn compile_float(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    let strict = FloatCheck::from_arguments("loose_float", arguments)?;
    Ok(Arc::new(LooseCheck {
        has_exact_schema: strict.bounds.is_unbounded(),
        strict,
        check: check_float,
        other_schemas: |strict| {
            let pattern = format!(r"^[+\-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:{})?$", number::EXPONENT_PATTERN);
            let mut text = json!({ "type": "string", "pattern": pattern, "maxLength": number::MAX_NUMBER_TEXT_LEN });
            if !strict.bounds.is_unbounded() {
                text["description"] = json!(format!("{}, written as text", strict.expected()));
            }
            vec![text]
        },
    }))
}

fn check_float(strict: &FloatCheck, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
    let Value::Text(text) = value else { return strict.check(value) };
    let number = number::is_short_number_text(text).then(|| parse_float(text)).flatten();
    let checked = match number {
        Some(number) => strict.checked(number).map_err(|inner| inner.into_details().violation),
        None => Err(None),
    };
    *value = checked.map_err(|violation| TypeMismatch::new(strict.expected(), value).with_violation(violation))?;
    Ok(())
}

/// A finite number with an optional sign and exponent.
fn parse_float(text: &str) -> Option<Value<'static>> {
    // `inf` and `nan` are numbers for Rust.
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    is_number.then(|| number::parse_finite_number(text)).flatten()
}

/// Compiles the type `loose_string`, which converts a whole number of 64 bits to a text of its digits, and a number
/// with a fraction to a decimal number. The number is valid if the length of this text is allowed. If the type has a
/// pattern, numbers are invalid, because a JSON Schema cannot describe which numbers match the pattern.
pub(super) fn compile_string(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    Ok(Arc::new(LooseCheck {
        has_exact_schema: true,
        strict: StringCheck::from_arguments("loose_string", arguments)?,
        check: check_string,
        other_schemas: |strict| {
            let mut schemas = whole_number_schemas(strict);
            if accepts_fractions(strict) {
                schemas.push(json!({ "type": "number", "not": { "type": "integer" } }));
            }
            schemas
        },
    }))
}

fn check_string(strict: &StringCheck, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
    let text = match value {
        Value::Int(_) | Value::Uint(_) | Value::Float(_) => number_to_text(strict, value),
        _ => return strict.check(value),
    };
    *value = text.ok_or_else(|| TypeMismatch::new(strict.expected(), value))?;
    Ok(())
}

/// `None` if the number is not valid.
fn number_to_text(strict: &StringCheck, value: &Value<'_>) -> Option<Value<'static>> {
    let whole = number::to_whole_number(value).filter(|whole| number::whole_number_value(*whole).is_some());
    let text = match (whole, value) {
        (Some(whole), _) => {
            let digits = whole.to_string();
            (strict.checks_only_length() && strict.length.contains_count(digits.len())).then_some(digits)
        }
        (None, Value::Float(float)) if accepts_fractions(strict) && float.is_finite() && float.fract() != 0.0 => {
            Some(float.to_string())
        }
        _ => None,
    };
    text.map(|text| Value::Text(Cow::Owned(text)))
}

/// A JSON Schema cannot say which numbers with a fraction have a short text.
fn accepts_fractions(strict: &StringCheck) -> bool {
    let length = strict.length;
    strict.checks_only_length() && length.max.is_none() && length.min.unwrap_or(0) <= "0.1".len() as u64
}

/// Returns the JSON Schemas of the whole numbers whose text, including the sign, has an allowed length.
fn whole_number_schemas(strict: &StringCheck) -> Vec<Json> {
    let power = |exponent: u64| 10_i128.pow(exponent.min(25) as u32);
    let length = strict.length;
    let (min, max) = (length.min.unwrap_or(0).max(1), length.max.unwrap_or(u64::MAX).min(25));
    // A number has at least one digit, and at most 20 characters.
    if max < min || !strict.checks_only_length() {
        return Vec::new();
    }
    let positive = (if min == 1 { 0 } else { power(min - 1) }, power(max) - 1);
    let negative = (1 - power(max.saturating_sub(1)), -power(min.saturating_sub(2)));
    [negative, positive]
        .into_iter()
        .map(|(low, high)| (low.max(i64::MIN.into()), high.min(u64::MAX.into())))
        .filter(|(low, high)| low <= high)
        .map(|(low, high)| json!({ "type": "integer", "minimum": low.to_json(), "maximum": high.to_json() }))
        .collect()
}
