//! Lines of articles, by position.

use rulebook::{Args, Context, Refusal};
use serde::{Deserialize, Serialize};

use crate::demo::database::{Database, Trouble};

/// The most lines of one answer.
const MOST: usize = 1000;

/// The most articles that lines are taken from.
const MOST_ARTICLES: i64 = 100;

#[derive(Deserialize)]
pub(super) struct Position {
    article_id: Option<i64>,
    no_line: Option<usize>,
}

#[derive(Serialize)]
pub(super) struct Lines {
    lines: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    article_id: i64,
    no_line: usize,
    text: String,
}

pub(super) async fn line(Args(wanted): Args<Position>, context: Context) -> Result<Lines, Refusal> {
    let articles = texts(&*Database::of(&context)?, wanted.article_id).await?;
    if let Some(article_id) = wanted.article_id
        && articles.is_empty()
    {
        return Err(Refusal::declared("no_such_article").with("article_id", article_id));
    }
    let lines: Vec<_> = articles.iter().flat_map(|(id, text)| lines(*id, text, wanted.no_line)).take(MOST).collect();
    match wanted.no_line {
        Some(no_line) if lines.is_empty() && wanted.article_id.is_some() => {
            Err(Refusal::declared("no_such_line").with("no_line", no_line))
        }
        _ => Ok(Lines { lines }),
    }
}

/// The lines of a text, or the one of this number.
fn lines(article_id: i64, text: &str, only: Option<usize>) -> impl Iterator<Item = Line> {
    let numbered = (1..).zip(text.lines()).filter(move |(no_line, _)| only.is_none_or(|only| only == *no_line));
    numbered.map(move |(no_line, text)| Line { article_id, no_line, text: text.to_owned() })
}

/// The text of the article, or of all.
async fn texts(database: &Database, article_id: Option<i64>) -> Result<Vec<(i64, String)>, Trouble> {
    let select = "SELECT article_id, text FROM articles WHERE $1 IS NULL OR article_id = $1
        ORDER BY article_id LIMIT $2";
    let select = sqlx::query_as(select).bind(article_id).bind(MOST_ARTICLES);
    Ok(select.fetch_all(&mut *database.read().await?).await?)
}
