//! The versions of an API: which parts of the definition each of them has.
//!
//! An object with the key `since` or `until` belongs to some versions only. The versions are taken from the text of the
//! files before their content is read, so that everything in a definition can have these keys, and the code that reads
//! the content does not know them.

use std::collections::HashSet;

use super::jsonc::{JsonData, JsonMember, JsonMembers, JsonNode};
use super::keys::is_comment_key;
use crate::constraint::CONSTRAINTS_KEY;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::default_parameter_name;
use crate::span::Spanned;

const VERSIONS: &str = "versions";
/// The key of the first version that has an object.
pub(crate) const SINCE: &str = "since";
/// The key of the last version that has an object.
pub(crate) const UNTIL: &str = "until";

/// The keys whose members have names that the author chooses.
const MAPS: [&str; 10] = ["in", "out", "parameters", "output", "errors", "fields", "schemas", "modules", "common", "/"];
/// The maps whose members can be left out in a version, because they are values.
const MAPS_OF_VALUES: [&str; 6] = ["in", "out", "parameters", "output", "fields", "common"];
/// The keys with values in JSON or settings of other code, in which `since` and `until` are data.
const DATA: [&str; 6] = ["default", "example", "handler", "handlers", "auth", "params"];

/// The names of the versions, in their order.
#[derive(Debug, Clone, Default)]
pub(super) struct VersionNames(Vec<Spanned<String>>);

/// What the walk through a file is for.
#[derive(Clone, Copy)]
enum Part<'v> {
    /// The content of the version with this index.
    Version(&'v VersionNames, usize),
    /// The content of all versions, as handlers see it: values that only some versions have are optional.
    AllVersions,
}

impl VersionNames {
    /// Reads the names in the settings. What is wrong about them is reported later.
    pub(super) fn of_settings(settings: &[JsonNode]) -> Self {
        let names = settings.iter().find_map(|node| node.member(VERSIONS)?.member("names")?.strings());
        Self(names.map(|names| names.value).unwrap_or_default())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &str)> {
        self.0.iter().map(|name| &*name.value).enumerate()
    }

    fn index(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|known| known.value == name)
    }

    /// Returns the content of a file in one version; `None` if the version does not have the file. The settings of a
    /// version have no versions.
    pub(super) fn part_of(&self, node: &JsonNode, version: usize) -> Option<JsonNode> {
        let mut part = node.clone();
        if let JsonData::Object(members) = &mut part.data {
            members.list.retain(|member| member.key.value != VERSIONS);
        }
        Part::Version(self, version).keep(&mut part, "").then_some(part)
    }

    /// Reports the keys `since` and `until` of a file that name no version.
    pub(super) fn check(&self, node: &JsonNode, diagnostics: &mut Vec<Diagnostic>) {
        walk(node, "", &mut |object| {
            let [since, until] = [SINCE, UNTIL].map(|key| self.check_bound(key, object, diagnostics));
            if let Some((first, last)) = since.zip(until).filter(|(first, last)| first.value > last.value) {
                let error =
                    Diagnostic::new(DiagnosticCode::BadOption, last.span, "`until` is a version before `since`");
                diagnostics.push(error.related(first.span, "the first version"));
            }
        });
    }

    fn check_bound(
        &self,
        key: &str,
        object: &JsonMembers,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Option<Spanned<usize>> {
        let bound = text_of(object, key)?;
        let error = |message: String| Diagnostic::new(DiagnosticCode::BadOption, bound.span, message);
        if self.0.is_empty() {
            let error = error(format!("`{key}` names a version, but the API has no versions"));
            diagnostics.push(error.help("add `\"versions\": { \"names\": [\"1\", \"2\"] }` to app.json"));
            return None;
        }
        let index = self.index(&bound.value);
        if index.is_none() {
            let names: Vec<_> = self.iter().map(|(_, name)| format!("`{}`", name.escape_debug())).collect();
            let unknown = error(format!("unknown version `{}`", bound.value.escape_debug()));
            let unknown = unknown.help(format!("the setting `versions` has the versions {}", names.join(", ")));
            diagnostics.push(unknown.suggest(&bound.value, self.iter().map(|(_, name)| name)));
        }
        index.map(|index| Spanned::new(index, bound.span))
    }
}

/// Converts a file to its content in all versions.
pub(super) fn unite(node: &mut JsonNode) {
    Part::AllVersions.keep(node, "");
}

