//! Valid requests of many kinds, from which random requests are made.

use super::request::Request;
use crate::random::Numbers;

const JSON: &str = "Content-Type: application/json";
const FORM: &str = "Content-Type: application/x-www-form-urlencoded";
const MULTIPART: &str = "Content-Type: multipart/form-data; boundary=XX";
const KEY: &str = "Authorization: Bearer {key}";

/// The body of an upload of one file.
const FILE: &str = "--XX\r\nContent-Disposition: form-data; name=\"content\"; filename=\"a.png\"\r\n\
    Content-Type: image/png\r\n\r\n\u{7f}PNG\r\n--XX\r\nContent-Disposition: form-data; name=\"filename\"\r\n\r\n\
    public/a.png\r\n--XX--\r\n";
/// The body of an upload of two files.
const FILES: &str = "--XX\r\nContent-Disposition: form-data; name=\"content\"; filename=\"1.gif\"\r\n\r\nGIF89a\r\n\
    --XX\r\nContent-Disposition: form-data; name=\"filename\"\r\n\r\npublic/1.gif\r\n\
    --XX\r\nContent-Disposition: form-data; name=\"content\"; filename=\"2.gif\"\r\n\r\nGIF89a\r\n\
    --XX\r\nContent-Disposition: form-data; name=\"filename\"\r\n\r\npublic/2.gif\r\n--XX--\r\n";

