//! The differences between dialects that code after the parser depends on.
//!
//! All dialects are parsed into the same structures. `compile` uses the [`DialectSpec`] of a file to resolve the type
//! names of its dialect, and to name keys in diagnostics as the author wrote them.

use super::keys::{self, KeyTable};

/// The keys, type names and rules of a dialect.
pub struct DialectSpec {
    /// The name of the dialect, which is the value of the key `"dialect"`.
    pub name: &'static str,
    /// The key of descriptions: `info` or `description`.
    pub info_key: &'static str,
    /// `true` if the description of a method may be omitted; the default is the id of the method.
    pub info_defaults_to_id: bool,
    /// The key of a method's permissions.
    pub scope_key: &'static str,
    /// The prefix in the key of a positional parameter, before the number. Every dialect also accepts `URL#`.
    pub position_prefix: &'static str,
    /// `true` if parameters whose keys have no prefix are read from the query or the body, whatever the HTTP method. If
    /// `false`, they are read from the query or the body only for GET and DELETE, and otherwise only from the body.
    pub keys_without_prefix_in_query: bool,
    /// The keys of an output, and of a field of an object.
    pub output_keys: &'static KeyTable,
    /// The type names of the dialect that differ from the canonical names, as pairs of both. An alias does not apply if
    /// `<…>` follows the name.
    pub type_aliases: &'static [(&'static str, &'static str)],
    /// `true` if type names are compared case-insensitively.
    pub ignore_type_case: bool,
    /// `true` if the common parameters come before those of the method, so that their errors are reported first.
    pub common_parameters_first: bool,
}

/// Prints only the name, because the key tables refer to each other in cycles.
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
    keys_without_prefix_in_query: false,
    output_keys: &keys::OUTPUT,
    type_aliases: &[],
    ignore_type_case: false,
    common_parameters_first: false,
};

/// The dialect `rules`. Its parser replaces type names by the canonical ones.
pub static RULES: DialectSpec = DialectSpec {
    name: "rules",
    info_key: "info",
    info_defaults_to_id: false,
    scope_key: "scope",
    position_prefix: "URL#",
    keys_without_prefix_in_query: false,
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
    keys_without_prefix_in_query: true,
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
