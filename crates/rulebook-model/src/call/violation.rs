//! The rule of a type that a value violates, as data.

use std::fmt::Display;

use super::CustomError;

/// The rule that a value violates, such as a bound, a list of allowed values or a pattern.
///
/// Most error messages describe the whole type, with the `expected` text of the mismatch. Catalogues that have a
/// message for each rule insert this data into it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// The value is below its minimum.
    BelowMin(Measured),
    /// The value is above its maximum.
    AboveMax(Measured),
    /// The value is not in the list of allowed values.
    NotAllowed {
        /// The allowed values, separated by `/`.
        allowed: String,
        /// The rejected value, shortened.
        got: String,
    },
    /// The extension of the file name is not in the list of allowed extensions, which is given as a JSON array.
    FileExtension(String),
    /// The text is not JSON of the expected kind.
    Json,
    /// The text does not match the pattern.
    Pattern,
    /// A function or type of the program rejects the value. The client receives the message of this error.
    Custom(CustomError),
}

/// A measured value, and the bound that it violates.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Measured {
    /// The measured quantity.
    pub measure: Measure,
    /// The violated bound.
    pub bound: String,
    /// The measured value.
    pub got: String,
}

/// A quantity of a value that can have bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Measure {
    /// The value itself: a number or a point in time.
    Value,
    /// The length of a text in characters.
    Length,
    /// The number of items of an array.
    Count,
    /// The size of a file in bytes.
    Size,
}

impl Violation {
    /// Compares a measured value with its bounds. Returns `None` if neither is violated.
    pub fn of_bounds<T: Copy + PartialOrd + Display>(
        measure: Measure,
        min: Option<T>,
        max: Option<T>,
        got: T,
    ) -> Option<Self> {
        let measured = |bound: T| Measured { measure, bound: bound.to_string(), got: got.to_string() };
        match (min, max) {
            (Some(min), _) if got < min => Some(Self::BelowMin(measured(min))),
            (_, Some(max)) if got > max => Some(Self::AboveMax(measured(max))),
            _ => None,
        }
    }

    /// Returns `true` if the data contains the value itself, not only its length, count or size.
    #[must_use]
    pub fn reveals_value(&self) -> bool {
        match self {
            Self::BelowMin(measured) | Self::AboveMax(measured) => measured.measure == Measure::Value,
            Self::NotAllowed { .. } => true,
            Self::FileExtension(_) | Self::Json | Self::Pattern | Self::Custom(_) => false,
        }
    }
}
