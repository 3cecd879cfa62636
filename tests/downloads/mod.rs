//! Methods that return files: what is sent of them, under which names, and their links.

mod binding;
mod calls;
mod changing;
mod conditions;
mod kept;
mod killed;
mod links;
mod names;
mod streams;

use rulebook::{Args, Context, Download, Engine, Module, Refusal};
use serde_json::{Value as Json, json};

use crate::client::engine;

/// A definition of `GET /it`, a download with these parameters.
pub fn definition(parameters: &Json) -> Json {
    json!({ "/": { "it": { "GET": { "info": "A file", "in": parameters, "options": { "download": true } } } } })
}

/// An engine whose `GET /it` returns what `make` makes.
pub fn returning(make: impl Fn() -> Download + Clone + Send + Sync + 'static) -> Engine {
    let handler = move |_: Args<()>, _: Context| {
        let download = make();
        async move { Ok::<_, Refusal>(download) }
    };
    engine(&[("files.json", definition(&json!({})))], |rulebook| {
        rulebook.module(Module::new("files").get("/it", handler))
    })
}
