//! The handlers of the API module `article`.
//!
//! TODO: write the handlers. Until then, each of them responds with the status 501.
#![allow(dead_code)] // Remove this line when the handlers use their arguments.

use rulebook::{ApiError, Args, Context, Download, Module};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::not_implemented;

/// Returns the handlers of the API module.
pub fn module() -> Module {
    Module::new("article")
        .get("/article/read", read)
        .post("/article/write", write)
        .get("/article/export", export)
}

/// The arguments of `/article/read`.
#[derive(Deserialize)]
struct ReadArgs {
    /// Wanted article's id
    article_id: i64,
    /// Language of the text
    lang: Option<String>,
}

/// The outputs of `/article/read`.
#[derive(Serialize)]
struct ReadOutput {
    /// Title of the article
    title: String,
    /// Text of the article
    body: String,
}

/// Returns an article
async fn read(Args(_): Args<ReadArgs>, _: Context) -> Result<ReadOutput, ApiError> {
    Err(not_implemented("article.read.get"))
}

/// The arguments of `/article/write`.
#[derive(Deserialize)]
struct WriteArgs {
    /// Title
    title: String,
    /// Text
    body: String,
    /// Tags
    tags: Option<Vec<String>>,
    /// Price
    price: Option<Value>,
}

/// The outputs of `/article/write`.
#[derive(Serialize)]
struct WriteOutput {
    /// Id of the new article
    id: i64,
}

/// Creates an article
async fn write(Args(_): Args<WriteArgs>, _: Context) -> Result<WriteOutput, ApiError> {
    Err(not_implemented("article.write.post"))
}

/// Downloads all articles
async fn export(_: Args<()>, _: Context) -> Result<Download, ApiError> {
    Err(not_implemented("article.export.get"))
}
