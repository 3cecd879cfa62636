//! Reads the settings of an API from `app.json`, and from files that contain a whole API (settings and API modules).

use super::dialect;
use super::jsonc::{Data, Member, Members, Node};
use super::keys::{APP, PARTS_OF_API};
use super::checked_object::{CheckedObject, is_comment_member, named_members, wrong_kind_error};
use super::parsed::{AppSettings, Definition};
use super::syntax_error::duplicate_key_error;
use crate::diagnostic::Diagnostic;

/// Reads the settings and the API modules of all files that have settings. The settings of these files are merged into
/// one object.
pub(super) fn read_settings_and_modules(documents: Vec<Node>, definition: &mut Definition, diagnostics: &mut Vec<Diagnostic>) {
    let Some(span) = documents.first().map(|node| node.span) else {
        return;
    };
    let mut merged = Members::default();
    for node in documents {
        match node.data {
            Data::Object(members) => merge_members(&mut merged, members, diagnostics),
            _ => {
                merged.incomplete = true;
                diagnostics.push(wrong_kind_error(APP.subject, "an object", &node));
            }
        }
    }
    let node = Node { data: Data::Object(merged), span };
    if let Some(object) = CheckedObject::new(&node, &APP, diagnostics) {
        read_api_modules(&object, definition, diagnostics);
        definition.app = read_settings(object, diagnostics);
    }
}

/// Adds the members of another settings file to `merged`. If two files have the same setting, the setting is reported
/// as a duplicate key.
fn merge_members(merged: &mut Members, more: Members, diagnostics: &mut Vec<Diagnostic>) {
    merged.incomplete |= more.incomplete;
    let before = merged.list.len();
    for member in more.list {
        let is_same = |old: &&Member| old.key.value == member.key.value && !is_comment_member(old);
        match merged.list[..before].iter().find(is_same) {
            Some(old) => {
                merged.incomplete = true;
                diagnostics.push(duplicate_key_error(&member.key.value, member.key.span, old.key.span));
            }
            None => merged.list.push(member),
        }
    }
}

fn read_api_modules(object: &CheckedObject<'_>, definition: &mut Definition, diagnostics: &mut Vec<Diagnostic>) {
    if let Some(Data::Object(modules)) = object.get("modules").map(|node| &node.data) {
        for Member { key, value } in named_members(modules) {
            definition.modules.extend(dialect::read_tree_module(key.clone(), value, diagnostics));
        }
    }
}

/// Reads the settings from an object whose keys and kinds of values have been checked.
fn read_settings(mut object: CheckedObject<'_>, diagnostics: &mut Vec<Diagnostic>) -> AppSettings {
    let (common, common_rules) = dialect::read_common_parameters(&mut object, diagnostics);
    let is_setting = |member: &&Member| PARTS_OF_API.find(&member.key.value).is_none();
    let settings = object.members().filter(is_setting).cloned().collect();
    AppSettings { settings, common, common_rules, span: object.span, incomplete: object.incomplete }
}
