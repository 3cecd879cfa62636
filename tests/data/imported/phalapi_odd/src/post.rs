//! The handlers of the API module `Post`.
//!
//! TODO: write the handlers. Until then, each of them responds with the status 501.

use rulebook::{Context, Module};

use super::api::post::{GetArguments, GetError, Handlers, OptionsArguments, OptionsError};
use super::not_implemented;

/// Returns the handlers of the API module.
pub fn module() -> Module {
    Handlers { options, get }.into_module()
}

/// Post.options
async fn options(_: OptionsArguments, _: Context) -> Result<(), OptionsError> {
    Err(not_implemented("post.options.get").into())
}

/// Post.GET
async fn get(_: GetArguments, _: Context) -> Result<(), GetError> {
    Err(not_implemented("post.GET.get").into())
}
