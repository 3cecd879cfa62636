//! Reads files in the dialect `rules`, which contain the classes of the PHP framework PhalApi and the rules of the
//! classes' methods. A *rule* defines a parameter.
//!
//! A class becomes an API module. A method of a class becomes the service `/class/method`, by default with GET and
//! POST. The parameters of the service are the rules of the method, and the rules under the key `*` of the class unless
//! the method has a rule with the same name.

mod method;
mod returns;
mod rule;

use super::super::checked_object::{CheckedObject, named_members};
use super::super::dialect_spec::RULES;
use super::super::jsonc::{JsonData, JsonMember, JsonMembers, JsonNode};
use super::super::keys::KeyTable;
pub(super) use super::super::keys::rules::COMMON_RULES;
use super::super::keys::rules::{CLASS, RULES_FILE};
use super::super::parsed::{Field, Module};
use super::method::read_schemas;
use crate::diagnostic::Diagnostic;
use crate::span::Spanned;
use method::read_method;
use rule::Rule;

/// The envelope (the JSON structure of responses) of classes that do not set an envelope.
const DEFAULT_ENVELOPE: &str = "phalapi";

/// Reads a file of this dialect. Each class in the file becomes an API module.
pub(in crate::definition) fn read_file(_: &str, node: &JsonNode, diagnostics: &mut Vec<Diagnostic>) -> Vec<Module> {
    let Some(file) = CheckedObject::new(node, &RULES_FILE, diagnostics) else {
        return Vec::new();
    };
    members_outside_key_table(&file, &RULES_FILE).filter_map(|member| read_class(member, diagnostics)).collect()
}

fn read_class(member: &JsonMember, diagnostics: &mut Vec<Diagnostic>) -> Option<Module> {
    let mut object = CheckedObject::new(&member.value, &CLASS, diagnostics)?;
    let name = &member.key;
    let common =
        object.object("*", &COMMON_RULES, diagnostics).map(|common| read_rules(&common, &COMMON_RULES, diagnostics));
    let (common, is_complete) = common.unwrap_or((Vec::new(), true));
    let services = members_outside_key_table(&object, &CLASS)
        .filter_map(|member| read_method(name, member, &common, is_complete && !object.is_incomplete, diagnostics))
        .collect();
    let envelope = object.string("@envelope");
    let schemas = read_schemas(&RULES, "@schemas", &mut object, diagnostics);
    Some(Module {
        name: name.clone(),
        info: joined_description(&object),
        envelope: Some(envelope.unwrap_or_else(|| Spanned::new(DEFAULT_ENVELOPE.to_owned(), name.span))),
        ignore_case: Some(Spanned::new(true, name.span)),
        repeated: Some(Spanned::new("last".to_owned(), name.span)),
        rate_limit: object.get("@rate_limit").cloned(),
        scope: object.get(RULES.scope_key).cloned(),
        schemas,
        services,
        spec: &RULES,
        is_incomplete: object.is_incomplete,
        span: name.span,
    })
}

/// Returns `true` if the parameters in the setting `common` are rules. Parameters of the dialect `tree` have the key
/// `info`, or a name that is or begins with a part of the request (`*`, `GET@x`).
pub(super) fn are_rules(members: &JsonMembers) -> bool {
    let mut named = named_members(members).peekable();
    let is_tree_parameter = |member: &JsonMember| {
        let has_info =
            matches!(&member.value.data, JsonData::Object(inner) if inner.list.iter().any(|it| it.key.value == "info"));
        has_info || rule::has_location_prefix(&member.key.value)
    };
    named.peek().is_some() && !named.any(is_tree_parameter)
}

pub(super) fn read_common_rules(object: &CheckedObject<'_>, diagnostics: &mut Vec<Diagnostic>) -> Vec<Field> {
    let (rules, _) = read_rules(object, &COMMON_RULES, diagnostics);
    rules.into_iter().map(|rule| rule.parameter).collect()
}

/// Reads the members that are not in `keys`. The second result is `false` if an invalid rule was omitted.
fn read_rules(
    object: &CheckedObject<'_>,
    keys: &'static KeyTable,
    diagnostics: &mut Vec<Diagnostic>,
) -> (Vec<Rule>, bool) {
    let mut is_complete = !object.is_incomplete;
    let mut rules = Vec::new();
    for member in members_outside_key_table(object, keys) {
        match rule::read_rule(member, diagnostics) {
            Some(rule) => rules.push(rule),
            None => is_complete = false,
        }
    }
    (rules, is_complete)
}

/// Returns the members whose names the author of the definition chose.
fn members_outside_key_table<'a>(
    object: &CheckedObject<'a>,
    keys: &'static KeyTable,
) -> impl Iterator<Item = &'a JsonMember> {
    object.members().filter(|member| keys.iter().all(|key| key.name != member.key.value))
}

/// Returns the values of the keys `@info` and `@desc` of an object as two paragraphs of one text.
fn joined_description(object: &CheckedObject<'_>) -> Option<Spanned<String>> {
    let not_blank = |key| object.string(key).filter(|text| !text.value.trim().is_empty());
    match (not_blank("@info"), not_blank("@desc")) {
        (Some(info), Some(description)) => Some(info.map(|info| format!("{info}\n\n{}", description.value))),
        (info, description) => info.or(description),
    }
}
