//! The one rule of a type that a value breaks, as data.

use std::fmt::Display;

use super::Objection;

/// Which rule a value breaks that is otherwise of its type. Words that tell all of the type need no more than
/// `expected`; those that tell one rule are made of this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broken {
    /// It is less than it may be.
    Least(Measured),
    /// It is more than it may be.
    Most(Measured),
    /// It is none of these words.
    Words {
        /// The words, with `/` between them.
        words: String,
        /// What came, shortened.
        got: String,
    },
    /// The file's name does not end in any of these.
    Extensions(String),
    /// The text is no JSON of the kind that is wanted.
    Json,
    /// The text does not match the pattern.
    Pattern,
    /// A function or type of the program objects, in words of its own, which are all that the client is told.
    Own(Objection),
}

/// What was measured of a value, and the bound that it passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// What was measured.
    pub of: Measure,
    /// The bound.
    pub bound: String,
    /// What came.
    pub got: String,
}

/// What can be measured of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// The value itself: a number, a point in time.
    Value,
    /// The characters of a text.
    Length,
    /// The items of an array.
    Count,
    /// The bytes of a file.
    Size,
}

impl Broken {
    /// Which of two bounds a measure passes; none where it is within both.
    pub fn bounds<T: Copy + PartialOrd + Display>(of: Measure, min: Option<T>, max: Option<T>, got: T) -> Option<Self> {
        let measured = |bound: T| Measured { of, bound: bound.to_string(), got: got.to_string() };
        match (min, max) {
            (Some(min), _) if got < min => Some(Self::Least(measured(min))),
            (_, Some(max)) if got > max => Some(Self::Most(measured(max))),
            _ => None,
        }
    }

    /// Whether the value itself is told, and not only how much of it there is.
    #[must_use]
    pub fn tells_value(&self) -> bool {
        match self {
            Self::Least(measured) | Self::Most(measured) => measured.of == Measure::Value,
            Self::Words { .. } => true,
            Self::Extensions(_) | Self::Json | Self::Pattern | Self::Own(_) => false,
        }
    }
}
