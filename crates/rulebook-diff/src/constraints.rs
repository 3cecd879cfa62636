//! Compares the constraints between the parameters of methods.

use rulebook_model::constraint::{Constraint, Given};
use rulebook_model::model::{Method, Parameter};
use serde_json::{Map, Value as Json, json};

use crate::change::{Change, ChangeKind};
use crate::parameters::{MethodOf, name_in_old};

/// Compares the constraints of a method. Their parameters are the same if they have the same place in requests.
pub(crate) fn compare(before: MethodOf<'_>, after: MethodOf<'_>, changes: &mut Vec<Change>) {
    let (old, new) = (before.method, after.method);
    let key = |constraint: &Constraint| constraint.in_words(&|name| name_in_old(before, after, name));
    let old_keys: Vec<String> = old.constraints.iter().map(|it| it.in_words(&str::to_owned)).collect();
    let new_keys: Vec<String> = new.constraints.iter().map(key).collect();
    for (constraint, key) in old.constraints.iter().zip(&old_keys) {
        if !new_keys.contains(key) {
            let words = constraint.in_words(&|name| old.request_name(name));
            let message = format!("no longer requires this: {words}");
            changes.push(Change::new(ChangeKind::ConstraintRemoved, message).at(old.span, new.span));
        }
    }
    for (constraint, key) in new.constraints.iter().zip(&new_keys) {
        let words = constraint.in_words(&|name| new.request_name(name));
        let name_in_old = |name: &str| name_in_old(before, after, name);
        if old_keys.contains(key) {
            let is_changed = |name: &&String| changes_values(new, name) != changes_values(old, &name_in_old(name));
            if let Some(name) = constraint.names.iter().find(is_changed).filter(|_| constraint.kind.compares_values()) {
                let message = format!("`after` of `{}` has changed, and so this: {words}", new.request_name(name));
                changes.push(Change::new(ChangeKind::ConstraintChanged, message).at(old.span, new.span));
            }
            continue;
        }
        let witness =
            combinations(old).iter().find_map(|given| refused_request(old, (constraint, &name_in_old), given));
        let kind = if witness.is_some() { ChangeKind::ConstraintAdded } else { ChangeKind::ConstraintChanged };
        let change = Change::new(kind, format!("requires this: {words}")).witness(witness).at(old.span, new.span);
        changes.push(change);
    }
}

/// Returns the functions that change the values of a parameter before they are compared.
fn changes_values(method: &Method, name: &str) -> Option<Json> {
    let parameter = method.parameters.iter().find(|parameter| parameter.name == name)?;
    parameter.r#type.written.attributes.get("after").cloned()
}

/// Returns the combinations of optional parameters with which constraints are tried: none, all, each of them alone, and
/// all but one.
fn combinations(method: &Method) -> Vec<Vec<&Parameter>> {
    let all: Vec<&Parameter> = method.parameters.iter().filter(|parameter| parameter.optional).collect();
    let without = |index: usize| all.iter().enumerate().filter(move |(other, _)| *other != index).map(|(_, it)| *it);
    let each = || 0..all.len();
    let alone = each().map(|index| vec![all[index]]);
    [Vec::new(), all.clone()].into_iter().chain(alone).chain(each().map(|index| without(index).collect())).collect()
}

/// Returns a request with the required and these optional parameters that fulfills the constraints of the old
/// definition, and not this one of the new definition. Returns `None` if this request fulfills it.
fn refused_request(
    old: &Method,
    (constraint, name_in_old): (&Constraint, &dyn Fn(&str) -> String),
    given: &[&Parameter],
) -> Option<Json> {
    let is_given = |parameter: &&Parameter| {
        !parameter.optional || parameter.default.is_some() || given.iter().any(|it| std::ptr::eq(*it, *parameter))
    };
    let mut values = Vec::new();
    for parameter in old.parameters.iter().filter(is_given) {
        values.push((parameter, parameter.r#type.check.example()?));
    }
    let given = |name: &str| match values.iter().find(|(parameter, _)| parameter.name == name) {
        Some((_, value)) => Given::Value(value),
        None => Given::Absent,
    };
    let is_fulfilled = |constraint: &Constraint| constraint.check(&given, &str::to_owned).is_none();
    let is_new_fulfilled = constraint.check(&|name| given(&name_in_old(name)), &str::to_owned).is_none();
    if is_new_fulfilled || !old.constraints.iter().all(is_fulfilled) {
        return None;
    }
    let name = |parameter: &Parameter| parameter.request_name().to_owned();
    let members: Map<_, _> = values.iter().map(|(parameter, value)| (name(parameter), value.to_json())).collect();
    Some(json!({ "request": members }))
}
