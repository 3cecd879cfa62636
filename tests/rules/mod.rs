//! The `rules` dialect: what PhalApi's documents show, what its program did, and what it means in a tree.

mod bombs;
mod common;
mod faults;
mod functions;
mod model;
pub mod own_type;
mod recorded;
mod uploads;

use std::path::PathBuf;

use rulebook::{Engine, Report, Rulebook, Unbound};
use serde_json::Value as Json;

/// The files of a definition whose module is written as rules.
pub fn files(app: &Json, rules: &Json) -> Vec<(PathBuf, Vec<u8>)> {
    [("api/app.json", app), ("api/rules.json", rules)]
        .into_iter()
        .filter(|(_, json)| !json.is_null())
        .map(|(name, json)| (PathBuf::from(name), format!("{json:#}\n").into_bytes()))
        .collect()
}

/// The API of these rules, where every method echoes its arguments; or its faults.
pub fn echo(app: &Json, rules: &Json) -> Result<Engine, Report> {
    Rulebook::read(files(app, rules)).unbound(Unbound::Echo).build()
}
