//! Lists of articles, page by page.

use rulebook::{ApiError, Args, Context};
use serde::{Deserialize, Serialize};

use super::input::{like_pattern, parse_tags};
use crate::database::{Database, DatabaseError};

#[derive(Deserialize)]
pub(super) struct ListParameters {
    words: Option<String>,
    tag: Option<String>,
    language: Option<String>,
    author: Option<String>,
    order: Order,
    page: i64,
    size: i64,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Order {
    Newest,
    Oldest,
    Title,
}

#[derive(Serialize)]
pub(super) struct Page {
    articles: Vec<Article>,
    total: i64,
}

#[derive(Serialize)]
struct Article {
    article_id: i64,
    title: String,
    language: String,
    author: String,
    tags: Vec<String>,
    created: String,
}

/// Selects the articles that match the filters; a filter that is null matches all. LIKE is case-sensitive in PostgreSQL
/// and not in SQLite, so that both sides are lowercase.
const FILTER: &str = "FROM articles JOIN users ON user_id = author_id
    WHERE ($1 IS NULL OR words LIKE $1 ESCAPE '!') AND ($2 IS NULL OR LOWER(tags) LIKE $2 ESCAPE '!')
    AND ($3 IS NULL OR language = $3) AND ($4 IS NULL OR login = $4)";

pub(super) async fn list(Args(parameters): Args<ListParameters>, context: Context) -> Result<Page, ApiError> {
    Ok(page(&*Database::of(&context)?, parameters).await?)
}

async fn page(database: &Database, parameters: ListParameters) -> Result<Page, DatabaseError> {
    let order = match parameters.order {
        Order::Newest => "created DESC, article_id DESC",
        Order::Oldest => "created, article_id",
        Order::Title => "title, article_id",
    };
    let ListParameters { words, tag, language, author, page, size, .. } = parameters;
    let words = words.map(|words| like_pattern(&words.to_lowercase()));
    let tag = tag.map(|tag| like_pattern(&format!(" {} ", tag.to_lowercase())));
    let mut connection = database.read().await?;

    let count = format!("SELECT COUNT(*) {FILTER}");
    let count = sqlx::query_as(&count).bind(&words).bind(&tag).bind(&language).bind(&author);
    let (total,): (i64,) = count.fetch_one(&mut *connection).await?;

    let select = format!(
        "SELECT article_id, title, language, login, tags, created {FILTER} ORDER BY {order} LIMIT $5 OFFSET $6"
    );
    let select = sqlx::query_as(&select).bind(&words).bind(&tag).bind(&language).bind(&author);
    let select = select.bind(size).bind((page - 1) * size);
    let rows: Vec<(i64, String, String, String, String, String)> = select.fetch_all(&mut *connection).await?;
    let articles = rows.into_iter().map(|(article_id, title, language, author, stored, created)| Article {
        article_id,
        title,
        language,
        author,
        tags: parse_tags(&stored),
        created,
    });
    Ok(Page { articles: articles.collect(), total })
}
