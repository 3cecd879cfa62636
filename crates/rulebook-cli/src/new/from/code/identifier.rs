//! Converts names of the definition to identifiers of Rust code.

use std::collections::HashSet;

use super::super::super::name::RUST_KEYWORDS;

/// Converts a name to an identifier in snake case, such as `get_base_info` for `getBaseInfo`. If the name contains no
/// letter or digit of ASCII, the result is `fallback`.
pub(super) fn snake_case(name: &str, fallback: &str) -> String {
    let mut result = String::new();
    let mut previous = '_';
    for char in name.chars() {
        let is_part = char.is_ascii_alphanumeric();
        let begins_word = char.is_ascii_uppercase() && (previous.is_ascii_lowercase() || previous.is_ascii_digit());
        if (!is_part || begins_word) && !result.is_empty() && !result.ends_with('_') {
            result.push('_');
        }
        if is_part {
            result.push(char.to_ascii_lowercase());
        }
        previous = char;
    }
    let result = result.trim_end_matches('_');
    match result.chars().next() {
        None => fallback.to_owned(),
        Some(first) if first.is_ascii_digit() => format!("_{result}"),
        Some(_) if RUST_KEYWORDS.contains(&result) => format!("{result}_"),
        Some(_) => result.to_owned(),
    }
}

/// Converts an identifier in snake case to one in camel case, such as `GetBaseInfo`.
pub(super) fn camel_case(identifier: &str) -> String {
    let words = identifier.split('_').filter(|word| !word.is_empty());
    words.map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect()
}

/// Returns the identifier, with a number if it is in `used`, and adds it to `used`.
pub(super) fn unique(identifier: String, used: &mut HashSet<String>) -> String {
    let numbered = (2..).map(|number| format!("{identifier}_{number}"));
    let free = std::iter::once(identifier.clone()).chain(numbered).find(|name| !used.contains(name));
    let name = free.unwrap_or(identifier);
    used.insert(name.clone());
    name
}
