//! Builds the requests of the cases.

use serde_json::{Value as Json, json};

use crate::cases::{Body, Request};
use crate::{files, keys, orders};

pub fn get_request(target: &str) -> Request {
    Request { method: "GET", target: target.to_owned(), body: None, token: None, token_count: 0, has_document: false }
}

/// Adds a bearer token to a request. If `token_count` is not 0, the measured requests use this number of tokens in
/// turn.
pub fn with_token(request: Request, token_count: usize) -> Request {
    Request { token: Some(keys::bearer_token(0)), token_count, ..request }
}

pub fn file_target(name: &str) -> String {
    format!("{}?filename={name}", files::ENDPOINT_PATH)
}

pub fn download_request(size: usize) -> Request {
    with_token(get_request(&file_target(&files::file_name(size))), 0)
}

pub fn upload_request(size: usize) -> Request {
    let body = Body { media_type: files::media_type(), text: files::multipart_body("public/up.txt", size) };
    Request { method: "POST", body: Some(body), ..with_token(get_request(files::ENDPOINT_PATH), 0) }
}

pub fn post_json(article: &Json) -> Request {
    post_request("/article", "application/json", article.to_string())
}

pub fn post_form(article: &Json) -> Request {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in article.as_object().into_iter().flatten() {
        match value {
            Json::String(text) => form.append_pair(name, text),
            other => form.append_pair(name, &other.to_string()),
        };
    }
    post_request("/article/form", "application/x-www-form-urlencoded", form.finish())
}

/// Returns a request to the endpoint for orders.
pub fn post_orders(text: String) -> Request {
    let body = Some(Body { media_type: "application/json".to_owned(), text });
    Request { method: "POST", body, ..with_token(get_request(orders::PATH), 0) }
}

pub fn post_request(target: &str, media_type: &str, text: String) -> Request {
    let body = Some(Body { media_type: media_type.to_owned(), text });
    Request { method: "POST", body, ..with_token(get_request(target), keys::DEFAULT_COUNT) }
}

/// Returns an article that `POST /article` accepts.
pub fn valid_article() -> Json {
    json!({
        "title": "On the nature of lines",
        "text": "A line begins where the eye does, and ends where the paper does; between the two, déjà vu. \
                 Whoever counts lines counts from one, but whoever keeps them counts from nought.",
        "lang": "en",
        "kind": "essay",
        "author": 1723,
        "category": 42,
        "rating": 4.5,
        "draft": false,
    })
}

pub fn invalid_article_requests(post: fn(&Json) -> Request) -> Vec<(Request, u16)> {
    let with = |name: &str, value: Json| {
        let mut article = valid_article();
        article[name] = value;
        (post(&article), 400)
    };
    let without_title = {
        let mut article = valid_article();
        article.as_object_mut().map(|fields| fields.shift_remove("title"));
        (post(&article), 400)
    };
    let with_other_token = |token: Option<&str>| Request { token: token.map(str::to_owned), ..post(&valid_article()) };
    vec![
        with("title", json!("")),
        with("text", json!("x".repeat(10_001))),
        with("lang", json!("e")),
        with("kind", json!("poem")),
        with("author", json!(-1)),
        with("category", json!(1001)),
        with("rating", json!(5.5)),
        with("draft", json!("perhaps")),
        without_title,
        (with_other_token(None), 401),
        (with_other_token(Some("unknown")), 401),
    ]
}
