//! The handlers of the API module `Article`.
//!
//! TODO: write the handlers. Until then, each of them responds with the status 501.

use rulebook::{ApiError, Context, Module};

use super::api::article::{GetArguments, GetOutputs, Handlers, PageArguments, PageOutputs};
use super::not_implemented;

/// Returns the handlers of the API module.
pub fn module() -> Module {
    Handlers { get, page }.into_module()
}

/// Returns an article
async fn get(_: GetArguments, _: Context) -> Result<GetOutputs, ApiError> {
    Err(not_implemented("article.get.get"))
}

/// Returns a page of the list
async fn page(_: PageArguments, _: Context) -> Result<PageOutputs, ApiError> {
    Err(not_implemented("article.page.get"))
}
