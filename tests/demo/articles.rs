//! Tests of the demo's articles: their lists, lines, changes and pictures, and the permissions to change them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{DemoFolder, Server};
use crate::client::{Request, Response};

/// Returns the status of an error response, and the name of the error that the definition declares.
fn declared_error(response: &Response) -> (u16, String) {
    (response.status, response.json()["code"].as_str().unwrap_or_default().to_owned())
}

/// Requests a page of articles. Returns the ids of the articles on it, and the number of articles on all pages.
fn article_page(server: &Server, query: &str) -> (Vec<u64>, u64) {
    let response = server.get(&format!("/article?{query}"));
    assert_eq!(response.status, 200, "{query}: {response:?}");
    let json = response.json();
    let articles = json["articles"].as_array().unwrap();
    (articles.iter().map(|own| own["article_id"].as_u64().unwrap()).collect(), json["total"].as_u64().unwrap())
}

#[test]
fn articles_are_filtered_ordered_and_paged() {
    let place = DemoFolder::new();
    let server = place.serve();
    for (query, expected, total) in [
        ("size=3", &[12, 11, 10][..], 12),
        ("size=5&page=3", &[2, 1], 12),
        ("page=9", &[], 12),
        ("order=oldest&size=2", &[1, 2], 12),
        ("order=title&language=en", &[12, 2, 1], 3),
        ("language=fr", &[4, 3], 2),
        ("language=xx", &[], 0),
        ("author=greta&tag=rules", &[6], 1),
        ("author=greta&tag=RuleS", &[6], 1),
        ("tag=rule", &[], 0),
        ("tag=____s", &[], 0),
        ("q=GARTEN", &[5], 1),
        ("q=MARCH%C3%89", &[3], 1),
        ("q=%E8%8C%B6", &[9], 1),
        ("q=%25", &[], 0),
        ("q=%27%20OR%201=1%20--", &[], 0),
        ("q=!", &[], 0),
    ] {
        assert_eq!(article_page(&server, query), (expected.to_vec(), total), "{query}");
    }
}

#[test]
fn lines_are_selected_by_article_and_number() {
    let place = DemoFolder::new();
    let server = place.serve();
    let lines = |target: &str| -> Vec<(u64, u64)> {
        let response = server.get(target);
        assert_eq!(response.status, 200, "{response:?}");
        let json = response.json();
        let lines = json["lines"].as_array().unwrap().iter();
        lines.map(|own| (own["article_id"].as_u64().unwrap(), own["no_line"].as_u64().unwrap())).collect()
    };
    assert_eq!(lines("/article/line/2"), [(2, 1), (2, 2), (2, 3), (2, 4)]);
    assert_eq!(lines("/article/line/3/5"), [(3, 5)]);
    assert_eq!(lines("/article/line//1"), (1..=12).map(|article| (article, 1)).collect::<Vec<_>>());
    assert_eq!(lines("/article/line//5"), [(1, 5), (3, 5), (5, 5), (12, 5)]);
    assert_eq!(lines("/article/line//6"), []);
    assert_eq!(lines("/article/line").len(), 52);
    assert_eq!(server.get("/article/line/9/1").json()["lines"][0]["text"], "水开以前，先想好今天要写的第一句话。");
    assert_eq!(declared_error(&server.get("/article/line/99")), (404, "no_such_article".into()));
    assert_eq!(declared_error(&server.get("/article/line/99/1")), (404, "no_such_article".into()));
    assert_eq!(declared_error(&server.get("/article/line/3/6")), (404, "no_such_line".into()));
}

