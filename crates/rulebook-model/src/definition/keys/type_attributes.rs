//! The attributes of types, which are keys next to the key `type`.

use super::{KeyTable, OUTPUT, ValueKind, key, key_table};

/// The attributes of a type, which are keys next to the key `type`. The attributes `fields` and `after` have tables of
/// their own.
pub static TYPE_ATTRIBUTES: KeyTable = key_table(
    "a type",
    &[
        key(
            "min",
            ValueKind::Any,
            "The smallest allowed value, length, size or number of items, depending on the type.",
        ),
        key(
            "max",
            ValueKind::Any,
            "The largest allowed value, length, size or number of items, depending on the type.",
        ),
        key("regex", ValueKind::Any, "A regular expression that the string must match."),
        key("format", ValueKind::Any, "The format of the value, depending on the type."),
        key("separator", ValueKind::Any, "The separator of the items of an array that is sent as one string."),
        key(
            "range",
            ValueKind::Any,
            "The allowed values of an `enum`, media types of a `file`, or patterns of a `filename`.",
        ),
        key("ext", ValueKind::Any, "The allowed file name extensions."),
        key(
            "callback",
            ValueKind::StringOrStrings,
            "The function of the program that checks values of the type `callable`.",
        ),
        key(
            "params",
            ValueKind::Any,
            "Parameters for the function in `callback`, or for a custom type of the program.",
        ),
        key("closed", ValueKind::Any, "Whether an object can have only the members in `fields`."),
        key("constraints", ValueKind::Any, "What must hold between the members in `fields`."),
        key("value", ValueKind::Any, "The value of a `const`."),
        key("tag", ValueKind::String, "The member of an object that says which type in `of` the object has."),
        key(
            "of",
            ValueKind::Any,
            "The types of a `union`: a list, or with `tag` an object with a schema for each value of the tag.",
        ),
        key("keys", ValueKind::Any, "The type of the names in a `map`."),
        key("items", ValueKind::Object(&ITEM_ATTRIBUTES), "The attributes of the items of an array."),
    ],
);

/// The attributes of an array's items, which are keys of the object under `items`. The attribute `fields` of the items
/// is a key next to `items`.
pub static ITEM_ATTRIBUTES: KeyTable = KeyTable {
    included_tables: &[&TYPE_ATTRIBUTES],
    unknown_key_help: Some("`items` has the attributes of the items, except `fields`, which stands next to `items`"),
    ..key_table("the items", &[])
};

/// The attribute `after`, which parameters have and outputs do not have.
pub static AFTER_ATTRIBUTE: KeyTable = key_table(
    "a type",
    &[key(
        "after",
        ValueKind::StringOrStrings,
        "The functions that convert the value after it has been checked, in this order.",
    )],
);

/// The attribute `fields`, which defines the fields of an object type.
pub static FIELDS_ATTRIBUTE: KeyTable =
    key_table("a type", &[key("fields", ValueKind::ObjectsByName(&OUTPUT), "The fields of an object.")]);
