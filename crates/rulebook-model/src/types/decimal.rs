//! The type `decimal`: numbers with a fixed number of digits after the decimal point. In JSON they are strings, because
//! a number of JSON is read as a floating-point number, which does not have all digits.
//!
//! The pattern in the JSON Schema describes the digits, and a lower bound of 0. It accepts numbers beyond other bounds,
//! because a pattern cannot compare numbers. The description in the schema names the bounds.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::bounds::{Bounds, range_phrase};
use super::{
    ArgumentError, ArgumentErrorKind, Check, TypeArgument, TypeArguments, TypeExpr, first_valid_value,
    keep_valid_values,
};
use crate::call::{Measure, Measured, TypeMismatch, Value, Violation};

/// The maximum number of digits: a number of 128 bits has all of them.
const MAX_PRECISION: u32 = 38;

/// [`Check::example`] returns the first valid one.
const PREFERRED_EXAMPLES: [&str; 6] = ["12.5", "1.5", "0.5", "12", "1", "0"];

/// The check of `decimal(p,s)`. Its numbers are counted in units of the last digit: 12.50 has 1250 units.
#[derive(Debug)]
struct DecimalCheck {
    /// The maximum number of digits.
    precision: u32,
    /// The number of digits after the point.
    scale: u32,
    /// The smallest and the largest number of units.
    bounds: Bounds<i128>,
}

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    let digits = match arguments.positional {
        [TypeArgument::Word(precision), TypeArgument::Word(scale)] => precision.parse().ok().zip(scale.parse().ok()),
        _ => None,
    };
    let is_valid = |(precision, scale): &(u32, u32)| (1..=MAX_PRECISION).contains(precision) && scale <= precision;
    let Some((precision, scale)) = digits.filter(is_valid) else {
        let message = format!(
            "`decimal` requires the number of its digits, from 1 to {MAX_PRECISION}, and how many of them are after the point"
        );
        return Err(arguments.error(message).help("write `decimal(10,2)` for numbers up to 99999999.99"));
    };
    let mut check = DecimalCheck { precision, scale, bounds: Bounds::default() };
    let bounds = Bounds { min: check.bound(arguments, "min")?, max: check.bound(arguments, "max")? };
    if let (Some(min), Some(max)) = (bounds.min, bounds.max)
        && min > max
    {
        let (min, max) = (check.text(min), check.text(max));
        let message = format!("the lower bound {min} is above the upper bound {max}");
        return Err(ArgumentError::new(ArgumentErrorKind::Bounds, message).at("min"));
    }
    check.bounds = bounds;
    Ok(Arc::new(check))
}

impl DecimalCheck {
    /// Reads a bound from an attribute, which is a number or its text.
    fn bound(&self, arguments: &TypeArguments<'_>, attribute: &str) -> Result<Option<i128>, ArgumentError> {
        let Some(json) = arguments.attributes.get(attribute) else { return Ok(None) };
        let units = match json {
            Json::String(text) => self.units(text),
            Json::Number(number) => self.units(&number.to_string()),
            _ => None,
        };
        let error = || arguments.error(format!("`{attribute}` is not {}", self.expected())).at(attribute);
        units.map(Some).ok_or_else(error)
    }

    /// Returns the maximum number of digits before the point. If it is 0, numbers begin with `0.`.
    fn whole_digits(&self) -> usize {
        (self.precision - self.scale) as usize
    }

    /// Returns `true` if the lower bound excludes all negative numbers. Then no number has a sign, not even 0.
    fn is_unsigned(&self) -> bool {
        self.bounds.min.is_some_and(|min| min >= 0)
    }

    /// Parses the notation of JSON without an exponent. `None` for other texts, and if there are too many digits.
    fn units(&self, text: &str) -> Option<i128> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let is_whole_valid = match whole.as_bytes() {
            [b'0'] => true,
            [b'1'..=b'9', ..] => whole.len() <= self.whole_digits(),
            _ => false,
        };
        let mut all = whole.bytes().chain(fraction.bytes());
        if !is_whole_valid || digits.ends_with('.') || !all.clone().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let missing = (self.scale as usize).checked_sub(fraction.len())?;
        let units = all.try_fold(0_i128, |units, byte| units.checked_mul(10)?.checked_add((byte - b'0').into()))?;
        let units = units.checked_mul(10_i128.checked_pow(missing as u32)?)?;
        Some(if text.starts_with('-') { -units } else { units })
    }

    /// Returns a number with all digits after the point.
    fn text(&self, units: i128) -> String {
        let scale = self.scale as usize;
        let mut text = format!("{:0>width$}", units.unsigned_abs(), width = scale + 1);
        if scale > 0 {
            text.insert(text.len() - scale, '.');
        }
        if units < 0 { format!("-{text}") } else { text }
    }

    fn value(&self, units: i128) -> Value<'static> {
        Value::Text(Cow::Owned(self.text(units)))
    }

    #[cold]
    fn mismatch_error(&self, value: &Value<'_>) -> TypeMismatch {
        let units = if let Value::Text(text) = value { self.units(text) } else { None };
        let violation = units.and_then(|units| {
            let measured = |bound| Measured { measure: Measure::Value, bound: self.text(bound), got: self.text(units) };
            match self.bounds {
                Bounds { min: Some(min), .. } if units < min => Some(Violation::BelowMin(measured(min))),
                Bounds { max: Some(max), .. } if units > max => Some(Violation::AboveMax(measured(max))),
                _ => None,
            }
        });
        TypeMismatch::new(self.expected(), value).with_violation(violation)
    }
}

