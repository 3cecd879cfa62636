//! The handlers of the API module `api`.
//!
//! TODO: write the handlers. Until then, each of them responds with the status 501.
#![allow(dead_code)] // Remove this line when the handlers use their arguments.

use rulebook::{ApiError, Args, Context, Module, Upload};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::not_implemented;

/// Returns the handlers of the API module.
pub fn module() -> Module {
    Module::new("api")
        .get("/", get)
        .get("/article", get_article)
        .put("/article", put_article)
        .post("/article/picture", picture)
}

/// The outputs of `/`.
#[derive(Serialize)]
struct GetOutput {
    /// Version of the program
    version: String,
}

/// Returns the version
async fn get(_: Args<()>, _: Context) -> Result<GetOutput, ApiError> {
    Err(not_implemented("get"))
}

/// The arguments of `/article`.
#[derive(Deserialize)]
struct GetArticleArgs {
    /// Number of the page
    page: u64,
}

/// The outputs of `/article`.
#[derive(Serialize)]
struct GetArticleOutput {
    /// The articles
    articles: Vec<Value>,
}

/// Lists articles
async fn get_article(
    Args(_): Args<GetArticleArgs>,
    _: Context,
) -> Result<GetArticleOutput, ApiError> {
    Err(not_implemented("article.get"))
}

/// The arguments of `/article`.
#[derive(Deserialize)]
struct PutArticleArgs {
    /// Id of the article
    id_article: i64,
    /// New content
    body: String,
    /// Priority
    level: Option<Value>,
}

/// The outputs of `/article`.
#[derive(Serialize)]
struct PutArticleOutput {
    /// The article
    updated: Value,
}

/// Changes an article
async fn put_article(
    Args(_): Args<PutArticleArgs>,
    _: Context,
) -> Result<PutArticleOutput, ApiError> {
    Err(not_implemented("article.put"))
}

/// The arguments of `/article/picture`.
#[derive(Deserialize)]
struct PictureArgs {
    /// Id of the article
    id_article: i64,
    /// The picture
    picture: Upload,
}

/// Stores a picture
async fn picture(Args(_): Args<PictureArgs>, _: Context) -> Result<(), ApiError> {
    Err(not_implemented("article.picture.post"))
}
