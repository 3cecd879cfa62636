//! Escapes texts of a definition, so that Markdown shows them literally.

use crate::describe::escape::{code_point, is_control, is_space};

/// Escapes a text on one line, so that markdown shows it literally (CommonMark with the tables and strikethrough of
/// GFM). Control characters, including those that change the direction of text, are replaced by their code points.
pub(in crate::describe) fn text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    let mut last = None;
    let mut characters = text.trim_matches(is_space).chars().peekable();
    // A dot or parenthesis after digits at the start of a line would begin an ordered list.
    let mut only_digits = true;
    while let Some(character) = characters.next() {
        let at_start = last.is_none();
        let next = characters.peek().copied();
        match character {
            _ if is_space(character) => {
                if !last.is_some_and(is_space) {
                    escaped.push(' ');
                }
            }
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '_' if is_letter(last) && is_letter(next) => escaped.push('_'),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' => escaped.extend(['\\', character]),
            '#' | '+' | '-' | '=' if at_start => escaped.extend(['\\', character]),
            // A `#` at the end of a heading would belong to the heading's markup.
            '#' if next.is_none() => escaped.push_str("\\#"),
            '.' | ')' if only_digits && !at_start && next.is_none_or(is_space) => escaped.extend(['\\', character]),
            _ if is_control(character) => escaped.push_str(&code_point(character)),
            _ => escaped.push(character),
        }
        only_digits &= character.is_ascii_digit();
        last = Some(character);
    }
    escaped
}

/// Formats a name, a type expression or a value as a code span, or as escaped text if a code span in a table cannot
/// contain it.
pub(in crate::describe) fn code(text: &str) -> String {
    let is_plain = |character| !matches!(character, '`' | '|') && !is_space(character) && !is_control(character);
    if !text.is_empty() && text.split(' ').all(|word| !word.is_empty() && word.chars().all(is_plain)) {
        format!("`{text}`")
    } else {
        self::text(text)
    }
}

/// Returns `true` if a `_` next to this character is part of a word.
fn is_letter(character: Option<char>) -> bool {
    character.is_some_and(char::is_alphanumeric)
}
