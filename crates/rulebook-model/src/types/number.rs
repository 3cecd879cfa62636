//! The types of numbers: `int`, `uint` and `id`, which are whole numbers of different ranges, and `float`, which are
//! finite floating-point numbers of 64 bits; and what all types know about numbers.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::{Number, Value as Json, json};

use super::bounds::{BoundValue, Bounds};
use super::{ArgumentError, Check, TypeArguments, TypeExpr, first_valid_value, keep_valid_values};
use crate::call::{Measure, TypeMismatch, Value, Violation};

/// The check of the numbers from `type_min` to `type_max` that are within the bounds of the definition.
#[derive(Debug, Clone)]
pub(super) struct IntCheck {
    type_name: &'static str,
    type_min: i128,
    type_max: i128,
    /// The bounds that the definition sets. A bound that equals the limit of the type is stored as `None`.
    bounds: Bounds<i128>,
}

pub(super) const I64_RANGE: (i128, i128) = (i64::MIN as i128, i64::MAX as i128);
pub(super) const U64_RANGE: (i128, i128) = (0, u64::MAX as i128);

/// The range of `id`: the numbers from 0 that fit into a signed 32-bit column of a database.
pub(super) const ID_RANGE: (i128, i128) = (0, i32::MAX as i128);

/// [`Check::example`] returns the first of these numbers that is strictly between the bounds.
const PREFERRED_INTEGERS: [i128; 12] = [1, 42, 10, 5, 3, 2, 100, 1000, -1, -10, -42, -100];

/// The maximum distance of two bounds whose middle is the example. For a larger distance, the example is next to a
/// bound.
const MAX_DISTANCE_FOR_MIDDLE_EXAMPLE: i128 = 1_000_000;

pub(super) fn compile_int(
    name: &'static str,
    range: (i128, i128),
    arguments: &TypeArguments<'_>,
) -> Result<Arc<dyn Check>, ArgumentError> {
    Ok(Arc::new(IntCheck::from_arguments(name, range, arguments)?))
}

impl IntCheck {
    /// The numbers are in the range of the type `name` and in the bounds of the definition.
    pub(super) fn from_arguments(
        name: &'static str,
        (type_min, type_max): (i128, i128),
        arguments: &TypeArguments<'_>,
    ) -> Result<Self, ArgumentError> {
        if arguments.positional.len() > 2 {
            return Err(arguments.error(format!("`{name}` has at most two bounds")));
        }
        let Bounds { min, max } = Bounds::from_arguments(arguments, false)?;
        let mut bounds = [min, max].into_iter().flatten();
        if let Some(outside) = bounds.find(|bound| !(type_min..=type_max).contains(bound)) {
            return Err(arguments
                .error(format!("the bound {outside} is outside the range of `{name}`"))
                .help(format!("`{name}` ranges from {type_min} to {type_max}")));
        }
        // A bound that equals the limit of the type is dropped, so that equal types have the same notation.
        let bounds = Bounds { min: min.filter(|min| *min != type_min), max: max.filter(|max| *max != type_max) };
        Ok(Self { type_name: name, type_min, type_max, bounds })
    }

    pub(super) fn min(&self) -> i128 {
        self.bounds.min.unwrap_or(self.type_min)
    }

    pub(super) fn max(&self) -> i128 {
        self.bounds.max.unwrap_or(self.type_max)
    }

    /// `whole` is the value, if it is a whole number.
    pub(super) fn mismatch_error(&self, value: &Value<'_>, whole: Option<i128>) -> TypeMismatch {
        let bounds = |whole| Violation::of_bounds(Measure::Value, Some(self.min()), Some(self.max()), whole);
        TypeMismatch::new(self.expected(), value).with_violation(whole.and_then(bounds))
    }

    pub(super) fn to_valid_value(&self, whole: i128) -> Option<Value<'static>> {
        (self.min()..=self.max()).contains(&whole).then(|| whole_number_value(whole)).flatten()
    }
}

