//! The differences between the dialects that matter after parsing.
//!
//! All dialects are parsed into the same structures. Their [`DialectSpec`] lets `compile` resolve the names that a
//! dialect gives to types, and lets diagnostics use the keys that the author wrote.

use super::keys::{self, KeyTable};

/// The keys, type names and rules of a dialect.
pub struct DialectSpec {
    /// The name of the dialect, as the key `"dialect"` holds it.
    pub name: &'static str,
    /// The key of descriptions: `info` or `description`.
    pub info_key: &'static str,
    /// `true` if a method's description may be omitted. It is then the method's id.
    pub info_defaults_to_id: bool,
    /// The key of a method's permissions.
    pub scope_key: &'static str,
    /// The prefix of a positional parameter's key, before the number. Every dialect accepts `URL#` too.
    pub position_prefix: &'static str,
    /// `true` if parameters whose keys have no prefix are read from query and body with every HTTP method. If `false`,
    /// this applies to GET and DELETE only, and with other methods they are read from the body.
    pub bare_keys_in_query: bool,
    /// The keys of an output, and of a field of an object.
    pub output_keys: &'static KeyTable,
    /// The dialect's names of types, each with the canonical name, which applies if the name is not followed by `<…>`.
    /// Other names are canonical.
    pub type_aliases: &'static [(&'static str, &'static str)],
    /// `true` if type names are compared case-insensitively.
    pub ignore_type_case: bool,
    /// `true` if common parameters come before those of the method itself, so that their errors are reported first.
    pub common_parameters_first: bool,
}

/// Prints the name only: the key tables refer to each other in cycles.
impl std::fmt::Debug for DialectSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DialectSpec").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The canonical dialect, `tree`.
pub static TREE: DialectSpec = DialectSpec {
    name: "tree",
    info_key: "info",
    info_defaults_to_id: false,
    scope_key: "scope",
    position_prefix: "URL#",
    bare_keys_in_query: false,
    output_keys: &keys::OUTPUT,
    type_aliases: &[],
    ignore_type_case: false,
    common_parameters_first: false,
};

/// The dialect `rules`. The parser replaces its names of types by the canonical ones.
pub static RULES: DialectSpec = DialectSpec {
    name: "rules",
    info_key: "info",
    info_defaults_to_id: false,
    scope_key: "scope",
    position_prefix: "URL#",
    bare_keys_in_query: false,
    output_keys: &keys::OUTPUT,
    type_aliases: &[],
    ignore_type_case: true,
    common_parameters_first: true,
};

/// The dialect `methods`, with the types of api 3.0. Its types `varchar` and `array<T>` have these names in `tree` too.
pub static METHODS: DialectSpec = DialectSpec {
    name: "methods",
    info_key: "description",
    info_defaults_to_id: true,
    scope_key: "permissions",
    position_prefix: "URL_",
    bare_keys_in_query: true,
    output_keys: &keys::methods::OUTPUT,
    type_aliases: &[
        ("mixed", "any"),
        ("id", "text_id"),
        ("numeric", "numeric"),
        ("text", "string"),
        ("hash", "hash"),
        ("alphanumeric", "alphanumeric"),
        ("letters", "letters"),
        ("mail", "mail"),
        ("number", "phone"),
        ("array", "filled_array"),
        ("object", "filled_object"),
        ("boolean", "bool"),
        ("FILE", "file"),
    ],
    ignore_type_case: false,
    common_parameters_first: false,
};
