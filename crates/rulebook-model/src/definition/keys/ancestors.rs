//! The keys and type names that definitions for other frameworks have, and what to write instead. Diagnostics for
//! unknown keys and unknown types use these tables.

/// Names in definitions for other frameworks, each with the corresponding name of this dialect and the help text of the
/// diagnostic. A help text is shown only if the corresponding name exists where the foreign name is written.
pub type ForeignNames = &'static [(&'static str, &'static str, &'static str)];

/// The keys of other frameworks.
pub static FOREIGN_KEYS: ForeignNames = &[
    ("apiCommonRules", "common", "write `common`: the rules in it apply to all methods"),
    (
        "service_whitelist",
        "common",
        "remove it: a method without `@scope` is public, and its rules replace common rules of the same name",
    ),
    ("description", "info", "write `info`"),
    ("desc", "info", "write `info`"),
    ("permissions", "scope", "write `scope`, a list of groups of permissions"),
    ("parameters", "in", "write `in`"),
    ("output", "out", "write `out`"),
    ("optional", "type", "begin the type with `?`: `\"type\": \"?int\"`"),
    ("require", "type", "a parameter is required unless its type begins with `?` or it has a `default`"),
    ("source", "type", "write the part of the request before the key: `GET@x`, `HEADER@x` or `COOKIE@x`"),
    ("on_after_parse", "after", "write `after`, a list of functions"),
    ("info", "description", "write `description`"),
    ("info", "desc", "write `desc`"),
    ("scope", "permissions", "write `permissions`"),
    ("in", "parameters", "write `parameters`"),
    ("out", "output", "write `output`"),
];

/// The type names of other frameworks.
pub static FOREIGN_TYPES: ForeignNames = &[
    ("number", "int", "write `int` for integers, or `float` for all numbers"),
    ("boolean", "bool", "write `bool`"),
    ("integer", "int", "write `int`"),
    ("double", "float", "write `float`"),
    ("text", "string", "write `string`"),
    ("char", "string", "write `string`"),
    ("mixed", "any", "write `any`"),
    ("fixed", "any", "write `any`"),
];

/// Returns the help text for a name of another framework, or `None` if `names` does not contain the name. `exists`
/// returns `true` if a name can be written at this place.
pub fn help_for_foreign_name(
    names: ForeignNames,
    name: &str,
    mut exists: impl FnMut(&str) -> bool,
) -> Option<&'static str> {
    let mut entries = names.iter().filter(|(foreign, ..)| foreign.eq_ignore_ascii_case(name));
    entries.find(|(_, replacement, _)| exists(replacement)).map(|(.., help)| *help)
}
