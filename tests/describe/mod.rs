//! What clients read about an API, a file a behaviour.
//!
//! `below`: which URIs there are and what is below them. `contents`: what OPTIONS says of each. `form`: JSON or
//! markdown, tags and 304. `saved`: what OPTIONS says serves again. `markdown`: texts for people.

pub mod below;
mod broken;
pub mod contents;
mod form;
mod markdown;
pub mod saved;

use std::path::{Path, PathBuf};

use rulebook::model::Api;
use rulebook::{Engine, Rulebook, Unbound};
use serde_json::Value;

/// The folders of definitions without faults, the article API among them.
pub fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let good = root.join("tests/definitions/good").read_dir().unwrap();
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

/// A request target at a template: captures hold what is no static segment anywhere.
fn target(template: &str) -> String {
    let segments = template.split('/').map(|segment| if segment.starts_with('{') { "0~~0" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

/// The HTTP methods of a URI or module, as a definition writes it.
fn methods(written: &Value) -> impl Iterator<Item = &str> {
    let members = written.as_object().into_iter().flatten();
    members.map(|(key, _)| key.as_str()).filter(|key| key.bytes().all(|byte| byte.is_ascii_uppercase()))
}
