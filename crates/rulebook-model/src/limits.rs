//! Limits of requests: the name, unit, default and range of each, all in one table.

use crate::call::{JsonLimits, Limit, Unit};
use crate::definition::keys::{KeySpec, KeyTable, ValueKind, key, table};
use crate::error::ErrorCode;

/// The limits of requests. A request that exceeds a limit fails with an error that names the limit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The size of all header fields in bytes: names and values, and 4 bytes for each field.
    pub head: u64,
    /// The length of the request target in bytes.
    pub uri: u64,
    /// The size of a body in bytes, except for multipart bodies.
    pub body: u64,
    /// The size of a multipart body in bytes, unless the files that its method takes need more.
    pub multipart: u64,
    /// The size of one part of a multipart body in bytes, except for files whose parameter has a limit of its own.
    pub part: u64,
    /// The number of parts of a multipart body, unless the parameters of its method need more.
    pub parts: u64,
    /// The number of fields of a query or an urlencoded body, and of members of a JSON body.
    pub fields: u64,
    /// The number of levels of nested arrays and objects in JSON.
    pub nesting: u64,
    /// The number of items of an array, of members of an object, and of values of a repeated field.
    pub items: u64,
    /// The number of seconds within which a body must arrive. A multipart body has another second for each 16 KiB that
    /// arrived.
    pub seconds: u64,
    /// The number of bytes of a body that are searched for the names of a module and a method.
    pub dispatch: u64,
    /// The number of seconds for which a download link is valid.
    pub link: u64,
    /// The size of all files for download links in bytes, including their header fields.
    pub links: u64,
}

/// A row of [`ALL`]: everything about a limit except the code that enforces it.
#[derive(Debug)]
pub struct LimitSpec {
    /// The key below `limits` in `app.json`, and the description for the guide and the JSON Schema.
    pub key: KeySpec,
    /// The unit.
    pub unit: Unit,
    /// The value of APIs that do not set the limit.
    pub default: u64,
    /// The maximum value.
    pub max: u64,
    /// The code of the error of a request that exceeds the limit.
    pub code: ErrorCode,
    field: fn(&mut Limits) -> &mut u64,
}

const fn spec(
    name: &'static str,
    unit: Unit,
    default: u64,
    description: &'static str,
    field: fn(&mut Limits) -> &mut u64,
) -> LimitSpec {
    LimitSpec {
        key: key(name, ValueKind::Integer, description),
        unit,
        default,
        max: u64::MAX,
        code: ErrorCode::TooLarge,
        field,
    }
}

/// The size of all header fields together.
pub const HEAD: LimitSpec = LimitSpec {
    code: ErrorCode::HeadTooLarge,
    ..spec("head", Unit::Bytes, 32 << 10, "Bytes of all request headers together.", |limits| &mut limits.head)
};
/// The length of the request target.
pub const URI: LimitSpec = LimitSpec {
    code: ErrorCode::UriTooLong,
    ..spec("uri", Unit::Bytes, 8 << 10, "Bytes of the request target.", |limits| &mut limits.uri)
};
/// The size of a body, except for multipart bodies.
pub const BODY: LimitSpec =
    spec("body", Unit::Bytes, 1 << 20, "Bytes of a request body, except a multipart body.", |limits| &mut limits.body);
/// The size of a multipart body.
pub const MULTIPART: LimitSpec = spec(
    "multipart",
    Unit::Bytes,
    64 << 20,
    "Bytes of a multipart body; more if the file parameters of the method allow more.",
    |limits| &mut limits.multipart,
);
/// The size of one part of a multipart body.
pub const PART: LimitSpec = spec(
    "part",
    Unit::Bytes,
    32 << 20,
    "Bytes of one part of a multipart body, except a file whose parameter sets `max`.",
    |limits| &mut limits.part,
);
/// The number of parts of a multipart body.
pub const PARTS: LimitSpec = spec(
    "parts",
    Unit::Parts,
    100,
    "Number of parts of a multipart body; more if the parameters of the method need more.",
    |limits| &mut limits.parts,
);
/// The number of fields of a query or a body.
pub const FIELDS: LimitSpec =
    spec("fields", Unit::Fields, 1_000, "Number of fields in a query or a body.", |limits| &mut limits.fields);
/// The number of levels of nested arrays and objects.
pub const NESTING: LimitSpec = LimitSpec {
    max: JsonLimits::MAX_NESTING,
    ..spec("nesting", Unit::Levels, 32, "Levels of arrays and objects in JSON, at most 126.", |limits| {
        &mut limits.nesting
    })
};
/// The number of items of one array, or of values of one field.
pub const ITEMS: LimitSpec =
    spec("items", Unit::Items, 10_000, "Number of items of an array and of members of an object in JSON.", |limits| {
        &mut limits.items
    });
/// The time within which a body must arrive.
pub const SECONDS: LimitSpec = spec(
    "seconds",
    Unit::Seconds,
    60,
    "Seconds to receive a request body; a multipart body gets one more for each 16 KiB received.",
    |limits| &mut limits.seconds,
);
/// The size of the prefix of a body in which the names of a module and a method are looked for.
pub const DISPATCH: LimitSpec = spec(
    "dispatch",
    Unit::Bytes,
    64 << 10,
    "Bytes of a body that the server reads to find the names of module and method.",
    |limits| &mut limits.dispatch,
);
/// The time for which a download link is valid.
pub const LINK: LimitSpec = LimitSpec {
    // A year.
    max: 365 * 24 * 60 * 60,
    ..spec("link", Unit::Seconds, 600, "Seconds for which a download link is valid, at most 31536000.", |limits| {
        &mut limits.link
    })
};
/// The size of all files for download links.
pub const LINKS: LimitSpec =
    spec("links", Unit::Bytes, 1 << 30, "Bytes of all files that download links point to, together.", |limits| {
        &mut limits.links
    });

/// All limits, in the order of documents.
pub const ALL: &[LimitSpec] =
    &[HEAD, URI, BODY, MULTIPART, PART, PARTS, FIELDS, NESTING, ITEMS, SECONDS, DISPATCH, LINK, LINKS];

/// `limits` in `app.json`.
pub static KEYS: KeyTable = table("the limits", &NAMES);

static NAMES: [KeySpec; ALL.len()] = {
    let mut names = [ALL[0].key; ALL.len()];
    let mut index = 0;
    while index < ALL.len() {
        names[index] = ALL[index].key;
        index += 1;
    }
    names
};

impl LimitSpec {
    /// This limit with a value.
    #[must_use]
    pub const fn at(&self, max: u64) -> Limit {
        Limit { name: self.key.name, max, unit: self.unit, code: self.code }
    }

    /// The value of this limit.
    #[must_use]
    pub fn get(&self, limits: &Limits) -> u64 {
        *(self.field)(&mut limits.clone())
    }

    /// Changes the value of this limit.
    pub fn set(&self, limits: &mut Limits, value: u64) {
        *(self.field)(limits) = value;
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: HEAD.default,
            uri: URI.default,
            body: BODY.default,
            multipart: MULTIPART.default,
            part: PART.default,
            parts: PARTS.default,
            fields: FIELDS.default,
            nesting: NESTING.default,
            items: ITEMS.default,
            seconds: SECONDS.default,
            dispatch: DISPATCH.default,
            link: LINK.default,
            links: LINKS.default,
        }
    }
}
