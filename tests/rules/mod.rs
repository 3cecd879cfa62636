//! The dialect `rules`: examples of PhalApi's documentation, behaviour recorded from PhalApi, and the equivalent in the
//! dialect `tree`.

mod common;
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

/// Returns the files of a definition with a module in the dialect `rules`.
pub fn files(app: &Json, rules: &Json) -> Vec<(PathBuf, Vec<u8>)> {
    [("api/app.json", app), ("api/rules.json", rules)]
        .into_iter()
        .filter(|(_, json)| !json.is_null())
        .map(|(name, json)| (PathBuf::from(name), format!("{json:#}\n").into_bytes()))
        .collect()
}

/// Builds an engine whose methods return their arguments, or returns the report of the errors.
pub fn echo(app: &Json, rules: &Json) -> Result<Engine, Report> {
    Rulebook::read(files(app, rules)).unbound(Unbound::Echo).build()
}
