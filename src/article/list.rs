//! The handler that lists articles in pages, with filters and an order.

use rulebook::{ApiError, Context};

use super::input::{like_pattern, parse_tags};
use crate::api::article::{ListArguments, ListOrder, ListOutputs, ListedArticle};
use crate::database::{Database, DatabaseError};

/// Selects the articles that match all filters. A filter that is null matches every article. The compared texts are in
/// lowercase, because LIKE ignores only the case of ASCII letters.
const FROM_FILTERED_ARTICLES: &str = "FROM articles JOIN users ON user_id = author_id
    WHERE (?1 IS NULL OR words LIKE ?1 ESCAPE '!') AND (?2 IS NULL OR LOWER(tags) LIKE ?2 ESCAPE '!')
    AND (?3 IS NULL OR language = ?3) AND (?4 IS NULL OR login = ?4)";

pub(super) async fn list_articles(arguments: ListArguments, context: Context) -> Result<ListOutputs, ApiError> {
    Ok(select_page(&*Database::from_context(&context)?, arguments).await?)
}

async fn select_page(database: &Database, arguments: ListArguments) -> Result<ListOutputs, DatabaseError> {
    let order = match arguments.order {
        ListOrder::Newest => "created DESC, article_id DESC",
        ListOrder::Oldest => "created, article_id",
        ListOrder::Title => "title, article_id",
    };
    let ListArguments { words, tag, language, author, page, size, .. } = arguments;
    let words = words.map(|words| like_pattern(&words.to_lowercase()));
    let tag = tag.map(|tag| like_pattern(&format!(" {} ", tag.to_lowercase())));
    let readers = database.readers().await?;

    let count = format!("SELECT COUNT(*) {FROM_FILTERED_ARTICLES}");
    let count = sqlx::query_scalar(&count).bind(&words).bind(&tag).bind(&language).bind(&author);
    let total: i64 = count.fetch_one(readers).await?;

    let select = format!(
        "SELECT article_id, title, language, login, tags, created {FROM_FILTERED_ARTICLES} ORDER BY {order} LIMIT ?5 OFFSET ?6"
    );
    let select = sqlx::query_as(&select).bind(&words).bind(&tag).bind(&language).bind(&author);
    let select = select.bind(size).bind((page - 1) * size);
    let rows: Vec<(i64, String, String, String, String, String)> = select.fetch_all(readers).await?;
    let articles = rows.into_iter().map(|(article_id, title, language, author, stored, created)| ListedArticle {
        article_id,
        title,
        language,
        author,
        tags: parse_tags(&stored),
        created,
    });
    Ok(ListOutputs { articles: articles.collect(), total: total.unsigned_abs() })
}
