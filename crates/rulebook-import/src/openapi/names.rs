//! Makes names that a definition accepts from names of the description.

use std::collections::HashSet;

use rulebook_model::model::{LOCATION_PREFIXES, WHOLE_BODY_KEY};
use rulebook_model::types::{Type, Types};

/// Returns the name that is equal to `name`, or has a number after it, and is not in `used`. Adds it to `used`.
pub(super) fn unique_name(name: &str, used: &mut HashSet<String>) -> String {
    let numbered = (2_u64..).map(|number| format!("{name}_{number}"));
    // There are more numbers than names, so that one of the names is always unused.
    let unused = std::iter::once(name.to_owned()).chain(numbered).find(|name| !used.contains(name));
    let unused = unused.unwrap_or_default();
    used.insert(unused.clone());
    unused
}

/// Returns a name of a schema that is similar to `name`, before it is made unique.
pub(super) fn schema_name(name: &str) -> String {
    let name = plain_name(name);
    if Types::builtin().iter().any(|known: &dyn Type| known.name() == name) { format!("{name}_schema") } else { name }
}

/// Returns a text in lower case in which `separator` replaces everything between words of letters and digits. Letters
/// beyond ASCII are kept.
pub(super) fn slug(text: &str, separator: char) -> String {
    let mut slug = String::new();
    for char in text.chars() {
        if char.is_alphanumeric() {
            slug.extend(char.to_lowercase());
        } else if !slug.is_empty() && !slug.ends_with(separator) {
            slug.push(separator);
        }
    }
    slug.trim_end_matches(separator).to_owned()
}

/// Returns the beginning of a text that has at most `max` bytes.
pub(super) fn cut(text: &str, max: usize) -> &str {
    let end = (0..=max.min(text.len())).rfind(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or_default()]
}

/// Returns the name of a capture, or of a schema, that is similar to `name`: ASCII letters, digits, `_` and `-`.
pub(super) fn plain_name(name: &str) -> String {
    let is_valid = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-');
    let name: String = name.chars().map(|char| if is_valid(char) { char } else { '_' }).collect();
    let is_start = |char: char| char.is_ascii_alphabetic() || char == '_';
    if name.starts_with(is_start) { name } else { format!("_{name}") }
}

/// Returns `true` if a field or an output can have this name.
pub(super) fn is_field_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|char: char| char.is_whitespace() || char.is_control())
}

/// Returns `true` if the key of a parameter can be this name of a field in a body: it means nothing else, and the field
/// has no brackets, which mean members of an object in forms.
pub(super) fn is_body_key(name: &str) -> bool {
    let has_prefix = LOCATION_PREFIXES.iter().map(|(prefix, _)| *prefix).chain(["URL#"]);
    let is_capture = name.starts_with('{') && name.ends_with('}');
    let has_other_meaning =
        name == WHOLE_BODY_KEY || is_capture || has_prefix.into_iter().any(|one| name.starts_with(one));
    !name.is_empty() && !has_other_meaning && !name.contains(['[', ']'])
}
