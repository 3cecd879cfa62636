//! The handlers of the API module `Site`.
//!
//! TODO: write the handlers. Until then, each of them responds with the status 501.
#![allow(dead_code)] // Remove this line when the handlers use their arguments.

use rulebook::{ApiError, Args, Context, Module};
use serde::{Deserialize, Serialize};

use super::not_implemented;

/// Returns the handlers of the API module.
pub fn module() -> Module {
    Module::new("Site").any("/site/index", index)
}

/// The arguments of `/site/index`.
#[derive(Deserialize)]
struct IndexArgs {
    /// The signature of the request
    sign: String,
    version: String,
    /// Who is greeted
    username: String,
}

/// The outputs of `/site/index`.
#[derive(Serialize)]
struct IndexOutput {
    /// The greeting
    title: String,
    /// The version of the shop
    version: String,
    /// The current timestamp
    time: i64,
}

/// Greets a user
async fn index(Args(_): Args<IndexArgs>, _: Context) -> Result<IndexOutput, ApiError> {
    Err(not_implemented("site.index.get"))
}
