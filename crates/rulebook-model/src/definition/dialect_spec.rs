//! The differences between the dialects (the three formats of definition files) that matter after parsing.
//!
//! All dialects are parsed into the same structures. `compile` uses the [`DialectSpec`] of a file to look up the type
//! names of the file's dialect, and to name keys in diagnostics as the author wrote them.

use super::dialect::{ReadFile, read_methods_file, read_rules_file, read_tree_file};
use super::keys::{self, KeyTable};

/// The keys, the type names and the rules of a dialect that differ from other dialects.
pub struct DialectSpec {
    /// The name of the dialect, which is the value of the key `"dialect"` in files.
    pub name: &'static str,
    /// The key under which descriptions are written: `info` or `description`.
    pub info_key: &'static str,
    /// `true` if the description of a method may be omitted. The description is then the id of the method.
    pub info_defaults_to_id: bool,
    /// The key under which the permissions of a method are written.
    pub scope_key: &'static str,
    /// The prefix that the key of a positional parameter has before the number. A *positional* parameter is read from a
    /// segment after the path of the service. Every dialect also accepts the prefix `URL#`.
    pub position_prefix: &'static str,
    /// `true` if parameters whose keys have no prefix are read from the query or the body for every HTTP method. If
    /// `false`, these parameters are read from the query or the body only for GET and DELETE, and from the body for
    /// other HTTP methods.
    pub reads_unprefixed_keys_from_query: bool,
    /// `true` if a permission outside of a group counts as a group with this permission only.
    pub allows_single_permissions: bool,
    /// The key under which the parameters of a method are written.
    pub parameters_key: &'static str,
    /// The key under which the outputs of a method are written.
    pub outputs_key: &'static str,
    /// The keys that the options of a method can have.
    pub option_keys: &'static KeyTable,
    /// The keys that a parameter can have.
    pub parameter_keys: &'static KeyTable,
    /// The keys that a declared error can have.
    pub error_keys: &'static KeyTable,
    /// The keys that an output can have.
    pub output_keys: &'static KeyTable,
    /// The keys that a field of an object can have.
    pub field_keys: &'static KeyTable,
    /// The keys that a schema can have.
    pub schema_keys: &'static KeyTable,
    /// The attributes that the items of an array can have.
    pub item_keys: &'static KeyTable,
    /// The keys that a type in an attribute such as `of` can have.
    pub nested_type_keys: &'static KeyTable,
    /// The names of outputs that describe a member of the envelope. Such an output is ignored if the envelope has this
    /// member.
    pub envelope_outputs: &'static [&'static str],
    /// The type names of the dialect that differ from the type names of `tree`, as pairs of the dialect's name and the
    /// name in `tree`. An alias does not apply if `<…>` follows the name.
    pub type_aliases: &'static [(&'static str, &'static str)],
    /// `true` if type names are compared case-insensitively.
    pub ignores_type_case: bool,
    /// `true` if the parameters in the setting `common` come before the parameters of the method, so that their errors
    /// are reported first.
    pub puts_common_parameters_first: bool,
    /// `true` if methods follow the semantics of their HTTP methods. The programs for which the other dialects were
    /// made also write in methods for GET.
    pub follows_http_semantics: bool,
    pub(super) read_file: ReadFile,
}

pub(super) static DIALECTS: [&DialectSpec; 3] = [&TREE, &METHODS, &RULES];

/// Prints only the name of the dialect, because the key tables refer to each other in cycles.
impl std::fmt::Debug for DialectSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DialectSpec").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The dialect `tree`, whose names are the canonical names.
pub static TREE: DialectSpec = TREE_SPEC;

const TREE_SPEC: DialectSpec = DialectSpec {
    name: "tree",
    info_key: "info",
    info_defaults_to_id: false,
    scope_key: "scope",
    position_prefix: "URL#",
    reads_unprefixed_keys_from_query: false,
    allows_single_permissions: false,
    parameters_key: "in",
    outputs_key: "out",
    option_keys: &keys::OPTIONS,
    parameter_keys: &keys::PARAMETER,
    error_keys: &keys::ERROR,
    output_keys: &keys::OUTPUT,
    field_keys: &keys::FIELD,
    schema_keys: &keys::SCHEMA,
    item_keys: &keys::ITEM_ATTRIBUTES,
    nested_type_keys: &keys::NESTED_TYPE,
    envelope_outputs: &[],
    type_aliases: &[],
    ignores_type_case: false,
    puts_common_parameters_first: false,
    follows_http_semantics: true,
    read_file: read_tree_file,
};

/// The dialect `rules`. Its parser replaces the type names of the dialect by the type names of `tree`.
pub static RULES: DialectSpec = DialectSpec {
    name: "rules",
    scope_key: "@scope",
    ignores_type_case: true,
    puts_common_parameters_first: true,
    follows_http_semantics: false,
    read_file: read_rules_file,
    ..TREE_SPEC
};

/// The dialect `methods`, with the types of the framework api 3.0. Its types `varchar` and `array<T>` have these names
/// in `tree` too.
pub static METHODS: DialectSpec = DialectSpec {
    name: "methods",
    info_key: "description",
    info_defaults_to_id: true,
    scope_key: "permissions",
    position_prefix: "URL_",
    reads_unprefixed_keys_from_query: true,
    allows_single_permissions: true,
    parameters_key: "parameters",
    outputs_key: "output",
    option_keys: &keys::methods::OPTIONS,
    parameter_keys: &keys::methods::PARAMETER,
    error_keys: &keys::methods::ERROR,
    output_keys: &keys::methods::OUTPUT,
    field_keys: &keys::methods::FIELD,
    schema_keys: &keys::methods::SCHEMA,
    item_keys: &keys::methods::ITEM_ATTRIBUTES,
    nested_type_keys: &keys::methods::NESTED_TYPE,
    envelope_outputs: &["error"],
    follows_http_semantics: false,
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
    read_file: read_methods_file,
    ..TREE_SPEC
};
