//! The `Content-Disposition` header field (RFC 6266), and media types by file name.

use http::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rulebook_model::filename::visible_base_name;

/// The media type of files whose name has no known extension.
const BINARY: &str = "application/octet-stream";

/// Characters to encode in `filename*`: all except the `attr-char` of RFC 8187 section 3.2.1.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// Maximum length of a file name in characters; longer names are cut.
const MAX_LEN: usize = 200;

/// Returns the value of `Content-Disposition`. `filename` contains the name in ASCII, for old clients; `filename*`
/// contains the complete name if that differs. If `inline` is `true`, browsers show the file, otherwise they save it.
#[must_use]
pub fn disposition(name: Option<&str>, inline: bool) -> HeaderValue {
    let mut text = if inline { "inline" } else { "attachment" }.to_owned();
    if let Some(name) = name.map(sanitized).filter(|name| !name.is_empty()) {
        // Some clients decode `%` in a quoted name (RFC 6266 appendix D).
        let to_ascii = |char: char| if (' '..='~').contains(&char) && char != '%' { char } else { '_' };
        let fallback: String = name.chars().map(to_ascii).collect();
        text.push_str(&format!("; filename=\"{fallback}\""));
        if fallback != name {
            text.push_str(&format!("; filename*=UTF-8''{}", utf8_percent_encode(&name, ENCODED)));
        }
    }
    // The text consists of visible ASCII and spaces, so that the fallback is never used.
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("attachment"))
}

/// Removes folders, invisible characters and quotes from a file name.
fn sanitized(name: &str) -> String {
    let safe: String = visible_base_name(name).filter(|char| *char != '"').take(MAX_LEN).collect();
    // `.` and `..` are folders, and a leading dot hides a file.
    safe.trim_matches(|char: char| char.is_whitespace() || char == '.').to_owned()
}

/// Returns the media type that belongs to the extension of a file name.
#[must_use]
pub fn media_type(name: Option<&str>) -> HeaderValue {
    let known = name.and_then(|name| mime_guess::from_path(name).first_raw());
    HeaderValue::from_static(known.unwrap_or(BINARY))
}
