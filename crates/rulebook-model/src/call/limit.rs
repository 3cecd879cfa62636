//! Limits of requests: what is limited, by how much, in which unit.

/// A limit that a request exceeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The key below `limits` in `app.json`, or the attribute of the parameter's type.
    pub name: &'static str,
    /// The maximum.
    pub max: u64,
    /// The unit of the maximum.
    pub unit: Unit,
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
        }
    }
}

impl Limit {
    /// The name of [`Limit::head`].
    pub const HEAD: &'static str = "head";
    /// The name of [`Limit::uri`].
    pub const URI: &'static str = "uri";

    /// The size of all header fields together.
    #[must_use]
    pub const fn head(max: u64) -> Self {
        Self { name: Self::HEAD, max, unit: Unit::Bytes }
    }

    /// The length of the request target.
    #[must_use]
    pub const fn uri(max: u64) -> Self {
        Self { name: Self::URI, max, unit: Unit::Bytes }
    }

    /// The size of a body, except for multipart bodies.
    #[must_use]
    pub const fn body(max: u64) -> Self {
        Self { name: "body", max, unit: Unit::Bytes }
    }

    /// The size of a multipart body.
    #[must_use]
    pub const fn multipart(max: u64) -> Self {
        Self { name: "multipart", max, unit: Unit::Bytes }
    }

    /// The size of the prefix of a body in which the names of a module and a method are looked for.
    #[must_use]
    pub const fn dispatch(max: u64) -> Self {
        Self { name: "dispatch", max, unit: Unit::Bytes }
    }

    /// The size of one part of a multipart body.
    #[must_use]
    pub const fn part(max: u64) -> Self {
        Self { name: "part", max, unit: Unit::Bytes }
    }

    /// The size of a file, which its parameter limits.
    #[must_use]
    pub const fn file(max: u64) -> Self {
        Self { name: "max", max, unit: Unit::Bytes }
    }

    /// The number of parts of a multipart body.
    #[must_use]
    pub const fn parts(max: u64) -> Self {
        Self { name: "parts", max, unit: Unit::Parts }
    }

    /// The number of fields of a query or a body.
    #[must_use]
    pub const fn fields(max: u64) -> Self {
        Self { name: "fields", max, unit: Unit::Fields }
    }

    /// The number of levels of nested arrays and objects.
    #[must_use]
    pub const fn nesting(max: u64) -> Self {
        Self { name: "nesting", max, unit: Unit::Levels }
    }

    /// The number of items of one array, or of values of one field.
    #[must_use]
    pub const fn items(max: u64) -> Self {
        Self { name: "items", max, unit: Unit::Items }
    }
}
