//! Converts names of the definition to identifiers of Rust code.

/// The strict and reserved keywords of Rust, in all editions.
pub const RUST_KEYWORDS: [&str; 51] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true",
    "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Converts a name to an identifier in snake case, such as `get_base_info` for `getBaseInfo`. If the name contains no
/// letter or digit of ASCII, the result is `fallback`.
#[must_use]
pub fn snake_case(name: &str, fallback: &str) -> String {
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

/// Converts an identifier in snake case to one in camel case, such as `GetBaseInfo`. If it begins with a digit, the
/// result begins with `_`.
#[must_use]
pub fn camel_case(identifier: &str) -> String {
    let words = identifier.split('_').filter(|word| !word.is_empty());
    let name: String = words.map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect();
    if name.starts_with(|first: char| first.is_ascii_digit()) { format!("_{name}") } else { name }
}

/// Converts a name to the name of a type or of a variant, such as `BaseInfo` for `base-info`.
#[must_use]
pub fn type_name(name: &str, fallback: &str) -> String {
    camel_case(&snake_case(name, fallback))
}
