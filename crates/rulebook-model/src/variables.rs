//! Environment variables in the texts of settings, so that a definition does not contain credentials and addresses of
//! machines: `${NAME}` is replaced by the value of the variable, `${NAME:-default}` by the default if the variable is
//! not set or empty, and `$${` by `${`.
//!
//! The texts of `app.json` are expanded once, when the settings are read. No diagnostic contains the value of a
//! variable.

use std::ops::Range;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value as Json;

use crate::definition::{JsonData, JsonNode};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Sources};
use crate::span::Span;

/// The characters that are percent-encoded in the user name and the password of a URL, and in the values of its query.
/// The colon is not, so that one variable can contain both the user name and the password.
const URL_VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');

/// An error of a variable in a text. It contains no values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariableError {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
    /// `true` if the text is correct, but a variable is not set and has no default.
    pub is_unset: bool,
    /// `true` if the line of the text may contain a password, so that only its position is shown.
    pub hides_line: bool,
}

impl VariableError {
    fn new(message: String, help: String, is_unset: bool) -> Self {
        Self { message, help, is_unset, hides_line: false }
    }

    /// Returns the error as a diagnostic.
    #[must_use]
    pub fn diagnostic(&self, code: DiagnosticCode, span: Span) -> Diagnostic {
        let diagnostic = Diagnostic::new(code, span, &self.message).help(&self.help);
        if self.hides_line { diagnostic.hide_line() } else { diagnostic }
    }
}

/// A text with variables in the settings.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpandedText {
    /// The text in the file.
    pub written: String,
    /// The reason why the variables were not replaced.
    pub error: Option<VariableError>,
}

/// Replaces the variables in a text. In a URL, the characters of a value that have a meaning there are percent-encoded
/// in the user name, the password and the values of the query.
///
/// # Errors
/// Fails if a variable is not set and has no default, or a brace is not closed.
pub fn expand(text: &str) -> Result<String, VariableError> {
    let encoded = encoded_parts(text);
    let is_encoded = |at: usize| {
        encoded
            .as_ref()
            .is_some_and(|(credentials, query)| credentials.contains(&at) || (at > *query && text[..at].ends_with('=')))
    };
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let start = text.len() - rest.len() + before.len();
        if let Some(before) = before.strip_suffix('$') {
            expanded.push_str(before);
            expanded.push_str("${");
            rest = after;
            continue;
        }
        let (inner, after) = after.split_once('}').unwrap_or_default();
        let (name, default) = match inner.split_once(":-") {
            Some((name, default)) => (name, Some(default.to_owned())),
            None => (inner, None),
        };
        if !is_name(name) {
            let message = "`${` must be followed by the name of an environment variable and `}`".to_owned();
            let help = "write `${NAME}`, or `${NAME:-default}`; `$${` stands for the characters `${`".to_owned();
            return Err(VariableError::new(message, help, false));
        }
        let Some(value) = value_of(name).or(default) else {
            let message = format!("the environment variable `{name}` is not set");
            let help = format!("set it, or write a default: `${{{name}:-default}}`");
            return Err(VariableError::new(message, help, true));
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

/// Changes the texts in a value so that [`expand`] returns them as they were.
pub fn escape(value: &mut Json) {
    match value {
        Json::String(text) => *text = text.replace("${", "$${"),
        Json::Array(items) => items.iter_mut().for_each(escape),
        Json::Object(members) => members.values_mut().for_each(escape),
        _ => {}
    }
}

/// Returns the range of the user name and the password in a URL, and the position of its query; `None` for other texts.
fn encoded_parts(text: &str) -> Option<(Range<usize>, usize)> {
    let hidden = hide_variables(text);
    let authority = hidden.find("://")? + 3;
    let authority_end = hidden[authority..].find(['/', '?', '#']).map_or(hidden.len(), |end| authority + end);
    let host = hidden[authority..authority_end].rfind('@').map_or(authority, |at| authority + at);
    let query = hidden.find('?').unwrap_or(hidden.len());
    Some((authority..host, query))
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

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn value_of(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

impl JsonNode {
    /// Replaces the variables in all strings of this value, except comments. A string whose variables cannot be
    /// replaced stays as it is.
    pub(crate) fn expand_variables(&mut self) {
        match &mut self.data {
            JsonData::String(text) if text.contains("${") => {
                let result = expand(text);
                let written = text.clone();
                let error = match result {
                    Ok(expanded) => {
                        *text = expanded;
                        None
                    }
                    Err(error) => Some(error),
                };
                self.expanded = Some(Box::new(ExpandedText { written, error }));
            }
            JsonData::Array(items) => items.iter_mut().for_each(Self::expand_variables),
            JsonData::Object(members) => {
                let values = members.list.iter_mut().filter(|member| !member.is_comment());
                values.for_each(|member| member.value.expand_variables());
            }
            _ => {}
        }
    }

    fn texts_with_variables(&self) -> Vec<(&ExpandedText, Span)> {
        match &self.data {
            JsonData::String(_) => self.expanded.iter().map(|text| (&**text, self.span)).collect(),
            JsonData::Array(items) => items.iter().flat_map(Self::texts_with_variables).collect(),
            JsonData::Object(members) => {
                members.list.iter().flat_map(|member| member.value.texts_with_variables()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Returns the errors of the variables in this value, each with the span of its text.
    #[must_use]
    pub fn variable_errors(&self) -> Vec<(VariableError, Span)> {
        let texts = self.texts_with_variables().into_iter();
        let mut errors: Vec<_> = texts.filter_map(|(text, span)| Some((text.error.clone()?, span))).collect();
        // What is in front of an `@` may be a part of a password, and another text may be on the same line.
        let may_be_password = |text: &str| text.contains('@') || text.to_lowercase().contains("password");
        if !errors.is_empty() && self.texts().iter().any(|(text, _)| may_be_password(text)) {
            errors.iter_mut().for_each(|(error, _)| error.hides_line = true);
        }
        errors
    }

    pub(crate) fn has_variables(&self) -> bool {
        !self.texts_with_variables().is_empty()
    }

    /// Returns the text of a string as it is written, before its variables were replaced.
    #[must_use]
    pub fn written_text(&self) -> Option<&str> {
        match (&self.expanded, &self.data) {
            (Some(expanded), _) => Some(&expanded.written),
            (None, JsonData::String(text)) => Some(text),
            _ => None,
        }
    }
}

/// Removes the values of variables from a diagnostic about a text that contains the variables.
pub(crate) fn hide_values(diagnostic: &mut Diagnostic, sources: &Sources) {
    let Some(source) = sources.get(diagnostic.span.file) else { return };
    let (start, end) = (diagnostic.span.start as usize, diagnostic.span.end as usize);
    let line_start = source.text.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let line_end = source.text.get(end..).and_then(|after| after.find('\n')).map_or(source.text.len(), |at| end + at);
    let lines = source.text.get(line_start..line_end).unwrap_or_default();
    let names = lines.split("${").skip(1).map(|rest| rest.split(['}', ':']).next().unwrap_or_default());
    for name in names.filter(|name| is_name(name)) {
        let Some(value) = value_of(name) else { continue };
        let escaped = value.escape_debug().to_string();
        let contains = |text: &str| text.contains(&value) || text.contains(&escaped);
        if contains(&diagnostic.message) {
            diagnostic.message = format!("this text is not valid with the value of the environment variable `{name}`");
        }
        if contains(&diagnostic.label) {
            diagnostic.label.clear();
        }
        diagnostic.help = diagnostic.help.take().filter(|help| !contains(help));
        diagnostic.related.retain(|(_, label)| !contains(label));
    }
}
