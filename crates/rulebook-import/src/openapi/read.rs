//! Reads a description, in JSON or YAML.

use std::path::Path;

use rulebook_model::unique_json::{self, duplicate_key};
use serde_json::Value as Json;
use serde_saphyr::budget::{Budget, BudgetBreach};
use serde_saphyr::{Error, MessageFormatter, UserMessageFormatter};

/// The maximum depth of arrays and objects in YAML.
const MAX_DEPTH: usize = 128;

/// The maximum number of values in YAML, and of the events with which they are parsed.
const MAX_EVENTS: usize = 20_000_000;

/// Parses a description, and checks its version. `name` is the name of the file or the URL.
pub(super) fn parse(name: &str, bytes: Vec<u8>) -> Result<Json, String> {
    let text = String::from_utf8(bytes).map_err(|_| format!("{name} is not UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let is_json_file = || Path::new(name).extension().is_some_and(|found| found.eq_ignore_ascii_case("json"));
    let document = match unique_json::parse(text.as_bytes()) {
        Ok(document) => document,
        Err(error) if text.trim_start().starts_with('{') && (error.is_data() || is_json_file()) => {
            return Err(format!("{name} cannot be read as JSON: {error}"));
        }
        Err(_) => parse_yaml(text).map_err(|error| format!("{name} cannot be read as YAML: {error}"))?,
    };
    let Some(version) = version(&document, "openapi").or_else(|| version(&document, "swagger")) else {
        return Err(format!("{name} is not an OpenAPI description: it has no key `openapi`"));
    };
    let is_supported = ["3.0", "3.1", "3.2"]
        .iter()
        .any(|known| version.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-'])));
    if !is_supported {
        return Err(format!(
            "{name} has the version {version} of OpenAPI; the versions 3.0, 3.1 and 3.2 can be imported, and other \
             programs convert older versions to them"
        ));
    }
    Ok(document)
}

/// Returns the version in a member of a description. In YAML, a version without quotes can be a number.
pub(super) fn version(object: &Json, key: &str) -> Option<String> {
    match object.get(key)? {
        Json::String(version) => Some(version.trim().to_owned()).filter(|version| !version.is_empty()),
        Json::Number(version) => Some(version.to_string()),
        _ => None,
    }
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
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let place = error.location().map(|place| format!(" (line {}, column {})", place.line(), place.column()));
        describe(&error) + &place.unwrap_or_default()
    })
}

/// Describes an error without its place. The texts of the library are used only for invalid syntax: its other texts
/// name settings and functions of the library.
fn describe(error: &Error) -> String {
    let text = match error {
        Error::AliasError { error, .. } | Error::WithSnippet { error, .. } => return describe(error),
        Error::DuplicateMappingKey { key: Some(key), .. } => return duplicate_key(key),
        Error::DuplicateMappingKey { key: None, .. } => "a key occurs twice in the same mapping",
        Error::NonFiniteFloat { value, .. } => {
            return format!("`{}` is a number that JSON does not have", value.escape_debug());
        }
        Error::MultipleDocuments { .. } => "a second document begins; write the description to a file of its own",
        Error::Unexpected { .. } => "a key must be a text",
        Error::UnknownAnchor { .. } => "`*` refers to an anchor that no `&` defines before it",
        Error::RecursiveReferencesRequireWeakTypes { .. } => "`*` refers to a value that contains it",
        Error::MergeValueNotMapOrSeqOfMaps { .. } => "the value of `<<` must be a mapping, or a list of mappings",
        Error::InvalidBinaryBase64 { .. } | Error::BinaryNotUtf8 { .. } => {
            "the value with the tag `!!binary` is not a text in base64"
        }
        Error::Budget { breach: BudgetBreach::Depth { .. }, .. } => {
            return format!("more than {MAX_DEPTH} mappings and lists contain each other");
        }
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayCounterOverflow { .. } => {
            "the text is too large, or the values that `*` repeats make it too large"
        }
        other => return UserMessageFormatter.format_message(other).into_owned(),
    };
    text.to_owned()
}
