//! The keys that definition files can have. There is a *key table* for each kind of JSON object: a method, a parameter,
//! …. The tables in this file belong to the dialect `tree` and to `app.json`.
//!
//! The parser reports keys that are not in the key table of an object, suggests corrections from the table, and checks
//! the kind of each value. The JSON Schema for editors, and tables of the guide, are generated from the key tables.

pub mod ancestors;
pub mod methods;
pub mod rules;

pub use crate::limits::LIMIT_KEYS as LIMITS;
pub use crate::method_options::OPTIONS;
pub use crate::settings::{
    APP, CONTACT, CORS, IAPI, LICENSE, PHALAPI, RATE_LIMIT, SERVER, SERVICE, SHARED_LIMITS, TYPES, VERSIONS,
};

use super::versions::{SINCE, UNTIL};
use crate::settings::RATE_LIMIT_DESCRIPTION;

/// The prefixes of keys that the parser ignores, so that files can contain comments and data for other programs.
pub const COMMENT_PREFIXES: [&str; 2] = ["$", "x-"];

/// Returns `true` if a key begins with the prefix of a comment.
#[must_use]
pub fn is_comment_key(key: &str) -> bool {
    COMMENT_PREFIXES.iter().any(|prefix| key.starts_with(prefix))
}

/// The keys that one kind of JSON object can have.
#[derive(Debug)]
pub struct KeyTable {
    /// A noun phrase for the object with its article, such as `a method`, which diagnostics use.
    pub subject: &'static str,
    /// The keys of this table, without the keys of the included tables.
    pub keys: &'static [KeySpec],
    /// Other key tables, whose keys the object may also have.
    pub included_tables: &'static [&'static KeyTable],
    /// The key table for the values of all other keys that consist of uppercase ASCII letters. Such a key is treated as
    /// an HTTP method, so that an unsupported method (`FETCH`) is reported as an unknown method, not as an unknown key.
    pub other_method_table: Option<&'static KeyTable>,
    /// The key table for the values of members whose names the author chooses, in objects that also have keys of this
    /// table. The keys of this table then begin with `@`, or are `*`, so that names and keys differ.
    pub named_member_table: Option<&'static KeyTable>,
    /// `true` if an empty array is accepted as an object without members.
    pub allows_empty_array: bool,
    /// The help text of the diagnostic for an unknown key that does not resemble a known key. If `None`, the help text
    /// lists the known keys.
    pub unknown_key_help: Option<&'static str>,
}

/// A key of a [`KeyTable`].
#[derive(Debug, Clone, Copy)]
pub struct KeySpec {
    /// The key in the JSON object.
    pub name: &'static str,
    /// The kind of JSON value that the key must have.
    pub kind: JsonKind,
    /// The purpose of the key in one sentence, for the guide and the JSON Schema.
    pub description: &'static str,
    /// `true` if every object of this kind must have the key. A required string must not be blank.
    pub is_required: bool,
}

