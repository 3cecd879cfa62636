//! Reads the settings of an API from `app.json`, and from files that contain a whole API (settings and API modules).

use super::dialect;
use super::jsonc::{Data, Member, Members, Node};
use super::keys::{APP, PARTS_OF_API};
use super::object::{CheckedObject, is_comment, named_members, wrong_kind};
use super::parsed::{App, Definition};
use super::syntax_error::duplicate_key;
use crate::diagnostic::Diagnostic;

/// Reads the settings and the API modules of all files that have settings. The settings of these files are merged into
/// one object.
pub(super) fn read(documents: Vec<Node>, definition: &mut Definition, diagnostics: &mut Vec<Diagnostic>) {
    let Some(span) = documents.first().map(|node| node.span) else {
        return;
    };
    let mut merged = Members::default();
    for node in documents {
        match node.data {
            Data::Object(members) => merge(&mut merged, members, diagnostics),
            _ => {
                merged.incomplete = true;
                diagnostics.push(wrong_kind(APP.subject, "an object", &node));
            }
        }
    }
    let node = Node { data: Data::Object(merged), span };
    if let Some(object) = CheckedObject::new(&node, &APP, diagnostics) {
        read_modules(&object, definition, diagnostics);
        definition.app = settings(object, diagnostics);
    }
}

/// Adds the members of another settings file to `merged`. If two files have the same setting, the setting is reported
/// as a duplicate key.
fn merge(merged: &mut Members, more: Members, diagnostics: &mut Vec<Diagnostic>) {
    merged.incomplete |= more.incomplete;
    let before = merged.list.len();
    for member in more.list {
        let is_same = |old: &&Member| old.key.value == member.key.value && !is_comment(old);
        match merged.list[..before].iter().find(is_same) {
            Some(old) => {
                merged.incomplete = true;
                diagnostics.push(duplicate_key(&member.key.value, member.key.span, old.key.span));
            }
            None => merged.list.push(member),
        }
    }
}

fn read_modules(object: &CheckedObject<'_>, definition: &mut Definition, diagnostics: &mut Vec<Diagnostic>) {
    if let Some(Data::Object(modules)) = object.get("modules").map(|node| &node.data) {
        for Member { key, value } in named_members(modules) {
            definition.modules.extend(dialect::module(key.clone(), value, diagnostics));
        }
    }
}

/// Reads the settings from an object whose keys and kinds of values have been checked.
fn settings(mut object: CheckedObject<'_>, diagnostics: &mut Vec<Diagnostic>) -> App {
    let (common, common_rules) = dialect::common(&mut object, diagnostics);
    let is_setting = |member: &&Member| PARTS_OF_API.find(&member.key.value).is_none();
    let settings = object.members().filter(is_setting).cloned().collect();
    App { settings, common, common_rules, span: object.span, incomplete: object.incomplete }
}
