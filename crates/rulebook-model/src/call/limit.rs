//! The limit that a request exceeds, as error responses report it.

use crate::error::ErrorCode;

/// A limit that a request exceeds: one of the limits in [`crate::limits`], or the maximum size of a file parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The name of the limit: its key below `limits` in `app.json`, or the attribute of the parameter's type.
    pub name: &'static str,
    /// The maximum that the request exceeds, in the unit `unit`.
    pub max: u64,
    /// The unit of the maximum.
    pub unit: Unit,
    /// The error code of a response to a request that exceeds the limit.
    pub code: ErrorCode,
}

/// The unit of a [`Limit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Fields of a query or of a body.
    Fields,
    /// Parts of a multipart body.
    Parts,
    /// Items of an array, or members of an object.
    Items,
    /// Levels of nested arrays and objects.
    Levels,
    /// Seconds.
    Seconds,
}

impl Unit {
    /// Returns the name of the unit in responses.
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
    /// Returns the limit of `max` bytes that the type of a file parameter sets.
    #[must_use]
    pub const fn file(max: u64) -> Self {
        Self { name: Self::FILE_LIMIT, max, unit: Unit::Bytes, code: ErrorCode::TooLarge }
    }

    /// The name of the limit that the type of a file parameter sets.
    const FILE_LIMIT: &str = "max";

    /// Returns `true` if the type of a file parameter sets the limit.
    #[must_use]
    pub fn is_of_file(self) -> bool {
        self.name == Self::FILE_LIMIT
    }
}
