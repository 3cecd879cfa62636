//! Parses YAML, and describes the errors in it.

use rulebook_model::unique_json::duplicate_key;
use serde_json::Value as Json;
use serde_saphyr::budget::{Budget, BudgetBreach};
use serde_saphyr::{Error, MessageFormatter, UserMessageFormatter};

/// The maximum depth of arrays and objects in YAML.
const MAX_DEPTH: usize = 128;

/// The maximum number of values in YAML, and of the events with which they are parsed.
const MAX_EVENTS: usize = 20_000_000;

/// Parses YAML 1.2, as OpenAPI recommends: words such as `no` are texts. Limits prevent that a small text with many
/// references becomes a large value.
///
/// # Errors
/// Returns what is wrong with the text, and where.
pub(super) fn parse(text: &str) -> Result<Json, String> {
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