impl Part<'_> {
    /// Removes from a value what does not belong to the part, and all keys `since` and `until`. `key` is the key of the
    /// value. Returns `false` if the value itself does not belong to the part.
    fn keep(self, node: &mut JsonNode, key: &str) -> bool {
        match &mut node.data {
            JsonData::Array(items) => items.retain_mut(|item| self.keep(item, "")),
            JsonData::Object(object) if MAPS.contains(&key) => self.keep_members(object, key),
            JsonData::Object(object) => {
                let [since, until] = [SINCE, UNTIL].map(|key| take_text(object, key));
                if !self.contains(since.as_deref(), until.as_deref()) {
                    return false;
                }
                let before = value_names(object);
                self.keep_members(object, key);
                let after = value_names(object);
                let removed: HashSet<_> = before.difference(&after).collect();
                forget_constraints(object, |text| removed.contains(&text.to_owned()));
            }
            _ => {}
        }
        true
    }

    fn keep_members(self, object: &mut JsonMembers, key: &str) {
        let is_map = MAPS.contains(&key);
        object.list.retain_mut(|JsonMember { key: name, value }| {
            if !is_map && is_data(&name.value) {
                return true;
            }
            let is_limited = is_limited(value);
            // A member of a map is an object with keys, even if its name is the key of a map.
            let is_kept = self.keep(value, if is_map { "" } else { &name.value });
            if is_limited && matches!(self, Self::AllVersions) && MAPS_OF_VALUES.contains(&key) {
                make_optional(value);
            }
            is_kept
        });
    }

    fn contains(self, since: Option<&str>, until: Option<&str>) -> bool {
        let Self::Version(names, version) = self else { return true };
        let index = |name: Option<&str>| name.and_then(|name| names.index(name));
        index(since).is_none_or(|first| first <= version) && index(until).is_none_or(|last| version <= last)
    }
}

/// Calls a function with each object that can have the keys `since` and `until`.
fn walk(node: &JsonNode, key: &str, visit: &mut impl FnMut(&JsonMembers)) {
    match &node.data {
        JsonData::Array(items) => items.iter().for_each(|item| walk(item, "", visit)),
        JsonData::Object(object) => {
            let is_map = MAPS.contains(&key);
            if !is_map {
                visit(object);
            }
            for JsonMember { key: name, value } in &object.list {
                match is_map {
                    true => walk(value, "", visit),
                    false if is_data(&name.value) => {}
                    false => walk(value, &name.value, visit),
                }
            }
        }
        _ => {}
    }
}

fn is_data(key: &str) -> bool {
    DATA.contains(&key) || is_comment_key(key)
}

fn is_limited(node: &JsonNode) -> bool {
    matches!(&node.data, JsonData::Object(object) if [SINCE, UNTIL].iter().any(|key| text_of(object, key).is_some()))
}

fn text_of(object: &JsonMembers, key: &str) -> Option<Spanned<String>> {
    object.list.iter().find(|member| member.key.value == key)?.value.string()
}

/// Removes the member with a text under `key`, and returns the text.
fn take_text(object: &mut JsonMembers, key: &str) -> Option<String> {
    let position = object.list.iter().position(|member| member.key.value == key)?;
    let text = object.list[position].value.string()?.value;
    object.list.remove(position);
    Some(text)
}

fn make_optional(node: &mut JsonNode) {
    let JsonData::Object(object) = &mut node.data else { return };
    for member in object.list.iter_mut().filter(|member| member.key.value == "type") {
        if let JsonData::String(term) = &mut member.value.data
            && !term.starts_with('?')
        {
            term.insert(0, '?');
        }
    }
}

/// Returns the names of the parameters of a method, or of the fields of an object type.
fn value_names(object: &JsonMembers) -> HashSet<String> {
    let maps = object.list.iter().filter(|member| ["in", "parameters", "fields"].contains(&&*member.key.value));
    let members = maps.filter_map(|map| match &map.value.data {
        JsonData::Object(members) => Some(&members.list),
        _ => None,
    });
    let name = |member: &JsonMember| {
        let name = member.value.member("name").and_then(JsonNode::string).map(|name| name.value);
        name.unwrap_or_else(|| default_parameter_name(&member.key.value).to_owned())
    };
    members.flatten().map(name).collect()
}

/// Removes the constraints that name a value which is not there.
fn forget_constraints(object: &mut JsonMembers, is_removed: impl Fn(&str) -> bool) {
    for member in object.list.iter_mut().filter(|member| member.key.value == CONSTRAINTS_KEY) {
        if let JsonData::Array(entries) = &mut member.value.data {
            entries.retain(|entry| !entry.texts().iter().any(|(text, _)| is_removed(text)));
        }
    }
}
