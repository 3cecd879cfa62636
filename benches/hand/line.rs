//! The endpoint `GET /article/line/{article_id}/{no_line}?lang=en`. Variants of it have other paths, return JSONP, have
//! all parameters in the query, or select the method by a parameter of the query.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};

use super::SUCCESS_MEMBERS;
use super::error::{ParameterError, RequestError};

/// The maximum article id and line number.
pub const MAX_ID: u32 = i32::MAX.unsigned_abs();

#[derive(Deserialize)]
pub struct LineQuery {
    lang: String,
}

#[derive(Serialize)]
pub struct LineResponse {
    error: u32,
    #[serde(rename = "ErrorDescription")]
    description: &'static str,
    article_id: u32,
    no_line: u32,
    lang: String,
    line: String,
}

pub async fn read_line(
    path: web::Path<(u32, u32)>,
    options: web::Query<LineQuery>,
) -> Result<web::Json<LineResponse>, RequestError> {
    Ok(web::Json(line_response(path.into_inner(), options.into_inner().lang)?))
}

#[derive(Deserialize)]
pub struct FullLineQuery {
    article_id: u32,
    no_line: u32,
    lang: String,
}

#[derive(Deserialize)]
pub struct ServiceQuery {
    service: String,
}

pub async fn read_line_by_query(query: web::Query<FullLineQuery>) -> Result<web::Json<LineResponse>, RequestError> {
    let FullLineQuery { article_id, no_line, lang } = query.into_inner();
    Ok(web::Json(line_response((article_id, no_line), lang)?))
}

pub async fn call_named_method(
    request: HttpRequest,
    query: web::Query<ServiceQuery>,
) -> Result<web::Json<LineResponse>, RequestError> {
    match &*query.service {
        "Article.Query" => read_line_by_query(web::Query::from_query(request.query_string())?).await,
        _ => Err(RequestError::UnknownService),
    }
}

fn line_response((article_id, no_line): (u32, u32), lang: String) -> Result<LineResponse, ParameterError> {
    if article_id > MAX_ID {
        return Err(ParameterError::new("article_id", "path", "0 to 2147483647", &article_id));
    }
    if no_line > MAX_ID {
        return Err(ParameterError::new("no_line", "path", "0 to 2147483647", &no_line));
    }
    if !(2..=5).contains(&lang.chars().count()) {
        return Err(ParameterError::new("lang", "query", "2 to 5 characters", &lang));
    }
    let (error, description) = SUCCESS_MEMBERS;
    Ok(LineResponse {
        error,
        description,
        article_id,
        no_line,
        lang,
        line: format!("line {no_line} of article {article_id}"),
    })
}

#[derive(Deserialize)]
pub struct JsonpQuery {
    lang: String,
    callback: String,
}

#[derive(Serialize)]
struct JsonpBody {
    #[serde(flatten)]
    line: LineResponse,
    status: u16,
}

pub async fn read_line_as_jsonp(
    path: web::Path<(u32, u32)>,
    options: web::Query<JsonpQuery>,
) -> Result<HttpResponse, RequestError> {
    let JsonpQuery { lang, callback } = options.into_inner();
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$');
    let is_identifier =
        |part: &str| part.bytes().all(is_allowed) && part.bytes().next().is_some_and(|first| !first.is_ascii_digit());
    if callback.len() > 64 || !callback.split('.').all(is_identifier) {
        return Err(ParameterError::new("callback", "query", "the name of a function", &callback).into());
    }
    let body = JsonpBody { line: line_response(path.into_inner(), lang)?, status: 200 };
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
