//! The handlers of the API module `publication`: articles for clients of api 3.0, a predecessor of rulebook. The
//! handlers call methods of the API module `article`, to show how a method calls another method.

use rulebook::{ApiError, Context, Module};
use serde::Deserialize;

use super::api::publication::{
    Handlers, ReadGetArguments, ReadGetError, ReadGetOutputs, SearchPostArguments, SearchPostOutputs,
};

const PAGE_SIZE: u8 = 20;

/// Returns the handlers of the methods that `api/publication.json` defines.
pub(super) fn module() -> Module {
    Handlers { read_get: read_article, search_post: search_articles }.into_module()
}

/// The outputs of `article.read`, of which a publication has a part.
#[derive(Deserialize)]
struct ReadArticle {
    article: ReadGetOutputs,
}

async fn read_article(arguments: ReadGetArguments, context: Context) -> Result<ReadGetOutputs, ReadGetError> {
    let read = context.call("article.read").arg("article_id", arguments.article_id).send().await;
    Ok(read.deserialize::<ReadArticle>()?.article)
}

async fn search_articles(arguments: SearchPostArguments, context: Context) -> Result<SearchPostOutputs, ApiError> {
    let SearchPostArguments { words, language, page } = arguments;
    let list = context.call("article.list").arg("words", words).arg("language", language);
    list.arg("page", page).arg("size", PAGE_SIZE).send().await.deserialize()
}
