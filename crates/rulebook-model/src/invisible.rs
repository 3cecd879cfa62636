//! Characters that are invisible, or that change how the text around them is displayed.

use std::fmt::Write;

use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;

/// Returns `true` for control characters, line separators and format characters. These characters are invisible, or
/// they change the direction of the surrounding text. File names, source code and terminals must not contain them,
/// because a text could then look like another text (Unicode Technical Report 36).
#[must_use]
pub fn is_invisible(char: char) -> bool {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator};
    if char.is_ascii() {
        return char.is_ascii_control();
    }
    matches!(
        CodePointMapData::<GeneralCategory>::new().get(char),
        Control | Format | LineSeparator | ParagraphSeparator
    )
}

/// Returns `true` for the invisible characters that a document must not contain: control characters, and characters
/// that change the direction of the text after them (Unicode Standard Annex 9, sections 2.1 to 2.5).
///
/// Documents keep the other invisible characters, which words of some languages need: a right-to-left mark in Hebrew,
/// for example.
#[must_use]
pub fn is_control_character(char: char) -> bool {
    char.is_control() || matches!(char, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Replaces each invisible character by U+FFFD, so that a terminal can display a text from a client or server.
#[must_use]
pub fn replace_invisible(text: &str) -> String {
    text.chars().map(|char| if is_invisible(char) { char::REPLACEMENT_CHARACTER } else { char }).collect()
}

/// Escapes the [control characters](is_control_character) in the strings of a JSON text, so that a page or a terminal
/// can display it. The text has the same value.
#[must_use]
pub fn escape_controls_in_json(json: &str) -> String {
    escape_like_json(json, |character| character != '\n' && is_control_character(character))
}

/// Writes the characters for which `must_escape` returns `true` as `\uXXXX`, the notation of JSON and of JavaScript
/// strings (RFC 8259 section 7).
pub(crate) fn escape_like_json(text: &str, must_escape: impl Fn(char) -> bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if !must_escape(character) {
            escaped.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing to a `String` cannot fail.
            let _ = write!(escaped, "\\u{unit:04x}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_hide_or_reorder_text_are_invisible() {
        for char in "\n\u{1b}\u{7f}\u{9b}\u{ad}\u{61c}\u{200b}\u{200f}\u{2028}\u{202e}\u{2060}\u{2069}\u{feff}".chars()
        {
            assert!(is_invisible(char), "{char:?}");
        }
        for char in " aé\u{a0}\u{5d0}日👍\u{fffd}".chars() {
            assert!(!is_invisible(char) && !is_control_character(char), "{char:?}");
        }
        assert!(is_control_character('\u{202e}') && !is_control_character('\u{200f}'));
    }
}
