//! The dialect `rules`: the classes of PhalApi and the rules of their methods.
//!
//! A class is a module. A method of a class is the service `/class/method`, with GET and POST by default. Its
//! parameters are its rules: those under `*` in the class, unless the method has a rule of the same name, and its own.

mod method;
mod returns;
mod rule;

use super::super::dialect_spec::RULES;
use super::super::jsonc::{Data, Member, Members, Node};
use super::super::keys::KeyTable;
pub(super) use super::super::keys::rules::COMMON;
use super::super::keys::rules::{CLASS, FILE};
use super::super::object::{CheckedObject, named_members};
use super::super::parsed::{Module, Parameter};
use crate::diagnostic::Diagnostic;
use crate::span::Spanned;
use method::method;
use rule::Rule;

/// The envelope of classes that do not set one.
const DEFAULT_ENVELOPE: &str = "phalapi";

/// Reads a file of this dialect: each class is a module.
pub(super) fn read(_: &str, node: &Node, diagnostics: &mut Vec<Diagnostic>) -> Vec<Module> {
    let Some(file) = CheckedObject::new(node, &FILE, diagnostics) else {
        return Vec::new();
    };
    members_except(&file, &FILE).filter_map(|member| class(member, diagnostics)).collect()
}

fn class(member: &Member, diagnostics: &mut Vec<Diagnostic>) -> Option<Module> {
    let mut object = CheckedObject::new(&member.value, &CLASS, diagnostics)?;
    let name = &member.key;
    let common = object.object("*", &COMMON, diagnostics).map(|common| rules(&common, &COMMON, diagnostics));
    let (common, is_complete) = common.unwrap_or((Vec::new(), true));
    let services = members_except(&object, &CLASS)
        .filter_map(|member| method(name, member, &common, is_complete && !object.incomplete, diagnostics))
        .collect();
    let envelope = object.string("@envelope");
    Some(Module {
        name: name.clone(),
        info: info(&object),
        envelope: Some(envelope.unwrap_or_else(|| Spanned::new(DEFAULT_ENVELOPE.to_owned(), name.span))),
        ignore_case: Some(Spanned::new(true, name.span)),
        repeated: Some(Spanned::new("last".to_owned(), name.span)),
        services,
        spec: &RULES,
        span: name.span,
    })
}

/// Returns `true` if common parameters are rules. Parameters of the dialect `tree` have the key `info`, or a key that
/// says where the value is sent; rules have neither.
pub(super) fn is_common(members: &Members) -> bool {
    let mut named = named_members(members).peekable();
    let is_tree_parameter = |member: &Member| {
        let has_info =
            matches!(&member.value.data, Data::Object(inner) if inner.list.iter().any(|it| it.key.value == "info"));
        has_info || rule::has_location_prefix(&member.key.value)
    };
    named.peek().is_some() && !named.any(is_tree_parameter)
}

/// Reads the rules that all methods of the API have.
pub(super) fn common(object: &CheckedObject<'_>, diagnostics: &mut Vec<Diagnostic>) -> Vec<Parameter> {
    let (rules, _) = rules(object, &COMMON, diagnostics);
    rules.into_iter().map(|rule| rule.parameter).collect()
}

/// Reads the rules in an object with the key table `keys`, and returns `true` too if none was left out.
fn rules(object: &CheckedObject<'_>, keys: &'static KeyTable, diagnostics: &mut Vec<Diagnostic>) -> (Vec<Rule>, bool) {
    let mut is_complete = !object.incomplete;
    let mut rules = Vec::new();
    for member in members_except(object, keys) {
        match rule::rule(member, diagnostics) {
            Some(rule) => rules.push(rule),
            None => is_complete = false,
        }
    }
    (rules, is_complete)
}

/// Returns the members whose names are not in the key table: the author chose these names.
fn members_except<'a>(object: &CheckedObject<'a>, keys: &'static KeyTable) -> impl Iterator<Item = &'a Member> {
    object.members().filter(|member| keys.iter().all(|key| key.name != member.key.value))
}

/// Joins `@info` and `@desc`, each of them a paragraph.
fn info(object: &CheckedObject<'_>) -> Option<Spanned<String>> {
    let not_blank = |key| object.string(key).filter(|text| !text.value.trim().is_empty());
    match (not_blank("@info"), not_blank("@desc")) {
        (Some(info), Some(description)) => Some(info.map(|info| format!("{info}\n\n{}", description.value))),
        (info, description) => info.or(description),
    }
}
