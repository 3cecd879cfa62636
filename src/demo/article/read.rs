//! One article.

use rulebook::{Args, Context, Refusal};
use serde::Serialize;

use super::Which;
use super::texts::tags;
use crate::demo::database::{Database, Trouble};

#[derive(Serialize)]
pub(super) struct Found {
    article: Article,
}

#[derive(Serialize)]
struct Article {
    article_id: i64,
    title: String,
    text: String,
    language: String,
    author: String,
    author_id: i64,
    tags: Vec<String>,
    created: String,
    changed: String,
    picture: Option<Picture>,
}

#[derive(Serialize)]
struct Picture {
    alt: String,
    media_type: String,
    size: i64,
}

/// A row of both tables; where there is no picture, nothing of it.
type Row = (String, String, String, String, i64, String, String, String, Option<String>, Option<String>, Option<i64>);

pub(super) async fn read(Args(Which { article_id }): Args<Which>, context: Context) -> Result<Found, Refusal> {
    let Some(row) = row(&*Database::of(&context)?, article_id).await? else {
        return Err(Refusal::declared("no_such_article").with("article_id", article_id));
    };
    let (title, text, language, author, author_id, stored, created, changed, alt, media_type, size) = row;
    let picture = match (alt, media_type, size) {
        (Some(alt), Some(media_type), Some(size)) => Some(Picture { alt, media_type, size }),
        _ => None,
    };
    let tags = tags(&stored);
    let article = Article { article_id, title, text, language, author, author_id, tags, created, changed, picture };
    Ok(Found { article })
}

async fn row(database: &Database, article_id: i64) -> Result<Option<Row>, Trouble> {
    let select = "SELECT title, text, language, login, author_id, tags, created, changed, alt, media_type, size
        FROM articles JOIN users ON user_id = author_id
        LEFT JOIN pictures ON pictures.article_id = articles.article_id WHERE articles.article_id = $1";
    Ok(sqlx::query_as(select).bind(article_id).fetch_optional(&mut *database.read().await?).await?)
}
