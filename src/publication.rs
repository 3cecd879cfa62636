//! The module `publication`: articles, for clients of api 3.0. The handlers call methods of the module `article`, as
//! modules of api 3.0 called each other.

use rulebook::{ApiError, Args, Context, Module};
use serde::{Deserialize, Serialize};

/// Number of articles on a page.
const SIZE: u8 = 20;

/// Returns the handlers of the methods that `api/publication.json` defines.
pub(super) fn module() -> Module {
    Module::new("publication").get("/publication/read", read).post("/publication/search", search)
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

async fn read(
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
struct Page {
    articles: Vec<Line>,
    total: i64,
}

#[derive(Deserialize, Serialize)]
struct Line {
    article_id: i64,
    title: String,
    author: String,
}

async fn search(Args(parameters): Args<SearchParameters>, context: Context) -> Result<Page, ApiError> {
    let SearchParameters { words, language, page } = parameters;
    let list = context.call("article.list").arg("words", words).arg("language", language);
    list.arg("page", page).arg("size", SIZE).send().await.deserialize()
}
