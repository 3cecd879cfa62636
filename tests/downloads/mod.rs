//! Tests of downloads: methods that return a file instead of outputs. They test the content that is sent, file names,
//! and links to files.

mod binding;
mod calls;
mod changing_files;
mod conditions;
mod fuzz;
mod killed_server;
mod limited_links;
mod link_place;
mod links;
mod names;
mod stored_links;
mod streams;

use rulebook::{ApiError, Args, Context, Download, Engine, Module};
use serde_json::{Value as Json, json};

use crate::client::engine;

/// Returns a definition in which `GET /it` is a download with these parameters.
pub fn download_definition(parameters: &Json) -> Json {
    json!({ "/": { "it": { "GET": { "info": "A file", "in": parameters, "options": { "download": true } } } } })
}

/// Returns an engine in which `GET /it` returns the file that `make_download` creates.
pub fn engine_returning(make_download: impl Fn() -> Download + Clone + Send + Sync + 'static) -> Engine {
    let handler = move |_: Args<()>, _: Context| {
        let download = make_download();
        async move { Ok::<_, ApiError>(download) }
    };
    engine(&[("files.json", download_definition(&json!({})))], |rulebook| {
        rulebook.module(Module::new("files").get("/it", handler))
    })
}
