//! Escapes texts that are written in XML, as the content of elements or as the values of attributes.

use std::borrow::Cow;

use serde_json::Value as Json;

/// Returns a text without the characters that XML does not allow. If the text contains such characters, it is escaped
/// as in a JSON string and returned as `Cow::Owned`. Otherwise the text is returned unchanged as `Cow::Borrowed`.
pub(super) fn escape_forbidden_characters(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_xml_char) {
        return Cow::Borrowed(text);
    }
    let quoted = Json::from(text).to_string();
    let content = quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(&quoted);
    // JSON does not escape these two characters, which XML does not allow.
    Cow::Owned(content.replace('\u{FFFE}', "\\ufffe").replace('\u{FFFF}', "\\uffff"))
}

/// Returns `true` if an XML document can contain a character (XML 1.0 section 2.2).
fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

/// Escapes a text, so that an XML parser returns the same text. Characters of the XML syntax are escaped. Line breaks
/// and tabs are written as character references, because XML parsers normalize other line breaks and tabs (XML 1.0
/// sections 2.11 and 3.3.3). The text must contain only characters that XML allows.
pub(super) fn escape_markup(text: Cow<'_, str>) -> Cow<'_, str> {
    let escaped = quick_xml::escape::partial_escape(text);
    if !escaped.contains(['"', '\t', '\n']) {
        return escaped;
    }
    Cow::Owned(escaped.replace('"', "&quot;").replace('\t', "&#9;").replace('\n', "&#10;"))
}
