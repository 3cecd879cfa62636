//! A page of articles.

use rulebook::{Args, Context, Refusal};
use serde::{Deserialize, Serialize};

use super::texts::{holding, tags};
use crate::demo::database::{Database, Trouble};

#[derive(Deserialize)]
pub(super) struct Wanted {
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

/// What is wanted of all articles. A filter that is null lets everything pass. LIKE sees the case of letters in
/// PostgreSQL and not in SQLite, so both sides are in small ones.
const WANTED: &str = "FROM articles JOIN users ON user_id = author_id
    WHERE ($1 IS NULL OR words LIKE $1 ESCAPE '!') AND ($2 IS NULL OR LOWER(tags) LIKE $2 ESCAPE '!')
    AND ($3 IS NULL OR language = $3) AND ($4 IS NULL OR login = $4)";

pub(super) async fn list(Args(wanted): Args<Wanted>, context: Context) -> Result<Page, Refusal> {
    Ok(page(&*Database::of(&context)?, wanted).await?)
}

async fn page(database: &Database, wanted: Wanted) -> Result<Page, Trouble> {
    let order = match wanted.order {
        Order::Newest => "created DESC, article_id DESC",
        Order::Oldest => "created, article_id",
        Order::Title => "title, article_id",
    };
    let words = wanted.words.map(|words| holding(&words.to_lowercase()));
    let tag = wanted.tag.map(|tag| holding(&format!(" {} ", tag.to_lowercase())));
    let mut connection = database.read().await?;

    let count = format!("SELECT COUNT(*) {WANTED}");
    let count = sqlx::query_as(&count).bind(&words).bind(&tag).bind(&wanted.language).bind(&wanted.author);
    let (total,): (i64,) = count.fetch_one(&mut *connection).await?;

    let select = format!(
        "SELECT article_id, title, language, login, tags, created {WANTED} ORDER BY {order} LIMIT $5 OFFSET $6"
    );
    let select = sqlx::query_as(&select).bind(&words).bind(&tag).bind(&wanted.language).bind(&wanted.author);
    let select = select.bind(wanted.size).bind((wanted.page - 1) * wanted.size);
    let rows: Vec<(i64, String, String, String, String, String)> = select.fetch_all(&mut *connection).await?;
    let articles = rows.into_iter().map(|(article_id, title, language, author, stored, created)| Article {
        article_id,
        title,
        language,
        author,
        tags: tags(&stored),
        created,
    });
    Ok(Page { articles: articles.collect(), total })
}
