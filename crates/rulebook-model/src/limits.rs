//! The limits of requests. A table contains the name, the unit, the default and the maximum value of each limit.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::call::{JsonLimits, Limit, Unit};
use crate::definition::keys::{JsonKind, KeySpec, KeyTable, key, key_table};
use crate::error::ErrorCode;

/// The limits of requests of an API. The error of a request that exceeds a limit contains its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Limits {
    /// The maximum size of all header fields of a request in bytes: of names and values, plus 4 bytes for each.
    pub head: u64,
    /// The maximum length of the request target, in bytes.
    pub uri: u64,
    /// The maximum size of a request body other than a multipart body, in bytes.
    pub body: u64,
    /// The maximum size of a multipart body in bytes. It is higher for methods that accept larger files.
    pub multipart: u64,
    /// The maximum size of one part of a multipart body in bytes, unless the parameter of a file sets `max`.
    pub part: u64,
    /// The maximum number of parts of a multipart body. It is higher for methods that need more parts.
    pub parts: u64,
    /// The maximum number of fields of a query or a URL-encoded body, and of members of a JSON body.
    pub fields: u64,
    /// The maximum nesting depth of arrays and objects, in JSON and in the names of fields (`x[a][b]`).
    pub nesting: u64,
    /// The maximum number of items of an array, members of an object, and values of a repeated field.
    pub items: u64,
    /// The number of seconds within which the server must receive the whole request body. For a multipart body, one
    /// second is added for each 16 KiB that the server has received.
    pub seconds: u64,
    /// The maximum number of bytes of a body in which the server searches for the names of module and method.
    pub dispatch: u64,
    /// The number of seconds for which a download link is valid.
    pub link: u64,
    /// The maximum size of all files for which download links exist, with their header fields, in bytes.
    pub links: u64,
    /// The maximum number of callers or client addresses whose requests each rate limit counts. If there are more in
    /// one period, those with the fewest requests are forgotten.
    pub callers: u64,
    /// The maximum length of the header field `Idempotency-Key`, in bytes.
    pub idempotency_key: u64,
    /// The maximum size of a response that is kept for an idempotency key, in bytes.
    pub idempotency_response: u64,
    /// The maximum number of idempotency keys for which responses are kept at the same time.
    pub idempotency_records: u64,
    /// The number of seconds for which a response is kept for an idempotency key.
    pub idempotency_seconds: u64,
    /// The number of seconds after which an idempotency key is free again if its server was killed.
    pub idempotency_lease: u64,
}

/// A row of the table [`ALL_LIMITS`]: a description of one limit.
#[derive(Debug)]
pub struct LimitSpec {
    /// The key of the limit below `limits` in `app.json`, with a description for the guide and the JSON Schema.
    pub key: KeySpec,
    /// The unit of the limit, such as bytes.
    pub unit: Unit,
    /// The value of the limit for APIs that do not set the limit.
    pub default: u64,
    /// The maximum value to which an API can set the limit.
    pub max: u64,
    /// The error code of the response to a request that exceeds the limit.
    pub code: ErrorCode,
}

const fn limit_spec(name: &'static str, unit: Unit, default: u64, description: &'static str) -> LimitSpec {
    LimitSpec {
        key: key(name, if matches!(unit, Unit::Bytes) { JsonKind::ByteSize } else { JsonKind::Integer }, description),
        unit,
        default,
        max: u64::MAX,
        code: ErrorCode::TooLarge,
    }
}

/// The limit of the size of all header fields of a request.
pub const HEADERS_SIZE: LimitSpec = LimitSpec {
    code: ErrorCode::HeadTooLarge,
    ..limit_spec("head", Unit::Bytes, 32 << 10, "The size of all header fields of a request together, in bytes.")
};
/// The limit of the length of the request target.
pub const TARGET_LENGTH: LimitSpec = LimitSpec {
    code: ErrorCode::UriTooLong,
    ..limit_spec("uri", Unit::Bytes, 8 << 10, "The length of the request target, in bytes.")
};
/// The limit of the size of a request body other than a multipart body.
pub const BODY_SIZE: LimitSpec = limit_spec(
    "body",
    Unit::Bytes,
    1 << 20,
    "The size of a request body that is not multipart and not a file, in bytes.",
);
/// The limit of the size of a multipart body.
pub const MULTIPART_SIZE: LimitSpec = limit_spec(
    "multipart",
    Unit::Bytes,
    64 << 20,
    "The size of a multipart body, in bytes; larger if the files that the method accepts can be larger.",
);
/// The limit of the size of one part of a multipart body.
pub const PART_SIZE: LimitSpec = limit_spec(
    "part",
    Unit::Bytes,
    32 << 20,
    "The size of one part of a multipart body, or of a body that is a file, in bytes, except for a file whose parameter has `max`.",
);
/// The limit of the number of parts of a multipart body.
pub const PART_COUNT: LimitSpec = limit_spec(
    "parts",
    Unit::Parts,
    100,
    "The number of parts of a multipart body; larger if the method accepts more values.",
);
/// The limit of the number of fields of a query or a request body.
pub const FIELD_COUNT: LimitSpec =
    limit_spec("fields", Unit::Fields, 1_000, "The number of fields in a query or a body.");
