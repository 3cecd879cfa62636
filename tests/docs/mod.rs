//! Tests of the documentation pages that a server renders below `/docs/`. Each Rust module tests one behavior:
//!
//! - `golden`: the content of the pages
//! - `links`: every link leads to a page, whatever names a definition has
//! - `schemas`: the pages of schemas
//! - `search`: the results of a search
//! - `limits`: the limits of requests and the allowed origins
//! - `missing`: the responses for paths without a page
//! - `http`: formats, entity tags, HTTP methods and content security policies
//! - `escaping`: text of a definition is shown literally
//! - `large`: the pages of an API with thousands of services stay small

mod escaping;
mod golden;
mod http;
mod large;
mod limits;
mod links;
mod missing;
mod schemas;
mod search;

use std::sync::Arc;

use rulebook::Rulebook;
use rulebook_model::describe::Pages;
use serde_json::Value;

use crate::client::{Request, Response, TestServer};

/// Returns the documentation pages for a definition, which is a single JSON document.
#[track_caller]
fn render_pages(definition: &Value) -> Pages {
    let files = vec![("api.json".into(), definition.to_string().into_bytes())];
    let api = Rulebook::read(files).check().unwrap_or_else(|report| panic!("{report}"));
    Pages::new(Arc::new(api), false).with_swagger_ui(true)
}

/// Returns the page with this path, as HTML and as markdown.
#[track_caller]
fn page_in_both_formats(pages: &Pages, path: &str) -> (String, String) {
    let index = pages.paths().iter().position(|own| own == path).unwrap_or_else(|| panic!("there is no {path}"));
    (pages.html(index), pages.markdown(index))
}

fn get_page(server: &TestServer, path: &str) -> Response {
    server.send(&Request::new("GET", path))
}

/// Returns the content of an HTML page, without the tree of modules and methods beside it. A page in markdown is
/// returned as it is.
fn page_content(page: &str) -> &str {
    page.split_once("<main").map_or(page, |(_, content)| content)
}

fn body_text(response: &Response) -> String {
    String::from_utf8(response.body.clone()).unwrap()
}
