//! Tests the documents that describe an API to its clients, with a Rust module for each behaviour.
//!
//! `links` tests the URIs that OPTIONS lists. `options_responses` tests the responses to OPTIONS. `document_formats`
//! tests JSON and markdown, entity tags and 304. `reload` tests that the responses to OPTIONS are definitions of the
//! same API. `markdown` tests the documents in markdown. `list_formats` tests how documents describe lists that are
//! sent as one text. `panics` tests a type whose schema panics. `decoding` tests how clients decode envelopes.

mod decoding;
mod document_formats;
pub mod links;
mod list_formats;
mod markdown;
pub mod options_responses;
mod panics;
pub mod reload;

use std::path::{Path, PathBuf};

use rulebook::{Engine, Rulebook, Unbound};
use rulebook_model::model::Api;
use serde_json::Value;

/// Returns the folders with valid definitions, including the definition of the article API.
pub fn definition_folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let good = root.join("crates/rulebook-model/tests/definitions/good").read_dir().unwrap();
    let mut folders: Vec<PathBuf> = good.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.push(root.join("api"));
    folders.sort();
    folders
}

#[track_caller]
fn echo_engine(rulebook: Rulebook) -> Engine {
    rulebook.unbound(Unbound::Echo).build().unwrap_or_else(|report| panic!("{report}"))
}

#[track_caller]
fn check_definition(rulebook: Rulebook) -> Api {
    rulebook.check().unwrap_or_else(|report| panic!("{report}"))
}

/// Returns a request target for a URI template, in which captures are replaced by a value that equals no static
/// segment.
fn target_of_template(template: &str) -> String {
    let segments = template.split('/').map(|segment| if segment.starts_with('{') { "0~~0" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

/// Returns the HTTP methods in the JSON object of a URI or of a module.
fn http_methods(written: &Value) -> impl Iterator<Item = &str> {
    let members = written.as_object().into_iter().flatten();
    members.map(|(key, _)| key.as_str()).filter(|key| key.bytes().all(|byte| byte.is_ascii_uppercase()))
}