/// The limit of the nesting depth of arrays and objects, in JSON and in the names of fields.
pub const NESTING_DEPTH: LimitSpec = LimitSpec {
    max: JsonLimits::HIGHEST_NESTING_LIMIT,
    ..limit_spec(
        "nesting",
        Unit::Levels,
        32,
        "The number of levels of nested arrays and objects, in JSON and in field names such as `x[a][b]`, at most 126.",
    )
};
/// The limit of the number of items of an array, of members of an object, and of values of a repeated field.
pub const ITEM_COUNT: LimitSpec = limit_spec(
    "items",
    Unit::Items,
    10_000,
    "The number of items of an array, and of members of an object, in JSON and in field names such as `x[a]`.",
);
/// The limit of the bytes in which the server searches for the names of a module and a method.
pub const SEARCHED_BODY_SIZE: LimitSpec = limit_spec(
    "dispatch",
    Unit::Bytes,
    64 << 10,
    "The number of bytes at the beginning of a body that may contain the names of module and method.",
);
/// The limit of the time for which a download link is valid.
pub const LINK_SECONDS: LimitSpec = LimitSpec {
    // This is one year, in seconds.
    max: 365 * 24 * 60 * 60,
    code: ErrorCode::Gone,
    ..limit_spec(
        "link",
        Unit::Seconds,
        600,
        "The time for which a download link is valid, in seconds, at most 31536000.",
    )
};

/// The limit of the length of the header field `Idempotency-Key`.
pub const IDEMPOTENCY_KEY_LENGTH: LimitSpec = LimitSpec {
    max: 4 << 10,
    code: ErrorCode::HeadTooLarge,
    ..limit_spec(
        "idempotency_key",
        Unit::Bytes,
        255,
        "The length of the value of `Idempotency-Key`, in bytes, at most 4096.",
    )
};

/// The limit of the number of kept idempotency keys.
pub const IDEMPOTENCY_RECORD_COUNT: LimitSpec = LimitSpec {
    code: ErrorCode::StorageFull,
    ..limit_spec(
        "idempotency_records",
        Unit::Items,
        1_000_000,
        "The number of idempotency keys for which responses are kept at the same time.",
    )
};

/// All limits, in the order in which documents list them.
pub const ALL_LIMITS: &[LimitSpec] = &[
    HEADERS_SIZE,
    TARGET_LENGTH,
    BODY_SIZE,
    MULTIPART_SIZE,
    PART_SIZE,
    PART_COUNT,
    FIELD_COUNT,
    NESTING_DEPTH,
    ITEM_COUNT,
    LimitSpec {
        code: ErrorCode::Timeout,
        ..limit_spec(
            "seconds",
            Unit::Seconds,
            60,
            "The time to receive a request body, in seconds; for a multipart body or a file, one more second for each \
             received 16 KiB.",
        )
    },
    SEARCHED_BODY_SIZE,
    LINK_SECONDS,
    limit_spec(
        "links",
        Unit::Bytes,
        1 << 30,
        "The size of all files for download links together, in bytes; each file counts as whole blocks of 4 KiB.",
    ),
    LimitSpec {
        // This many callers need about 1 GB of memory.
        max: 20_000_000,
        code: ErrorCode::TooManyRequests,
        ..limit_spec(
            "callers",
            Unit::Items,
            100_000,
            "The number of callers or client addresses that each rate limit counts, at most 20000000; of more in one \
             period, those with the fewest requests are forgotten.",
        )
    },
    IDEMPOTENCY_KEY_LENGTH,
    LimitSpec {
        max: 8 << 20,
        code: ErrorCode::ResponseNotKept,
        ..limit_spec(
            "idempotency_response",
            Unit::Bytes,
            1 << 20,
            "The size of a response that is kept for an idempotency key, in bytes, at most 8388608.",
        )
    },
    IDEMPOTENCY_RECORD_COUNT,
    LimitSpec {
        max: 365 * 24 * 60 * 60,
        code: ErrorCode::IdempotencyKeyReused,
        ..limit_spec(
            "idempotency_seconds",
            Unit::Seconds,
            24 * 60 * 60,
            "The time for which a response is kept for an idempotency key, in seconds, at most 31536000.",
        )
    },
    LimitSpec {
        max: 60 * 60,
        code: ErrorCode::IdempotencyKeyInUse,
        ..limit_spec(
            "idempotency_lease",
            Unit::Seconds,
            60,
            "The time after which an idempotency key is free again if its server was killed, in seconds, at most 3600.",
        )
    },
];

/// The keys that are allowed below `limits` in `app.json`.
pub static LIMIT_KEYS: KeyTable = key_table("the limits", &KEY_SPECS);

static KEY_SPECS: [KeySpec; ALL_LIMITS.len()] = {
    let mut names = [ALL_LIMITS[0].key; ALL_LIMITS.len()];
    let mut index = 0;
    while index < ALL_LIMITS.len() {
        names[index] = ALL_LIMITS[index].key;
        index += 1;
    }
    names
};

impl LimitSpec {
    /// Returns this limit with the value `max`, for the error of a request that exceeds the limit.
    #[must_use]
    pub const fn with_value(&self, max: u64) -> Limit {
        Limit { name: self.key.name, max, unit: self.unit, code: self.code }
    }
}

impl Default for Limits {
    fn default() -> Self {
        let defaults: Json = ALL_LIMITS.iter().map(|limit| (limit.key.name, limit.default)).collect();
        serde_json::from_value(defaults).expect("each field is the value of a limit")
    }
}
