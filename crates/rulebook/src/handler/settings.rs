//! Reads the values of settings. All kinds of handlers use these functions, so that settings of the same type have the
//! same syntax, and errors in them the same wording.
//!
//! Each function gets the value of a setting, and the name of this setting for the message of an error. The error is at
//! the value.
//!
//! ```
//! use std::time::Duration;
//!
//! use rulebook::handler_kind::{JsonData, JsonNode, settings};
//! use rulebook::model::Span;
//!
//! // In a kind of handler, `HandledMethod::optional_setting` returns such a value of the definition.
//! let number = |seconds: u64| {
//!     let data = JsonData::Number(seconds.into());
//!     JsonNode { data, span: Span::default(), escaped: None, expanded: None }
//! };
//!
//! assert_eq!(settings::seconds(&number(30), "timeout"), Ok(Duration::from_secs(30)));
//! assert_eq!(
//!     settings::seconds(&number(0), "timeout").unwrap_err().message,
//!     "`timeout` must be a number of seconds from 0.001 to 86400, but this is the number 0"
//! );
//! assert_eq!(settings::whole_number(&number(4), "workers", 1..=64_usize), Ok(4));
//! ```

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use rulebook_model::definition::{JsonData, JsonMember, JsonNode};
use rulebook_model::model::Api;
use rulebook_model::span::Spanned;
use rulebook_model::suggest::closest_word;

use super::HandlerError;

/// The range of times in seconds: a time limit of 0 would fail every call.
const SECONDS: RangeInclusive<f64> = 0.001..=86_400.0;
/// The maximum number of characters of a wrong text that a message quotes.
const MAX_QUOTED_CHARS: usize = 40;

/// Reads a string.
///
/// # Errors
/// Fails if the value is not a string.
pub fn text(node: &JsonNode, name: &str) -> Result<Spanned<String>, HandlerError> {
    node.string().ok_or_else(|| wrong_value(node, name, "a string"))
}

/// Reads a string that other programs and the file system accept as a name: it is not empty, and does not contain the
/// character U+0000.
///
/// # Errors
/// Fails if the value is not such a string.
pub fn non_empty_text(node: &JsonNode, name: &str) -> Result<Spanned<String>, HandlerError> {
    let text = text(node, name)?;
    if text.value.is_empty() {
        return Err(HandlerError::new(format!("`{name}` must not be empty")).at(node.span));
    }
    if text.value.contains('\0') {
        return Err(HandlerError::new(format!("`{name}` must not contain the character U+0000")).at(node.span));
    }
    Ok(text)
}

/// Reads the path of a file or folder. A relative path begins in the folder that contains the folder of the definition.
///
/// # Errors
/// Fails if the value is not a string that can be a path.
pub fn path(node: &JsonNode, name: &str, api: &Api) -> Result<Spanned<PathBuf>, HandlerError> {
    Ok(non_empty_text(node, name)?.map(|written| api.path(written)))
}

/// Reads a boolean.
///
/// # Errors
/// Fails if the value is not a boolean.
pub fn boolean(node: &JsonNode, name: &str) -> Result<bool, HandlerError> {
    match node.data {
        JsonData::Bool(value) => Ok(value),
        _ => Err(error_with_value(node, name, "true or false", "write `true` or `false` without quotes")),
    }
}

/// Reads a whole number in a range.
///
/// # Errors
/// Fails if the value is not a whole number, or is out of the range.
pub fn whole_number<T>(node: &JsonNode, name: &str, range: RangeInclusive<T>) -> Result<T, HandlerError>
where
    T: TryFrom<u64> + PartialOrd + Display,
{
    let number = node.integer().and_then(|number| T::try_from(number.value).ok());
    number.filter(|number| range.contains(number)).ok_or_else(|| {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        error_with_value(node, name, &expected, "write a number without quotes")
    })
}

/// Reads a size in bytes in a range: a whole number, or a string such as `16KB`.
///
/// # Errors
/// Fails if the value is not a size, or is out of the range.
pub fn byte_size<T>(node: &JsonNode, name: &str, range: RangeInclusive<T>) -> Result<T, HandlerError>
where
    T: TryFrom<u64> + PartialOrd + Display,
{
    let size = node.byte_size().and_then(|size| T::try_from(size.value).ok());
    size.filter(|size| range.contains(size)).ok_or_else(|| {
        let expected = format!("a size in bytes from {} to {}, such as `16KB`", range.start(), range.end());
        error_with_value(node, name, &expected, "the units are B, KB, MB, GB, KiB, MiB and GiB")
    })
}

/// Reads a time limit or another time: a number of seconds from 0.001 to 86400, which may have a fraction.
///
/// # Errors
/// Fails if the value is not a number, or is out of the range.
pub fn seconds(node: &JsonNode, name: &str) -> Result<Duration, HandlerError> {
    let seconds = match &node.data {
        JsonData::Number(number) => number.as_f64().filter(|seconds| SECONDS.contains(seconds)),
        _ => None,
    };
    seconds.map(Duration::from_secs_f64).ok_or_else(|| {
        let expected = format!("a number of seconds from {} to {}", SECONDS.start(), SECONDS.end());
        error_with_value(node, name, &expected, "write a number without quotes and without a unit, such as `30`")
    })
}

