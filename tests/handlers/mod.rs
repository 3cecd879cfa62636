//! Tests handlers: their arguments, results, hooks and context, how they are bound to methods, calls from code, and the
//! start of a program.

mod api3_calls;
mod argument_mismatches;
mod auth_schemes;
mod authenticators;
mod binding;
mod calls_from_code;
mod cross_site;
mod default_names;
mod deserialization;
mod diagnostics;
mod disconnects;
mod error_numbers;
mod fields;
mod hooks;
mod identity;
mod instances;
mod kinds;
mod map_arguments;
mod mock;
mod out;
mod outputs;
mod over_http;
mod preferences;
mod response_fields;
mod responses;
mod start_hooks;
mod uploads;

use std::path::PathBuf;

use rulebook::error::ErrorCode;
use rulebook::{Engine, Module, Response, Rulebook};
use serde_json::{Map, Value as Json, json};

/// Returns the files of a definition with one module, which has this name and this content.
pub fn files(name: &str, module: &Json) -> Vec<(PathBuf, Vec<u8>)> {
    vec![(PathBuf::from(format!("api/{name}.json")), format!("{module:#}\n").into_bytes())]
}

/// Returns the files of a definition with the module `shop`, whose only method `POST /it` has these parameters.
pub fn files_with_parameters(parameters: &Json) -> Vec<(PathBuf, Vec<u8>)> {
    files("shop", &json!({ "/": { "it": { "POST": { "info": "Takes it", "in": parameters } } } }))
}

/// Builds the API of these definition files with handlers from these modules. Panics if there are errors.
pub fn build(files: Vec<(PathBuf, Vec<u8>)>, modules: impl IntoIterator<Item = Module>) -> Engine {
    let rulebook = modules.into_iter().fold(Rulebook::read(files), Rulebook::module);
    rulebook.build().unwrap_or_else(|report| panic!("{}", report.render(false)))
}

/// Calls a method with arguments, which are named as in code.
pub fn call(engine: &Engine, target: &str, arguments: &Json) -> Response {
    let none = Map::new();
    let arguments = arguments.as_object().unwrap_or(&none).iter();
    block_on(arguments.fold(engine.call(target), |call, (name, value)| call.arg(name, value.clone())).send())
}

/// Calls a method of an engine whose methods return their arguments. Returns the arguments after their checks, or the
/// code of the error.
pub fn checked_arguments(engine: &Engine, target: &str, given: &Json) -> Result<Json, ErrorCode> {
    call(engine, target, given).outputs().map(|mut outputs| outputs["args"].take()).map_err(|error| error.code())
}

/// Runs a future to its end on a new async runtime, and returns its output.
pub fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
