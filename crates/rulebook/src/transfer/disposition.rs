//! The header field `Content-Disposition` (RFC 6266), and the media type that belongs to the extension of a file name.

use http::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rulebook_model::filename::visible_base_name;

/// The media type of a file whose name has no known extension.
const DEFAULT_MEDIA_TYPE: &str = "application/octet-stream";

/// The characters that are encoded in the parameter `filename*`: all except the `attr-char` of RFC 8187 section 3.2.1.
const ENCODED_IN_FILENAME: &AsciiSet = &NON_ALPHANUMERIC
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

/// The maximum length of a file name in characters. A longer name is truncated.
const MAX_FILENAME_LEN: usize = 200;

/// Returns the value of `Content-Disposition` for a file with this name. The parameter `filename` contains the name in
/// ASCII, for old clients. The parameter `filename*` contains the exact name if it is not ASCII. If `inline` is `true`,
/// a browser shows the file; otherwise it saves the file.
#[must_use]
pub fn content_disposition(name: Option<&str>, inline: bool) -> HeaderValue {
    let mut text = if inline { "inline" } else { "attachment" }.to_owned();
    if let Some(name) = name.map(sanitized_filename).filter(|name| !name.is_empty()) {
        // `%` is replaced, because some clients decode it in a quoted name (RFC 6266 appendix D).
        let to_ascii = |char: char| if (' '..='~').contains(&char) && char != '%' { char } else { '_' };
        let fallback: String = name.chars().map(to_ascii).collect();
        text.push_str(&format!("; filename=\"{fallback}\""));
        if fallback != name {
            text.push_str(&format!("; filename*=UTF-8''{}", utf8_percent_encode(&name, ENCODED_IN_FILENAME)));
        }
    }
    // The conversion always succeeds, because the text consists of visible ASCII characters and spaces.
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("attachment"))
}

/// Removes folders, invisible characters and quotes from a file name.
fn sanitized_filename(name: &str) -> String {
    let safe: String = visible_base_name(name).filter(|char| *char != '"').take(MAX_FILENAME_LEN).collect();
    // The names `.` and `..` are folders, and a file whose name begins with a dot is hidden.
    safe.trim_matches(|char: char| char.is_whitespace() || char == '.').to_owned()
}

/// Returns the media type that belongs to the extension of a file name.
#[must_use]
pub fn media_type_by_name(name: Option<&str>) -> HeaderValue {
    let known = name.and_then(|name| mime_guess::from_path(name).first_raw());
    HeaderValue::from_static(known.unwrap_or(DEFAULT_MEDIA_TYPE))
}
