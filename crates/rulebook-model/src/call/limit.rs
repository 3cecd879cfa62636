//! A limit that a request exceeds.

use crate::error::ErrorCode;

/// A limit that a request exceeds: one of [`crate::limits`], or the maximum size of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The key below `limits` in `app.json`, or the attribute of the parameter's type.
    pub name: &'static str,
    /// The maximum.
    pub max: u64,
    /// The unit of the maximum.
    pub unit: Unit,
    /// The code of the error.
    pub code: ErrorCode,
}

/// The unit of a [`Limit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Fields of a query or a body.
    Fields,
    /// Parts of a multipart body.
    Parts,
    /// Items of an array, members of an object.
    Items,
    /// Levels of nested arrays and objects.
    Levels,
    /// Seconds.
    Seconds,
}

impl Unit {
    /// The name in responses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Fields => "fields",
            Self::Parts => "parts",
            Self::Items => "items",
            Self::Levels => "levels",
            Self::Seconds => "seconds",
        }
    }
}

impl Limit {
    /// The size of a file, which its parameter limits.
    #[must_use]
    pub const fn file(max: u64) -> Self {
        Self { name: "max", max, unit: Unit::Bytes, code: ErrorCode::TooLarge }
    }
}
