//! The handlers of the API module `api`.
//!
//! TODO: write the handlers. Until then, each of them responds with the status 501.

use rulebook::{ApiError, Context, Module};

use super::api::api::{Handlers, ReadBookArguments, ReadBookOutputs};
use super::not_implemented;

/// Returns the handlers of the API module.
pub fn module() -> Module {
    Handlers { read_book }.into_module()
}

/// reads a book
async fn read_book(_: ReadBookArguments, _: Context) -> Result<ReadBookOutputs, ApiError> {
    Err(not_implemented("ReadBook"))
}
