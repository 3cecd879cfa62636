//! The handlers of the API module `Default`.
//!
//! TODO: write the handlers. Until then, each of them responds with the status 501.
#![allow(dead_code)] // Remove this line when the handlers use their arguments.

use rulebook::{ApiError, Args, Context, Module};
use serde::{Deserialize, Serialize};

use super::not_implemented;

/// Returns the handlers of the API module.
pub fn module() -> Module {
    Module::new("Default").any("/default/index", index)
}

/// The arguments of `/default/index`.
#[derive(Deserialize)]
struct IndexArgs {
    username: String,
}

/// The outputs of `/default/index`.
#[derive(Serialize)]
struct IndexOutput {
    title: String,
    content: String,
    /// version with format: X.X.X
    version: String,
    /// current timestamp
    time: i64,
}

/// Default API service
async fn index(Args(_): Args<IndexArgs>, _: Context) -> Result<IndexOutput, ApiError> {
    Err(not_implemented("default.index.get"))
}
