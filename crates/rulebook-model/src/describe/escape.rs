//! Replaces characters in texts of a definition that would change the display of the text around them by their code
//! points.

use std::borrow::Cow;
use std::fmt::Write;

/// Returns `true` for white space and for characters that end a line. Documents show several of them as one space.
pub(super) fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\x0B' | '\x0C' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Returns `true` for control characters, and for characters that change the direction of the text after them (Unicode
/// Standard Annex 9, sections 2.1 to 2.5).
pub(super) fn is_control(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Returns the code point of a character as documents show it: `U+202E`.
pub(super) fn code_point(character: char) -> String {
    format!("U+{:04X}", u32::from(character))
}

/// Replaces control characters by their code points, except line breaks, tabs and spaces.
pub(super) fn escape_controls(text: &str) -> Cow<'_, str> {
    let is_kept = |c: char| matches!(c, ' ' | '\n' | '\t') || !(is_space(c) || is_control(c) || is_noncharacter(c));
    if text.chars().all(is_kept) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            _ if is_kept(character) => escaped.push(character),
            _ if is_space(character) => escaped.push(' '),
            // Writing to a String cannot fail.
            _ => _ = write!(escaped, "{}", code_point(character)),
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
