//! The keys and type names that definitions for other frameworks have, and what to write instead. Diagnostics for
//! unknown keys and unknown types use these tables.

/// A name in a definition for another framework.
#[derive(Debug)]
pub struct ForeignName {
    /// The name in the other framework.
    pub name: &'static str,
    /// The corresponding name of this dialect. A replacement is suggested only if this name exists where the foreign
    /// name is written.
    pub replacement: &'static str,
    /// The help text of the diagnostic.
    pub help: &'static str,
}

const fn foreign(name: &'static str, replacement: &'static str, help: &'static str) -> ForeignName {
    ForeignName { name, replacement, help }
}

/// The keys of other frameworks.
pub static FOREIGN_KEYS: &[ForeignName] = &[
    foreign("apiCommonRules", "common", "write `common`: the rules in it apply to all methods"),
    foreign(
        "service_whitelist",
        "common",
        "remove it: a method without `@scope` is public, and its rules replace common rules of the same name",
    ),
    foreign("description", "info", "write `info`"),
    foreign("desc", "info", "write `info`"),
    foreign("permissions", "scope", "write `scope`, a list of groups of permissions"),
    foreign("parameters", "in", "write `in`"),
    foreign("output", "out", "write `out`"),
    foreign("optional", "type", "begin the type with `?`: `\"type\": \"?int\"`"),
    foreign("require", "type", "a parameter is required unless its type begins with `?` or it has a `default`"),
    foreign("source", "type", "write the part of the request before the key: `GET@x`, `HEADER@x` or `COOKIE@x`"),
    foreign("on_after_parse", "after", "write `after`, a list of functions"),
    foreign("info", "description", "write `description`"),
    foreign("info", "desc", "write `desc`"),
    foreign("scope", "permissions", "write `permissions`"),
    foreign("in", "parameters", "write `parameters`"),
    foreign("out", "output", "write `output`"),
];

/// The type names of other frameworks.
pub static FOREIGN_TYPES: &[ForeignName] = &[
    foreign("number", "int", "write `int` for integers, or `float` for all numbers"),
    foreign("boolean", "bool", "write `bool`"),
    foreign("integer", "int", "write `int`"),
    foreign("double", "float", "write `float`"),
    foreign("text", "string", "write `string`"),
    foreign("char", "string", "write `string`"),
    foreign("mixed", "any", "write `any`"),
    foreign("fixed", "any", "write `any`"),
];

/// Returns the help text for a name of another framework, or `None` if `names` does not contain the name. `exists`
/// returns `true` if a name can be written at this place.
pub fn help_for_foreign_name(
    names: &'static [ForeignName],
    name: &str,
    mut exists: impl FnMut(&str) -> bool,
) -> Option<&'static str> {
    let mut entries = names.iter().filter(|entry| entry.name.eq_ignore_ascii_case(name));
    entries.find(|entry| exists(entry.replacement)).map(|entry| entry.help)
}