impl Check for IntCheck {
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        decode_whole_number(text)
    }

    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        if let Value::Int(int) = value
            && (self.min()..=self.max()).contains(&i128::from(*int))
        {
            return Ok(());
        }
        let whole = to_whole_number(value);
        let Some(valid) = whole.and_then(|whole| self.to_valid_value(whole)) else {
            return Err(self.mismatch_error(value, whole));
        };
        if let Value::Float(_) = value {
            *value = valid;
        }
        Ok(())
    }

    fn expected(&self) -> Cow<'static, str> {
        // Most clients do not care about the limits of 64 bits, so the phrase contains these limits only if the type
        // has no other bounds.
        let shown = Bounds {
            min: Some(self.min()).filter(|min| *min != I64_RANGE.0),
            max: Some(self.max()).filter(|max| *max != I64_RANGE.1 && *max != U64_RANGE.1),
        };
        if shown.is_unbounded() {
            Cow::Borrowed("a whole number of 64 bits")
        } else {
            format!("a whole number{}", shown.range_phrase()).into()
        }
    }

    fn schema(&self) -> Json {
        json!({ "type": "integer", "minimum": self.min().to_json(), "maximum": self.max().to_json() })
    }

    fn type_expr(&self) -> TypeExpr {
        let mut bounds = self.bounds;
        // A term cannot contain the upper bound alone, so the lower bound 0 of the type is added.
        if bounds.max.is_some() && self.type_min == 0 {
            bounds.min = bounds.min.or(Some(0));
        }
        bounds.type_expr(self.type_name, false)
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        let candidates = [self.min(), 0, self.max()];
        keep_valid_values(self, candidates.into_iter().filter_map(whole_number_value).collect())
    }

    fn example(&self) -> Option<Value<'static>> {
        let inside = |number: &i128| self.min() < *number && *number < self.max();
        let preferred = PREFERRED_INTEGERS.into_iter().find(inside);
        let fallback = match self.max() - self.min() {
            distance if distance < MAX_DISTANCE_FOR_MIDDLE_EXAMPLE => self.min() + distance / 2,
            _ if self.min() == self.type_min => self.max() - 1,
            _ => self.min() + 1,
        };
        whole_number_value(preferred.unwrap_or(fallback))
    }
}

#[derive(Debug, Clone)]
pub(super) struct FloatCheck {
    type_name: &'static str,
    pub(super) bounds: Bounds<f64>,
}

/// [`Check::example`] returns the first of these numbers that is between the bounds.
const PREFERRED_FLOATS: [f64; 6] = [1.5, 0.5, 42.0, 10.0, 100.0, -1.5];

pub(super) fn compile_float(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    Ok(Arc::new(FloatCheck::from_arguments("float", arguments)?))
}

impl FloatCheck {
    pub(super) fn from_arguments(name: &'static str, arguments: &TypeArguments<'_>) -> Result<Self, ArgumentError> {
        if arguments.positional.len() > 2 {
            return Err(arguments.error(format!("`{name}` has at most two bounds")));
        }
        let bounds = Bounds::from_arguments(arguments, false)?;
        Ok(Self { type_name: name, bounds })
    }

    /// If the value is a number, the error names the bound that it violates.
    #[cold]
    fn mismatch_error(&self, value: &Value<'_>) -> TypeMismatch {
        let number = match value {
            Value::Int(int) => Some(*int as f64),
            Value::Uint(uint) => Some(*uint as f64),
            Value::Float(float) => Some(*float),
            _ => None,
        };
        let bounds = |float| Violation::of_bounds(Measure::Value, self.bounds.min, self.bounds.max, float);
        TypeMismatch::new(self.expected(), value).with_violation(number.and_then(bounds))
    }
}

