//! The module `publication`: the articles, for clients of api 3.0. It asks the module `article` by calls from code, as
//! api 3.0's own modules delegated to each other.

use rulebook::{Args, Context, Module, Refusal};
use serde::{Deserialize, Serialize};

/// Articles on a page.
const SIZE: u8 = 20;

/// Its handlers, as `api/publication.json` defines their methods.
pub(super) fn module() -> Module {
    Module::new("publication").get("/publication/read", read).post("/publication/search", search)
}

#[derive(Deserialize)]
struct Which {
    article_id: u32,
}

#[derive(Deserialize)]
struct Found {
    article: Article,
}

#[derive(Deserialize, Serialize)]
struct Article {
    title: String,
    text: String,
    language: String,
    author: String,
}

async fn read(Args(Which { article_id }): Args<Which>, context: Context) -> Result<Article, Refusal> {
    let found: Found = context.call("article.read").arg("article_id", article_id).send().await.into()?;
    Ok(found.article)
}

#[derive(Deserialize)]
struct Wanted {
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

async fn search(Args(wanted): Args<Wanted>, context: Context) -> Result<Page, Refusal> {
    let Wanted { words, language, page } = wanted;
    let list = context.call("article.list").arg("words", words).arg("language", language);
    list.arg("page", page).arg("size", SIZE).send().await.into()
}
