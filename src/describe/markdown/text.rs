//! Words of a definition in markdown, so that they are shown as they are.

use crate::describe::visible::{is_break, is_hidden, number};

/// Words of a definition, on one line: whatever they hold, they are shown as text (CommonMark with the tables and
/// strikethrough of GFM). Characters that would turn the direction of what follows them, and other control
/// characters, are shown by their numbers.
pub(in crate::describe) fn text(words: &str) -> String {
    let mut shown = String::with_capacity(words.len() + words.len() / 8);
    let mut last = None;
    let mut characters = words.trim_matches(is_break).chars().peekable();
    // The number of an ordered list ends in a mark.
    let mut only_digits = true;
    while let Some(character) = characters.next() {
        let at_start = last.is_none();
        let next = characters.peek().copied();
        match character {
            _ if is_break(character) => {
                if !last.is_some_and(is_break) {
                    shown.push(' ');
                }
            }
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '_' if is_letter(last) && is_letter(next) => shown.push('_'),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' => shown.extend(['\\', character]),
            '#' | '+' | '-' | '=' if at_start => shown.extend(['\\', character]),
            // At its end a heading may be closed.
            '#' if next.is_none() => shown.push_str("\\#"),
            '.' | ')' if only_digits && !at_start && next.is_none_or(is_break) => shown.extend(['\\', character]),
            _ if is_hidden(character) => shown.push_str(&number(character)),
            _ => shown.push(character),
        }
        only_digits &= character.is_ascii_digit();
        last = Some(character);
    }
    shown
}

/// A name, a term or a value: as code where code can show it, else as text. It fits into a cell of a table.
pub(in crate::describe) fn code(words: &str) -> String {
    let as_it_is = |character| !matches!(character, '`' | '|') && !is_break(character) && !is_hidden(character);
    if !words.is_empty() && words.split(' ').all(|word| !word.is_empty() && word.chars().all(as_it_is)) {
        format!("`{words}`")
    } else {
        text(words)
    }
}

/// Whether `_` beside it is part of a word.
fn is_letter(character: Option<char>) -> bool {
    character.is_some_and(char::is_alphanumeric)
}
