//! The handler that lists articles in pages, with filters and an order.

use rulebook::{ApiError, Args, Context};
use serde::{Deserialize, Serialize};

use super::input::{like_pattern, parse_tags};
use crate::database::{Database, DatabaseError, query};

#[derive(Deserialize)]
pub(super) struct ListParameters {
    words: Option<String>,
    tag: Option<String>,
    language: Option<String>,
    author: Option<String>,
    order: SortOrder,
    page: i64,
    size: i64,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum SortOrder {
    Newest,
    Oldest,
    Title,
}

#[derive(Serialize)]
pub(super) struct ListOutputs {
    articles: Vec<ListedArticle>,
    total: i64,
}

#[derive(Serialize)]
struct ListedArticle {
    article_id: i64,
    title: String,
    language: String,
    author: String,
    tags: Vec<String>,
    created: String,
}

/// Selects the articles that match all filters. A filter that is null matches every article. The compared texts are in
/// lowercase, because LIKE is case-sensitive in PostgreSQL and in the tables of MySQL, but not in SQLite.
const FROM_FILTERED_ARTICLES: &str = "FROM articles JOIN users ON user_id = author_id
    WHERE ($1 IS NULL OR words LIKE $1 ESCAPE '!') AND ($2 IS NULL OR LOWER(tags) LIKE $2 ESCAPE '!')
    AND ($3 IS NULL OR language = $3) AND ($4 IS NULL OR login = $4)";

pub(super) async fn list_articles(
    Args(parameters): Args<ListParameters>,
    context: Context,
) -> Result<ListOutputs, ApiError> {
    Ok(select_page(&*Database::from_context(&context)?, parameters).await?)
}

async fn select_page(database: &Database, parameters: ListParameters) -> Result<ListOutputs, DatabaseError> {
    let order = match parameters.order {
        SortOrder::Newest => "created DESC, article_id DESC",
        SortOrder::Oldest => "created, article_id",
        SortOrder::Title => "title, article_id",
    };
    let ListParameters { words, tag, language, author, page, size, .. } = parameters;
    let words = words.map(|words| like_pattern(&words.to_lowercase()));
    let tag = tag.map(|tag| like_pattern(&format!(" {} ", tag.to_lowercase())));
    let mut connection = database.read_connection().await?;

    let count = format!("SELECT COUNT(*) {FROM_FILTERED_ARTICLES}");
    let count = query(count).bind(&words).bind(&tag).bind(&language).bind(&author);
    let (total,) = count.fetch_optional(&mut connection).await?.unwrap_or((0_i64,));

    let select = format!(
        "SELECT article_id, title, language, login, tags, created {FROM_FILTERED_ARTICLES} ORDER BY {order} LIMIT $5 OFFSET $6"
    );
    let select = query(select).bind(&words).bind(&tag).bind(&language).bind(&author);
    let select = select.bind(size).bind((page - 1) * size);
    let rows: Vec<(i64, String, String, String, String, String)> = select.fetch_all(&mut connection).await?;
    let articles = rows.into_iter().map(|(article_id, title, language, author, stored, created)| ListedArticle {
        article_id,
        title,
        language,
        author,
        tags: parse_tags(&stored),
        created,
    });
    Ok(ListOutputs { articles: articles.collect(), total })
}
