//! What a file is to be saved as (RFC 6266), and what kind of file its name says it is.

use http::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The media type of what is of no known kind.
const BINARY: &str = "application/octet-stream";

/// What has to be encoded in `filename*`: all but the `attr-char` of RFC 8187 section 3.2.1.
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

/// The most characters of a name that are told.
const LONGEST: usize = 200;

/// `Content-Disposition`: whether the file is to be shown or saved, and its name for clients of any age.
#[must_use]
pub fn disposition(name: Option<&str>, inline: bool) -> HeaderValue {
    let mut text = if inline { "inline" } else { "attachment" }.to_owned();
    if let Some(name) = name.map(plain).filter(|name| !name.is_empty()) {
        // `%` in a quoted name is decoded by some clients (RFC 6266 appendix D).
        let simple = |char: char| if (' '..='~').contains(&char) && char != '%' { char } else { '_' };
        let fallback: String = name.chars().map(simple).collect();
        text.push_str(&format!("; filename=\"{fallback}\""));
        if fallback != name {
            text.push_str(&format!("; filename*=UTF-8''{}", utf8_percent_encode(&name, ENCODED)));
        }
    }
    // Visible ASCII and blanks alone are left.
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("attachment"))
}

/// A name without folders, and without what would end it, hide in it or turn it around.
fn plain(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = last.chars().filter(|char| !is_harmful(*char)).take(LONGEST).collect();
    // Two dots and one are folders; others are hidden by them.
    kept.trim_matches(|char: char| char.is_whitespace() || char == '.').to_owned()
}

/// Control characters, quotes, and marks that are not seen but change how a name is read (Unicode TR 36 section 3.1).
fn is_harmful(char: char) -> bool {
    char.is_control()
        || char == '"'
        || matches!(char, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The media type that is usual for a file of this name.
#[must_use]
pub fn media_type(name: Option<&str>) -> HeaderValue {
    let known = name.and_then(|name| mime_guess::from_path(name).first_raw());
    HeaderValue::from_static(known.unwrap_or(BINARY))
}
