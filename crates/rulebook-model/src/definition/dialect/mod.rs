//! The dialects, which are the three formats in which the file of an API module may be written: `tree`, `methods` and
//! `rules`.
//!
//! This Rust module detects the dialect of a file and converts the file to the structures of [`super::parsed`]. All
//! later code is independent of the dialect, except for what its [`DialectSpec`] contains.

mod method;
mod methods;
mod rules;
mod tree;
mod type_spec;

pub(crate) use method::read_permission_groups;
pub(super) use method::read_schemas;
pub(super) use methods::read_file as read_methods_file;
pub(super) use rules::read_file as read_rules_file;
pub(super) use tree::{read_file as read_tree_file, read_tree_module};
pub(crate) use type_spec::read_nested_type;

use super::checked_object::{CheckedObject, wrong_kind_error};
use super::dialect_spec::{DIALECTS, DialectSpec, METHODS, RULES, TREE};
use super::jsonc::{JsonData, JsonMember, JsonMembers, JsonNode};
use super::keys::MODULE;
use super::keys::methods::SEPARATOR;
use super::parsed::{Field, Module};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::span::Span;

/// Reads the API modules of a file. `name` is the name of an API module for which the file does not set a name.
pub(super) type ReadFile = fn(name: &str, node: &JsonNode, diagnostics: &mut Vec<Diagnostic>) -> Vec<Module>;

/// Reads the setting `common`. The second result is `true` if the parameters are written as rules.
pub(super) fn read_common_parameters(
    settings: &mut CheckedObject<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> (Vec<Field>, bool) {
    let members = match settings.get("common").map(|node| &node.data) {
        Some(JsonData::Object(members)) => members,
        _ => return (Vec::new(), false),
    };
    if rules::are_rules(members) {
        let rules = settings.object("common", &rules::COMMON_RULES, diagnostics);
        (rules.map_or_else(Vec::new, |object| rules::read_common_rules(&object, diagnostics)), true)
    } else {
        (method::read_fields(&TREE, "common", TREE.parameter_keys, settings, diagnostics), false)
    }
}

/// The names of HTTP methods, which show that a file is in the dialect `tree` unless their values belong to another
/// one.
pub(crate) const HTTP_METHOD_NAMES: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];

/// The keys which show that an object under a key such as `get` is a method or a URI of the dialect `tree`, and not a
/// class of the dialect `rules`. Some are keys of the dialect `methods`, which authors may have written by mistake.
pub(crate) const TREE_OBJECT_KEYS: [&str; 12] =
    ["/", "GET", "POST", "PUT", "DELETE", "PATCH", "in", "out", "errors", "options", "parameters", "output"];

/// Returns `true` if what the file of an API module contains can belong to some versions of the API only: not the rules
/// of PhalApi.
pub(super) fn can_have_versions(node: &JsonNode) -> bool {
    let dialect = match &node.data {
        JsonData::Object(members) => detect_dialect(members).ok(),
        _ => None,
    };
    dialect.is_some_and(|dialect| dialect.name != RULES.name)
}

pub(super) fn read_api_modules(name: &str, node: &JsonNode, diagnostics: &mut Vec<Diagnostic>) -> Vec<Module> {
    let dialect = match &node.data {
        JsonData::Array(_) => Ok(&TREE),
        JsonData::Object(members) => detect_dialect(members),
        _ => Err(wrong_kind_error("a definition", "an object or an array", node)),
    };
    match dialect {
        Ok(dialect) => (dialect.read_file)(name, node, diagnostics),
        Err(error) => {
            diagnostics.push(error);
            Vec::new()
        }
    }
}

