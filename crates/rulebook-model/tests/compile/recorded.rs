//! Definitions that were recorded from the systems before rulebook, with the errors that these systems reported.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value as Json;

use super::{compile_definition, diagnostic_codes, load_one_file};

#[derive(Deserialize)]
struct RecordedDefinition {
    id: String,
    style: String,
    definition: Json,
    /// The kind of error that the older system reported, or `None` if the definition was valid.
    error: Option<String>,
    /// The reason why rulebook intentionally has a different result.
    differs: Option<String>,
}

/// The styles of recorded definitions, each with `true` if rulebook can read definitions of this style.
const STYLES: [(&str, bool); 3] = [("aicra-flat", true), ("aicra-tree", true), ("api3", true)];

/// Returns the diagnostic codes of rulebook that correspond to a recorded kind of error.
fn expected_codes(error: &str) -> &'static [&'static str] {
    match error {
        "syntax" => &["syntax", "wrong-kind"],
        "invalid-path" | "invalid-brace-param" | "illegal-service-name" => &["bad-uri"],
        "undefined-brace-param" => &["unused-capture"],
        "brace-param-not-in-path" => &["undefined-capture"],
        "illegal-optional-uri" => &["optional-capture"],
        "unknown-method" => &["unknown-method"],
        "missing-description" | "missing-param-description" => &["missing-info"],
        "missing-param-type" => &["missing-type"],
        // Unlike the older systems, rulebook distinguishes an unknown type from a known type with invalid arguments.
        "unknown-type" => &["unknown-type", "bad-type-argument"],
        "name-collision" => &["name-collision"],
        "uri-collision" => &["uri-collision"],
        "illegal-param-name" | "missing-rename" => &["bad-name"],
        "illegal-optional-output" => &["output-collision"],
        other => panic!("unknown kind of error: {other}"),
    }
}

#[test]
fn recorded_definitions_have_the_recorded_errors() {
    let cases: Vec<RecordedDefinition> =
        serde_json::from_str(include_str!("../data/vectors/config_errors.json")).expect("recorded cases");
    let differences: BTreeMap<String, String> =
        serde_json::from_str(include_str!("../data/vectors/config_errors_differences.json")).expect("reasons");
    let ids: BTreeSet<&str> = cases.iter().map(|case| case.id.as_str()).collect();
    assert_eq!(ids.len(), cases.len(), "ids are unique");
    let mut wrong = Vec::new();
    for id in differences.keys().filter(|id| !ids.contains(id.as_str())) {
        wrong.push(format!("{id} is listed as a difference, but there is no such case"));
    }
    let mut checked = 0;
    for case in &cases {
        let style = STYLES.iter().find(|(name, _)| *name == case.style);
        let (_, is_read) = style.unwrap_or_else(|| panic!("unknown style: {}", case.style));
        if !is_read {
            continue;
        }
        checked += 1;
        let text = match &case.definition {
            Json::String(text) => text.clone(),
            definition => definition.to_string(),
        };
        let (_, report) = compile_definition(load_one_file(&text));
        let found = diagnostic_codes(&report);
        let agrees = match &case.error {
            None => found.is_empty(),
            Some(error) => found.iter().any(|code| expected_codes(error).contains(&code.as_str())),
        };
        let reason = case.differs.as_ref().or(differences.get(&case.id));
        match (agrees, reason) {
            (false, None) => wrong.push(format!("{}: recorded {:?}, here {found:?}\n{text}", case.id, case.error)),
            (true, Some(reason)) => wrong.push(format!("{}: listed as a difference ({reason}), but agrees", case.id)),
            _ => {}
        }
    }
    assert!(checked > 100, "only {checked} cases were checked");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
