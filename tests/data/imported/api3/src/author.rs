//! The handlers of the API module `author`.
//!
//! TODO: write the handlers. Until then, each of them responds with the status 501.
#![allow(dead_code)] // Remove this line when the handlers use their arguments.

use rulebook::{ApiError, Args, Context, Module};
use serde::{Deserialize, Serialize};

use super::not_implemented;

/// Returns the handlers of the API module.
pub fn module() -> Module {
    Module::new("author").get("/author/read", read)
}

/// The arguments of `/author/read`.
#[derive(Deserialize)]
struct ReadArgs {
    /// Id of the author
    #[serde(rename = "URL_0")]
    url_0: i64,
}

/// The outputs of `/author/read`.
#[derive(Serialize)]
struct ReadOutput {
    /// Name of the author
    author: String,
}

/// Returns an author
async fn read(Args(_): Args<ReadArgs>, _: Context) -> Result<ReadOutput, ApiError> {
    Err(not_implemented("author.read.get"))
}
