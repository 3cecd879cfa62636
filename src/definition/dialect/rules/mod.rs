//! The `rules` dialect: PhalApi's classes, and the rules of their methods.
//!
//! A class is a module and a method a service, `/class/method`, that answers
//! GET and POST alike. Its rules are its parameters: those under `*` that it
//! does not have itself, and its own.

mod method;
mod returns;
mod rule;

use super::super::keys::Keys;
pub(super) use super::super::keys::rules::COMMON;
use super::super::keys::rules::{CLASS, FILE};
use super::super::manner::RULES;
use super::super::object::{Object, authors_own};
use super::super::text::{Data, Member, Members, Node};
use super::super::written::{Module, Parameter};
use crate::diagnostic::Diagnostic;
use crate::place::Placed;
use method::method;
use rule::Rule;

/// The shape of answers where a class does not say.
const ENVELOPE: &str = "phalapi";

/// Reads a file of this dialect: a module for each class.
pub(super) fn read(_: &str, node: &Node, faults: &mut Vec<Diagnostic>) -> Vec<Module> {
    let Some(file) = Object::open(node, &FILE, faults) else {
        return Vec::new();
    };
    named(&file, &FILE).filter_map(|member| class(member, faults)).collect()
}

/// Reads a class.
fn class(member: &Member, faults: &mut Vec<Diagnostic>) -> Option<Module> {
    let mut object = Object::open(&member.value, &CLASS, faults)?;
    let name = &member.key;
    let common = object.object("*", &COMMON, faults).map(|common| rules(&common, &COMMON, faults));
    let (common, whole) = common.unwrap_or((Vec::new(), true));
    let services = named(&object, &CLASS)
        .filter_map(|member| method(name, member, &common, whole && !object.damaged, faults))
        .collect();
    Some(Module {
        name: name.clone(),
        info: info(&object),
        envelope: Some(object.text("@envelope").unwrap_or_else(|| Placed::new(ENVELOPE.to_owned(), name.place))),
        ignore_case: Some(Placed::new(true, name.place)),
        repeated: Some(Placed::new("last".to_owned(), name.place)),
        services,
        // What is read here is said in the words of a tree.
        manner: &RULES,
        place: name.place,
    })
}

/// Whether the parameters that every method has are written as rules: those of a tree say `info`, or in their keys
/// where they stand, and rules do neither.
pub(super) fn is_common(members: &Members) -> bool {
    let mut named = authors_own(members).peekable();
    let of_tree = |member: &Member| {
        let says_info =
            matches!(&member.value.data, Data::Object(own) if own.list.iter().any(|own| own.key.value == "info"));
        says_info || rule::is_key(&member.key.value)
    };
    named.peek().is_some() && !named.any(of_tree)
}

/// Reads the rules that all methods of an API have.
pub(super) fn common(object: &Object<'_>, faults: &mut Vec<Diagnostic>) -> Vec<Parameter> {
    let (rules, _) = rules(object, &COMMON, faults);
    rules.into_iter().map(|rule| rule.parameter).collect()
}

/// Reads the rules that stand in an object of these keys, and whether all of them could be read.
fn rules(object: &Object<'_>, keys: &'static Keys, faults: &mut Vec<Diagnostic>) -> (Vec<Rule>, bool) {
    let mut whole = !object.damaged;
    let mut rules = Vec::new();
    for member in named(object, keys) {
        match rule::rule(member, faults) {
            Some(rule) => rules.push(rule),
            None => whole = false,
        }
    }
    (rules, whole)
}

/// The members of an object whose names are the author's.
fn named<'a>(object: &Object<'a>, keys: &'static Keys) -> impl Iterator<Item = &'a Member> {
    object.members().filter(|member| keys.iter().all(|key| key.name != member.key.value))
}

/// What `@info` and `@desc` say, one paragraph each.
fn info(object: &Object<'_>) -> Option<Placed<String>> {
    let said = |key| object.text(key).filter(|text| !text.value.trim().is_empty());
    match (said("@info"), said("@desc")) {
        (Some(info), Some(more)) => Some(info.map(|info| format!("{info}\n\n{}", more.value))),
        (info, more) => info.or(more),
    }
}
