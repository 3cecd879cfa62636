//! The pages for people, a file a behaviour.
//!
//! `golden`: what stands on them. `links`: each leads to what is there, whatever things are called. `search`: what is
//! found, and `missing`: where nothing is. `served`: forms, tags, methods and policies. `words`: text of a definition
//! is text. `large`: an API of thousands of services has small pages.

mod golden;
mod large;
mod links;
mod missing;
mod search;
mod served;
mod words;

use std::sync::Arc;

use rulebook::Rulebook;
use rulebook::describe::Pages;
use serde_json::Value;

use crate::client::{Answer, Request, Site};

/// The pages of a definition in one file.
#[track_caller]
fn pages(definition: &Value) -> Pages {
    let files = vec![("api.json".into(), definition.to_string().into_bytes())];
    Pages::new(Arc::new(Rulebook::read(files).check().unwrap_or_else(|report| panic!("{report}"))), false)
}

/// The page at a path, in HTML and in markdown.
#[track_caller]
fn at(pages: &Pages, path: &str) -> (String, String) {
    let index = pages.paths().iter().position(|own| own == path).unwrap_or_else(|| panic!("there is no {path}"));
    (pages.html(index), pages.markdown(index))
}

fn get(site: &Site, path: &str) -> Answer {
    site.send(&Request::new("GET", path))
}

fn text(answer: &Answer) -> String {
    String::from_utf8(answer.body.clone()).unwrap()
}
