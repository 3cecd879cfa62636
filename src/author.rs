//! The handlers of the API modules `Author` and `Site`: authors and a greeting. Their methods have the paths and the
//! responses that clients of the PHP framework PhalApi expect.

use jiff::Timestamp;
use rulebook::{ApiError, Context, Module};

use super::api::author::{
    self, GetBaseInfoArguments, GetBaseInfoError, GetBaseInfoOutputs, GetListArguments, GetListListItem, GetListOutputs,
};
use super::api::site::{self, IndexArguments, IndexOutputs};
use super::database::{Database, DatabaseError};

/// Returns the handlers of the methods that `api/author.json` defines. Each handler serves both GET and POST.
pub(super) fn modules() -> [Module; 2] {
    [
        author::Handlers { get_base_info: read_base_info, get_list: list_authors }.into_module(),
        site::Handlers { index: greet }.into_module(),
    ]
}

async fn read_base_info(
    arguments: GetBaseInfoArguments,
    context: Context,
) -> Result<GetBaseInfoOutputs, GetBaseInfoError> {
    let author_id = arguments.author_id;
    match select_author(&*Database::from_context(&context)?, author_id).await? {
        Some((name, about, articles)) => Ok(GetBaseInfoOutputs { name, about, articles }),
        None => Err(GetBaseInfoError::NoSuchAuthor.with_member("author_id", author_id)),
    }
}

async fn select_author(database: &Database, author_id: i64) -> Result<Option<(String, String, i64)>, DatabaseError> {
    let select = "SELECT name, about, (SELECT COUNT(*) FROM articles WHERE author_id = user_id) FROM users
        WHERE user_id = ?";
    Ok(sqlx::query_as(select).bind(author_id).fetch_optional(database.readers().await?).await?)
}

async fn list_authors(arguments: GetListArguments, context: Context) -> Result<GetListOutputs, ApiError> {
    let rows = select_authors(&*Database::from_context(&context)?, arguments.size).await?;
    let list = rows.into_iter().map(|(id, name, articles)| GetListListItem { id, name, articles });
    Ok(GetListOutputs { list: list.collect() })
}

async fn select_authors(database: &Database, size: i64) -> Result<Vec<(i64, String, i64)>, DatabaseError> {
    let select = "SELECT user_id, name, COUNT(*) FROM users JOIN articles ON author_id = user_id
        GROUP BY user_id, name ORDER BY COUNT(*) DESC, user_id LIMIT ?";
    Ok(sqlx::query_as(select).bind(size).fetch_all(database.readers().await?).await?)
}

async fn greet(arguments: IndexArguments, context: Context) -> Result<IndexOutputs, ApiError> {
    let listed = context.call("article.list").arg("size", 1).send().await;
    let total = listed.get("total").and_then(serde_json::Value::as_i64);
    let total = total.ok_or_else(|| ApiError::unavailable("article.list returned no total"))?;
    let content = format!("Hello {}, there are {total} articles here.", arguments.username);
    Ok(IndexOutputs { title: "Articles".to_owned(), content, time: Timestamp::now().as_second() })
}
