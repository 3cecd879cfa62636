//! Valid requests of many kinds, from which random requests are made.

use super::request::{Coding, Request};
use crate::random::Numbers;

/// A valid request, and how often it is chosen.
#[derive(Clone, Copy)]
struct Template {
    weight: usize,
    method: &'static str,
    target: &'static str,
    media_type: &'static str,
    body: &'static str,
    /// The name and the value of a further header field.
    field: (&'static str, &'static str),
    /// `true` if the method requires a permission, so that the request contains the key.
    has_key: bool,
}

const fn get(weight: usize, target: &'static str) -> Template {
    Template { weight, method: "GET", target, media_type: "", body: "", field: ("", ""), has_key: false }
}

const fn send(
    weight: usize,
    method: &'static str,
    target: &'static str,
    media_type: &'static str,
    body: &'static str,
) -> Template {
    Template { weight, method, target, media_type, body, field: ("", ""), has_key: false }
}

const fn with_key(template: Template) -> Template {
    Template { has_key: true, ..template }
}

const fn with_field(name: &'static str, value: &'static str, template: Template) -> Template {
    Template { field: (name, value), ..template }
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=XX";

/// The body of an upload of one file.
const FILE: &str = "--XX\r\nContent-Disposition: form-data; name=\"content\"; filename=\"a.png\"\r\n\
    Content-Type: image/png\r\n\r\n\u{7f}PNG\r\n--XX\r\nContent-Disposition: form-data; name=\"filename\"\r\n\r\n\
    public/a.png\r\n--XX--\r\n";
/// The body of an upload of two files.
const FILES: &str = "--XX\r\nContent-Disposition: form-data; name=\"content\"; filename=\"1.gif\"\r\n\r\nGIF89a\r\n\
    --XX\r\nContent-Disposition: form-data; name=\"filename\"\r\n\r\npublic/1.gif\r\n\
    --XX\r\nContent-Disposition: form-data; name=\"content\"; filename=\"2.gif\"\r\n\r\nGIF89a\r\n\
    --XX\r\nContent-Disposition: form-data; name=\"filename\"\r\n\r\npublic/2.gif\r\n--XX--\r\n";

/// The templates. Requests that write to the database or hash a password are rare, because they take long.
const TEMPLATES: &[Template] = &[
    get(8, "/article"),
    get(10, "/article?q=march%C3%A9&tag=cooking&language=fr&author=jules&order=oldest&page=1&size=3"),
    get(10, "/article/3"),
    get(6, "/article/3?callback=app.show"),
    get(6, "/article?callback=app.show&size=2"),
    get(10, "/article/line/3/1"),
    get(3, "/article/line//1"),
    get(3, "/article/line"),
    get(4, "/article/3/picture"),
    get(4, "/user/2"),
    get(4, "/publication/read/3"),
    get(4, "/author/getBaseInfo?author_id=2"),
    get(4, "/?service=Author.GetBaseInfo&author_id=2"),
    get(2, "/?service=Site.Index&username=reader"),
    get(2, "/Author/GetList?size=5"),
    get(3, "/"),
    get(3, "/static/h5.js"),
    get(2, "/static/h5.html"),
    get(2, "/static/"),
    get(2, "/openapi.json"),
    get(2, "/openapi.json?module=article&part=1"),
    get(2, "/openapi.json?as=me"),
    get(3, "/docs/"),
    get(3, "/docs/methods/article.line.get"),
    get(2, "/docs/modules/article.md"),
    get(3, "/docs/search?q=line"),
    get(2, "/docs/errors"),
    get(2, "/docs/diagnostics"),
    get(1, "/docs/swagger/"),
    get(2, "/docs/rulebook.js"),
    get(2, "/llms.txt"),
    get(2, "/healthz"),
    get(1, "/readyz"),
    get(1, "/metrics"),
    get(6, "/-/downloads/5f0c7d3e9a1b4c6d8e7f0a1b2c3d4e5f?expires=1767323645&signature=9a1e"),
    get(
        3,
        "/-/downloads/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef?expires=4102444800&signature=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    ),
    get(2, "/-/"),
    with_key(get(3, "/iapi/file?filename=public/large.png")),
    with_key(get(4, "/iapi/file?filename=public/images/1.jpg")),
    with_key(get(3, "/article/3/picture")),
    with_field("If-None-Match", "*", get(3, "/openapi.json")),
    with_field("If-None-Match", "\"a\", W/\"b\"", get(3, "/article/3/picture")),
    with_field("If-Modified-Since", "Tue, 19 Jan 2038 03:14:08 GMT", get(3, "/static/h5.js")),
    with_field("Range", "bytes=0-3", get(4, "/article/3/picture")),
    with_field("Range", "bytes=10-20,30-40,-5", get(3, "/static/h5.css")),
    with_field("Accept", "text/markdown", get(3, "/docs/modules/article")),
    with_field("Accept", "text/markdown", send(2, "OPTIONS", "/article/3", "", "")),
    with_field("Accept", "application/problem+json", get(3, "/article/0")),
    with_field("Accept", "text/html", get(2, "/docs/methods/nowhere")),
    with_field("Accept-Encoding", "br, gzip", get(2, "/docs/rulebook.js")),
    with_field("X-Requested-With", "XMLHttpRequest", get(1, "/article/3/picture")),
    with_field("Cookie", "a=b; session=c", get(3, "/article/3")),
    with_field("X-Request-Id", "abc.DEF:1-2_3", get(3, "/article/3")),
    with_field("Expect", "100-continue", send(3, "POST", "/publication/search", FORM, "words=sea")),
    with_field("Upgrade", "websocket", send(2, "POST", "/publication/search", JSON, "{}")),
    with_field("Access-Control-Request-Method", "PUT", send(2, "OPTIONS", "/article/3", "", "")),
    send(5, "OPTIONS", "/article/line", "", ""),
    send(2, "OPTIONS", "/article/3?as=me", "", ""),
    send(1, "OPTIONS", "*", "", ""),
    send(4, "HEAD", "/article/3", "", ""),
    send(1, "HEAD", "/docs/", "", ""),
    send(8, "POST", "/publication/search", JSON, r#"{"words":"marché","language":"fr","page":1}"#),
    send(6, "POST", "/publication/search", FORM, "words=march%C3%A9&language=fr&page=1"),
    send(
        4,
        "POST",
        "/publication/search",
        MULTIPART,
        "--XX\r\nContent-Disposition: form-data; name=\"words\"\r\n\r\nsea\r\n--XX--\r\n",
    ),
    send(4, "POST", "/", FORM, "module=publication&method=search&words=sea"),
    send(4, "POST", "/", JSON, r#"{"module":"publication","method":"search","words":"sea"}"#),
    send(3, "POST", "/", FORM, "service=Author.GetList&size=2"),
    send(3, "POST", "/author/getBaseInfo", FORM, "author_id=2"),
    send(4, "POST", "/user", JSON, r#"{"login":"grace","name":"Grace","password":"short"}"#),
    send(3, "POST", "/user/login", FORM, "login=grace&passwor=wrong"),
    with_key(send(5, "POST", "/article", JSON, r#"{"title":"Rules","text":"","language":"en","tags":["rules"]}"#)),
    with_key(send(4, "POST", "/article", FORM, "title=Rules&text=&tags[]=rules&tags[]=b")),
    with_key(send(3, "PUT", "/article/999999", JSON, r#"{"title":"Rules","text":"a","language":"en","tags":[]}"#)),
    with_key(send(3, "DELETE", "/article/999999", "", "")),
    with_key(send(3, "PUT", "/user/999999", JSON, r#"{"name":"Grace","about":"Counts."}"#)),
    with_key(send(2, "DELETE", "/user/login", "", "")),
    with_key(send(5, "POST", "/iapi/file", MULTIPART, FILE)),
    with_key(send(1, "POST", "/iapi/files", MULTIPART, FILES)),
    with_key(send(
        3,
        "POST",
        "/iapi/cache",
        FORM,
        "fromDB=user_info.intro_json&storePath=./cache/a&keys=id001,id002&filenames=a.json,b.json",
    )),
];

/// Returns the request of a random template.
pub fn random_template(numbers: &mut Numbers, key: &str) -> Request {
    let total: usize = TEMPLATES.iter().map(|template| template.weight).sum();
    let mut chosen = numbers.below(total);
    let template = TEMPLATES.iter().find(|template| match chosen.checked_sub(template.weight) {
        Some(rest) => {
            chosen = rest;
            false
        }
        None => true,
    });
    // The number is less than the total of all weights, so that a template is always found.
    let template = template.unwrap_or(&TEMPLATES[0]);
    let has_body = !template.media_type.is_empty();
    let mut request = Request {
        method: template.method.into(),
        target: template.target.into(),
        version: "HTTP/1.1",
        fields: vec![(b"Host".to_vec(), b"attack.test".to_vec())],
        body: has_body.then(|| template.body.into()),
        coding: Coding::Length,
    };
    if has_body {
        request.push_field(b"Content-Type", template.media_type.as_bytes());
    }
    if !template.field.0.is_empty() {
        request.push_field(template.field.0.as_bytes(), template.field.1.as_bytes());
    }
    // Some requests lack the key, which their method requires.
    if template.has_key && !numbers.once_in(5) {
        request.push_field(b"Authorization", format!("Bearer {key}").as_bytes());
    }
    request
}
