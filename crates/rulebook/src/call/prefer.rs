//! Parses the header field `Prefer`, with which a client selects one of several responses (RFC 7240).

use http::HeaderValue;

use super::quoted_string::{format_word, parse_word, split_outside_of_quotes};

/// Returns the value of a preference in the fields `Prefer` of a request (RFC 7240 section 2). The case of `name` is
/// ignored. If the preference occurs several times, the first one counts. A preference without a value has an empty
/// one. Returns `None` if the request does not have the preference, or its value is not a word in UTF-8.
pub(crate) fn preferred_value<'h>(fields: impl Iterator<Item = &'h HeaderValue>, name: &str) -> Option<String> {
    for field in fields {
        for preference in split_outside_of_quotes(field.as_bytes(), b',') {
            // The parameters after `;` are those of another specification.
            let main = split_outside_of_quotes(preference, b';').first().map_or(&b""[..], |main| main.trim_ascii());
            let equals = main.iter().position(|byte| *byte == b'=');
            let (key, word) = equals.map_or((main, &b""[..]), |at| (&main[..at], &main[at + 1..]));
            if key.trim_ascii().eq_ignore_ascii_case(name.as_bytes()) {
                return String::from_utf8(parse_word(word.trim_ascii())?).ok();
            }
        }
    }
    None
}

/// Returns the value of the header field `Preference-Applied` for a preference that was applied (RFC 7240 section 3).
/// Returns `None` if the value contains characters that no header field has.
pub(crate) fn applied_preference(name: &str, value: &str) -> Option<HeaderValue> {
    HeaderValue::from_bytes(format!("{name}={}", format_word(value)).as_bytes()).ok()
}
