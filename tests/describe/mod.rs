//! The documents that describe an API to its clients, with a file for each behavior.
//!
//! `links`: the URIs and those below them. `contents`: the responses to OPTIONS. `form`: JSON or markdown, entity tags
//! and 304. `reload`: the responses to OPTIONS are definitions of the same API. `markdown`: the documents in markdown.
//! `panics`: a type whose schema panics. `decoding`: how clients decode envelopes.

pub mod contents;
mod decoding;
mod form;
pub mod links;
mod markdown;
mod panics;
pub mod reload;

use std::path::{Path, PathBuf};

use rulebook::{Engine, Rulebook, Unbound};
use rulebook_model::model::Api;
use serde_json::Value;

/// Returns the folders of valid definitions, including the article API.
pub fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let good = root.join("crates/rulebook-model/tests/definitions/good").read_dir().unwrap();
    let mut folders: Vec<PathBuf> = good.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.push(root.join("api"));
    folders.sort();
    folders
}

#[track_caller]
fn echo(rulebook: Rulebook) -> Engine {
    rulebook.unbound(Unbound::Echo).build().unwrap_or_else(|report| panic!("{report}"))
}

#[track_caller]
fn check(rulebook: Rulebook) -> Api {
    rulebook.check().unwrap_or_else(|report| panic!("{report}"))
}

/// Returns a request target for a URI template. The captures have a value that equals no static segment.
fn target(template: &str) -> String {
    let segments = template.split('/').map(|segment| if segment.starts_with('{') { "0~~0" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

/// Returns the HTTP methods in the object of a URI or module.
fn methods(written: &Value) -> impl Iterator<Item = &str> {
    let members = written.as_object().into_iter().flatten();
    members.map(|(key, _)| key.as_str()).filter(|key| key.bytes().all(|byte| byte.is_ascii_uppercase()))
}
