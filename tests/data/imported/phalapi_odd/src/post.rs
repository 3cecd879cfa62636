//! The handlers of the API module `Post`.
//!
//! TODO: write the handlers. Until then, each of them responds with the status 501.
#![allow(dead_code)] // Remove this line when the handlers use their arguments.

use rulebook::{ApiError, Args, Context, Module};
use serde::Deserialize;
use serde_json::Value;

use super::not_implemented;

/// Returns the handlers of the API module.
pub fn module() -> Module {
    Module::new("Post")
        .any("/post/options", options)
        .any("/post/GET", get)
}

/// The arguments of `/post/options`.
#[derive(Deserialize)]
struct OptionsArgs {
    id: Option<i64>,
}

/// Post.options
async fn options(Args(_): Args<OptionsArgs>, _: Context) -> Result<(), ApiError> {
    Err(not_implemented("post.options.get"))
}

/// The arguments of `/post/GET`.
#[derive(Deserialize)]
struct GetArgs {
    ids: Option<Value>,
}

/// Post.GET
async fn get(Args(_): Args<GetArgs>, _: Context) -> Result<(), ApiError> {
    Err(not_implemented("post.GET.get"))
}
