//! Methods that return files: the content that is sent, file names, and links.

mod binding;
mod calls;
mod changing_files;
mod conditions;
mod killed_server;
mod links;
mod names;
mod stored_links;
mod streams;

use rulebook::{ApiError, Args, Context, Download, Engine, Module};
use serde_json::{Value as Json, json};

use crate::client::engine;

/// Returns a definition with the download `GET /it` and these parameters.
pub fn definition(parameters: &Json) -> Json {
    json!({ "/": { "it": { "GET": { "info": "A file", "in": parameters, "options": { "download": true } } } } })
}

/// Returns an engine whose `GET /it` returns the result of `make`.
pub fn returning(make: impl Fn() -> Download + Clone + Send + Sync + 'static) -> Engine {
    let handler = move |_: Args<()>, _: Context| {
        let download = make();
        async move { Ok::<_, ApiError>(download) }
    };
    engine(&[("files.json", definition(&json!({})))], |rulebook| {
        rulebook.module(Module::new("files").get("/it", handler))
    })
}