/// Returns the parts of a valid number by which positive numbers are ordered, after its sign: the number of digits
/// before the point, these digits, and those after the point.
fn parts(text: &str) -> Option<(bool, usize, &str, &str)> {
    let digits = text.strip_prefix('-');
    let (whole, fraction) = digits.unwrap_or(text).split_once('.').unwrap_or((digits.unwrap_or(text), ""));
    let is_number = !whole.is_empty() && whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    is_number.then(|| (digits.is_some(), whole.len(), whole, fraction.trim_end_matches('0')))
}

impl Check for DecimalCheck {
    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        let units = match value {
            Value::Text(text) if !(self.is_unsigned() && text.starts_with('-')) => self.units(text),
            _ => None,
        };
        let (Value::Text(text), Some(units)) = (&mut *value, units.filter(|units| self.bounds.contains(*units))) else {
            return Err(self.mismatch_error(value));
        };
        let fraction = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        if fraction != self.scale as usize || (units == 0 && text.starts_with('-')) {
            *text = Cow::Owned(self.text(units));
        }
        Ok(())
    }

    fn expected(&self) -> Cow<'static, str> {
        let Bounds { min, max } = self.bounds;
        let range = range_phrase(min.map(|min| self.text(min)), max.map(|max| self.text(max)), "from");
        let count = |digits: usize| format!("{digits} digit{}", if digits == 1 { "" } else { "s" });
        match (self.whole_digits(), self.scale) {
            (whole, 0) => format!("a string with a whole number{range}, which has at most {}", count(whole)),
            (0, scale) => format!("a string with a decimal number{range}, which has at most {scale} digits after `0.`"),
            (whole, scale) => format!(
                "a string with a decimal number{range}, which has at most {} before the point and {scale} after it",
                count(whole)
            ),
        }
        .into()
    }

    fn schema(&self) -> Json {
        let sign = if self.is_unsigned() { "" } else { "-?" };
        let whole = match self.whole_digits() {
            0 => "0".to_owned(),
            1 => "[0-9]".to_owned(),
            digits => format!("(?:0|[1-9][0-9]{{0,{}}})", digits - 1),
        };
        let fraction = match self.scale {
            0 => String::new(),
            scale => format!(r"(?:\.[0-9]{{1,{scale}}})?"),
        };
        let pattern = format!("^{sign}{whole}{fraction}$");
        let mut schema = json!({ "type": "string", "format": "decimal", "pattern": pattern });
        if !self.has_exact_schema() {
            schema["description"] = json!(self.expected().replacen('a', "A", 1));
        }
        schema
    }

    fn has_exact_schema(&self) -> bool {
        matches!(self.bounds, Bounds { min: None | Some(0), max: None })
    }

    fn type_expr(&self) -> TypeExpr {
        let text = |bound: Option<i128>| bound.map(|units| self.text(units));
        let term = format!("decimal({},{})", self.precision, self.scale);
        TypeExpr::term(term).with("min", text(self.bounds.min)).with("max", text(self.bounds.max))
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        let largest = 10_i128.pow(self.precision) - 1;
        let bounds = [self.bounds.min, self.bounds.max].into_iter().flatten();
        keep_valid_values(self, bounds.chain([-largest, 0, largest]).map(|units| self.value(units)).collect())
    }

    fn compare(&self, one: &Value<'_>, other: &Value<'_>) -> Option<Ordering> {
        let (Value::Text(one), Value::Text(other)) = (one, other) else { return None };
        // The other number can have another type, with other digits.
        let (one, other) = (parts(one)?, parts(other)?);
        Some(match (one.0, other.0) {
            (false, false) => one.cmp(&other),
            (true, true) => other.cmp(&one),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        })
    }

    fn example(&self) -> Option<Value<'static>> {
        let preferred = PREFERRED_EXAMPLES.into_iter().filter_map(|text| self.units(text));
        first_valid_value(self, preferred.map(|units| self.value(units)))
    }
}
