//! The handlers of the API modules `Author` and `Site`: authors and a greeting. Their methods have the paths and the
//! responses that clients of the PHP framework PhalApi expect.

use jiff::Timestamp;
use rulebook::{ApiError, Args, Context, Module};
use serde::{Deserialize, Serialize};

use super::database::{Database, DatabaseError, query};

/// Returns the handlers of the methods that `api/author.json` defines. Each handler serves both GET and POST.
pub(super) fn modules() -> [Module; 2] {
    [
        Module::new("Author").any("/author/getBaseInfo", read_base_info).any("/author/getList", list_authors),
        Module::new("Site").any("/site/index", greet),
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

async fn read_base_info(Args(AuthorId { author_id }): Args<AuthorId>, context: Context) -> Result<BaseInfo, ApiError> {
    match select_author(&*Database::from_context(&context)?, author_id).await? {
        Some((name, about, articles)) => Ok(BaseInfo { name, about, articles }),
        None => Err(ApiError::declared("no_such_author").with_member("author_id", author_id)),
    }
}

async fn select_author(database: &Database, author_id: i64) -> Result<Option<(String, String, i64)>, DatabaseError> {
    let select = "SELECT name, about, (SELECT COUNT(*) FROM articles WHERE author_id = user_id) FROM users
        WHERE user_id = $1";
    Ok(query(select).bind(author_id).fetch_optional(&mut *database.read_connection().await?).await?)
}

#[derive(Deserialize)]
struct ListParameters {
    size: i64,
}

#[derive(Serialize)]
struct ListOutputs {
    list: Vec<ListedAuthor>,
}

#[derive(Serialize)]
struct ListedAuthor {
    id: i64,
    name: String,
    articles: i64,
}

async fn list_authors(
    Args(ListParameters { size }): Args<ListParameters>,
    context: Context,
) -> Result<ListOutputs, ApiError> {
    let rows = select_authors(&*Database::from_context(&context)?, size).await?;
    Ok(ListOutputs { list: rows.into_iter().map(|(id, name, articles)| ListedAuthor { id, name, articles }).collect() })
}

async fn select_authors(database: &Database, size: i64) -> Result<Vec<(i64, String, i64)>, DatabaseError> {
    let select = "SELECT user_id, name, COUNT(*) FROM users JOIN articles ON author_id = user_id
        GROUP BY user_id, name ORDER BY COUNT(*) DESC, user_id LIMIT $1";
    Ok(query(select).bind(size).fetch_all(&mut *database.read_connection().await?).await?)
}

#[derive(Deserialize)]
struct GreetParameters {
    username: String,
}

#[derive(Serialize)]
struct Greeting {
    title: &'static str,
    content: String,
    time: i64,
}

async fn greet(
    Args(GreetParameters { username }): Args<GreetParameters>,
    context: Context,
) -> Result<Greeting, ApiError> {
    let listed = context.call("article.list").arg("size", 1).send().await;
    let total = listed.get("total").and_then(serde_json::Value::as_i64);
    let total = total.ok_or_else(|| ApiError::unavailable("article.list returned no total"))?;
    let content = format!("Hello {username}, there are {total} articles here.");
    Ok(Greeting { title: "Articles", content, time: Timestamp::now().as_second() })
}
