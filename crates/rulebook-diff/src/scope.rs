//! Compares the permissions that methods require.

use rulebook_model::model::{Method, PermissionPart, Scope};
use serde_json::json;

use crate::change::{Change, ChangeKind};

/// A group of permissions, in which variables have the names that clients know.
type Group = Vec<String>;

/// Compares the scopes of a method.
pub(crate) fn compare(old: &Method, new: &Method, changes: &mut Vec<Change>) {
    let [old_groups, new_groups] = [old, new].map(|method| groups(&method.scope, method));
    // A caller with the permissions of a group has those of a smaller group.
    let is_satisfied = |has: &Group, required: &[Group]| {
        required.is_empty() || required.iter().any(|group| group.iter().all(|permission| has.contains(permission)))
    };
    let callers = if old_groups.is_empty() { vec![Group::new()] } else { old_groups.clone() };
    if let Some(refused) = callers.iter().find(|group| !is_satisfied(group, &new_groups)) {
        let message = format!("requires {}, and required {}", words(&new_groups), words(&old_groups));
        let witness = json!({ "caller": { "permissions": refused } });
        changes.push(Change::new(ChangeKind::ScopeTightened, message).witness(witness).at(old.span, new.span));
        return;
    }
    let new_callers = if new_groups.is_empty() { vec![Group::new()] } else { new_groups.clone() };
    if new_callers.iter().any(|group| !is_satisfied(group, &old_groups)) {
        let message = format!("requires {}, and required {}", words(&new_groups), words(&old_groups));
        changes.push(Change::new(ChangeKind::ScopeWidened, message).at(old.span, new.span));
    }
}

fn groups(scope: &Scope, method: &Method) -> Vec<Group> {
    let text = |parts: &[PermissionPart]| {
        let part = |part: &PermissionPart| match part {
            PermissionPart::Literal(text) => text.clone(),
            PermissionPart::Variable(name) => method.request_name(name),
        };
        parts.iter().map(part).collect()
    };
    scope.groups.iter().map(|group| group.iter().map(|permission| text(&permission.parts)).collect()).collect()
}

fn words(groups: &[Group]) -> String {
    let groups: Vec<String> = groups.iter().map(|group| format!("`{}`", group.join("` and `"))).collect();
    if groups.is_empty() { "no permission".to_owned() } else { groups.join(", or ") }
}
