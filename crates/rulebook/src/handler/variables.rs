//! Environment variables in the settings of handlers, so that a definition does not contain credentials and addresses
//! of machines.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rulebook_model::span::Span;

use super::HandlerError;

/// The characters that are percent-encoded in the user name and the password of a URL, and in the values of its query.
/// The colon is not, so that one variable can contain both the user name and the password.
const URL_VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');

/// Replaces each `${NAME}` in a setting by the value of this environment variable, and each `${NAME:-default}`, if the
/// variable is not set or empty, by the default. `span` is the span of the text.
///
/// # Errors
/// Fails if a variable is not set and has no default, or a brace is not closed. The errors contain no values.
pub fn expand_variables(text: &str, span: Span) -> Result<String, HandlerError> {
    expand(text, |_| false).map_err(|error| error.at(span))
}

/// Replaces the variables in a URL, as [`expand_variables`] does. In the user name, the password and the values of the
/// query, the characters of a value that have a meaning in URLs are percent-encoded.
///
/// # Errors
/// Fails if a variable is not set and has no default, or a brace is not closed. The errors contain no values.
pub fn expand_url_variables(url: &str, span: Span) -> Result<String, HandlerError> {
    let text = hide_variables(url);
    let authority = text.find("://").map_or(text.len(), |scheme| scheme + 3);
    let authority_end = text[authority..].find(['/', '?', '#']).map_or(text.len(), |end| authority + end);
    let host = text[authority..authority_end].rfind('@').map_or(authority, |at| authority + at);
    let query = text.find('?').unwrap_or(text.len());
    let is_encoded =
        |start: usize| (authority..host).contains(&start) || (start > query && text[..start].ends_with('='));
    expand(url, is_encoded).map_err(|error| error.at(span))
}

/// Replaces each variable by spaces, so that only the other characters remain at their positions.
fn hide_variables(text: &str) -> String {
    let mut hidden = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let length = after.find('}').map_or(after.len(), |end| end + 1);
        hidden.push_str(before);
        hidden.extend(std::iter::repeat_n(' ', length + 2));
        rest = &after[length..];
    }
    hidden + rest
}

/// Replaces the variables in a text. The values of those whose position in the text is `is_encoded` are
/// percent-encoded.
fn expand(text: &str, is_encoded: impl Fn(usize) -> bool) -> Result<String, HandlerError> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let start = text.len() - rest.len() + before.len();
        let (inner, after) = after.split_once('}').unwrap_or_default();
        let (name, default) = match inner.split_once(":-") {
            Some((name, default)) => (name, Some(default.to_owned())),
            None => (inner, None),
        };
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            let error = HandlerError::new("`${` must be followed by the name of an environment variable and `}`");
            return Err(error.help("write `${NAME}`, or `${NAME:-default}`"));
        }
        let Some(value) = std::env::var(name).ok().filter(|value| !value.is_empty()).or(default) else {
            let error = HandlerError::new(format!("the environment variable `{name}` is not set"));
            return Err(error.help(format!("set it, or write a default: `${{{name}:-default}}`")));
        };
        expanded.push_str(before);
        match is_encoded(start) {
            true => expanded.extend(utf8_percent_encode(&value, URL_VALUE)),
            false => expanded.push_str(&value),
        }
        rest = after;
    }
    expanded.push_str(rest);
    Ok(expanded)
}
