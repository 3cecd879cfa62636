//! Reads a description: from a file or a server, in JSON or YAML.

use std::path::Path;

use serde_json::Value as Json;
use serde_saphyr::budget::Budget;
use thiserror::Error;

/// The maximum depth of arrays and objects in YAML.
const MAX_DEPTH: usize = 128;

/// The maximum number of values in YAML, and of the events with which they are parsed.
const MAX_EVENTS: usize = 20_000_000;

/// The reason why a description cannot be imported.
#[derive(Debug, Error)]
pub(super) enum ReadError {
    #[error("{0} is not UTF-8")]
    NotText(String),
    #[error("{name} is neither JSON nor YAML: {why}")]
    Syntax { name: String, why: String },
    #[error("{0} is not an OpenAPI description: it has no key `openapi`")]
    NotOpenapi(String),
    #[error(
        "{name} has the version {version} of OpenAPI; the versions 3.0, 3.1 and 3.2 can be imported, and other programs \
         convert older versions to them"
    )]
    Version { name: String, version: String },
}

/// Parses a description, and checks its version. `name` is the name of the file or the URL.
///
/// # Errors
/// Fails if the text is neither JSON nor YAML, or is not an OpenAPI description of a supported version.
pub(super) fn parse(name: &str, bytes: Vec<u8>) -> Result<Json, ReadError> {
    let text = String::from_utf8(bytes).map_err(|_| ReadError::NotText(name.to_owned()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let is_json = text.trim_start().starts_with('{');
    let document = match serde_json::from_str::<Json>(text) {
        Ok(document) => document,
        Err(error) if is_json && has_extension(name, "json") => return Err(syntax_error(name, &error)),
        Err(_) => parse_yaml(text).map_err(|why| ReadError::Syntax { name: name.to_owned(), why })?,
    };
    let version = |key: &str| match document.get(key) {
        Some(Json::String(version)) => Some(version.clone()),
        Some(Json::Number(version)) => Some(version.to_string()),
        _ => None,
    };
    let Some(version) = version("openapi").or_else(|| version("swagger")) else {
        return Err(ReadError::NotOpenapi(name.to_owned()));
    };
    let is_supported = ["3.0", "3.1", "3.2"]
        .iter()
        .any(|known| version.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-'])));
    if is_supported { Ok(document) } else { Err(ReadError::Version { name: name.to_owned(), version }) }
}

fn syntax_error(name: &str, error: &serde_json::Error) -> ReadError {
    ReadError::Syntax { name: name.to_owned(), why: error.to_string() }
}

fn has_extension(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

/// Parses YAML 1.2, as OpenAPI recommends: words such as `no` are texts. Limits prevent that a small text with many
/// references becomes a large value.
fn parse_yaml(text: &str) -> Result<Json, String> {
    let mut budget = Budget::default();
    (budget.max_depth, budget.max_events, budget.max_nodes) = (MAX_DEPTH, MAX_EVENTS, MAX_EVENTS);
    let mut options = serde_saphyr::Options::default();
    options.budget = Some(budget);
    options.with_snippet = false;
    options.strict_booleans = true;
    // These are numbers only in YAML 1.1, or only outside of JSON.
    (options.underscored_numbers_as_strings, options.leading_zero_numbers_as_strings) = (true, true);
    serde_saphyr::from_str_with_options(text, options).map_err(|error| error.to_string())
}
