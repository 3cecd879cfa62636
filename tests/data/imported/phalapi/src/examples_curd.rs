//! The handlers of the API module `Examples_CURD`.
//!
//! TODO: write the handlers. Until then, each of them responds with the status 501.

use rulebook::{ApiError, Context, Module};

use super::api::examples_curd::{GetArguments, Handlers, SearchArguments};
use super::not_implemented;

/// Returns the handlers of the API module.
pub fn module() -> Module {
    Handlers { get, search }.into_module()
}

/// Returns a note
async fn get(_: GetArguments, _: Context) -> Result<(), ApiError> {
    Err(not_implemented("examples_CURD.get.get"))
}

/// Searches notes
async fn search(_: SearchArguments, _: Context) -> Result<(), ApiError> {
    Err(not_implemented("examples_CURD.search.get"))
}
