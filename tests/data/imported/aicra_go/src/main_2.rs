//! The handlers of the API module `main`.
//!
//! TODO: write the handlers. Until then, each of them responds with the status 501.

use rulebook::{ApiError, Context, Module};

use super::api::main::{BookIdGetArguments, BookIdGetOutputs, Handlers};
use super::not_implemented;

/// Returns the handlers of the API module.
pub fn module() -> Module {
    Handlers { book_id_get }.into_module()
}

/// reads a book
async fn book_id_get(_: BookIdGetArguments, _: Context) -> Result<BookIdGetOutputs, ApiError> {
    Err(not_implemented("book.{id}.get"))
}
