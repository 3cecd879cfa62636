//! Texts in XML, between tags and as attributes.

use std::borrow::Cow;

use serde_json::Value as Json;

/// A text that XML can hold: the text itself, or as it stands between the quotes of a JSON string.
pub(super) fn held(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_char) {
        return Cow::Borrowed(text);
    }
    let quoted = Json::from(text).to_string();
    let inside = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(&quoted);
    // These two are characters of JSON as any others.
    Cow::Owned(inside.replace('\u{FFFE}', "\\ufffe").replace('\u{FFFF}', "\\uffff"))
}

/// Whether XML can hold a character (XML 1.0 section 2.2).
fn is_char(own: char) -> bool {
    matches!(own, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

/// Writes a text that XML can hold, so that a parser gives it back: nothing in it is markup (`]]>` neither), and
/// line ends and blanks are not normalised (XML 1.0 sections 2.11 and 3.3.3).
pub(super) fn write(text: &str, to: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"', '\t', '\n', '\r']) {
        let (plain, found) = rest.split_at(at);
        to.push_str(plain);
        to.push_str(match found.as_bytes().first() {
            Some(b'&') => "&amp;",
            Some(b'<') => "&lt;",
            Some(b'>') => "&gt;",
            Some(b'"') => "&quot;",
            Some(b'\t') => "&#9;",
            Some(b'\n') => "&#10;",
            _ => "&#13;",
        });
        // All of them are one byte long.
        rest = found.get(1..).unwrap_or_default();
    }
    to.push_str(rest);
}
