//! The handlers of the API module `api`.
//!
//! TODO: write the handlers. Until then, each of them responds with the status 501.

use rulebook::{ApiError, Context, Module};

use super::api::api::{
    ArticleGetArguments, ArticleGetOutputs, ArticlePicturePostArguments, ArticlePutArguments,
    ArticlePutOutputs, GetOutputs, Handlers,
};
use super::not_implemented;

/// Returns the handlers of the API module.
pub fn module() -> Module {
    Handlers {
        get,
        article_get,
        article_put,
        article_picture_post,
    }
    .into_module()
}

/// Returns the version
async fn get(_: (), _: Context) -> Result<GetOutputs, ApiError> {
    Err(not_implemented("get"))
}

/// Lists articles
async fn article_get(_: ArticleGetArguments, _: Context) -> Result<ArticleGetOutputs, ApiError> {
    Err(not_implemented("article.get"))
}

/// Changes an article
async fn article_put(_: ArticlePutArguments, _: Context) -> Result<ArticlePutOutputs, ApiError> {
    Err(not_implemented("article.put"))
}

/// Stores a picture
async fn article_picture_post(_: ArticlePicturePostArguments, _: Context) -> Result<(), ApiError> {
    Err(not_implemented("article.picture.post"))
}
