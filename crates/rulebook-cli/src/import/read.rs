//! Reads a description, in JSON or YAML.

use std::path::Path;

use rulebook_model::unique_json;
use serde_json::Value as Json;
use thiserror::Error;

use super::yaml;

/// The reason why a description cannot be imported.
#[derive(Debug, Error)]
pub(super) enum ReadError {
    #[error("{0} is not UTF-8")]
    NotText(String),
    #[error("{name} cannot be read as JSON: {error}")]
    Json { name: String, error: serde_json::Error },
    #[error("{name} cannot be read as YAML: {error}")]
    Yaml { name: String, error: String },
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
    let document = match unique_json::parse(text.as_bytes()) {
        Ok(document) => document,
        Err(error) if is_json && (error.is_data() || has_extension(name, "json")) => {
            return Err(ReadError::Json { name: name.to_owned(), error });
        }
        Err(_) => yaml::parse(text).map_err(|error| ReadError::Yaml { name: name.to_owned(), error })?,
    };
    let Some(version) = version(&document, "openapi").or_else(|| version(&document, "swagger")) else {
        return Err(ReadError::NotOpenapi(name.to_owned()));
    };
    let is_supported = ["3.0", "3.1", "3.2"]
        .iter()
        .any(|known| version.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-'])));
    if is_supported { Ok(document) } else { Err(ReadError::Version { name: name.to_owned(), version }) }
}

/// Returns the version in a member of a description. In YAML, a version without quotes can be a number.
pub(super) fn version(object: &Json, key: &str) -> Option<String> {
    match object.get(key)? {
        Json::String(version) => Some(version.trim().to_owned()).filter(|version| !version.is_empty()),
        Json::Number(version) => Some(version.to_string()),
        _ => None,
    }
}

fn has_extension(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
}
