//! The names of an OpenAPI document. They stay distinct in the code that generators write for it: generators remove the
//! signs from names and change their case, so that `iapi.NoRoom` and `iapi.no_room` are the same name to them.

/// Returns what a generator can keep of a name: its letters and digits, in lower case.
pub(super) fn folded(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|char| char.to_ascii_lowercase()).collect()
}

/// Converts a text to a name of a component or an operation. Such a name can contain ASCII letters, digits, `.`, `-`
/// and `_` (OpenAPI 3.1.1 section 4.8.7). Braces are removed, and other letters become their code points, such as
/// `u4e2d`.
pub(super) fn to_component_name(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for char in text.chars().filter(|char| !matches!(char, '{' | '}')) {
        match char {
            char if char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | '_') => name.push(char),
            char if char.is_alphanumeric() => name.push_str(&format!("u{:x}", u32::from(char))),
            _ => name.push('_'),
        }
    }
    if name.is_empty() { "_".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_names_of_components() {
        for (text, name) in [("a.{id}.get", "a.id.get"), ("a$1%", "a_1_"), ("", "_"), ("中é", "u4e2due9")] {
            assert_eq!(to_component_name(text), name);
        }
        assert_eq!([folded("iapi.NoRoom"), folded("iapi.no_room")], ["iapinoroom"; 2]);
    }
}
