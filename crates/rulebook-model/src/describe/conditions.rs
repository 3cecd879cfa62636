//! Describes for which parameter values the caller may call a method, in documents made for one caller.

use crate::model::{Method, ScopeCondition};

/// The maximum number of items that a list in a sentence names: the values of one parameter, or the alternatives. The
/// response to OPTIONS has all of them.
const MAX_LISTED: usize = 10;

/// Returns for which values of its parameters the caller may call a method, such as "if `id` is `7` or `8`". `code`
/// formats a name or a value. Returns none if any value will do, or if the document is not made for one caller.
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

/// Joins the first items of a list, and says how many more there are.
pub(super) fn join_limited(items: impl ExactSizeIterator<Item = String>, separator: &str) -> String {
    let more = items.len().saturating_sub(MAX_LISTED);
    let listed: Vec<_> = items.take(MAX_LISTED).collect();
    let more = if more == 0 { String::new() } else { format!("{separator}{more} more") };
    listed.join(separator) + &more
}
