//! The keys of the `methods` dialect below its modules, whose keys are their methods.

use super::{AFTER, ATTRIBUTES, Key, Keys, Kind, key, keys, required};

/// What stands between the HTTP method and the name of a method.
pub const BETWEEN: &str = "::";

/// A method: `"GET::read": {…}`.
pub static METHOD: Keys = keys(
    "a method",
    &[
        key("description", Kind::Text, "What it does; its id without it."),
        key(
            "permissions",
            Kind::Permissions,
            "Who may call it: any one of them suffices; a list among them asks for all in it.",
        ),
        key("options", Kind::Object(&OPTIONS), "What else there is to say."),
        key("parameters", Kind::Named(&PARAMETER), "What it takes."),
        key("output", Kind::Named(&OUTPUT), "What it returns."),
        key("errors", Kind::Named(&ERROR), "The errors of its own."),
        key("id", Kind::Text, "Its name; made of path and HTTP method without it."),
    ],
);

/// `options` of a method.
pub static OPTIONS: Keys = keys(
    "the options",
    &[
        key("download", Kind::Flag, "Whether it returns a file instead of outputs."),
        key("status", Kind::Whole, "The HTTP status of a success."),
        key("jsonp", Kind::Flag, "Whether it answers JSONP."),
        key("deprecated", Kind::Flag, "Whether clients should turn away from it."),
    ],
);

/// A parameter.
pub static PARAMETER: Keys = Keys {
    what: "a parameter",
    keys: &[
        DESCRIPTION,
        required("type", Kind::Text, "What values it takes."),
        key("optional", Kind::Flag, "Whether it may be left out."),
        key("default", Kind::Any, "What it holds when it is left out."),
        key("name", Kind::Text, "Its name in code; the key without it."),
        key("example", Kind::Any, "A value that shows it."),
        key("message", Kind::Text, "Words for the client when its value does not pass."),
    ],
    also: &[&ATTRIBUTES, &AFTER, &FIELDS],
    upper: None,
    names: None,
    empty_list: false,
    hint: None,
};

/// An output, or a field of an object.
pub static OUTPUT: Keys = Keys {
    what: "an output",
    keys: &[
        DESCRIPTION,
        required("type", Kind::Text, "What values it takes; a leading `?` lets it be missing."),
        key("example", Kind::Any, "A value that shows it."),
    ],
    also: &[&ATTRIBUTES, &FIELDS],
    upper: None,
    names: None,
    empty_list: false,
    hint: None,
};

/// What stands beside the type of an object.
pub static FIELDS: Keys = keys("a type", &[key("fields", Kind::Named(&OUTPUT), "The members of an object.")]);

/// An error of a method's own.
pub static ERROR: Keys = keys(
    "an error",
    &[
        key("status", Kind::Whole, "The HTTP status."),
        required("description", Kind::Text, "When it happens, in words for the client."),
    ],
);

const DESCRIPTION: Key = required("description", Kind::Text, "What it is.");
