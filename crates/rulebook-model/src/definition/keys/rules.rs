//! The keys that JSON objects in files of the dialect `rules` can have, and the names of the dialect's types and
//! parameter sources in the dialect `tree`.

use super::{
    CONSTRAINTS, DEFAULT_SCOPE_DESCRIPTION, ERROR, FIELDS_ATTRIBUTE, HANDLER, JsonKind, KeySpec, KeyTable,
    NESTED_ATTRIBUTES, RATE_LIMIT, RATE_LIMIT_DESCRIPTION, SCHEMA, TYPE_ATTRIBUTES, key, key_table,
};
use crate::method_options::OPTIONS_OF_RULES;
use crate::model::WHOLE_BODY_KEY;

/// Returns the key table of an object that PHP generates from an array. PHP writes an empty array as `[]`, not as `{}`.
const fn php_array_table(
    subject: &'static str,
    keys: &'static [KeySpec],
    named_member_table: &'static KeyTable,
) -> KeyTable {
    KeyTable { named_member_table: Some(named_member_table), allows_empty_array: true, ..key_table(subject, keys) }
}

/// The keys at the top level of a file in the dialect `rules`. All other members are classes.
pub static RULES_FILE: KeyTable = KeyTable {
    named_member_table: Some(&CLASS),
    ..key_table("a file of rules", &[key("dialect", JsonKind::String, "The dialect of the file: `rules`.")])
};

/// The keys of a PhalApi class, which becomes an API module. All other members are methods.
pub static CLASS: KeyTable = php_array_table(
    "a class",
    &[
        key("@info", JsonKind::String, "A description of the class."),
        key("@desc", JsonKind::String, "The second paragraph of the description."),
        key("@envelope", JsonKind::String, "The envelope of the class's responses."),
        key("@rate_limit", JsonKind::ObjectOrObjects(&RATE_LIMIT), RATE_LIMIT_DESCRIPTION),
        key("@scope", JsonKind::Scope, DEFAULT_SCOPE_DESCRIPTION),
        key("@schemas", JsonKind::ObjectsByName(&SCHEMA), "The schemas of the class, by name."),
        key("*", JsonKind::Object(&COMMON_RULES), "The rules that all methods of the class have."),
    ],
    &METHOD,
);

/// The members of an object whose rules apply to all methods of a class or of the API. All members are rules.
pub static COMMON_RULES: KeyTable = php_array_table("the rules of a class", &[], &RULE);

/// The keys of a method of a class. All other members are rules.
pub static METHOD: KeyTable = KeyTable {
    included_tables: &[&OPTIONS_OF_RULES],
    ..php_array_table(
        "a method of a class",
        &[
            key("@info", JsonKind::String, "A description of the method."),
            key("@desc", JsonKind::String, "The second paragraph of the description."),
            key(
                "@scope",
                JsonKind::Scope,
                "The groups of permissions, of which the caller needs one group completely.",
            ),
            key("@method", JsonKind::StringOrStrings, "The HTTP methods; by default `GET` and `POST`."),
            key(
                "@return",
                JsonKind::ObjectsByNameOrStrings(&RETURN_FIELD),
                "The outputs of the method and their members, under paths such as `list[].id`; or a list of annotations \
             such as `string list[].name The name`.",
            ),
            key("@errors", JsonKind::ObjectsByName(&ERROR), "The errors that the handler may return."),
            KeySpec { name: "@handler", ..HANDLER },
            KeySpec { name: "@constraints", ..CONSTRAINTS },
        ],
        &RULE,
    )
};

/// The keys of a rule, which defines a parameter. The name of the rule is the parameter's name in code.
pub static RULE: KeyTable = KeyTable {
    included_tables: &[&TYPE_ATTRIBUTES, &NESTED_ATTRIBUTES, &FIELDS_ATTRIBUTE],
    allows_empty_array: true,
    ..key_table(
        "a rule",
        &[
            key("name", JsonKind::String, "The parameter's name in requests; by default its name in code."),
            key("type", JsonKind::String, "The type of its values; by default `string`."),
            key(
                "require",
                JsonKind::Bool,
                "Whether the parameter is required. A parameter with a default may be omitted anyway.",
            ),
            key("default", JsonKind::Any, "The value if the request omits the parameter."),
            key(
                "source",
                JsonKind::String,
                "The part of the request that contains the value; by default the query or the body.",
            ),
            key("desc", JsonKind::String, "A description of the parameter."),
            key("message", JsonKind::String, "The error message for clients that send an invalid value."),
            key("example", JsonKind::Any, "An example value."),
            key("callable", JsonKind::StringOrStrings, "Another name of `callback`."),
            key(
                "on_after_parse",
                JsonKind::StringOrStrings,
                "The functions that convert the value after it has been checked, separated by `|`.",
            ),
        ],
    )
};

/// The keys of an entry of `@return`, which defines an output or a field of an output.
pub static RETURN_FIELD: KeyTable = key_table(
    "a field of `@return`",
    &[
        key("type", JsonKind::String, "The type of its values."),
        key("desc", JsonKind::String, "A description of the field."),
        key("format", JsonKind::String, "`timestamp` for a date that is returned in seconds."),
        key("range", JsonKind::Any, "The allowed values of an `enum`; without it, an `enum` is a `string`."),
        key("example", JsonKind::Any, "An example value."),
    ],
);

/// Names of the dialect `rules`, which are compared case-insensitively, each with the name in the dialect `tree`.
pub type Aliases = &'static [(&'static str, &'static str)];

/// The type names of parameters. A type name that is not in the table is a type of the dialect `tree` or of the
/// program.
pub static PARAMETER_TYPE_ALIASES: Aliases = &[
    ("string", "loose_string"),
    ("int", "loose_int"),
    ("float", "loose_float"),
    ("boolean", "truthy"),
    ("date", "datetime"),
    ("array", "loose_array"),
    ("enum", "enum"),
    ("file", "file"),
    ("callable", "callable"),
    ("callback", "callable"),
];

/// The type names of returned fields. A type name that is not in the table is a type of the dialect `tree` or of the
/// program.
pub static RETURN_TYPE_ALIASES: Aliases = &[
    ("string", "string"),
    ("int", "int"),
    ("float", "float"),
    ("boolean", "bool"),
    ("date", "datetime"),
    ("array", "array"),
    ("fixed", "any"),
    ("enum", "enum"),
    ("object", "object"),
];

/// The values of the key `source`. The corresponding name is the prefix that a parameter's key has in the dialect
/// `tree`; for the whole body, it is the key itself.
pub static SOURCE_PREFIXES: Aliases = &[
    ("get", "GET@"),
    ("post", ""),
    ("request", "ANY@"),
    ("header", "HEADER@"),
    ("cookie", "COOKIE@"),
    ("body", WHOLE_BODY_KEY),
];

/// Returns the name in the dialect `tree` for `name`, or `None` if `aliases` does not contain `name`.
#[must_use]
pub fn tree_name_of_alias(aliases: Aliases, name: &str) -> Option<&'static str> {
    aliases.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(name)).map(|(_, tree_name)| *tree_name)
}
