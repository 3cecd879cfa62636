//! The limits of requests, by name.

/// A limit that was passed: its key in `limits` and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Its key in `app.json`, or the attribute of the parameter's type.
    pub name: &'static str,
    /// The most that is taken.
    pub max: u64,
    /// Of what.
    pub unit: Unit,
}

/// What a limit counts.
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
    /// Arrays and objects inside of each other.
    Levels,
}

impl Unit {
    /// Its name in answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Fields => "fields",
            Self::Parts => "parts",
            Self::Items => "items",
            Self::Levels => "levels",
        }
    }
}

impl Limit {
    /// All header fields together.
    #[must_use]
    pub const fn head(max: u64) -> Self {
        Self { name: "head", max, unit: Unit::Bytes }
    }

    /// The request target.
    #[must_use]
    pub const fn uri(max: u64) -> Self {
        Self { name: "uri", max, unit: Unit::Bytes }
    }

    /// A body that is no multipart one.
    #[must_use]
    pub const fn body(max: u64) -> Self {
        Self { name: "body", max, unit: Unit::Bytes }
    }

    /// A multipart body.
    #[must_use]
    pub const fn multipart(max: u64) -> Self {
        Self { name: "multipart", max, unit: Unit::Bytes }
    }

    /// The beginning of a body that may name a method.
    #[must_use]
    pub const fn dispatch(max: u64) -> Self {
        Self { name: "dispatch", max, unit: Unit::Bytes }
    }

    /// One part of it.
    #[must_use]
    pub const fn part(max: u64) -> Self {
        Self { name: "part", max, unit: Unit::Bytes }
    }

    /// A file, by what its parameter says.
    #[must_use]
    pub const fn file(max: u64) -> Self {
        Self { name: "max", max, unit: Unit::Bytes }
    }

    /// Parts of it.
    #[must_use]
    pub const fn parts(max: u64) -> Self {
        Self { name: "parts", max, unit: Unit::Parts }
    }

    /// Fields of a query or a body.
    #[must_use]
    pub const fn fields(max: u64) -> Self {
        Self { name: "fields", max, unit: Unit::Fields }
    }

    /// Arrays and objects inside of each other.
    #[must_use]
    pub const fn nesting(max: u64) -> Self {
        Self { name: "nesting", max, unit: Unit::Levels }
    }

    /// Items of one array, or values of one field.
    #[must_use]
    pub const fn items(max: u64) -> Self {
        Self { name: "items", max, unit: Unit::Items }
    }
}
