//! Escapes texts of a definition, so that a Markdown renderer shows them literally.

use crate::describe::escape::{format_code_point, is_white_space};
use crate::invisible::is_control_character;

/// Returns a text on one line, escaped so that a Markdown renderer shows it literally. The supported syntax is
/// CommonMark with the tables and the strikethrough of GitHub Flavored Markdown. Control characters, including
/// characters that change the direction of text, are replaced by their code points.
pub(in crate::describe) fn escape_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    let mut last = None;
    let mut characters = text.trim_matches(is_white_space).chars().peekable();
    // At the start of a line, digits and a dot or a parenthesis would begin an ordered list.
    let mut only_digits = true;
    while let Some(character) = characters.next() {
        let at_start = last.is_none();
        let next = characters.peek().copied();
        match character {
            _ if is_white_space(character) => {
                if !last.is_some_and(is_white_space) {
                    escaped.push(' ');
                }
            }
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '_' if is_word_character(last) && is_word_character(next) => escaped.push('_'),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' => escaped.extend(['\\', character]),
            '#' | '+' | '-' | '=' if at_start => escaped.extend(['\\', character]),
            // Markdown would not show a `#` at the end of a heading, because the syntax of headings includes it.
            '#' if next.is_none() => escaped.push_str("\\#"),
            '.' | ')' if only_digits && !at_start && next.is_none_or(is_white_space) => {
                escaped.extend(['\\', character]);
            }
            _ if is_control_character(character) => escaped.push_str(&format_code_point(character)),
            _ => escaped.push(character),
        }
        only_digits &= character.is_ascii_digit();
        last = Some(character);
    }
    escaped
}

/// Formats a text of the definition as a code span (`` `text` ``). If a code span in a table cannot contain the text,
/// the text is escaped instead.
pub(in crate::describe) fn code_span(text: &str) -> String {
    let is_plain =
        |character| !matches!(character, '`' | '|') && !is_white_space(character) && !is_control_character(character);
    if !text.is_empty() && text.split(' ').all(|word| !word.is_empty() && word.chars().all(is_plain)) {
        format!("`{text}`")
    } else {
        self::escape_text(text)
    }
}

/// Returns `true` if Markdown treats a `_` next to this character as a part of a word.
fn is_word_character(character: Option<char>) -> bool {
    character.is_some_and(char::is_alphanumeric)
}