/// Reads one of several words, and returns what it stands for.
///
/// # Errors
/// Fails if the value is not one of the words.
pub fn choice<T: Clone>(node: &JsonNode, name: &str, words: &[(&str, T)]) -> Result<T, HandlerError> {
    let text = node.string().map(|text| text.value);
    let chosen = words.iter().find(|(word, _)| Some(*word) == text.as_deref());
    chosen.map(|(_, value)| value.clone()).ok_or_else(|| {
        let quoted: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        let expected = match &quoted[..] {
            [others @ .., last] if !others.is_empty() => format!("{} or {last}", others.join(", ")),
            _ => quoted.concat(),
        };
        let error = error_at(node, &format!("`{name}`"), &expected, &describe_value(node));
        match text.and_then(|text| closest_word(&text, words.iter().map(|(word, _)| *word))) {
            Some(closest) => error.help(format!("did you mean `{closest}`?")),
            None => error,
        }
    })
}

/// Reads an array of strings.
///
/// # Errors
/// Fails if the value is not an array. Returns an error for each item that is not a string.
pub fn texts(node: &JsonNode, name: &str) -> Result<Vec<Spanned<String>>, Vec<HandlerError>> {
    let JsonData::Array(items) = &node.data else { return Err(vec![wrong_value(node, name, "an array of strings")]) };
    let subject = format!("each item of `{name}`");
    collect(items.iter().map(|item| string_in(item, &subject)))
}

/// Reads an object, and returns its members without comments, whose names begin with `$` or `x-`.
///
/// # Errors
/// Fails if the value is not an object.
pub fn object<'a>(node: &'a JsonNode, name: &str) -> Result<Vec<&'a JsonMember>, HandlerError> {
    match &node.data {
        JsonData::Object(members) => Ok(members.list.iter().filter(|member| !member.is_comment()).collect()),
        _ => Err(wrong_value(node, name, "an object")),
    }
}

/// The name and the value of a member that is a string.
pub type TextMember = (Spanned<String>, Spanned<String>);

/// Reads an object whose members are strings, and returns their names and values. Comments are omitted.
///
/// # Errors
/// Fails if the value is not an object. Returns an error for each member that is not a string.
pub fn text_members(node: &JsonNode, name: &str) -> Result<Vec<TextMember>, Vec<HandlerError>> {
    let members = object(node, name).map_err(|error| vec![error])?;
    let subject = format!("each member of `{name}`");
    collect(members.into_iter().map(|member| Ok((member.key.clone(), string_in(&member.value, &subject)?))))
}

/// Checks that a value is an object whose members have known names. Returns the errors: one for a value that is not an
/// object, and one for each other member that is not a comment.
#[must_use]
pub fn unknown_settings(node: &JsonNode, name: &str, known: &[&str]) -> Vec<HandlerError> {
    let members = match object(node, name) {
        Ok(members) => members,
        Err(error) => return vec![error],
    };
    let unknown = members.into_iter().filter(|member| !known.contains(&member.key.value.as_str()));
    unknown.map(|member| unknown_setting(&member.key, &format!("`{name}`"), known)).collect()
}

/// Returns an error for a setting that does not exist. `owner` is the subject of the message, such as "a database".
#[must_use]
pub fn unknown_setting(key: &Spanned<String>, owner: &str, known: &[&str]) -> HandlerError {
    let message = format!("{owner} has no setting `{}`", key.value.escape_debug());
    HandlerError::new(message).at(key.span).suggest(&key.value, "settings", known)
}

/// Returns an error for a value of the wrong type. The message describes the value without the content of strings,
/// which may be credentials.
#[must_use]
pub fn wrong_value(node: &JsonNode, name: &str, expected: &str) -> HandlerError {
    error_at(node, &format!("`{name}`"), expected, &node.describe_kind())
}

/// Returns an error whose message contains the value. If the value is a string, the error has the help `for_strings`.
fn error_with_value(node: &JsonNode, name: &str, expected: &str, for_strings: &str) -> HandlerError {
    let error = error_at(node, &format!("`{name}`"), expected, &describe_value(node));
    if matches!(node.data, JsonData::String(_)) { error.help(for_strings) } else { error }
}

fn error_at(node: &JsonNode, subject: &str, expected: &str, got: &str) -> HandlerError {
    HandlerError::new(format!("{subject} must be {expected}, but this is {got}")).at(node.span)
}

/// Describes a value for a message, and quotes it if it is a short string.
fn describe_value(node: &JsonNode) -> String {
    match &node.data {
        // The values of environment variables are not quoted.
        JsonData::String(_) if node.expanded.is_some() => node.describe_kind(),
        JsonData::String(text) if text.chars().nth(MAX_QUOTED_CHARS).is_none() => format!("{text:?}"),
        _ => node.describe_kind(),
    }
}

fn string_in(node: &JsonNode, subject: &str) -> Result<Spanned<String>, HandlerError> {
    node.string().ok_or_else(|| error_at(node, subject, "a string", &node.describe_kind()))
}

fn collect<T>(results: impl Iterator<Item = Result<T, HandlerError>>) -> Result<Vec<T>, Vec<HandlerError>> {
    let mut values = Vec::new();
    let mut errors = Vec::new();
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(values) } else { Err(errors) }
}
