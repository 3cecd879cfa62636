//! Describes the parameter values with which a caller can call a method. Only documents for one caller (`?as=me`)
//! contain these descriptions.

use crate::model::{Method, ScopeCondition};

/// The maximum number of items that a sentence lists: values of a parameter, or alternative conditions. Only the
/// response to OPTIONS contains all items.
const MAX_LISTED_ITEMS: usize = 10;

/// Returns the condition under which the caller can call a method, such as "if `id` is `7` or `8`". `format_code`
/// formats the name or the value of a parameter as code. Returns `None` if the caller can call the method with all
/// parameter values, or if the document is not for one caller.
pub(super) fn describe_call_condition(method: &Method, format_code: fn(&str) -> String) -> Option<String> {
    let alternatives = method.scope.conditions.as_ref().filter(|when| !when.iter().any(ScopeCondition::is_empty))?;
    let name = |name: &String| {
        let parameter = method.parameters.iter().find(|parameter| parameter.name == *name);
        let key = parameter.map(|parameter| &parameter.key).filter(|key| !key.is_empty());
        format_code(key.unwrap_or(name))
    };
    let values = |values: &Vec<String>| join_first_items(values.iter().map(|value| format_code(value)), " or ");
    let alternative = |when: &ScopeCondition| {
        let parts: Vec<_> =
            when.iter().map(|(parameter, of)| format!("{} is {}", name(parameter), values(of))).collect();
        parts.join(" and ")
    };
    Some(format!("if {}", join_first_items(alternatives.iter().map(alternative), ", or if ")))
}

/// Joins the first [`MAX_LISTED_ITEMS`] items of a list. If the list has more items, the text ends with their number,
/// such as "3 more".
pub(super) fn join_first_items(items: impl ExactSizeIterator<Item = String>, separator: &str) -> String {
    let more = items.len().saturating_sub(MAX_LISTED_ITEMS);
    let listed: Vec<_> = items.take(MAX_LISTED_ITEMS).collect();
    let more = if more == 0 { String::new() } else { format!("{separator}{more} more") };
    listed.join(separator) + &more
}
