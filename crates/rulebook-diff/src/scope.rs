//! Compares the permissions that methods require.

use rulebook_model::model::{Permission, PermissionPart, Scope};
use serde_json::json;

use crate::change::{Change, ChangeKind};
use crate::parameters::{MethodOf, name_in_old};

/// A permission that a method requires.
#[derive(Clone)]
struct Required {
    /// With the names of variables that clients know.
    words: String,
    /// With the names of parameters in the old definition: another parameter of the same name is another variable.
    key: String,
}

/// A group of permissions.
type Group = Vec<Required>;

/// Compares the scopes of a method.
pub(crate) fn compare(before: MethodOf<'_>, after: MethodOf<'_>, changes: &mut Vec<Change>) {
    let (old, new) = (before.method, after.method);
    let old_groups = groups(&old.scope, &|name| old.request_name(name), &str::to_owned);
    let new_groups = groups(&new.scope, &|name| new.request_name(name), &|name| name_in_old(before, after, name));
    // A caller with the permissions of a group has those of a smaller group.
    let has_it = |has: &Group, required: &Required| has.iter().any(|permission| permission.key == required.key);
    let is_satisfied = |has: &Group, required: &[Group]| {
        required.is_empty() || required.iter().any(|group| group.iter().all(|permission| has_it(has, permission)))
    };
    let callers = if old_groups.is_empty() { vec![Group::new()] } else { old_groups.clone() };
    if let Some(refused) = callers.iter().find(|group| !is_satisfied(group, &new_groups)) {
        let message = format!("requires {}, and required {}", words(&new_groups), words(&old_groups));
        let permissions: Vec<&str> = refused.iter().map(|permission| &*permission.words).collect();
        let witness = json!({ "caller": { "permissions": permissions } });
        changes.push(Change::new(ChangeKind::ScopeTightened, message).witness(witness).at(old.span, new.span));
        return;
    }
    let new_callers = if new_groups.is_empty() { vec![Group::new()] } else { new_groups.clone() };
    if new_callers.iter().any(|group| !is_satisfied(group, &old_groups)) {
        let message = format!("requires {}, and required {}", words(&new_groups), words(&old_groups));
        changes.push(Change::new(ChangeKind::ScopeWidened, message).at(old.span, new.span));
    }
}

fn groups(scope: &Scope, words: &dyn Fn(&str) -> String, key: &dyn Fn(&str) -> String) -> Vec<Group> {
    let text = |parts: &[PermissionPart], name_of: &dyn Fn(&str) -> String| {
        let part = |part: &PermissionPart| match part {
            PermissionPart::Literal(text) => text.clone(),
            PermissionPart::Variable(name) => name_of(name),
        };
        parts.iter().map(part).collect()
    };
    let group = |permissions: &Vec<Permission>| {
        permissions.iter().map(|it| Required { words: text(&it.parts, words), key: text(&it.parts, key) }).collect()
    };
    scope.groups.iter().map(group).collect()
}

fn words(groups: &[Group]) -> String {
    let words = |group: &Group| group.iter().map(|permission| &*permission.words).collect::<Vec<_>>().join("` and `");
    let groups: Vec<String> = groups.iter().map(|group| format!("`{}`", words(group))).collect();
    if groups.is_empty() { "no permission".to_owned() } else { groups.join(", or ") }
}
