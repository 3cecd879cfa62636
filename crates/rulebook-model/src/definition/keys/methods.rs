//! The keys that JSON objects in files of the dialect `methods` can have. An API module has no key table, because it
//! contains only methods, whose names the author chooses.

pub use crate::method_options::OPTIONS_OF_METHODS as OPTIONS;

use super::{
    AFTER_ATTRIBUTE, CONSTRAINTS, DEFAULT_SCOPE_DESCRIPTION, HANDLER, HEADER_KEY, JsonKind, KeySpec, KeyTable,
    NULLABLE_ATTRIBUTE, RATE_LIMIT, RATE_LIMIT_DESCRIPTION, TYPE_ATTRIBUTES, VERSION_RANGE, error_keys, key, key_table,
    required_key, schema_keys,
};
use super::{item_attributes, nested_attributes, nested_type};

/// The separator between the HTTP method and the name in the key of a method, such as `GET::read`.
pub const SEPARATOR: &str = "::";

/// The keys of a method, which is written as `"GET::read": {…}`.
pub static METHOD: KeyTable = KeyTable { included_tables: &[&VERSION_RANGE], ..key_table("a method", METHOD_KEYS) };

const METHOD_KEYS: &[KeySpec] = &[
    key("description", JsonKind::String, "A description of the method; by default its id."),
    key(
        "permissions",
        JsonKind::Permissions,
        "The permissions that a caller needs: one item of the list is enough; an item that is a list requires all \
             permissions in it.",
    ),
    key("options", JsonKind::Object(&OPTIONS), "The options of the method."),
    key("parameters", JsonKind::ObjectsByName(&PARAMETER), "The parameters of the method."),
    key("output", JsonKind::ObjectsByName(&OUTPUT), "The outputs of the method."),
    key("errors", JsonKind::ObjectsByName(&ERROR), "The errors that the handler may return."),
    CONSTRAINTS,
    HANDLER,
    key("id", JsonKind::String, "The method's id; by default made from the path and the HTTP method."),
];

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
            DESCRIPTION,
            required_key("type", JsonKind::String, "The type of its values."),
            key("optional", JsonKind::BoolOrString, "Whether the parameter is optional."),
            key("default", JsonKind::Any, "The value if the request omits the parameter."),
            key("name", JsonKind::String, "The parameter's name in code; by default its key without a prefix."),
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
    DESCRIPTION,
    required_key("type", JsonKind::String, "The type of its values; a leading `?` makes it optional."),
    key("example", JsonKind::Any, "An example value."),
];

/// The keys of a schema, which is a type with a name.
pub static SCHEMA: KeyTable = KeyTable {
    included_tables: &[&TYPE_ATTRIBUTES, &NESTED_ATTRIBUTES, &FIELDS_ATTRIBUTE, &VERSION_RANGE],
    ..key_table("a schema", &schema_keys(DESCRIPTION))
};

/// The keys of a module besides its methods, whose names contain [`SEPARATOR`].
pub static MODULE: KeyTable = KeyTable {
    included_tables: &[&VERSION_RANGE],
    ..key_table(
        "a module",
        &[
            key("envelope", JsonKind::String, "The envelope of the module's responses."),
            key("rate_limit", JsonKind::ObjectOrObjects(&RATE_LIMIT), RATE_LIMIT_DESCRIPTION),
            key("permissions", JsonKind::Permissions, DEFAULT_SCOPE_DESCRIPTION),
            key("schemas", JsonKind::ObjectsByName(&SCHEMA), "The schemas of the module, by name."),
        ],
    )
};

/// The key `fields`, which defines the fields of an object type.
pub static FIELDS_ATTRIBUTE: KeyTable =
    key_table("a type", &[key("fields", JsonKind::ObjectsByName(&FIELD), "The fields of an object.")]);

/// The attributes that contain types, or attributes of types.
pub static NESTED_ATTRIBUTES: KeyTable = key_table("a type", &nested_attributes(&NESTED_TYPE, &ITEM_ATTRIBUTES));

/// The attributes of an array's items, which are keys of the object under `items`.
pub static ITEM_ATTRIBUTES: KeyTable = item_attributes(&[&TYPE_ATTRIBUTES, &NESTED_ATTRIBUTES]);

/// The keys of a type that an attribute such as `of` contains, if the type is not only a term.
pub static NESTED_TYPE: KeyTable = nested_type(&[&TYPE_ATTRIBUTES, &NESTED_ATTRIBUTES, &FIELDS_ATTRIBUTE]);

/// The keys of an error that the handler of a method may return.
pub static ERROR: KeyTable = key_table(
    "an error",
    &error_keys(required_key("description", JsonKind::String, "A description of the error, for clients.")),
);

const DESCRIPTION: KeySpec = required_key("description", JsonKind::String, "The description that documents show.");
