//! Who may call, where a description is for somebody: with which values.

use crate::model::{Method, When};

/// The most values of one parameter, and the most ways, that are told in words. All stand in what OPTIONS answers.
const MOST: usize = 10;

/// With which values of its parameters whoever asks may call a method, to be read behind "for you"; `code` shows a name
/// or a value. None where nothing is said, or where it is with any.
pub(super) fn words(method: &Method, code: fn(&str) -> String) -> Option<String> {
    let ways = method.scope.when.as_ref().filter(|ways| !ways.iter().any(When::is_empty))?;
    let name = |name: &String| {
        let own = method.parameters.iter().find(|own| own.name == *name).filter(|own| !own.key.is_empty());
        code(own.map_or(name, |own| &own.key))
    };
    let values = |values: &Vec<String>| some(values.iter().map(|value| code(value)), " or ");
    let way = |way: &When| {
        let parts: Vec<_> = way.iter().map(|(own, of)| format!("{} is {}", name(own), values(of))).collect();
        parts.join(" and ")
    };
    Some(format!("where {}", some(ways.iter().map(way), ", or where ")))
}

/// The first of a list, and how many more there are.
pub(super) fn some(items: impl ExactSizeIterator<Item = String>, between: &str) -> String {
    let more = items.len().saturating_sub(MOST);
    let shown: Vec<_> = items.take(MOST).collect();
    let more = if more == 0 { String::new() } else { format!("{between}{more} more") };
    shown.join(between) + &more
}