/// The kind of JSON value that a key must have.
#[derive(Debug, Clone, Copy)]
pub enum JsonKind {
    /// The value must be a string.
    String,
    /// The value must be `true` or `false`.
    Bool,
    /// The value must be `true` or `false`, or the string `"true"` or `"false"`.
    BoolOrString,
    /// The value must be an integer that is not negative.
    Integer,
    /// The value must be an integer that is not negative, or an array of such integers.
    IntegerOrIntegers,
    /// The value must be a size in bytes: an integer that is not negative, or a string with a unit such as `5MB`.
    ByteSize,
    /// The value must be a text of the type `datetime` from 1970 on, such as `2027-06-01`.
    Moment,
    /// The value must be of the kind [`JsonKind::Moment`], or `true` or `false`, also as a string.
    BoolOrMoment,
    /// The value can be any JSON value. `compile` checks the value later.
    Any,
    /// The value must be an object with any keys. The program checks them later.
    AnyObject,
    /// The value must be an array of strings.
    Strings,
    /// The value must be a string or an array of strings.
    StringOrStrings,
    /// The value must be an array of arrays of strings, which are groups of permissions.
    Scope,
    /// The value must be an array of strings and of arrays of strings, which are permissions and groups of permissions.
    Permissions,
    /// The value must be an object with the keys of this table.
    Object(&'static KeyTable),
    /// The value must be an array of objects with the keys of this table.
    Objects(&'static KeyTable),
    /// The value must be an object with the keys of this table, or an array of such objects.
    ObjectOrObjects(&'static KeyTable),
    /// The value must be an object. Each of its members has a name that the author chooses, and is an object with the
    /// keys of this table.
    ObjectsByName(&'static KeyTable),
    /// The value must be an object of the kind [`JsonKind::ObjectsByName`], or an array of strings.
    ObjectsByNameOrStrings(&'static KeyTable),
    /// The value must be a type: a string, or an object with the keys of this table.
    Type(&'static KeyTable),
    /// The value must be an array of types, or an object whose members are types and have names that the author
    /// chooses.
    Types(&'static KeyTable),
    /// The value must be an object that contains parameters by name, in the dialect `tree` or in the dialect `rules`.
    /// The parameters are in the dialect `tree` if one of them has the key `info` or a name with the prefix of a part
    /// of the request (`GET@x`); parameters in the dialect `rules` have neither.
    CommonParameters,
}

impl KeyTable {
    /// Returns the listed keys: those of this table, then those of the included tables. HTTP methods, and names that
    /// the author chooses, are not listed.
    pub fn iter(&'static self) -> impl Iterator<Item = &'static KeySpec> {
        self.keys.iter().chain(self.included_tables.iter().flat_map(|table| table.keys))
    }

    /// Returns the kind of value that the key `name` must have, or `None` if the object cannot have this key.
    #[must_use]
    pub fn find(&'static self, name: &str) -> Option<JsonKind> {
        let known = self.iter().find(|key| key.name == name).map(|key| key.kind);
        let is_uppercase = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase());
        let named = self.named_member_table.filter(|_| !name.starts_with('@'));
        known.or_else(|| self.other_method_table.filter(|_| is_uppercase).or(named).map(JsonKind::Object))
    }
}

pub(crate) const fn key(name: &'static str, kind: JsonKind, description: &'static str) -> KeySpec {
    KeySpec { name, kind, description, is_required: false }
}

pub(crate) const fn required_key(name: &'static str, kind: JsonKind, description: &'static str) -> KeySpec {
    KeySpec { name, kind, description, is_required: true }
}

pub(crate) const fn key_table(subject: &'static str, keys: &'static [KeySpec]) -> KeyTable {
    KeyTable {
        subject,
        keys,
        included_tables: &[],
        other_method_table: None,
        named_member_table: None,
        allows_empty_array: false,
        unknown_key_help: None,
    }
}

/// The keys `common`, `schemas` and `modules`, which `app.json` or a file that contains a whole API can have besides
/// the settings.
pub static WHOLE_API_KEYS: KeyTable = key_table(
    "the settings",
    &[
        key(
            "common",
            JsonKind::CommonParameters,
            "Parameters that every method has, in the dialect `tree` or as rules.",
        ),
        key("schemas", JsonKind::ObjectsByName(&SCHEMA), "The schemas that all modules can use, by name."),
        key("modules", JsonKind::ObjectsByName(&MODULE), "The modules of a whole API, by name."),
    ],
);

/// The keys of an API module, which is the top level of a file.
pub static MODULE: KeyTable = KeyTable {
    included_tables: &[&URI, &VERSION_RANGE],
    other_method_table: Some(&METHOD),
    unknown_key_help: Some("URIs are listed under `\"/\"`"),
    ..key_table(
        "a module",
        &[
            key("dialect", JsonKind::String, "The dialect in which the file is written."),
            key("module", JsonKind::String, "The name of the module; by default the name of the file."),
            key("info", JsonKind::String, "A description of the module."),
            key("envelope", JsonKind::String, "The envelope of the module's responses."),
            key("ignore_case", JsonKind::Bool, "Whether URIs are matched case-insensitively."),
            key(
                "repeated",
                JsonKind::String,
                "What happens if a parameter is sent more than once: `refuse` rejects the request, `last` uses the \
                 last value.",
            ),
            key("rate_limit", JsonKind::ObjectOrObjects(&RATE_LIMIT), RATE_LIMIT_DESCRIPTION),
            key("scope", JsonKind::Scope, DEFAULT_SCOPE_DESCRIPTION),
            key("schemas", JsonKind::ObjectsByName(&SCHEMA), "The schemas of the module, by name."),
        ],
    )
};

pub(crate) const DEFAULT_SCOPE_DESCRIPTION: &str =
    "The groups of permissions of the methods that name none, such as `[[\"editor\"]]`.";

/// The keys of an object that only some versions of the API have.
pub static VERSION_RANGE: KeyTable = key_table(
    "an object",
    &[
        key(SINCE, JsonKind::String, "The first version of the API that has this; by default the oldest."),
        key(UNTIL, JsonKind::String, "The last version of the API that has this; by default the newest."),
    ],
);

/// The keys of a URI.
pub static URI: KeyTable = KeyTable {
    included_tables: &[&VERSION_RANGE],
    other_method_table: Some(&METHOD),
    unknown_key_help: Some("a URI has methods (`GET`), and further URIs under `\"/\"`"),
    ..key_table(
        "a URI",
        &[
            key("GET", JsonKind::Object(&METHOD), "The GET method; HEAD runs it too and omits the body."),
            key("POST", JsonKind::Object(&METHOD), "The POST method."),
            key("PUT", JsonKind::Object(&METHOD), "The PUT method."),
            key("DELETE", JsonKind::Object(&METHOD), "The DELETE method."),
            key("PATCH", JsonKind::Object(&METHOD), "The PATCH method."),
            key("/", JsonKind::ObjectsByName(&URI), "The paths below this path."),
        ],
    )
};

/// The keys of a method.
pub static METHOD: KeyTable = KeyTable { included_tables: &[&VERSION_RANGE], ..key_table("a method", METHOD_KEYS) };

const METHOD_KEYS: &[KeySpec] = &[
    key("id", JsonKind::String, "The method's id; by default made from the path and the HTTP method."),
    required_key("info", JsonKind::String, "A description of the method."),
    key("scope", JsonKind::Scope, "The groups of permissions, of which the caller needs one group completely."),
    key("in", JsonKind::ObjectsByName(&PARAMETER), "The parameters of the method."),
    key("out", JsonKind::ObjectsByName(&OUTPUT), "The outputs of the method."),
    key("errors", JsonKind::ObjectsByName(&ERROR), "The errors that the handler may return."),
    CONSTRAINTS,
    HANDLER,
    key("options", JsonKind::Object(&OPTIONS), "The options of the method."),
];

/// The keys of an entry in a flat list of methods, as the framework aicra uses it: the keys of a method, and its path.
pub static METHOD_LIST_ENTRY: KeyTable = KeyTable {
    included_tables: &[&METHOD, &VERSION_RANGE],
    ..key_table(
        "an entry of a method list",
        &[
            required_key("method", JsonKind::String, "The HTTP method."),
            required_key("path", JsonKind::String, "The path of the method below the base path."),
        ],
    )
};

/// The keys of a parameter.
pub static PARAMETER: KeyTable = KeyTable {
    included_tables: &[
        &TYPE_ATTRIBUTES,
        &NESTED_ATTRIBUTES,
        &AFTER_ATTRIBUTE,
        &NULLABLE_ATTRIBUTE,
        &FIELDS_ATTRIBUTE,
        &VERSION_RANGE,
    ],
    ..key_table(
        "a parameter",
        &[
            required_key("info", JsonKind::String, "A description of the parameter."),
            required_key("type", JsonKind::String, "The type of its values; a leading `?` makes it optional."),
            key("name", JsonKind::String, "The parameter's name in code; by default its key without prefix or braces."),
            key("default", JsonKind::Any, "The value if the request omits the parameter."),
            key("example", JsonKind::Any, "An example value."),
            key("message", JsonKind::String, "The error message for clients that send an invalid value."),
        ],
    )
};

/// The keys of an output.
pub static OUTPUT: KeyTable = KeyTable {
    included_tables: &[&HEADER_KEY, &TYPE_ATTRIBUTES, &NESTED_ATTRIBUTES, &FIELDS_ATTRIBUTE, &VERSION_RANGE],
    ..key_table("an output", OUTPUT_KEYS)
};

/// The keys of a field of an object.
pub static FIELD: KeyTable = KeyTable {
    included_tables: &[&TYPE_ATTRIBUTES, &NESTED_ATTRIBUTES, &NULLABLE_ATTRIBUTE, &FIELDS_ATTRIBUTE, &VERSION_RANGE],
    ..key_table("a field", OUTPUT_KEYS)
};

const OUTPUT_KEYS: &[KeySpec] = &[
    required_key("info", JsonKind::String, "A description of the output."),
    required_key("type", JsonKind::String, "The type of its values; a leading `?` makes it optional."),
    key("name", JsonKind::String, "The name of the output in programs for aicra; rulebook ignores it."),
    key("default", JsonKind::Any, "The default in definitions for aicra; rulebook checks and ignores it."),
    key("example", JsonKind::Any, "An example value."),
];

/// The key of an output that is a header field of the response.
pub static HEADER_KEY: KeyTable = key_table(
    "an output",
    &[key(
        "header",
        JsonKind::String,
        "The header field that contains the output instead of the body, such as `Location`.",
    )],
);

/// The keys of a schema, which is a type with a name.
pub static SCHEMA: KeyTable = KeyTable {
    included_tables: &[&TYPE_ATTRIBUTES, &NESTED_ATTRIBUTES, &FIELDS_ATTRIBUTE, &VERSION_RANGE],
    ..key_table("a schema", &schema_keys(required_key("info", JsonKind::String, "A description of the schema.")))
};

const fn schema_keys(description: KeySpec) -> [KeySpec; 5] {
    [
        description,
        key("type", JsonKind::String, "The type of its values; by default `object`."),
        key("extends", JsonKind::Strings, "The schemas whose fields the object has, too."),
        key("without", JsonKind::Strings, "The fields of the schemas in `extends` that the object does not have."),
        key("example", JsonKind::Any, "An example value."),
    ]
}

/// The keys of an error that the handler of a method may return.
pub static ERROR: KeyTable = KeyTable {
    included_tables: &[&VERSION_RANGE],
    ..key_table(
        "an error",
        &error_keys(required_key("info", JsonKind::String, "A description of the error, for clients.")),
    )
};

const fn error_keys(description: KeySpec) -> [KeySpec; 3] {
    [
        key("status", JsonKind::Integer, "The HTTP status of the error response."),
        description,
        key("number", JsonKind::Integer, "The number of the error in the envelope `aicra`."),
    ]
}

const CONSTRAINTS: KeySpec = key(
    "constraints",
    JsonKind::Any,
    "What must hold between the parameters, such as `[{\"exactly_one\": [\"id\", \"name\"]}]`.",
);

const HANDLER: KeySpec = key(
    "handler",
    JsonKind::AnyObject,
    "What handles calls of the method instead of code of the program, such as `{\"value\": {\"id\": 5}}`.",
);

/// The attributes of a type, which are keys next to the key `type`. The attributes that contain types, `fields` and
/// `after` have tables of their own.
pub static TYPE_ATTRIBUTES: KeyTable = key_table(
    "a type",
    &[
        key(
            "min",
            JsonKind::Any,
            "The smallest allowed value, length, size or number of items, depending on the type.",
        ),
        key("max", JsonKind::Any, "The largest allowed value, length, size or number of items, depending on the type."),
        key("regex", JsonKind::Any, "A regular expression that the string must match."),
        key("format", JsonKind::Any, "The format of the value, depending on the type."),
        key("separator", JsonKind::Any, "The separator of the items of an array that is sent as one string."),
        key(
            "range",
            JsonKind::Any,
            "The allowed values of an `enum`, media types of a `file`, or patterns of a `filename`.",
        ),
        key("ext", JsonKind::Any, "The allowed file name extensions."),
        key(
            "callback",
            JsonKind::StringOrStrings,
            "The function of the program that checks values of the type `callable`.",
        ),
        key("params", JsonKind::Any, "Parameters for the function in `callback`, or for a custom type of the program."),
        key("closed", JsonKind::Any, "Whether an object can have only the members in `fields`."),
        key("constraints", JsonKind::Any, "What must hold between the members in `fields`."),
        key("value", JsonKind::Any, "The value of a `const`; beside `header`, the template of the header field."),
        key("tag", JsonKind::String, "The member of an object that says which type in `of` the object has."),
    ],
);

/// The attributes that contain types, or attributes of types.
pub static NESTED_ATTRIBUTES: KeyTable = key_table("a type", &nested_attributes(&NESTED_TYPE, &ITEM_ATTRIBUTES));

/// The attributes of an array's items, which are keys of the object under `items`. The attribute `fields` of the items
/// is a key next to `items`.
pub static ITEM_ATTRIBUTES: KeyTable = item_attributes(&[&TYPE_ATTRIBUTES, &NESTED_ATTRIBUTES]);

/// The keys of a type that an attribute such as `of` contains, if the type is not only a term.
pub static NESTED_TYPE: KeyTable = nested_type(&[&TYPE_ATTRIBUTES, &NESTED_ATTRIBUTES, &FIELDS_ATTRIBUTE]);

const fn nested_attributes(nested_type: &'static KeyTable, items: &'static KeyTable) -> [KeySpec; 3] {
    [
        key(
            "of",
            JsonKind::Types(nested_type),
            "The types of a `union`: a list, or with `tag` an object with a schema for each value of the tag.",
        ),
        key("keys", JsonKind::Type(nested_type), "The type of the names in a `map`."),
        key("items", JsonKind::Object(items), "The attributes of the items of an array."),
    ]
}

const fn item_attributes(tables: &'static [&'static KeyTable]) -> KeyTable {
    KeyTable {
        included_tables: tables,
        unknown_key_help: Some(
            "`items` has the attributes of the items, except `fields`, which stands next to `items`",
        ),
        ..key_table("the items", &[])
    }
}

const NESTED_TYPE_KEYS: &[KeySpec] = &[required_key("type", JsonKind::String, "The type of the values.")];

const fn nested_type(tables: &'static [&'static KeyTable]) -> KeyTable {
    KeyTable { included_tables: tables, ..key_table("a type", NESTED_TYPE_KEYS) }
}

/// The attribute `after`, which parameters have and outputs do not have.
pub static AFTER_ATTRIBUTE: KeyTable = key_table(
    "a type",
    &[key(
        "after",
        JsonKind::StringOrStrings,
        "The functions that convert the value after it has been checked, in this order.",
    )],
);

/// The attribute `nullable` of parameters and fields.
pub static NULLABLE_ATTRIBUTE: KeyTable = key_table(
    "a type",
    &[key("nullable", JsonKind::Any, "`false` if an optional value can only be left out, and cannot be null.")],
);

/// The attribute `fields`, which defines the fields of an object type.
pub static FIELDS_ATTRIBUTE: KeyTable =
    key_table("a type", &[key("fields", JsonKind::ObjectsByName(&FIELD), "The fields of an object.")]);
