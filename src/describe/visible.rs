//! Text from a definition as readers may see it: what would change the text around it is shown by its number.

use std::borrow::Cow;
use std::fmt::Write;

/// Blanks that are shown as one, and what would end a line or a cell.
pub(super) fn is_break(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\x0B' | '\x0C' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Control characters, and those that give the text behind them another direction until they are ended
/// (Unicode Standard Annex 9, sections 2.1 to 2.5).
pub(super) fn is_hidden(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// The number of a character, to be shown instead of it.
pub(super) fn number(character: char) -> String {
    format!("U+{:04X}", u32::from(character))
}

/// A text of several lines: its line breaks and blanks stay, what is hidden is shown by its number.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    let stays = |c: char| matches!(c, ' ' | '\n' | '\t') || !(is_break(c) || is_hidden(c) || is_noncharacter(c));
    if text.chars().all(stays) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            _ if stays(character) => shown.push(character),
            _ if is_break(character) => shown.push(' '),
            // Writing to a String does not fail.
            _ => _ = write!(shown, "{}", number(character)),
        }
    }
    Cow::Owned(shown)
}

/// What HTML does not take even as a reference (HTML standard, section 13.1.4).
fn is_noncharacter(character: char) -> bool {
    let number = u32::from(character);
    matches!(number, 0xFDD0..=0xFDEF) || number & 0xFFFE == 0xFFFE
}
