//! The handlers of the API module `Order`.
//!
//! TODO: write the handlers. Until then, each of them responds with the status 501.

use rulebook::{Context, Module};

use super::api::order::{AllArguments, AllError, AllOutputs, CreateArguments, CreateError, Handlers};
use super::not_implemented;

/// Returns the handlers of the API module.
pub fn module() -> Module {
    Handlers { all, create }.into_module()
}

/// Lists orders
async fn all(_: AllArguments, _: Context) -> Result<AllOutputs, AllError> {
    Err(not_implemented("order.all.get").into())
}

/// Order.create
async fn create(_: CreateArguments, _: Context) -> Result<(), CreateError> {
    Err(not_implemented("order.create.get").into())
}
