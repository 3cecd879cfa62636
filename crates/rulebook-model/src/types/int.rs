//! The types `int`, `uint` and `id`: whole numbers. Each type has a different range.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::bounds::{BoundValue, Bounds};
use super::check::keep_valid_values;
use super::{ArgumentError, Check, TypeArguments, TypeExpr, number};
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

/// The preferred examples. [`Check::example`] returns the first of these numbers that is strictly between the bounds.
const PREFERRED_EXAMPLES: [i128; 12] = [1, 42, 10, 5, 3, 2, 100, 1000, -1, -10, -42, -100];

/// The maximum distance between bounds of which the middle is the example. With others, it is next to a bound.
const MAX_DISTANCE_FOR_MIDDLE_EXAMPLE: i128 = 1_000_000;

pub(super) fn compile(
    name: &'static str,
    range: (i128, i128),
    arguments: &TypeArguments<'_>,
) -> Result<Arc<dyn Check>, ArgumentError> {
    Ok(Arc::new(IntCheck::from_arguments(name, range, arguments)?))
}

impl IntCheck {
    /// Creates the check of the type `name`, whose numbers are in the given range and in the bounds of the definition.
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

    /// Returns the error for an invalid value. `whole` is the value, if it is a whole number.
    pub(super) fn mismatch_error(&self, value: &Value<'_>, whole: Option<i128>) -> TypeMismatch {
        let bounds = |whole| Violation::of_bounds(Measure::Value, Some(self.min()), Some(self.max()), whole);
        TypeMismatch::new(self.expected(), value).with_violation(whole.and_then(bounds))
    }

    pub(super) fn to_valid_value(&self, whole: i128) -> Option<Value<'static>> {
        (self.min()..=self.max()).contains(&whole).then(|| number::whole_number_value(whole)).flatten()
    }
}

impl Check for IntCheck {
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        number::decode_whole_number(text)
    }

    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        if let Value::Int(int) = value
            && (self.min()..=self.max()).contains(&i128::from(*int))
        {
            return Ok(());
        }
        let whole = number::to_whole_number(value);
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
        keep_valid_values(self, candidates.into_iter().filter_map(number::whole_number_value).collect())
    }

    fn example(&self) -> Option<Value<'static>> {
        let inside = |number: &i128| self.min() < *number && *number < self.max();
        let preferred = PREFERRED_EXAMPLES.into_iter().find(inside);
        let fallback = match self.max() - self.min() {
            distance if distance < MAX_DISTANCE_FOR_MIDDLE_EXAMPLE => self.min() + distance / 2,
            _ if self.min() == self.type_min => self.max() - 1,
            _ => self.min() + 1,
        };
        number::whole_number_value(preferred.unwrap_or(fallback))
    }
}
