//! Pieces of Rust code: comments, names of fields, and indentation.

use rulebook_model::invisible::is_invisible;

/// Returns a doc comment, a line for each line of the text. A text without content has no comment.
pub(super) fn doc_comment(text: &str) -> String {
    text.trim().lines().map(|line| format!("/// {}", visible(line)).trim_end().to_owned() + "\n").collect()
}

/// Replaces the invisible characters of a comment. The compiler rejects some of them, because code could then look
/// different from what it is (Unicode Technical Report 36).
pub(super) fn visible(line: &str) -> String {
    line.chars().map(|char| if is_invisible(char) && char != '\u{200D}' { ' ' } else { char }).collect()
}

/// Indents every line of code that is not empty.
pub(super) fn indented(code: &str) -> String {
    code.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") }).collect()
}

/// Returns the attribute that gives a field or a variant its name in JSON, unless its identifier is this name.
pub(super) fn rename(name: &str, identifier: &str) -> String {
    if name == identifier { String::new() } else { format!("#[serde(rename = {name:?})]\n") }
}

/// The traits that the types of values implement.
pub(super) const VALUE_TRAITS: &str = "#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]\n";
