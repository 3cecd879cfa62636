//! Handlers: their arguments, binding, hooks and context, calls from code, and the start of the program.

mod binding;
mod calls;
mod delegation;
mod deserialization;
mod diagnostics;
mod disconnects;
mod fields;
mod fit;
mod hooks;
mod identity;
mod instances;
mod outputs;
mod over_http;
mod responses;
mod schemes;
mod start;
mod uploads;

use std::path::PathBuf;

use rulebook::{Engine, Module, Response, Rulebook};
use serde_json::{Map, Value as Json, json};

/// The files of a definition with this module.
pub fn files(name: &str, module: &Json) -> Vec<(PathBuf, Vec<u8>)> {
    vec![(PathBuf::from(format!("api/{name}.json")), format!("{module:#}\n").into_bytes())]
}

/// A module `shop` with a single method, `POST /it`, which takes these parameters.
pub fn files_with_parameters(parameters: &Json) -> Vec<(PathBuf, Vec<u8>)> {
    files("shop", &json!({ "/": { "it": { "POST": { "info": "Takes it", "in": parameters } } } }))
}

/// The API of these files with these modules. Fails if it has errors.
pub fn build(files: Vec<(PathBuf, Vec<u8>)>, modules: impl IntoIterator<Item = Module>) -> Engine {
    let rulebook = modules.into_iter().fold(Rulebook::read(files), Rulebook::module);
    rulebook.build().unwrap_or_else(|report| panic!("{}", report.render(false)))
}

/// Calls a method with arguments by their names in code.
pub fn call(engine: &Engine, target: &str, arguments: &Json) -> Response {
    let none = Map::new();
    let arguments = arguments.as_object().unwrap_or(&none).iter();
    block_on(arguments.fold(engine.call(target), |call, (name, value)| call.arg(name, value.clone())).send())
}

/// Runs a future to its end.
pub fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
