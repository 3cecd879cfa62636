//! The handlers of the API module `Stock`.
//!
//! TODO: write the handlers. Until then, each of them responds with the status 501.

use rulebook::{ApiError, Context, Module};

use super::api::stock::Handlers;
use super::not_implemented;

/// Returns the handlers of the API module.
pub fn module() -> Module {
    Handlers { index }.into_module()
}

/// Returns what is left.
async fn index(_: (), _: Context) -> Result<(), ApiError> {
    Err(not_implemented("stock.index.get"))
}
