//! Describes the parameter values with which a caller can call a method, in documents for one caller (`?as=me`).

use crate::model::{Method, ScopeCondition};

/// The maximum number of items that a list in a sentence contains: the values of a parameter, or the alternatives. The
/// response to OPTIONS contains all items.
const MAX_LISTED: usize = 10;

/// Returns the condition under which the caller can call a method, such as "if `id` is `7` or `8`". `code` formats a
/// name or a value. Returns `None` if every value is allowed, or if the document is not for one caller.
pub(super) fn describe(method: &Method, code: fn(&str) -> String) -> Option<String> {
    let alternatives = method.scope.conditions.as_ref().filter(|when| !when.iter().any(ScopeCondition::is_empty))?;
    let name = |name: &String| {
        let parameter = method.parameters.iter().find(|parameter| parameter.name == *name);
        let key = parameter.map(|parameter| &parameter.key).filter(|key| !key.is_empty());
        code(key.unwrap_or(name))
    };
    let values = |values: &Vec<String>| join_limited(values.iter().map(|value| code(value)), " or ");
    let alternative = |when: &ScopeCondition| {
        let parts: Vec<_> =
            when.iter().map(|(parameter, of)| format!("{} is {}", name(parameter), values(of))).collect();
        parts.join(" and ")
    };
    Some(format!("if {}", join_limited(alternatives.iter().map(alternative), ", or if ")))
}

/// Joins the first items of a list, followed by the number of the other items.
pub(super) fn join_limited(items: impl ExactSizeIterator<Item = String>, separator: &str) -> String {
    let more = items.len().saturating_sub(MAX_LISTED);
    let listed: Vec<_> = items.take(MAX_LISTED).collect();
    let more = if more == 0 { String::new() } else { format!("{separator}{more} more") };
    listed.join(separator) + &more
}