/// A valid request: how often it is chosen, its method and target, its header fields besides `Host`, and its body.
type Template = (usize, &'static str, &'static [&'static str], &'static str);

/// The templates. Requests that write to the database or hash a password are rare, because they take long.
#[rustfmt::skip]
const TEMPLATES: &[Template] = &[
    (8, "GET /article", &[], ""),
    (10, "GET /article?q=march%C3%A9&tag=cooking&language=fr&author=jules&order=oldest&page=1&size=3", &[], ""),
    (10, "GET /article/3", &[], ""),
    (6, "GET /article/3?callback=app.show", &[], ""),
    (6, "GET /article?callback=app.show&size=2", &[], ""),
    (10, "GET /article/line/3/1", &[], ""),
    (3, "GET /article/line//1", &[], ""),
    (3, "GET /article/line", &[], ""),
    (4, "GET /article/3/picture", &[], ""),
    (4, "GET /user/2", &[], ""),
    (4, "GET /publication/read/3", &[], ""),
    (4, "GET /author/getBaseInfo?author_id=2", &[], ""),
    (4, "GET /?service=Author.GetBaseInfo&author_id=2", &[], ""),
    (2, "GET /?service=Site.Index&username=reader", &[], ""),
    (2, "GET /Author/GetList?size=5", &[], ""),
    (3, "GET /", &[], ""),
    (3, "GET /static/h5.js", &[], ""),
    (2, "GET /static/h5.html", &[], ""),
    (2, "GET /static/", &[], ""),
    (2, "GET /openapi.json", &[], ""),
    (2, "GET /openapi.json?module=article&part=1", &[], ""),
    (2, "GET /openapi.json?as=me", &[], ""),
    (3, "GET /docs/", &[], ""),
    (3, "GET /docs/methods/article.line.get", &[], ""),
    (2, "GET /docs/modules/article.md", &[], ""),
    (3, "GET /docs/search?q=line", &[], ""),
    (2, "GET /docs/errors", &[], ""),
    (2, "GET /docs/diagnostics", &[], ""),
    (1, "GET /docs/swagger/", &[], ""),
    (2, "GET /docs/rulebook.js", &[], ""),
    (2, "GET /llms.txt", &[], ""),
    (2, "GET /healthz", &[], ""),
    (1, "GET /readyz", &[], ""),
    (1, "GET /metrics", &[], ""),
    (6, "GET /-/downloads/5f0c7d3e9a1b4c6d8e7f0a1b2c3d4e5f?expires=1767323645&signature=9a1e", &[], ""),
    (3, "GET /-/downloads/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef?expires=4102444800&signature=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", &[], ""),
    (2, "GET /-/", &[], ""),
    (3, "GET /iapi/file?filename=public/large.png", &[KEY], ""),
    (4, "GET /iapi/file?filename=public/images/1.jpg", &[KEY], ""),
    (3, "GET /article/3/picture", &[KEY], ""),
    (3, "GET /openapi.json", &["If-None-Match: *"], ""),
    (3, "GET /article/3/picture", &["If-None-Match: \"a\", W/\"b\""], ""),
    (3, "GET /static/h5.js", &["If-Modified-Since: Tue, 19 Jan 2038 03:14:08 GMT"], ""),
    (4, "GET /article/3/picture", &["Range: bytes=0-3"], ""),
    (3, "GET /static/h5.css", &["Range: bytes=10-20,30-40,-5"], ""),
    (3, "GET /docs/modules/article", &["Accept: text/markdown"], ""),
    (2, "OPTIONS /article/3", &["Accept: text/markdown"], ""),
    (3, "GET /article/0", &["Accept: application/problem+json"], ""),
    (2, "GET /docs/methods/nowhere", &["Accept: text/html"], ""),
    (2, "GET /docs/rulebook.js", &["Accept-Encoding: br, gzip"], ""),
    (1, "GET /article/3/picture", &["X-Requested-With: XMLHttpRequest"], ""),
    (3, "GET /article/3", &["Cookie: a=b; session=c"], ""),
    (3, "GET /article/3", &["X-Request-Id: abc.DEF:1-2_3"], ""),
    (3, "POST /publication/search", &[FORM, "Expect: 100-continue"], "words=sea"),
    (2, "POST /publication/search", &[JSON, "Upgrade: websocket"], "{}"),
    (2, "OPTIONS /article/3", &["Access-Control-Request-Method: PUT"], ""),
    (5, "OPTIONS /article/line", &[], ""),
    (2, "OPTIONS /article/3?as=me", &[], ""),
    (1, "OPTIONS *", &[], ""),
    (4, "HEAD /article/3", &[], ""),
    (1, "HEAD /docs/", &[], ""),
    (8, "POST /publication/search", &[JSON], r#"{"words":"marché","language":"fr","page":1}"#),
    (6, "POST /publication/search", &[FORM], "words=march%C3%A9&language=fr&page=1"),
    (4, "POST /publication/search", &[MULTIPART], "--XX\r\nContent-Disposition: form-data; name=\"words\"\r\n\r\nsea\r\n--XX--\r\n"),
    (4, "POST /", &[FORM], "module=publication&method=search&words=sea"),
    (4, "POST /", &[JSON], r#"{"module":"publication","method":"search","words":"sea"}"#),
    (3, "POST /", &[FORM], "service=Author.GetList&size=2"),
    (3, "POST /author/getBaseInfo", &[FORM], "author_id=2"),
    (4, "POST /user", &[JSON], r#"{"login":"grace","name":"Grace","password":"short"}"#),
    (3, "POST /user/login", &[FORM], "login=grace&passwor=wrong"),
    (5, "POST /article", &[JSON, KEY], r#"{"title":"Rules","text":"","language":"en","tags":["rules"]}"#),
    (4, "POST /article", &[FORM, KEY], "title=Rules&text=&tags[]=rules&tags[]=b"),
    (3, "PUT /article/999999", &[JSON, KEY], r#"{"title":"Rules","text":"a","language":"en","tags":[]}"#),
    (3, "DELETE /article/999999", &[KEY], ""),
    (3, "PUT /user/999999", &[JSON, KEY], r#"{"name":"Grace","about":"Counts."}"#),
    (2, "DELETE /user/login", &[KEY], ""),
    (5, "POST /iapi/file", &[MULTIPART, KEY], FILE),
    (1, "POST /iapi/files", &[MULTIPART, KEY], FILES),
    (3, "POST /iapi/cache", &[FORM, KEY], "fromDB=user_info.intro_json&storePath=./cache/a&keys=id001,id002&filenames=a.json,b.json"),
];

/// Returns the request of a random template. `key` is the key of the server.
pub fn random_template(numbers: &mut Numbers, key: &str) -> Request {
    let total: usize = TEMPLATES.iter().map(|(weight, ..)| weight).sum();
    let mut chosen = numbers.below(total);
    let template = TEMPLATES.iter().find(|(weight, ..)| match chosen.checked_sub(*weight) {
        Some(rest) => {
            chosen = rest;
            false
        }
        None => true,
    });
    // The number is less than the total of all weights, so that a template is always found.
    let (_, line, fields, body) = template.unwrap_or(&TEMPLATES[0]);
    let (method, target) = line.split_once(' ').unwrap_or_default();
    let mut request = Request {
        method: method.into(),
        target: target.into(),
        version: "HTTP/1.1",
        fields: vec![(b"Host".to_vec(), b"attack.test".to_vec())],
        body: (!body.is_empty()).then(|| (*body).into()),
        chunks: None,
    };
    for field in *fields {
        // Some requests lack the key, which their method requires.
        if *field != KEY || !numbers.once_in(5) {
            let (name, value) = field.split_once(": ").unwrap_or_default();
            request.push_field(name.as_bytes(), value.replace("{key}", key).as_bytes());
        }
    }
    request
}
