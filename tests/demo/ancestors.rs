//! Tests of the API modules of the demo that serve clients of rulebook's predecessors api 3.0 and PhalApi.

use serde_json::json;

use super::DemoFolder;
use crate::client::Request;

const FORM_MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

#[test]
fn publications_have_the_content_of_the_articles() {
    let place = DemoFolder::new();
    let server = place.serve();
    let read = server.get("/publication/read/3");
    let article = server.get("/article/3").json()["article"].take();
    assert_eq!(read.status, 200, "{read:?}");
    for name in ["title", "text", "language", "author"] {
        assert_eq!(read.json()[name], article[name], "{name}");
    }
    server.get("/publication/read/999").assert_error(404, "there is no such article");
    server.get("/publication/read").assert_error(400, "");

    let search =
        |target: &str, form: &str| server.send(&Request::new("POST", target).body(FORM_MEDIA_TYPE, form)).json();
    let cases = [
        (search("/publication/search", "language=zh"), server.get("/article?language=zh")),
        (search("/publication/search?words=tea", ""), server.get("/article?q=tea")),
        (search("/publication/search/", ""), server.get("/article")),
        (search("/publication/search", "page=2"), server.get("/article?page=2")),
    ];
    for (found, listed) in cases {
        let listed = listed.json();
        let titles = |page: &serde_json::Value| {
            let articles = page["articles"].as_array().unwrap().iter();
            articles.map(|article| article["title"].clone()).collect::<Vec<_>>()
        };
        assert_eq!((&found["total"], titles(&found)), (&listed["total"], titles(&listed)));
    }
}

#[test]
fn authors_are_returned_in_phalapis_envelope() {
    let place = DemoFolder::new();
    let server = place.serve();
    let known = server.get("/author/getBaseInfo?author_id=2");
    assert_eq!((known.status, &known.json()["ret"]), (200, &json!(200)), "{known:?}");
    let user = server.get("/user/2").json()["user"].take();
    let info = json!({ "name": user["name"], "about": user["about"], "articles": user["articles"] });
    assert_eq!(known.json()["data"], info);
    let posted = Request::new("POST", "/Author/GETBASEINFO").body(FORM_MEDIA_TYPE, "author_id=2");
    assert_eq!(server.send(&posted).json()["data"], info);
    for (target, body) in [
        (
            "/author/getBaseInfo?author_id=99",
            json!({ "ret": 404, "data": { "author_id": 99 }, "msg": "Bad Request: there is no such author" }),
        ),
        ("/author/getBaseInfo", json!({ "ret": 400, "data": [], "msg": "Illegal Param: wrong param: author_id" })),
        (
            "/author/getBaseInfo?author_id=0",
            json!({ "ret": 400, "data": [], "msg": "Illegal Param: author_id should >= 1, but now author_id = 0" }),
        ),
    ] {
        let response = server.get(target);
        assert_eq!((&response.json(), u64::from(response.status)), (&body, body["ret"].as_u64().unwrap()), "{target}");
    }

    let list = server.get("/author/getList").json()["data"]["list"].take();
    let counts: Vec<u64> = list.as_array().unwrap().iter().map(|author| author["articles"].as_u64().unwrap()).collect();
    assert!(counts.is_sorted_by(|a, b| a >= b), "{list}");
    assert_eq!(counts.iter().sum::<u64>(), server.article_count());
    assert_eq!(server.get("/author/getList?size=1").json()["data"]["list"], json!([list[0]]));

    let greeting = server.get("/site/index?username=Ada").json()["data"].take();
    assert_eq!(greeting["content"], "Hello Ada, there are 12 articles here.");
    assert!(greeting["time"].as_i64().is_some_and(|time| time > 1_700_000_000), "{greeting}");
}

#[test]
fn a_method_can_be_selected_by_its_name_in_the_query_or_the_body() {
    let place = DemoFolder::new();
    let server = place.serve();
    let post = |target: &str, form: &str| server.send(&Request::new("POST", target).body(FORM_MEDIA_TYPE, form)).json();
    for (named, path) in [
        (server.get("/?service=Author.GetList&size=2").json(), server.get("/author/getList?size=2").json()),
        (post("/", "service=Author.GetBaseInfo&author_id=2"), server.get("/author/getBaseInfo?author_id=2").json()),
        (post("/", "module=publication&method=search&words=tea"), post("/publication/search", "words=tea")),
        (server.get("/?service=Article.Line&article_id=9&no_line=1").json(), server.get("/article/line/9/1").json()),
    ] {
        assert_eq!(named, path);
    }
    // If the query does not name a method, the response leads to the documentation.
    assert_eq!(server.get("/").field("location"), Some("docs/"));
}