#[test]
fn articles_can_be_created_replaced_and_deleted() {
    let place = DemoFolder::new();
    let server = place.serve();
    let token = server.log_in_as_editor();
    let new =
        json!({ "title": "Naïve 100 %_!", "text": "One\nТри\n\n四 '\"\\", "language": "fr", "tags": ["a-b", "c.d"] });
    let written = server.send_json("POST", "/article", Some(&token), &new);
    assert_eq!((written.status, &written.json()["article_id"]), (201, &json!(13)));
    let read = || server.get("/article/13").json()["article"].clone();
    let article = read();
    for (name, value) in new.as_object().unwrap() {
        assert_eq!(&article[name], value, "{name}");
    }
    assert_eq!(
        (&article["author"], &article["author_id"], &article["picture"]),
        (&"ada".into(), &1.into(), &Value::Null)
    );
    assert_eq!(article["created"], article["changed"]);
    assert_eq!(article_page(&server, "q=100%20%25_!"), (vec![13], 1));
    assert_eq!(article_page(&server, "q=%D0%A2%D0%A0%D0%98"), (vec![13], 1), "searches ignore case");
    assert_eq!(server.get("/article/line/13/3").json()["lines"][0]["text"], "");

    let other = json!({ "title": "Other", "text": "Once", "language": "en", "tags": [] });
    assert_eq!(server.send_json("PUT", "/article/13", Some(&token), &other).status, 200);
    let article = read();
    assert_eq!((&article["title"], &article["text"], &article["tags"]), (&"Other".into(), &"Once".into(), &json!([])));
    assert_eq!(
        article_page(&server, "q=naive").1 + article_page(&server, "q=100").1,
        0,
        "searches do not find replaced text"
    );

    let removed = Request::new("DELETE", "/article/13").field("authorization", format_args!("Bearer {token}"));
    assert_eq!(server.send(&removed).status, 204);
    assert_eq!(declared_error(&server.send(&removed)), (404, "no_such_article".into()));
    assert_eq!(declared_error(&server.get("/article/13")), (404, "no_such_article".into()));
    assert_eq!(
        declared_error(&server.send_json("PUT", "/article/13", Some(&token), &other)),
        (404, "no_such_article".into())
    );
    assert_eq!(server.create_article(&token, "Next"), 14, "ids are not reused");
}

#[test]
fn texts_that_the_database_cannot_store_are_refused() {
    let place = DemoFolder::new();
    let server = place.serve();
    let token = server.log_in_as_editor();
    for (name, value) in [("title", "a\0b"), ("text", "a\0"), ("language", "\0a"), ("tags", "a\0")] {
        let mut article = json!({ "title": "T", "text": "T" });
        article[name] = if name == "tags" { json!([value]) } else { json!(value) };
        let response = server.send_json("POST", "/article", Some(&token), &article);
        assert_eq!(response.status, 400, "{name}: {response:?}");
    }
    for target in ["/article?q=a%00", "/article?tag=%00", "/article?author=a%00", "/article?language=%00a"] {
        assert_eq!(server.get(target).status, 400, "{target}");
    }
    let login = json!({ "login": "a\0", "password": "x" });
    assert_eq!(server.send_json("POST", "/user/login", None, &login).status, 400);
    let login = json!({ "login": "ada", "password": "\0" });
    assert_eq!(declared_error(&server.send_json("POST", "/user/login", None, &login)), (403, "wrong_login".into()));
}

#[test]
fn authors_may_change_their_articles_and_editors_may_change_all() {
    let place = DemoFolder::new();
    let server = place.serve();
    let editor = server.log_in_as_editor();
    let new = json!({ "login": "grace", "name": "Grace", "password": "nanoseconds" });
    assert_eq!(server.send_json("POST", "/user", None, &new).status, 201);
    let author = server.log_in("grace", "nanoseconds");
    let own = server.create_article(&author, "Mine");
    let others = server.create_article(&editor, "Hers");
    let text = json!({ "title": "New", "text": "New", "language": "en", "tags": [] });
    for (token, article, status) in
        [(&author, own, 200), (&author, others, 403), (&editor, own, 200), (&editor, others, 200), (&author, 99, 404)]
    {
        let response = server.send_json("PUT", &format!("/article/{article}"), Some(token), &text);
        assert_eq!(response.status, status, "{response:?}");
        let picture = server.send(&picture_upload(article, token, "dot.png", PNG));
        assert_eq!(picture.status, if status == 200 { 201 } else { status }, "{picture:?}");
    }
    assert_eq!(
        declared_error(&server.send_json("PUT", &format!("/article/{others}"), Some(&author), &text)).1,
        "not_yours"
    );
    assert_eq!(server.get(&format!("/article/{own}")).json()["article"]["author"], "grace");
    let remove = Request::new("DELETE", format!("/article/{own}"));
    let by_author = remove.clone().field("authorization", format_args!("Bearer {author}"));
    let forbidden = server.send(&by_author);
    forbidden.assert_error(403, "editor");
    assert_eq!(server.send(&remove).status, 401);
    assert_eq!(server.send_json("POST", "/article", None, &text).status, 401);
}

