//! The handlers of the API module `Examples_CURD`.
//!
//! TODO: write the handlers. Until then, each of them responds with the status 501.
#![allow(dead_code)] // Remove this line when the handlers use their arguments.

use rulebook::{ApiError, Args, Context, Module};
use serde::Deserialize;

use super::not_implemented;

/// Returns the handlers of the API module.
pub fn module() -> Module {
    Module::new("Examples_CURD")
        .any("/examples_CURD/get", get)
        .any("/examples_CURD/search", search)
}

/// The arguments of `/examples_CURD/get`.
#[derive(Deserialize)]
struct GetArgs {
    /// The signature of the request
    sign: String,
    version: String,
    id: i64,
}

/// Returns a note
async fn get(Args(_): Args<GetArgs>, _: Context) -> Result<(), ApiError> {
    Err(not_implemented("examples_CURD.get.get"))
}

/// The arguments of `/examples_CURD/search`.
#[derive(Deserialize)]
struct SearchArgs {
    /// The signature of the request
    sign: String,
    version: String,
    size: Option<i64>,
}

/// Searches notes
async fn search(Args(_): Args<SearchArgs>, _: Context) -> Result<(), ApiError> {
    Err(not_implemented("examples_CURD.search.get"))
}
