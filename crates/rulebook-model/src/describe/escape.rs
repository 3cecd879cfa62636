//! Replaces control characters in texts of a definition. Such characters could change how a document displays the text
//! around them, so the document shows their code points instead.

use std::borrow::Cow;
use std::fmt::Write;

use crate::invisible::is_control_character;

/// Returns `true` for white space and for characters that end a line. Documents show a sequence of these characters as
/// one space.
pub(super) fn is_white_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\x0B' | '\x0C' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Returns the code point of a character in the notation of documents, such as `U+202E`.
pub(super) fn format_code_point(character: char) -> String {
    format!("U+{:04X}", u32::from(character))
}

/// Replaces each control character by its code point. Line breaks, tabs and spaces are not changed.
pub(super) fn escape_control_characters(text: &str) -> Cow<'_, str> {
    let is_kept = |c: char| {
        matches!(c, ' ' | '\n' | '\t') || !(is_white_space(c) || is_control_character(c) || is_noncharacter(c))
    };
    if text.chars().all(is_kept) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            _ if is_kept(character) => escaped.push(character),
            _ if is_white_space(character) => escaped.push(' '),
            // Writing to a `String` cannot fail.
            _ => _ = write!(escaped, "{}", format_code_point(character)),
        }
    }
    Cow::Owned(escaped)
}

/// Returns `true` for noncharacters, which HTML does not allow even as a character reference (HTML standard, section
/// 13.1.4).
fn is_noncharacter(character: char) -> bool {
    let number = u32::from(character);
    matches!(number, 0xFDD0..=0xFDEF) || number & 0xFFFE == 0xFFFE
}
