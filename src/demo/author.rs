//! The modules `Author` and `Site`: the authors and a greeting, for clients of PhalApi.

use jiff::Timestamp;
use rulebook::{Args, Context, Module, Refusal};
use serde::{Deserialize, Serialize};

use super::database::{Database, Trouble};

/// Their handlers, as `api/author.json` defines their methods. Each answers GET and POST.
pub(super) fn modules() -> [Module; 2] {
    [
        Module::new("Author").any("/author/getBaseInfo", base_info).any("/author/getList", list),
        Module::new("Site").any("/site/index", index),
    ]
}

#[derive(Deserialize)]
struct Which {
    author_id: i64,
}

#[derive(Serialize)]
struct BaseInfo {
    name: String,
    about: String,
    articles: i64,
}

async fn base_info(Args(Which { author_id }): Args<Which>, context: Context) -> Result<BaseInfo, Refusal> {
    match row(&*Database::of(&context)?, author_id).await? {
        Some((name, about, articles)) => Ok(BaseInfo { name, about, articles }),
        None => Err(Refusal::declared("no_such_author").with("author_id", author_id)),
    }
}

async fn row(database: &Database, author_id: i64) -> Result<Option<(String, String, i64)>, Trouble> {
    let select = "SELECT name, about, (SELECT COUNT(*) FROM articles WHERE author_id = user_id) FROM users
        WHERE user_id = $1";
    Ok(sqlx::query_as(select).bind(author_id).fetch_optional(&mut *database.read().await?).await?)
}

#[derive(Deserialize)]
struct Most {
    size: i64,
}

#[derive(Serialize)]
struct List {
    list: Vec<Author>,
}

#[derive(Serialize)]
struct Author {
    id: i64,
    name: String,
    articles: i64,
}

async fn list(Args(Most { size }): Args<Most>, context: Context) -> Result<List, Refusal> {
    let rows = rows(&*Database::of(&context)?, size).await?;
    Ok(List { list: rows.into_iter().map(|(id, name, articles)| Author { id, name, articles }).collect() })
}

async fn rows(database: &Database, size: i64) -> Result<Vec<(i64, String, i64)>, Trouble> {
    let select = "SELECT user_id, name, COUNT(*) FROM users JOIN articles ON author_id = user_id
        GROUP BY user_id, name ORDER BY COUNT(*) DESC, user_id LIMIT $1";
    Ok(sqlx::query_as(select).bind(size).fetch_all(&mut *database.read().await?).await?)
}

#[derive(Deserialize)]
struct Visitor {
    username: String,
}

#[derive(Serialize)]
struct Greeting {
    title: &'static str,
    content: String,
    time: i64,
}

async fn index(Args(Visitor { username }): Args<Visitor>, context: Context) -> Result<Greeting, Refusal> {
    let listed = context.call("article.list").arg("size", 1).send().await;
    let total = listed.get("total").and_then(serde_json::Value::as_i64);
    let total = total.ok_or_else(|| Refusal::unavailable("the articles cannot be counted"))?;
    let content = format!("Hello {username}, there are {total} articles here.");
    Ok(Greeting { title: "Articles", content, time: Timestamp::now().as_second() })
}
