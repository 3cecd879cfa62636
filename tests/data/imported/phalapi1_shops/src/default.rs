//! The handlers of the API module `Default`.
//!
//! TODO: write the handlers. Until then, each of them responds with the status 501.

use rulebook::{ApiError, Context, Module};

use super::api::default::Handlers;
use super::not_implemented;

/// Returns the handlers of the API module.
pub fn module() -> Module {
    Handlers { index }.into_module()
}

/// Returns the name of the shop.
async fn index(_: (), _: Context) -> Result<(), ApiError> {
    Err(not_implemented("default.index.get"))
}