impl Check for FloatCheck {
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        decode_number(text)
    }

    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        let is_outside = |bound: Option<f64>, side| {
            bound.is_some_and(|bound| compare_with_bound(value, bound).is_none_or(|order| order == side))
        };
        let is_valid = match value {
            Value::Float(float) => self.bounds.contains(*float),
            Value::Int(_) | Value::Uint(_) => {
                !is_outside(self.bounds.min, Ordering::Less) && !is_outside(self.bounds.max, Ordering::Greater)
            }
            _ => false,
        };
        if !is_valid {
            return Err(self.mismatch_error(value));
        }
        normalize_number(value);
        Ok(())
    }

    fn expected(&self) -> Cow<'static, str> {
        format!("a number{}", self.bounds.range_phrase()).into()
    }

    fn schema(&self) -> Json {
        let mut schema = json!({ "type": "number" });
        self.bounds.insert_keywords(&mut schema, "minimum", "maximum");
        schema
    }

    fn type_expr(&self) -> TypeExpr {
        self.bounds.type_expr(self.type_name, false)
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        let bounds = [self.bounds.min, self.bounds.max].into_iter().flatten();
        let candidates = bounds.chain([0.5, -1.5, 0.0, f64::MIN, f64::MAX]);
        keep_valid_values(self, candidates.map(Value::Float).map(normalized_number).collect())
    }

    fn example(&self) -> Option<Value<'static>> {
        let (min, max) = (self.bounds.min, self.bounds.max);
        let inside = |number: &f64| min.is_none_or(|min| min < *number) && max.is_none_or(|max| *number < max);
        let middle = min.zip(max).map(|(min, max)| min / 2.0 + max / 2.0);
        let candidates = PREFERRED_FLOATS.into_iter().filter(inside).chain(middle);
        first_valid_value(self, candidates.map(Value::Float).map(normalized_number))
    }
}

// Numbers of requests and definitions: parsing from text, exact comparison, and conversion to one canonical form.

/// 2^53, up to which an `f64` represents every whole number exactly.
pub(super) const MAX_EXACT_INTEGER: f64 = 9_007_199_254_740_992.0;

/// From 2^53, only numbers without fraction and exponent are whole numbers, because a float does not represent every
/// whole number exactly.
pub(super) fn to_whole_number(value: &Value<'_>) -> Option<i128> {
    match value {
        Value::Int(int) => Some((*int).into()),
        Value::Uint(uint) => Some((*uint).into()),
        // Different numbers above 2^53 are parsed as the same float, so the number that the request contains is
        // unknown.
        Value::Float(float) if float.abs() >= MAX_EXACT_INTEGER => None,
        Value::Float(float) => float_to_whole_number(*float),
        _ => None,
    }
}

pub(super) fn json_to_whole_number(json: &Json) -> Option<i128> {
    json.as_i64()
        .map(i128::from)
        .or_else(|| json.as_u64().map(i128::from))
        .or_else(|| json.as_f64().and_then(float_to_whole_number))
}

/// The limit up to which floats are converted to `i128`, far above the range of 64 bits.
const MAX_CONVERTED_FLOAT: f64 = 1e30;

fn float_to_whole_number(float: f64) -> Option<i128> {
    // Most floats are small, and conversion to 64 bits is fast.
    if float.abs() < MAX_EXACT_INTEGER {
        let whole = float as i64;
        return (whole as f64 == float).then(|| whole.into());
    }
    (float.fract() == 0.0 && float.abs() < MAX_CONVERTED_FLOAT).then_some(float as i128)
}

/// `None` if the number does not fit into 64 bits.
pub(super) fn whole_number_value(whole: i128) -> Option<Value<'static>> {
    i64::try_from(whole).map(Value::Int).ok().or_else(|| u64::try_from(whole).map(Value::Uint).ok())
}

/// Changes a number to its canonical form: floats that are whole numbers of 64 bits become integers, and -0 becomes 0.
pub(super) fn normalize_number(value: &mut Value<'_>) {
    if let Value::Float(float) = value
        && let Some(whole) = float_to_whole_number(*float).and_then(whole_number_value)
    {
        *value = whole;
    }
}

