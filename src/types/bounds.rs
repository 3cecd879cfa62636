//! A lower and an upper bound: of numbers, lengths, counts and sizes.

use std::fmt::Display;

use serde_json::{Map, Value as Json};

use super::number;
use super::{Argument, ArgumentError, ArgumentErrorKind, Arguments, Written};

/// What can be a bound.
pub(super) trait Bound: Copy + PartialOrd + Display {
    /// What one is, to be read behind "is not".
    const KIND: &'static str;

    /// Reads a bound as the definition has it.
    fn read(json: &Json) -> Option<Self>;

    /// The bound as a definition and a schema have it.
    fn json(self) -> Json;
}

/// Lengths, counts and sizes.
impl Bound for u64 {
    const KIND: &'static str = "a whole number from 0 on";

    fn read(json: &Json) -> Option<Self> {
        number::whole_json(json).and_then(|whole| whole.try_into().ok())
    }

    fn json(self) -> Json {
        self.into()
    }
}

/// Whole numbers of 64 bits, signed or not.
impl Bound for i128 {
    const KIND: &'static str = "a whole number of 64 bits";

    fn read(json: &Json) -> Option<Self> {
        number::whole_json(json).filter(|whole| (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(whole))
    }

    fn json(self) -> Json {
        match i64::try_from(self) {
            Ok(int) => int.into(),
            Err(_) => u64::try_from(self).map_or(Json::Null, Json::from),
        }
    }
}

/// Numbers.
impl Bound for f64 {
    const KIND: &'static str = "a number";

    fn read(json: &Json) -> Option<Self> {
        json.as_f64().filter(|float| float.is_finite())
    }

    fn json(self) -> Json {
        number::float_json(self)
    }
}

/// A lower and an upper bound, both of them allowed values; the lower is not above the upper.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Bounds<T> {
    pub(super) min: Option<T>,
    pub(super) max: Option<T>,
}

impl<T: Bound> Bounds<T> {
    /// Reads the bounds from the first two arguments of a term or from `min` and `max`.
    ///
    /// A single argument stands for both bounds where `single` allows it.
    pub(super) fn read(arguments: &Arguments<'_>, single: bool) -> Result<Self, ArgumentError> {
        let mut words = arguments.terms.iter().take(2).map(|argument| read_word(arguments, argument));
        let first = words.next().transpose()?;
        let second = words.next().transpose()?;
        let min = read_attribute(arguments, "min")?;
        let max = read_attribute(arguments, "max")?;
        if let Some(twice) = first.and(min.map(|_| "min").or(max.map(|_| "max"))) {
            return Err(arguments
                .bad("the bounds are written twice, in the term and beside it")
                .at(twice)
                .help(format!("leave `{twice}` out")));
        }
        let (min, max) = match (first, second) {
            (None, _) => (min, max),
            (Some(both), None) if single => (Some(both), Some(both)),
            (Some(_), None) => {
                let name = arguments.name;
                return Err(arguments
                    .bad(format!("`{name}` takes two bounds"))
                    .help(format!("write `{name}(a,b)`, or `min` or `max` beside it")));
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

    /// Whether no bound is set.
    pub(super) fn is_open(&self) -> bool {
        self.min.is_none() && self.max.is_none()
    }

    pub(super) fn contains(&self, value: T) -> bool {
        self.min.is_none_or(|min| value >= min) && self.max.is_none_or(|max| value <= max)
    }

    /// Adds the bounds to a schema, under the keywords that its type has for them.
    pub(super) fn describe(&self, schema: &mut Map<String, Json>, min: &str, max: &str) {
        let bounds = [(min, self.min), (max, self.max)];
        for (keyword, bound) in bounds {
            if let Some(bound) = bound {
                schema.insert(keyword.to_owned(), bound.json());
            }
        }
    }

    /// Writes the bounds behind a name: as arguments where there are both, else as attributes.
    pub(super) fn write(&self, name: &str, single: bool) -> Written {
        match (self.min, self.max) {
            (Some(min), Some(max)) if single && min == max => Written::term(format!("{name}({})", min.json())),
            (Some(min), Some(max)) => Written::term(format!("{name}({},{})", min.json(), max.json())),
            _ => self.attributes(name),
        }
    }

    /// Writes the bounds as attributes beside a term.
    pub(super) fn attributes(&self, term: impl Into<String>) -> Written {
        let mut written = Written::term(term);
        self.describe(&mut written.attributes, "min", "max");
        written
    }

    /// The bounds of a number in words, to be read behind it: " from 1 to 5".
    pub(super) fn range(&self) -> String {
        match (self.min.map(T::json), self.max.map(T::json)) {
            (None, None) => String::new(),
            (Some(min), None) => format!(" of at least {min}"),
            (None, Some(max)) => format!(" of at most {max}"),
            (Some(min), Some(max)) => format!(" from {min} to {max}"),
        }
    }
}

impl Bounds<u64> {
    /// The bounds of what holds one at least, unless the lower one says otherwise.
    pub(super) fn filled(self) -> Result<Self, ArgumentError> {
        match self {
            Self { min: None, max: Some(0) } => {
                let message = "the lower bound 1 is above the upper bound 0";
                let error = ArgumentError::new(ArgumentErrorKind::Bounds, message).at("max");
                Err(error.help("add `\"min\": 0`, or raise `max`"))
            }
            Self { min, max } => Ok(Self { min: min.or(Some(1)), max }),
        }
    }

    /// The bounds of a count in words, to be read behind what is counted: " of 2 to 5 characters".
    pub(super) fn count(&self, unit: &str) -> String {
        let units = |count: u64| format!("{count} {unit}{}", if count == 1 { "" } else { "s" });
        match (self.min, self.max) {
            (None, None) => String::new(),
            (Some(min), None) => format!(" of at least {}", units(min)),
            (None, Some(max)) => format!(" of at most {}", units(max)),
            (Some(min), Some(max)) if min == max => format!(" of {}", units(min)),
            (Some(min), Some(max)) => format!(" of {min} to {}", units(max)),
        }
    }

    /// [`Self::contains`] of a count of this machine.
    pub(super) fn holds(&self, count: usize) -> bool {
        self.contains(count as u64)
    }
}

fn read_word<T: Bound>(arguments: &Arguments<'_>, argument: &Argument) -> Result<T, ArgumentError> {
    let Argument::Word(word) = argument else {
        return Err(arguments.bad(format!("a bound is {}, not a type", T::KIND)));
    };
    serde_json::from_str(word)
        .ok()
        .and_then(|json| T::read(&json))
        .ok_or_else(|| arguments.bad(format!("`{word}` is not {}", T::KIND)))
}

fn read_attribute<T: Bound>(arguments: &Arguments<'_>, attribute: &str) -> Result<Option<T>, ArgumentError> {
    arguments
        .attributes
        .get(attribute)
        .map(|json| {
            T::read(json).ok_or_else(|| arguments.bad(format!("`{attribute}` is not {}", T::KIND)).at(attribute))
        })
        .transpose()
}
