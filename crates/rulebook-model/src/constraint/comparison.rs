//! Which values a constraint can compare.

use std::sync::Arc;

use serde_json::Value as Json;

use super::parse::{ConstraintError, Subjects};
use super::{Constraint, ConstraintKind, Given};
use crate::call::Value;
use crate::types::{AFTER_ATTRIBUTE, Arity, Check, TypeExpr};

/// Returns the error of types whose values a constraint cannot compare. Failed types are not among `checks`.
pub(super) fn comparison_error(kind: ConstraintKind, checks: &[&Arc<dyn Check>]) -> Option<ConstraintError> {
    let key = kind.key();
    if checks.iter().any(|check| matches!(check.arity(), Arity::File | Arity::Files)) {
        return Some(ConstraintError::new(format!("`{key}` cannot compare files"), "compare other values"));
    }
    let (first, others) = checks.split_first()?;
    if kind != ConstraintKind::Equal {
        let other = others.first()?;
        return (!are_comparable(&***first, &***other)).then(|| incomparable(key, first, other));
    }
    let other = others.iter().find(|other| are_always_different(&***first, &****other))?;
    let [one, other] = [first, other].map(|check| check.type_expr().term);
    let message = format!("`{key}` cannot compare `{one}` with `{other}`, because their values always differ");
    Some(ConstraintError::new(message, "give both the same type"))
}

fn incomparable(key: &str, one: &Arc<dyn Check>, other: &Arc<dyn Check>) -> ConstraintError {
    let [one, other] = [one, other].map(|check| check.type_expr());
    let format_of = |expr: &TypeExpr| expr.attributes.get("format").cloned();
    let (message, help) = if one.term == other.term && format_of(&one) != format_of(&other) {
        let message = format!("`{key}` cannot compare two values of the type `{}` with different formats", one.term);
        (message, "give both the same `format`, or give none to both")
    } else {
        let message = format!("`{key}` cannot compare `{}` with `{}`", one.term, other.term);
        (message, "name two numbers, or two values of the type `decimal`, `date` or `datetime`")
    };
    ConstraintError::new(message, help)
}

/// Returns `true` if no value of one type equals a value of the other, because each type has values of one other kind.
fn are_always_different(one: &dyn Check, other: &dyn Check) -> bool {
    let kinds = [one, other].map(|check| -> Vec<&'static str> {
        // Functions after a check can return values of any kind.
        let is_converted = check.type_expr().attributes.contains_key(AFTER_ATTRIBUTE);
        let has_one_kind = check.schema().get("type").is_some_and(Json::is_string);
        let values = if is_converted || !has_one_kind { Vec::new() } else { check.boundary_values() };
        values.into_iter().filter_map(|value| check.checked(value).ok()).map(|value| value.kind()).collect()
    });
    let [ones, others] = kinds;
    !ones.is_empty() && !others.is_empty() && ones.iter().all(|kind| !others.contains(kind))
}

fn are_comparable(one: &dyn Check, other: &dyn Check) -> bool {
    let values = |check: &dyn Check| -> Vec<_> {
        check.boundary_values().into_iter().filter_map(|value| check.checked(value).ok()).collect()
    };
    let (firsts, seconds) = (values(one), values(other));
    // Null is not compared.
    let has_order = |check: &dyn Check, a: &Value<'_>, b: &Value<'_>| {
        matches!((a, b), (Value::Null, _) | (_, Value::Null)) || check.compare(a, b).is_some()
    };
    let are_ordered = |first: &Value<'_>| {
        seconds.iter().all(|second| has_order(one, first, second) && has_order(other, second, first))
    };
    !firsts.is_empty() && !seconds.is_empty() && firsts.iter().all(are_ordered)
}

/// Returns the error of a constraint that compares defaults, and that a request without these parameters breaks.
pub(super) fn error_of_defaults(constraint: &Constraint, subjects: &Subjects) -> Option<ConstraintError> {
    let default = |name: &str| subjects.list.iter().find(|subject| subject.name == name)?.default.as_ref();
    let given = |name: &str| default(name).map_or(Given::Absent, Given::Value);
    let broken = constraint.check(&given, &str::to_owned).filter(|_| constraint.kind.compares_values())?;
    let message = format!("the default of `{}` is not {}", broken.name, broken.expected);
    Some(ConstraintError::new(message, "change a default: the server refuses requests without these parameters"))
}
