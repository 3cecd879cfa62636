//! The lower and upper bounds that a definition sets for numbers, lengths, counts and sizes.

use std::fmt::Display;

use serde_json::Value as Json;

use super::number;
use super::{ArgumentError, ArgumentErrorKind, TypeArgument, TypeArguments, TypeExpr};
use crate::byte_size;

pub(super) trait BoundValue: Copy + PartialOrd + Display {
    /// A description of the valid bounds, which an error message inserts after the words "is not".
    const DESCRIPTION: &'static str;

    fn from_json(json: &Json) -> Option<Self>;

    fn to_json(self) -> Json;
}

impl BoundValue for u64 {
    const DESCRIPTION: &'static str = "a whole number of at least 0";

    fn from_json(json: &Json) -> Option<Self> {
        number::json_to_whole_number(json).and_then(|whole| whole.try_into().ok())
    }

    fn to_json(self) -> Json {
        self.into()
    }
}

/// The numbers can be signed or unsigned with 64 bits.
impl BoundValue for i128 {
    const DESCRIPTION: &'static str = "a whole number of 64 bits";

    fn from_json(json: &Json) -> Option<Self> {
        number::json_to_whole_number(json).filter(|whole| (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(whole))
    }

    fn to_json(self) -> Json {
        match i64::try_from(self) {
            Ok(int) => int.into(),
            Err(_) => u64::try_from(self).map_or(Json::Null, Json::from),
        }
    }
}

impl BoundValue for f64 {
    const DESCRIPTION: &'static str = "a number";

    fn from_json(json: &Json) -> Option<Self> {
        json.as_f64().filter(|float| float.is_finite())
    }

    fn to_json(self) -> Json {
        number::float_to_json(self)
    }
}

/// An inclusive lower and an inclusive upper bound. `None` means that the bound is not set. `min` is never above `max`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Bounds<T> {
    pub(super) min: Option<T>,
    pub(super) max: Option<T>,
}

impl<T: BoundValue> Bounds<T> {
    /// Reads the bounds from the first two arguments of a term, or from the attributes `min` and `max`. A single
    /// argument is both bounds if `single_argument_is_exact` is `true`.
    pub(super) fn from_arguments(
        arguments: &TypeArguments<'_>,
        single_argument_is_exact: bool,
    ) -> Result<Self, ArgumentError> {
        Self::from_arguments_with(arguments, single_argument_is_exact, T::DESCRIPTION, T::from_json)
    }

    /// `description` describes the bounds in error messages.
    fn from_arguments_with(
        arguments: &TypeArguments<'_>,
        single_argument_is_exact: bool,
        description: &str,
        from_json: fn(&Json) -> Option<T>,
    ) -> Result<Self, ArgumentError> {
        let from_argument = |argument: &TypeArgument| {
            let TypeArgument::Word(word) = argument else {
                return Err(arguments.error(format!("a bound must be {description}, not a type")));
            };
            let bound = serde_json::from_str(word).ok().and_then(|json| from_json(&json));
            bound.ok_or_else(|| arguments.error(format!("`{word}` is not {description}")))
        };
        let from_attribute = |attribute: &str| {
            let error = || arguments.error(format!("`{attribute}` is not {description}")).at(attribute);
            arguments.attributes.get(attribute).map(|json| from_json(json).ok_or_else(error)).transpose()
        };
        let first = arguments.positional.first().map(from_argument).transpose()?;
        let second = arguments.positional.get(1).map(from_argument).transpose()?;
        let (min, max) = (from_attribute("min")?, from_attribute("max")?);
        if let Some(attribute) = first.and(min.map(|_| "min").or(max.map(|_| "max"))) {
            let message = "the bounds are given twice, in parentheses and as attributes";
            let error = ArgumentError::new(ArgumentErrorKind::Bounds, message).at(attribute);
            return Err(error.help(format!("remove `{attribute}`")));
        }
        let (min, max) = match (first, second) {
            (None, _) => (min, max),
            (Some(exact), None) if single_argument_is_exact => (Some(exact), Some(exact)),
            (Some(_), None) => {
                let name = arguments.name;
                return Err(arguments
                    .error(format!("`{name}` needs two bounds"))
                    .help(format!("write `{name}(a,b)`, or use the attribute `min` or `max`")));
            }
            (first, second) => (first, second),
        };
        match (min, max) {
            (Some(low), Some(high)) if low > high => {
                let error = ArgumentError::new(
                    ArgumentErrorKind::Bounds,
                    format!("the lower bound {low} is above the upper bound {high}"),
                );
                Err(if first.is_none() { error.at("min") } else { error })
            }
            _ => Ok(Self { min, max }),
        }
    }

    pub(super) fn is_unbounded(&self) -> bool {
        self.min.is_none() && self.max.is_none()
    }

    pub(super) fn contains(&self, value: T) -> bool {
        self.min.is_none_or(|min| value >= min) && self.max.is_none_or(|max| value <= max)
    }