#[test]
fn a_key_has_the_permissions_of_the_user_with_its_name() {
    let place = DemoFolder::new();
    let key = |name: &str| {
        let add = place.command().args(["keys", "add", "--name", name, "--scope", "author"]).output().unwrap();
        String::from_utf8(add.stdout).unwrap().trim().to_owned()
    };
    let (own, stranger) = (key("jules"), key("stranger"));
    let server = place.serve();
    let article = server.create_article(&own, "Clé");
    assert_eq!(server.get(&format!("/article/{article}")).json()["article"]["author"], "jules");
    let text = json!({ "title": "T", "text": "T" });
    assert_eq!(
        declared_error(&server.send_json("POST", "/article", Some(&stranger), &text)),
        (403, "no_such_author".into())
    );
}

/// The first bytes of every PNG file.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

fn picture_upload(article: u64, token: &str, name: &str, content: &[u8]) -> Request {
    let disposition = format!("name=\"picture\"; filename=\"{name}\"");
    Request::new("POST", format!("/article/{article}/picture"))
        .field("authorization", format_args!("Bearer {token}"))
        .multipart(&[(&disposition, content), ("name=\"alt\"", "Ein Punkt".as_bytes())])
}

#[test]
fn pictures_are_stored_returned_and_deleted_with_their_articles() {
    let place = DemoFolder::new();
    let server = place.serve();
    let token = server.log_in_as_editor();
    let stored = server.send(&picture_upload(3, &token, "dot.png", PNG));
    assert_eq!((stored.status, &stored.json()["size"]), (201, &json!(8)));
    let large = [PNG, &[0; 1_000_000]].concat();
    assert_eq!(server.send(&picture_upload(3, &token, "large.png", &large)).status, 201);
    let expected = json!({ "alt": "Ein Punkt", "media_type": "image/png", "size": 1_000_008 });
    assert_eq!(server.get("/article/3").json()["article"]["picture"], expected, "a new picture replaces the old one");
    assert_eq!(server.send(&picture_upload(3, &token, "page.png", b"<script>")).status, 400);
    assert_eq!(
        declared_error(&server.send(&picture_upload(99, &token, "dot.png", PNG))),
        (404, "no_such_article".into())
    );

    let shown = server.get("/article/3/picture");
    assert_eq!((shown.status, shown.field("content-type")), (200, Some("image/png")));
    assert!(shown.body == large);
    assert_eq!(shown.field("content-disposition"), Some("inline; filename=\"article-3.png\""));
    let tag = shown.field("etag").unwrap();
    let again = Request::new("GET", "/article/3/picture").field("if-none-match", tag);
    assert_eq!(server.send(&again).status, 304, "the entity tag is that of the content");
    let part = server.send(&Request::new("GET", "/article/3/picture").field("range", "bytes=0-7"));
    assert_eq!((part.status, &part.body[..]), (206, PNG));
    assert_eq!(declared_error(&server.get("/article/4/picture")), (404, "no_such_picture".into()));
    assert_eq!(declared_error(&server.get("/article/99/picture")), (404, "no_such_article".into()));
    let remove = Request::new("DELETE", "/article/3").field("authorization", format_args!("Bearer {token}"));
    assert_eq!(server.send(&remove).status, 204, "the picture is deleted, too");
}

#[test]
fn concurrent_requests_replace_the_picture_of_an_article() {
    let place = DemoFolder::new();
    let server = place.serve();
    let token = server.log_in_as_editor();
    std::thread::scope(|scope| {
        let upload = || server.send(&picture_upload(5, &token, "dot.png", PNG)).status;
        let uploads: Vec<_> = (0..8).map(|_| scope.spawn(upload)).collect();
        uploads.into_iter().for_each(|upload| assert_eq!(upload.join().unwrap(), 201));
    });
    assert_eq!(server.get("/article/5").json()["article"]["picture"]["size"], 8);
}

#[test]
fn concurrent_writes_all_succeed() {
    let place = DemoFolder::new();
    let server = place.serve();
    let token = server.log_in_as_editor();
    let ids: Vec<u64> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let (server, token) = (&server, &token);
                scope.spawn(move || {
                    (0..10).map(|n| server.create_article(token, &format!("{writer} {n}"))).collect::<Vec<_>>()
                })
            })
            .collect();
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 80);
    assert_eq!(server.article_count(), 92);
}
