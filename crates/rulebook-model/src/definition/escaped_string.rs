//! Finds the parts of a JSON string whose text in the file contains escape sequences.

/// Returns the offset in a string with escape sequences of the character at an offset in the decoded string.
pub(super) fn escaped_offset(escaped: &str, offset: usize) -> usize {
    let (mut at, mut decoded) = (0, 0);
    while let Some(rest) = escaped.get(at..).filter(|rest| !rest.is_empty()) {
        let (len, decoded_len) = match rest.chars().next().unwrap_or_default() {
            '\\' => escape_len(rest),
            other => (other.len_utf8(), other.len_utf8()),
        };
        decoded += decoded_len;
        if decoded > offset {
            break;
        }
        at = (at + len).min(escaped.len());
    }
    at
}

/// Returns the length of a valid escape sequence at the beginning of a text, and that of its decoded character.
fn escape_len(text: &str) -> (usize, usize) {
    let code_unit = |at: usize| u16::from_str_radix(text.get(at..at + 4)?, 16).ok();
    match code_unit(2).filter(|_| text.starts_with("\\u")) {
        Some(0xD800..=0xDFFF) => ("\\uD834\\uDD1E".len(), 4),
        Some(unit) => ("\\u00E9".len(), char::from_u32(unit.into()).map_or(1, char::len_utf8)),
        None => ("\\n".len(), 1),
    }
}
