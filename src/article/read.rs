//! The handler that returns an article.

use rulebook::Context;

use super::input::parse_tags;
use crate::api::article::{Article, Picture, ReadArguments, ReadError, ReadOutputs};
use crate::database::{Database, DatabaseError};

/// A row of the query for an article, which joins the tables `articles`, `users` and `pictures`. The last three columns
/// are `None` if the article has no picture.
type ArticleRow =
    (String, String, String, String, i64, String, String, String, Option<String>, Option<String>, Option<i64>);

pub(super) async fn read_article(arguments: ReadArguments, context: Context) -> Result<ReadOutputs, ReadError> {
    let article_id = arguments.article_id;
    let Some(row) = select_article(&*Database::from_context(&context)?, article_id).await? else {
        return Err(ReadError::NoSuchArticle.with_member("article_id", article_id));
    };
    let (title, text, language, author, author_id, stored, created, changed, alt, media_type, size) = row;
    let picture = match (alt, media_type, size) {
        (Some(alt), Some(media_type), Some(size)) => Some(Picture { alt, media_type, size: size.unsigned_abs() }),
        _ => None,
    };
    let tags = parse_tags(&stored);
    let article = Article { article_id, title, text, language, author, author_id, tags, created, changed, picture };
    Ok(ReadOutputs { article })
}

async fn select_article(database: &Database, article_id: i64) -> Result<Option<ArticleRow>, DatabaseError> {
    let select = "SELECT title, text, language, login, author_id, tags, created, changed, alt, media_type, size
        FROM articles JOIN users ON user_id = author_id
        LEFT JOIN pictures ON pictures.article_id = articles.article_id WHERE articles.article_id = ?";
    Ok(sqlx::query_as(select).bind(article_id).fetch_optional(database.readers().await?).await?)
}
