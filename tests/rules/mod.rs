//! Tests the dialect `rules`, which reads the rules of the framework PhalApi: examples in PhalApi's documentation,
//! behaviour that was recorded from PhalApi, and equivalent definitions in the dialect `tree`.

mod common_rules;
pub mod custom_type;
mod diagnostics;
mod expansion_limits;
mod functions;
mod lowering;
mod recorded;
mod uploads;

use std::path::PathBuf;

use rulebook::{Engine, Report, Rulebook, Unbound};
use serde_json::Value as Json;

/// Returns the files of a definition with these settings and with a module in the dialect `rules`.
pub fn definition_files(app: &Json, rules: &Json) -> Vec<(PathBuf, Vec<u8>)> {
    [("api/app.json", app), ("api/rules.json", rules)]
        .into_iter()
        .filter(|(_, json)| !json.is_null())
        .map(|(name, json)| (PathBuf::from(name), format!("{json:#}\n").into_bytes()))
        .collect()
}

/// Builds an engine whose methods return their arguments. If the definition has errors, returns their report.
pub fn try_echo_engine(app: &Json, rules: &Json) -> Result<Engine, Report> {
    Rulebook::read(definition_files(app, rules)).unbound(Unbound::Echo).build()
}
