//! `GET /article/line/{article_id}/{no_line}?lang=en`, under one or many names; also with JSONP, with all parameters in
//! the query, and with the method named in the query.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};

use super::ALL_RIGHT;
use super::error::{ParameterError, RequestError};

/// The maximum id.
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

pub async fn read(path: web::Path<(u32, u32)>, options: web::Query<Options>) -> Result<web::Json<Line>, RequestError> {
    line(path.into_inner(), options.into_inner().lang).map(web::Json)
}

#[derive(Deserialize)]
pub struct Query {
    article_id: u32,
    no_line: u32,
    lang: String,
}

#[derive(Deserialize)]
pub struct ServiceQuery {
    service: String,
}

pub async fn query(query: web::Query<Query>) -> Result<web::Json<Line>, RequestError> {
    let Query { article_id, no_line, lang } = query.into_inner();
    line((article_id, no_line), lang).map(web::Json)
}

pub async fn named(request: HttpRequest, named: web::Query<ServiceQuery>) -> Result<web::Json<Line>, RequestError> {
    match &*named.service {
        "Article.Query" => query(web::Query::from_query(request.query_string())?).await,
        _ => Err(RequestError::UnknownService),
    }
}

fn line((article_id, no_line): (u32, u32), lang: String) -> Result<Line, RequestError> {
    let mut errors = Vec::new();
    if article_id > MAX_ID {
        errors.push(ParameterError::new("article_id", "path", "0 to 2147483647", &article_id));
    }
    if no_line > MAX_ID {
        errors.push(ParameterError::new("no_line", "path", "0 to 2147483647", &no_line));
    }
    if !(2..=5).contains(&lang.chars().count()) {
        errors.push(ParameterError::new("lang", "query", "2 to 5 characters", &lang));
    }
    if !errors.is_empty() {
        return Err(RequestError::Invalid(errors));
    }

    let (error, description) = ALL_RIGHT;
    Ok(Line { error, description, article_id, no_line, lang, line: format!("line {no_line} of article {article_id}") })
}

#[derive(Deserialize)]
pub struct ScriptOptions {
    lang: String,
    callback: String,
}

#[derive(Serialize)]
struct ScriptBody {
    #[serde(flatten)]
    line: Line,
    status: u16,
}

pub async fn read_as_script(
    path: web::Path<(u32, u32)>,
    options: web::Query<ScriptOptions>,
) -> Result<HttpResponse, RequestError> {
    let ScriptOptions { lang, callback } = options.into_inner();
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$');
    let is_identifier =
        |part: &str| part.bytes().all(is_allowed) && part.bytes().next().is_some_and(|first| !first.is_ascii_digit());
    if callback.len() > 64 || !callback.split('.').all(is_identifier) {
        return Err(RequestError::Invalid(vec![ParameterError::new(
            "callback",
            "query",
            "the name of a function",
            &callback,
        )]));
    }
    let body = ScriptBody { line: line(path.into_inner(), lang)?, status: 200 };
    let json = serde_json::to_string(&body).map_err(|_| RequestError::Unavailable)?;
    let mut script = format!("/**/ typeof {callback} === 'function' && {callback}(");
    for part in json.split_inclusive(['<', '\u{2028}', '\u{2029}']) {
        match part.char_indices().next_back() {
            Some((end, '<')) => script.extend([&part[..end], "\\u003c"]),
            Some((end, '\u{2028}')) => script.extend([&part[..end], "\\u2028"]),
            Some((end, '\u{2029}')) => script.extend([&part[..end], "\\u2029"]),
            _ => script.push_str(part),
        }
    }
    script.push_str(");");
    Ok(HttpResponse::Ok().content_type("text/javascript; charset=utf-8").body(script))
}
