//! Reads the settings of an API from `app.json`, and from files that contain a whole API (settings and API modules).

use super::checked_object::{CheckedObject, named_members, wrong_kind_error};
use super::dialect;
use super::dialect_spec::TREE;
use super::jsonc::{JsonData, JsonMember, JsonMembers, JsonNode};
use super::keys::{APP, WHOLE_API_KEYS};
use super::parsed::{AppSettings, Definition};
use super::syntax_error::duplicate_key_error;
use crate::diagnostic::Diagnostic;

/// Reads the settings and the API modules of all files that have settings, which are merged into one object.
pub(super) fn read_settings_and_modules(
    documents: Vec<JsonNode>,
    definition: &mut Definition,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let Some(span) = documents.first().map(|node| node.span) else {
        return;
    };
    let mut merged = JsonMembers::default();
    for node in documents {
        match node.data {
            JsonData::Object(members) => merge_members(&mut merged, members, diagnostics),
            _ => {
                merged.is_incomplete = true;
                diagnostics.push(wrong_kind_error(APP.subject, "an object", &node));
            }
        }
    }
    let node = JsonNode { data: JsonData::Object(merged), span, escaped: None };
    if let Some(object) = CheckedObject::new(&node, &APP, diagnostics) {
        read_api_modules(&object, definition, diagnostics);
        definition.app = read_settings(object, diagnostics);
    }
}

/// Adds the members of another settings file to `merged`. Reports settings that both files have.
fn merge_members(merged: &mut JsonMembers, more: JsonMembers, diagnostics: &mut Vec<Diagnostic>) {
    merged.is_incomplete |= more.is_incomplete;
    let before = merged.list.len();
    for member in more.list {
        let is_same = |old: &&JsonMember| old.key.value == member.key.value && !old.is_comment();
        match merged.list[..before].iter().find(is_same) {
            Some(old) => {
                merged.is_incomplete = true;
                diagnostics.push(duplicate_key_error(&member.key.value, member.key.span, old.key.span));
            }
            None => merged.list.push(member),
        }
    }
}

fn read_api_modules(object: &CheckedObject<'_>, definition: &mut Definition, diagnostics: &mut Vec<Diagnostic>) {
    if let Some(JsonData::Object(modules)) = object.get("modules").map(|node| &node.data) {
        for JsonMember { key, value } in named_members(modules) {
            definition.modules.extend(dialect::read_tree_module(key.clone(), value, diagnostics));
        }
    }
}

fn read_settings(mut object: CheckedObject<'_>, diagnostics: &mut Vec<Diagnostic>) -> AppSettings {
    let (common, has_common_rules) = dialect::read_common_parameters(&mut object, diagnostics);
    let schemas = dialect::read_schemas(&TREE, "schemas", &mut object, diagnostics);
    let is_setting = |member: &&JsonMember| WHOLE_API_KEYS.find(&member.key.value).is_none();
    let settings = object.members().filter(is_setting).cloned().collect();
    AppSettings { settings, common, schemas, has_common_rules, span: object.span }
}