    /// `min` and `max` are the keywords of the lower and the upper bound.
    pub(super) fn insert_keywords(&self, schema: &mut Json, min: &str, max: &str) {
        for (keyword, bound) in [(min, self.min), (max, self.max)] {
            if let Some(bound) = bound {
                schema[keyword] = bound.to_json();
            }
        }
    }

    /// Returns the notation of the type `name` with these bounds. If both bounds are set, they are arguments of the
    /// term, otherwise attributes. If `merges_equal_bounds` is `true`, two equal bounds become one argument.
    pub(super) fn type_expr(&self, name: &str, merges_equal_bounds: bool) -> TypeExpr {
        match (self.min, self.max) {
            (Some(min), Some(max)) if merges_equal_bounds && min == max => {
                TypeExpr::term(format!("{name}({})", min.to_json()))
            }
            (Some(min), Some(max)) => TypeExpr::term(format!("{name}({},{})", min.to_json(), max.to_json())),
            _ => self.type_expr_with_attributes(name),
        }
    }

    pub(super) fn type_expr_with_attributes(&self, term: impl Into<String>) -> TypeExpr {
        TypeExpr::term(term).with("min", self.min.map(T::to_json)).with("max", self.max.map(T::to_json))
    }

    /// Returns a phrase for the bounds, such as " from 1 to 5", which a message inserts after "a number".
    pub(super) fn range_phrase(&self) -> String {
        range_phrase(self.min.map(T::to_json), self.max.map(T::to_json), "from")
    }
}

/// `before` precedes two bounds.
pub(super) fn range_phrase<T: Display>(min: Option<T>, max: Option<T>, before: &str) -> String {
    match (min, max) {
        (None, None) => String::new(),
        (Some(min), None) => format!(" of at least {min}"),
        (None, Some(max)) => format!(" of at most {max}"),
        (Some(min), Some(max)) => format!(" {before} {min} to {max}"),
    }
}

impl Bounds<u64> {
    /// Reads the bounds of a size in bytes, which can have units, from the attributes `min` and `max`.
    pub(super) fn of_byte_size(arguments: &TypeArguments<'_>) -> Result<Self, ArgumentError> {
        let from_json = |json: &Json| u64::from_json(json).or_else(|| byte_size::from_json_text(json));
        Self::from_arguments_with(arguments, false, byte_size::DESCRIPTION, from_json)
    }

    /// Fails if the upper bound is 0.
    pub(super) fn with_default_min_one(self) -> Result<Self, ArgumentError> {
        match self {
            Self { min: None, max: Some(0) } => {
                let message = "the lower bound 1 is above the upper bound 0";
                let error = ArgumentError::new(ArgumentErrorKind::Bounds, message).at("max");
                Err(error.help("add `\"min\": 0`, or raise `max`"))
            }
            Self { min, max } => Ok(Self { min: min.or(Some(1)), max }),
        }
    }

    /// Returns a phrase such as " of 2 to 5 characters". `unit` is the singular of what is counted.
    pub(super) fn count_phrase(&self, unit: &str) -> String {
        let units = |count: u64| format!("{count} {unit}{}", if count == 1 { "" } else { "s" });
        self.count_in_words(units).map(|count| format!(" of {count}")).unwrap_or_default()
    }

    /// Returns a phrase for the bounds of a count, such as "2 to 5 letters". `units` is the plural of what is counted.
    pub(super) fn count_of(&self, units: &str) -> String {
        self.count_in_words(|count| format!("{count} {units}")).unwrap_or_else(|| units.to_owned())
    }

    /// `units` returns a number with what is counted.
    fn count_in_words(&self, units: impl Fn(u64) -> String) -> Option<String> {
        Some(match (self.min, self.max) {
            (None, None) => return None,
            (Some(min), None) => format!("at least {}", units(min)),
            (None, Some(max)) => format!("at most {}", units(max)),
            (Some(min), Some(max)) if min == max => units(min),
            (Some(min), Some(max)) => format!("{min} to {}", units(max)),
        })
    }

    /// Returns a phrase for a size in bytes, such as " of at most 5 MiB", which documents insert after a noun.
    pub(super) fn size_phrase(&self) -> String {
        range_phrase(self.min.map(byte_size_text), self.max.map(byte_size_text), "of")
    }

    pub(super) fn contains_count(&self, count: usize) -> bool {
        self.contains(count as u64)
    }

    /// Returns `true` if the number of characters of a text is within the bounds. The characters of most texts are not
    /// counted, because a character has one to four bytes.
    pub(super) fn contains_length(&self, text: &str) -> bool {
        let bytes = text.len() as u64;
        let is_long_enough = self.min.is_none_or(|min| min <= bytes.div_ceil(4));
        let is_short_enough = self.max.is_none_or(|max| bytes <= max);
        (is_long_enough && is_short_enough) || self.contains_count(text.chars().count())
    }
}

/// Returns a number of bytes in the largest unit (IEC 80000-13) that divides it.
fn byte_size_text(bytes: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(size, _)| bytes >= *size && bytes.is_multiple_of(*size)) {
        Some((size, unit)) => format!("{} {unit}", bytes / size),
        None => format!("{bytes} byte{}", if bytes == 1 { "" } else { "s" }),
    }
}
