//! The modules `Author` and `Site`: authors and a greeting, for clients of PhalApi.

use jiff::Timestamp;
use rulebook::{ApiError, Args, Context, Module};
use serde::{Deserialize, Serialize};

use super::database::{Database, DatabaseError};

/// Returns the handlers of the methods that `api/author.json` defines. Each handles GET and POST.
pub(super) fn modules() -> [Module; 2] {
    [
        Module::new("Author").any("/author/getBaseInfo", base_info).any("/author/getList", list),
        Module::new("Site").any("/site/index", index),
    ]
}

#[derive(Deserialize)]
struct AuthorId {
    author_id: i64,
}

#[derive(Serialize)]
struct BaseInfo {
    name: String,
    about: String,
    articles: i64,
}

async fn base_info(Args(AuthorId { author_id }): Args<AuthorId>, context: Context) -> Result<BaseInfo, ApiError> {
    match row(&*Database::of(&context)?, author_id).await? {
        Some((name, about, articles)) => Ok(BaseInfo { name, about, articles }),
        None => Err(ApiError::declared("no_such_author").with_member("author_id", author_id)),
    }
}

async fn row(database: &Database, author_id: i64) -> Result<Option<(String, String, i64)>, DatabaseError> {
    let select = "SELECT name, about, (SELECT COUNT(*) FROM articles WHERE author_id = user_id) FROM users
        WHERE user_id = $1";
    Ok(sqlx::query_as(select).bind(author_id).fetch_optional(&mut *database.read().await?).await?)
}

#[derive(Deserialize)]
struct ListParameters {
    size: i64,
}

#[derive(Serialize)]
struct ListOutputs {
    list: Vec<Author>,
}

#[derive(Serialize)]
struct Author {
    id: i64,
    name: String,
    articles: i64,
}

async fn list(Args(ListParameters { size }): Args<ListParameters>, context: Context) -> Result<ListOutputs, ApiError> {
    let rows = rows(&*Database::of(&context)?, size).await?;
    Ok(ListOutputs { list: rows.into_iter().map(|(id, name, articles)| Author { id, name, articles }).collect() })
}

async fn rows(database: &Database, size: i64) -> Result<Vec<(i64, String, i64)>, DatabaseError> {
    let select = "SELECT user_id, name, COUNT(*) FROM users JOIN articles ON author_id = user_id
        GROUP BY user_id, name ORDER BY COUNT(*) DESC, user_id LIMIT $1";
    Ok(sqlx::query_as(select).bind(size).fetch_all(&mut *database.read().await?).await?)
}

#[derive(Deserialize)]
struct IndexParameters {
    username: String,
}

#[derive(Serialize)]
struct Greeting {
    title: &'static str,
    content: String,
    time: i64,
}

async fn index(
    Args(IndexParameters { username }): Args<IndexParameters>,
    context: Context,
) -> Result<Greeting, ApiError> {
    let listed = context.call("article.list").arg("size", 1).send().await;
    let total = listed.get("total").and_then(serde_json::Value::as_i64);
    let total = total.ok_or_else(|| ApiError::unavailable("article.list returned no total"))?;
    let content = format!("Hello {username}, there are {total} articles here.");
    Ok(Greeting { title: "Articles", content, time: Timestamp::now().as_second() })
}