pub(super) fn normalized_number(mut value: Value<'_>) -> Value<'_> {
    normalize_number(&mut value);
    value
}

/// The comparison is exact. `None` if the value is not a number.
fn compare_with_bound(value: &Value<'_>, bound: f64) -> Option<Ordering> {
    match value {
        Value::Float(float) => float.partial_cmp(&bound),
        other => to_whole_number(other).map(|whole| {
            if bound.abs() >= MAX_CONVERTED_FLOAT {
                0.0_f64.total_cmp(&bound)
            } else {
                whole.cmp(&(bound.trunc() as i128)).then(0.0_f64.partial_cmp(&bound.fract()).unwrap_or(Ordering::Equal))
            }
        }),
    }
}

/// Compares two numbers of any types exactly. Returns `None` if a value is not a number.
#[must_use]
pub fn compare_numbers(one: &Value<'_>, other: &Value<'_>) -> Option<Ordering> {
    match (one, other) {
        (Value::Float(_), Value::Int(_) | Value::Uint(_)) => compare_numbers(other, one).map(Ordering::reverse),
        (_, Value::Float(float)) => compare_with_bound(one, *float),
        _ => Some(to_whole_number(one)?.cmp(&to_whole_number(other)?)),
    }
}

/// Converts a float to a JSON number. A whole number is written without a fraction.
pub(super) fn float_to_json(float: f64) -> Json {
    if float.fract() == 0.0 && float.abs() <= MAX_EXACT_INTEGER { Json::from(float as i64) } else { Json::from(float) }
}

/// Returns `true` if a text is a whole number in the notation `-?(0|[1-9][0-9]*)`.
fn is_whole_number_text(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    match digits {
        [] => false,
        [b'0', more @ ..] => more.is_empty(),
        _ => digits.iter().all(u8::is_ascii_digit),
    }
}

pub(super) fn has_only_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Converts a text to a number if the text is a whole number of 64 bits. Any other text is returned unchanged.
pub(super) fn decode_whole_number(text: Cow<'_, str>) -> Value<'_> {
    if !is_whole_number_text(&text) {
        return Value::Text(text);
    }
    match (text.parse(), text.parse()) {
        (Ok(int), _) => Value::Int(int),
        (Err(_), Ok(uint)) => Value::Uint(uint),
        _ => Value::Text(text),
    }
}

/// An optional sign, decimal point and exponent. `None` if the number is not finite.
pub(super) fn parse_finite_number(text: &str) -> Option<Value<'static>> {
    if let Some(whole) = text.parse().ok().and_then(whole_number_value) {
        return Some(whole);
    }
    let float: f64 = text.parse().ok()?;
    float.is_finite().then(|| normalized_number(Value::Float(float)))
}

pub(super) const MAX_NUMBER_TEXT_LEN: usize = 200;

/// The pattern of an exponent in a JSON string, which has at most two digits unless it is negative.
pub(super) const EXPONENT_PATTERN: &str = "[Ee](?:-[0-9]+|\\+?[0-9]{1,2})";

/// Returns `true` if the number in a JSON string is short enough to be finite. JSON Schema has no keyword for numbers
/// in strings, so the types limit the length and the exponent, which a pattern can do.
pub(super) fn is_short_number_text(text: &str) -> bool {
    let has_small_exponent = |(_, exponent): (&str, &str)| {
        exponent.starts_with('-') || exponent.strip_prefix('+').unwrap_or(exponent).len() <= 2
    };
    text.len() <= MAX_NUMBER_TEXT_LEN && text.split_once(['e', 'E']).is_none_or(has_small_exponent)
}

/// Converts a text to a number if the text is a finite number in the notation of JSON (RFC 8259 section 6). Any other
/// text is returned unchanged.
pub(super) fn decode_number(text: Cow<'_, str>) -> Value<'_> {
    match parse_json_number(&text) {
        Some(number) => normalized_number(Value::from(&Json::Number(number))),
        None => Value::Text(text),
    }
}

/// Parses a finite number in the notation of JSON, without white space around it.
pub(super) fn parse_json_number(text: &str) -> Option<Number> {
    let is_surrounded = text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace);
    if is_surrounded { None } else { serde_json::from_str(text).ok() }
}

/// Returns the alternatives of a pattern, separated by `|`, that together match the numbers from `low` to `high` with
/// leading zeros. Both arguments must have the same number of digits, which is that of the matched numbers.
pub(super) fn fixed_width_alternatives(low: &str, high: &str) -> String {
    let mut alternatives = Vec::new();
    add_alternatives_of_equal_length("", low, high, &mut alternatives);
    alternatives.join("|")
}

/// Returns a pattern for the numbers from `min` to `max`. `plus` and `minus` are patterns before their digits.
pub(super) fn decimal_pattern(min: i128, max: i128, plus: &str, minus: &str) -> String {
    let mut sides = Vec::new();
    if max >= 0 {
        sides.push(format!("{plus}(?:{})", magnitude_alternatives(min.max(0).unsigned_abs(), max.unsigned_abs())));
    }
    if min <= 0 {
        // `-0` is a valid notation of 0, so both branches of the pattern include 0.
        sides.push(format!("{minus}(?:{})", magnitude_alternatives(max.min(0).unsigned_abs(), min.unsigned_abs())));
    }
    format!("^(?:{})$", sides.join("|"))
}

/// Returns the alternatives, separated by `|`, for the numbers from `low` to `high` without leading zeros.
fn magnitude_alternatives(low: u128, high: u128) -> String {
    let mut alternatives = Vec::new();
    let mut low = low;
    loop {
        // These alternatives match the numbers that have as many digits as `low`, up to 99…9.
        let digits = low.to_string();
        let nines = "9".repeat(digits.len());
        let largest = nines.parse::<u128>().unwrap_or(u128::MAX);
        add_alternatives_of_equal_length("", &digits, &largest.min(high).to_string(), &mut alternatives);
        if largest >= high {
            return alternatives.join("|");
        }
        low = largest + 1;
    }
}

/// Adds alternatives for `prefix` and a number from `low` to `high`, which have the same number of digits.
fn add_alternatives_of_equal_length(prefix: &str, low: &str, high: &str, alternatives: &mut Vec<String>) {
    let (Some(first), Some(last)) = (low.chars().next(), high.chars().next()) else {
        alternatives.push(prefix.to_owned());
        return;
    };
    let (low_tail, high_tail) = (&low[1..], &high[1..]);
    let tail_len = low_tail.len();
    if low_tail.chars().all(|c| c == '0') && high_tail.chars().all(|c| c == '9') {
        let any_digits = match tail_len {
            0 => String::new(),
            _ => format!("[0-9]{{{tail_len}}}"),
        };
        let digit = if first == last { first.to_string() } else { format!("[{first}-{last}]") };
        alternatives.push(format!("{prefix}{digit}{any_digits}"));
    } else if first == last {
        add_alternatives_of_equal_length(&format!("{prefix}{first}"), low_tail, high_tail, alternatives);
    } else {
        let (nines, zeros) = ("9".repeat(tail_len), "0".repeat(tail_len));
        add_alternatives_of_equal_length(&format!("{prefix}{first}"), low_tail, &nines, alternatives);
        let mut between = ('0'..='9').filter(|digit| (first..last).contains(digit) && *digit != first);
        if let (Some(second), Some(before)) = (between.clone().next(), between.next_back()) {
            let (low, high) = (format!("{second}{zeros}"), format!("{before}{nines}"));
            add_alternatives_of_equal_length(prefix, &low, &high, alternatives);
        }
        add_alternatives_of_equal_length(&format!("{prefix}{last}"), &zeros, high_tail, alternatives);
    }
}
