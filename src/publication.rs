//! The handlers of the API module `publication`: articles for clients of api 3.0, a predecessor of rulebook. The
//! handlers call methods of the API module `article`, to show how a method calls another method.

use rulebook::{ApiError, Args, Context, Module};
use serde::{Deserialize, Serialize};

/// Number of articles in one page of search results.
const PAGE_SIZE: u8 = 20;

/// Returns the handlers of the methods that `api/publication.json` defines.
pub(super) fn module() -> Module {
    Module::new("publication").get("/publication/read", read_article).post("/publication/search", search_articles)
}

#[derive(Deserialize)]
struct ReadParameters {
    article_id: u32,
}

#[derive(Deserialize)]
struct ReadOutputs {
    article: Article,
}

#[derive(Deserialize, Serialize)]
struct Article {
    title: String,
    text: String,
    language: String,
    author: String,
}

async fn read_article(
    Args(ReadParameters { article_id }): Args<ReadParameters>,
    context: Context,
) -> Result<Article, ApiError> {
    let outputs: ReadOutputs = context.call("article.read").arg("article_id", article_id).send().await.deserialize()?;
    Ok(outputs.article)
}

#[derive(Deserialize)]
struct SearchParameters {
    words: Option<String>,
    language: Option<String>,
    page: u32,
}

#[derive(Deserialize, Serialize)]
struct SearchOutputs {
    articles: Vec<FoundArticle>,
    total: i64,
}

#[derive(Deserialize, Serialize)]
struct FoundArticle {
    article_id: i64,
    title: String,
    author: String,
}

async fn search_articles(
    Args(parameters): Args<SearchParameters>,
    context: Context,
) -> Result<SearchOutputs, ApiError> {
    let SearchParameters { words, language, page } = parameters;
    let list = context.call("article.list").arg("words", words).arg("language", language);
    list.arg("page", page).arg("size", PAGE_SIZE).send().await.deserialize()
}
