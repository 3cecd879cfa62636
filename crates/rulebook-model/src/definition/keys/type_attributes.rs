//! The attributes of types, which are keys next to the key `type`.

use super::{FIELD, JsonKind, KeySpec, KeyTable, key, key_table, required_key};

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

pub(super) const fn nested_attributes(nested_type: &'static KeyTable, items: &'static KeyTable) -> [KeySpec; 3] {
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

pub(super) const fn item_attributes(tables: &'static [&'static KeyTable]) -> KeyTable {
    KeyTable {
        included_tables: tables,
        unknown_key_help: Some(
            "`items` has the attributes of the items, except `fields`, which stands next to `items`",
        ),
        ..key_table("the items", &[])
    }
}

const NESTED_TYPE_KEYS: &[KeySpec] = &[required_key("type", JsonKind::String, "The type of the values.")];

pub(super) const fn nested_type(tables: &'static [&'static KeyTable]) -> KeyTable {
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