fn detect_dialect(members: &JsonMembers) -> Result<&'static DialectSpec, Diagnostic> {
    let dialect = members.list.iter().find(|member| member.key.value == "dialect");
    if let Some(member) = dialect {
        return dialect_by_name(&member.value);
    }
    if members.list.iter().any(is_tree_member) {
        return Ok(&TREE);
    }
    let content: Vec<&JsonMember> = members.list.iter().filter(|member| !member.is_comment()).collect();
    let inner_keys = || {
        let inner_members = content.iter().filter_map(|member| match &member.value.data {
            JsonData::Object(inner) => Some(&inner.list),
            _ => None,
        });
        inner_members.flatten().map(|member| member.key.value.as_str())
    };
    if inner_keys().any(|key| key.contains(SEPARATOR)) {
        return Ok(&METHODS);
    }
    let is_tree_method = |member: &&JsonMember| is_http_method_name(&member.key.value) && !is_class(&member.value);
    // If the top-level objects contain HTTP methods or `/`, the file is probably a `tree` whose author forgot the `/`
    // above the URIs. Otherwise, it is a file of `rules`.
    let has_uris = inner_keys().any(|key| key == "/" || HTTP_METHOD_NAMES.contains(&key));
    let has_classes = content.iter().any(|member| is_object_or_empty_array(&member.value));
    let is_tree = content.iter().any(is_tree_method) || has_uris || !has_classes;
    Ok(if is_tree { &TREE } else { &RULES })
}

fn dialect_by_name(node: &JsonNode) -> Result<&'static DialectSpec, Diagnostic> {
    let JsonData::String(name) = &node.data else {
        return Err(wrong_kind_error("`dialect`", "a string", node));
    };
    let names = DIALECTS.iter().map(|dialect| dialect.name);
    match DIALECTS.iter().find(|dialect| dialect.name == name) {
        Some(dialect) => Ok(dialect),
        None => Err(Diagnostic::new(DiagnosticCode::UnknownDialect, node.span, format!("unknown dialect `{name}`"))
            .help(format!("the dialects are {}", quoted_list(names.clone())))
            .suggest(name, names)),
    }
}

/// Returns `true` for what only the dialect `tree` has: `/`, a setting of the module, schemas, a limit of requests, or
/// an object with `info` under a name in upper case or of an HTTP method.
fn is_tree_member(member: &JsonMember) -> bool {
    let key = &member.key.value;
    let is_uppercase = key.bytes().all(|byte| byte.is_ascii_uppercase());
    key == "/"
        || match &member.value.data {
            JsonData::Object(inner) if key == "schemas" => inner.list.iter().any(is_described),
            JsonData::Object(inner) if key == "rate_limit" => inner.list.iter().any(is_number_of_requests),
            JsonData::Object(inner) => {
                (is_uppercase || is_http_method_name(key)) && inner.list.iter().any(is_description_member)
            }
            _ => MODULE.keys.iter().any(|known| known.name == key),
        }
}

fn is_http_method_name(key: &str) -> bool {
    HTTP_METHOD_NAMES.iter().any(|name| name.eq_ignore_ascii_case(key))
}

/// Returns `true` for the number of requests of a limit. In a class of the dialect `rules`, the value would be an
/// object.
fn is_number_of_requests(member: &JsonMember) -> bool {
    member.key.value == "requests" && matches!(member.value.data, JsonData::Number(_))
}

fn is_described(member: &JsonMember) -> bool {
    matches!(&member.value.data, JsonData::Object(inner) if inner.list.iter().any(is_description_member))
}

fn is_description_member(member: &JsonMember) -> bool {
    member.key.value == "info" && matches!(member.value.data, JsonData::String(_))
}

/// Returns `true` if the value of a key such as `Post` is a class of the dialect `rules`: all its members are methods,
/// which are objects, or have keys that begin with `@`.
fn is_class(node: &JsonNode) -> bool {
    let is_class_member = |member: &JsonMember| {
        let key = member.key.value.as_str();
        key.starts_with('@') || (is_object_or_empty_array(&member.value) && !TREE_OBJECT_KEYS.contains(&key))
    };
    match &node.data {
        JsonData::Object(members) => {
            let mut content = members.list.iter().filter(|member| !member.is_comment()).peekable();
            content.peek().is_some() && content.all(is_class_member)
        }
        _ => is_object_or_empty_array(node),
    }
}

/// Returns `true` for the values of classes and of their methods. PHP writes an empty array as `[]`.
fn is_object_or_empty_array(node: &JsonNode) -> bool {
    match &node.data {
        JsonData::Object(_) => true,
        JsonData::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// Returns the span of the first byte of a value. Diagnostics show this span if the whole value is too long.
fn first_byte_span(span: Span) -> Span {
    span.slice(0, 1)
}

fn quoted_list(names: impl Iterator<Item = &'static str>) -> String {
    let quoted: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
