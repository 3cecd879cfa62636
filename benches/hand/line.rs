//! `GET /article/line/{article_id}/{no_line}?lang=en`, here and behind many services; and the same with all in the
//! query, also where that names what is asked for.

use actix_web::{HttpRequest, web};
use serde::{Deserialize, Serialize};

use super::ALL_RIGHT;
use super::failure::{Failure, Fault};

/// The greatest id.
pub const MAX_ID: u32 = i32::MAX.unsigned_abs();

#[derive(Deserialize)]
pub struct Options {
    lang: String,
}

#[derive(Serialize)]
pub struct Line {
    error: u32,
    #[serde(rename = "ErrorDescription")]
    description: &'static str,
    article_id: u32,
    no_line: u32,
    lang: String,
    line: String,
}

#[derive(Deserialize)]
pub struct Query {
    article_id: u32,
    no_line: u32,
    lang: String,
}

#[derive(Deserialize)]
pub struct Named {
    service: String,
}

pub async fn read(path: web::Path<(u32, u32)>, options: web::Query<Options>) -> Result<web::Json<Line>, Failure> {
    let (article_id, no_line) = path.into_inner();
    line(article_id, no_line, options.into_inner().lang)
}

pub async fn query(query: web::Query<Query>) -> Result<web::Json<Line>, Failure> {
    let Query { article_id, no_line, lang } = query.into_inner();
    line(article_id, no_line, lang)
}

pub async fn named(request: HttpRequest, named: web::Query<Named>) -> Result<web::Json<Line>, Failure> {
    match &*named.service {
        "Article.Query" => query(web::Query::from_query(request.query_string())?).await,
        _ => Err(Failure::UnknownService),
    }
}

fn line(article_id: u32, no_line: u32, lang: String) -> Result<web::Json<Line>, Failure> {
    let mut faults = Vec::new();
    if article_id > MAX_ID {
        faults.push(Fault::new("article_id", "path", "0 to 2147483647", &article_id));
    }
    if no_line > MAX_ID {
        faults.push(Fault::new("no_line", "path", "0 to 2147483647", &no_line));
    }
    if !(2..=5).contains(&lang.chars().count()) {
        faults.push(Fault::new("lang", "query", "2 to 5 characters", &lang));
    }
    if !faults.is_empty() {
        return Err(Failure::Invalid(faults));
    }

    let (error, description) = ALL_RIGHT;
    Ok(web::Json(Line {
        error,
        description,
        article_id,
        no_line,
        lang,
        line: format!("line {no_line} of article {article_id}"),
    }))
}
