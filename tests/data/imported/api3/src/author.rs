//! The handlers of the API module `author`.
//!
//! TODO: write the handlers. Until then, each of them responds with the status 501.

use rulebook::{ApiError, Context, Module};

use super::api::author::{Handlers, ReadGetArguments, ReadGetOutputs};
use super::not_implemented;

/// Returns the handlers of the API module.
pub fn module() -> Module {
    Handlers { read_get }.into_module()
}

/// Returns an author
async fn read_get(_: ReadGetArguments, _: Context) -> Result<ReadGetOutputs, ApiError> {
    Err(not_implemented("author.read.get"))
}
