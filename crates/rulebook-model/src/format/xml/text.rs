//! Texts in XML, as content of elements and as values of attributes.

use std::borrow::Cow;

use serde_json::Value as Json;

/// Returns a text without the characters that XML does not allow. A text with such characters is escaped as in a JSON
/// string and returned as `Cow::Owned`; any other text is returned as `Cow::Borrowed`.
pub(super) fn escape_forbidden(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_char) {
        return Cow::Borrowed(text);
    }
    let quoted = Json::from(text).to_string();
    let content = quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(&quoted);
    // JSON strings can contain these two characters without escaping.
    Cow::Owned(content.replace('\u{FFFE}', "\\ufffe").replace('\u{FFFF}', "\\uffff"))
}

/// Returns `true` if XML allows a character (XML 1.0 section 2.2).
fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

/// Escapes a text so that a parser returns the same text: markup characters and `]]>` are escaped, and line ends and
/// tabs are written as references, which parsers do not normalize (XML 1.0 sections 2.11 and 3.3.3). The text must
/// contain only characters that XML allows.
pub(super) fn escape(text: Cow<'_, str>) -> Cow<'_, str> {
    let escaped = quick_xml::escape::partial_escape(text);
    if !escaped.contains(['"', '\t', '\n']) {
        return escaped;
    }
    Cow::Owned(escaped.replace('"', "&quot;").replace('\t', "&#9;").replace('\n', "&#10;"))
}
