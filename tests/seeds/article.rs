//! Handlers for the examples in aicra's documentation: changing an article, and reading its lines.

use rulebook::{ApiError, Args, Context, Module};
use serde::Deserialize;
use serde_json::{Value as Json, json};

/// The lines that every article has.
const ARTICLE_LINES: [&str; 2] = ["a first line", "a second line"];

pub fn article_module() -> Module {
    Module::new("article").put("/article/{id_article}", edit_article).get("/article/line", read_line)
}

#[derive(Deserialize)]
struct EditArgs {
    id_article: u32,
    body: String,
}

async fn edit_article(Args(EditArgs { id_article, body }): Args<EditArgs>, _: Context) -> Result<Json, ApiError> {
    Ok(json!({ "updated": { "id_article": id_article, "title": format!("article {id_article}"), "body": body } }))
}

#[derive(Deserialize)]
struct LineArgs {
    id_article: Option<u32>,
    no_line: Option<i64>,
}

async fn read_line(Args(LineArgs { id_article, no_line }): Args<LineArgs>, _: Context) -> Result<Json, ApiError> {
    let is_requested = |id: &u32| id_article.is_none_or(|requested| requested == *id);
    let lines = |id: u32| {
        let numbered =
            ARTICLE_LINES.iter().zip(1..).filter(move |(_, no)| no_line.is_none_or(|requested| requested == *no));
        numbered.map(move |(text, no)| json!({ "id_article": id, "no_line": no, "text": text }))
    };
    Ok(json!({ "articles": (1..=2).filter(is_requested).flat_map(lines).collect::<Vec<_>>() }))
}
