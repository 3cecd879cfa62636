//! The keys of test files.

use crate::definition::keys::{JsonKind, KeyTable, key, key_table, required_key};

pub(super) const CALL_HELP: &str =
    "write the id of a method, which `rulebook routes` lists, or an HTTP method and a path: `GET /orders?limit=5`";

/// The keys of a step: a request, and what its response must contain.
pub(crate) static STEP: KeyTable = key_table(
    "a step of a test",
    &[
        required_key(
            "call",
            JsonKind::String,
            "What is called: the id of a method, or an HTTP method and a path, such as `GET /orders?limit=5`.",
        ),
        key(
            "with",
            JsonKind::AnyObject,
            "The arguments of the method, by the names of its parameters in code. That of a file is the path of a \
             file, relative to the test file.",
        ),
        key("as", JsonKind::String, "The name of the caller."),
        key("scope", JsonKind::StringOrStrings, "The permissions of the caller."),
        key("claims", JsonKind::AnyObject, "The claims of the caller, as those of a token."),
        key("headers", JsonKind::AnyObject, "Header fields of the request that are not parameters."),
        key(
            "body",
            JsonKind::Any,
            "The body of a request with a path: a JSON value, or a string, which is sent as it is.",
        ),
        key(
            "expect",
            JsonKind::Object(&EXPECT),
            "What the response must contain. Without `status` and `error`, it must be a success.",
        ),
        key(
            "save",
            JsonKind::AnyObject,
            "Names for values of the response: the name of an output, a path such as `notes.0.id`, or \
             `{\"header\": \"etag\"}`. Later steps of the test refer to a value with its name in braces.",
        ),
    ],
);

/// The keys of what a response must contain.
pub(super) static EXPECT: KeyTable = key_table(
    "what a response must contain",
    &[
        key("status", JsonKind::Integer, "The HTTP status."),
        key("error", JsonKind::String, "The name of the error: `forbidden`, or an error that the method declares."),
        key("parameters", JsonKind::Strings, "The parameters that the error reports, by their names in requests."),
        key("out", JsonKind::Any, "Outputs. An object can have further members; an array has as many items."),
        key(
            "headers",
            JsonKind::AnyObject,
            "Header fields with their values; `true` for any value, and `false` for a field that is missing.",
        ),
        key("body", JsonKind::Any, "The whole body if it is a string; otherwise, members of the JSON body."),
    ],
);
