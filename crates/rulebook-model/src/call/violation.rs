//! The rule of a type that a value violates, as data for error messages, and the error of a program's own rule.

use std::fmt::Display;

use thiserror::Error;

/// The rule of a type that a value violates, such as a bound, a list of allowed values or a pattern.
///
/// Most error messages describe all values that the type accepts, with the text `expected` of the
/// [`TypeMismatch`](super::TypeMismatch). A catalogue can also have a message for each rule, into which this data is
/// inserted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// The value, or its length, count or size, is below the minimum.
    BelowMin(Measured),
    /// The value, or its length, count or size, is above the maximum.
    AboveMax(Measured),
    /// The value is not in the list of allowed values.
    NotAllowed {
        /// The allowed values, separated by `/`.
        allowed: String,
        /// The rejected value, shortened to 100 characters.
        got: String,
    },
    /// The request contains no file for the parameter.
    MissingFile,
    /// The extension of the file name is not an allowed extension. The text lists the allowed extensions as a JSON
    /// array.
    FileExtension(String),
    /// The text is not JSON, or is JSON of another kind than expected.
    Json,
    /// The text does not match the regular expression of the type.
    Pattern,
    /// A function or type of the program rejects the value. The client receives the message of this error.
    Custom(CustomError),
}

/// A quantity that was measured of a value, and the bound that it violates.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Measured {
    /// The measured quantity.
    pub measure: Measure,
    /// The violated bound.
    pub bound: String,
    /// The number or time that was measured.
    pub got: String,
}

/// A quantity of a value that can have bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Measure {
    /// The value itself, which is a number or a point in time.
    Value,
    /// The length of a text in characters.
    Length,
    /// The number of items of an array.
    Count,
    /// The size of a file in bytes.
    Size,
}

impl Measure {
    /// Returns the first word of the keys of messages about the quantity.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Length => "length",
            Self::Count => "count",
            Self::Size => "size",
        }
    }
}

impl Violation {
    /// Returns the violation if `got` is below `min` or above `max`, or `None` if it is within these bounds.
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

    /// Returns `true` if the data of this violation contains the rejected value itself, not only its length, count or
    /// size.
    #[must_use]
    pub fn reveals_value(&self) -> bool {
        match self {
            Self::BelowMin(measured) | Self::AboveMax(measured) => measured.measure == Measure::Value,
            Self::NotAllowed { .. } => true,
            Self::MissingFile | Self::FileExtension(_) | Self::Json | Self::Pattern | Self::Custom(_) => false,
        }
    }
}

/// The maximum error code for the `phalapi` envelope (see [`CustomError::with_phalapi_code`]).
const MAX_PHALAPI_CODE: u8 = 99;

/// The error with which a function or type of the program rejects a value: a message for the client, and an optional
/// code.
///
/// ```
/// # use rulebook_model as rulebook;
/// use rulebook::CustomError;
///
/// let plain: CustomError = "Illegal version".into();
/// let numbered = CustomError::new("Illegal version").with_phalapi_code(1);
/// assert_ne!(plain, numbered);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct CustomError {
    message: String,
    phalapi_code: u8,
}

impl CustomError {
    /// Creates an error without a code, with this message for the client.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), phalapi_code: 0 }
    }

    /// Sets a code from 0 to 99; a higher code is ignored. If a response in the `phalapi` envelope reports this error,
    /// its member `ret` is 400 plus the code. Other envelopes do not show the code.
    #[must_use]
    pub fn with_phalapi_code(mut self, code: u8) -> Self {
        self.phalapi_code = if code <= MAX_PHALAPI_CODE { code } else { 0 };
        self
    }

    /// Returns the message for the client.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the code for the `phalapi` envelope, from 0 to 99. It is 0 if none was set.
    #[must_use]
    pub fn phalapi_code(&self) -> u8 {
        self.phalapi_code
    }
}

impl From<&str> for CustomError {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}

impl From<String> for CustomError {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}
