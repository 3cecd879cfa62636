//! The handler that returns lines of articles by their numbers.

use rulebook::Context;

use crate::api::article::{LineGetArguments, LineGetError, LineGetLinesItem, LineGetOutputs};
use crate::database::{Database, DatabaseError};

/// Maximum number of lines in a response.
const MAX_LINES: usize = 1000;

/// Maximum number of articles from which lines are returned.
const MAX_ARTICLES: i64 = 100;

pub(super) async fn read_lines(arguments: LineGetArguments, context: Context) -> Result<LineGetOutputs, LineGetError> {
    let LineGetArguments { article_id, no_line } = arguments;
    let articles = article_texts(&*Database::from_context(&context)?, article_id).await?;
    if let Some(article_id) = article_id
        && articles.is_empty()
    {
        return Err(LineGetError::NoSuchArticle.with_member("article_id", article_id));
    }
    let lines: Vec<_> =
        articles.iter().flat_map(|(id, text)| numbered_lines(*id, text, no_line)).take(MAX_LINES).collect();
    match no_line {
        Some(no_line) if lines.is_empty() && article_id.is_some() => {
            Err(LineGetError::NoSuchLine.with_member("no_line", no_line))
        }
        _ => Ok(LineGetOutputs { lines }),
    }
}

/// Returns the lines of an article's text. If `only_line` is a number, returns only the line with this number.
fn numbered_lines(article_id: i64, text: &str, only_line: Option<i64>) -> impl Iterator<Item = LineGetLinesItem> {
    let numbered =
        (1..).zip(text.lines()).filter(move |(no_line, _)| only_line.is_none_or(|only_line| only_line == *no_line));
    numbered.map(move |(no_line, text)| LineGetLinesItem { article_id, no_line, text: text.to_owned() })
}

/// Returns the id and the text of the article with this id, or of all articles if `article_id` is `None`.
async fn article_texts(database: &Database, article_id: Option<i64>) -> Result<Vec<(i64, String)>, DatabaseError> {
    let select = "SELECT article_id, text FROM articles WHERE ?1 IS NULL OR article_id = ?1
        ORDER BY article_id LIMIT ?2";
    let select = sqlx::query_as(select).bind(article_id).bind(MAX_ARTICLES);
    Ok(select.fetch_all(database.readers().await?).await?)
}
