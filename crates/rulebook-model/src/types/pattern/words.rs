//! Describes patterns in words, for readers of the documentation.

/// The sets of characters that are described in words, each with the words.
const CHARACTER_SETS: &[(&str, &str)] = &[
    ("[a-z]", "only lower-case letters (a-z)"),
    ("[A-Z]", "only capital letters (A-Z)"),
    ("[0-9]", "only digits"),
    (r"\d", "only digits"),
    ("[a-zA-Z]", "only letters (a-z, A-Z)"),
    ("[A-Za-z]", "only letters (a-z, A-Z)"),
    ("[a-z0-9]", "only lower-case letters (a-z) and digits"),
    ("[0-9a-f]", "only hexadecimal digits (0-9, a-f)"),
    ("[a-f0-9]", "only hexadecimal digits (0-9, a-f)"),
    ("[a-zA-Z0-9]", "only letters (a-z, A-Z) and digits"),
    ("[A-Za-z0-9]", "only letters (a-z, A-Z) and digits"),
    (r"[^\x00]", "without null characters"),
    (r"[^\x00-\x1F]", "without control characters"),
    (r"[^\x00-\x1f]", "without control characters"),
    (r"[^\x00-\x1F\x7F]", "without control characters"),
];

/// Describes a pattern in the notation of definitions, such as `/^[a-z]+$/`, as a phrase after the description of a
/// text: " that matches …", or the allowed characters if the pattern only restricts them.
pub(super) fn describe_pattern(notation: &str) -> String {
    let set = notation.strip_prefix("/^").and_then(|rest| rest.strip_suffix("*$/").or(rest.strip_suffix("+$/")));
    match CHARACTER_SETS.iter().find(|(pattern, _)| Some(*pattern) == set) {
        Some((_, words)) => format!(", {words}"),
        None => format!(" that matches {notation}"),
    }
}
