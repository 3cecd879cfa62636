//! `?service=` and `?s=`: which method answers, and what PhalApi says of names that are none.

use serde_json::{Value as Json, json};

use super::{Expected, FORM, assert_all, site};
use crate::client::{Request, Site};

fn get(target: &str) -> Request {
    Request::new("GET", target)
}

fn post(target: &str, media_type: &str, body: impl Into<Vec<u8>>) -> Request {
    Request::new("POST", target).body(media_type, body)
}

fn on() -> Site {
    site(&json!({ "service": { "on": true, "default": "Site.Index" } }))
}

#[test]
fn a_name_stands_for_the_path() {
    let ok = |to, args: Json| -> Expected { Ok((to, args)) };
    let login = |name: &str| ok("user.login", json!({ "username": name }));
    let cases = [
        (get("/?service=User.Login&username=a"), login("a")),
        (get("/?username=a&service=user.login"), login("a")),
        (get("/?service=user.LOGIN&username=a"), login("a")),
        (get("/?service=App.User.Login&username=a"), login("a")),
        (get("/?s=User.Login&username=a"), login("a")),
        (get("/?s=User.Login&service=User.getBaseInfo"), ok("user.getBaseInfo", json!({}))),
        // The last of several counts.
        (get("/?service=User.getBaseInfo&service=User.Login&username=a"), login("a")),
        (get("/?service=%55ser%2ELogin&username=a+b"), login("a b")),
        (get("/?service=User.getbaseinfo"), ok("user.getBaseInfo", json!({}))),
        (get("//?service=User.getbaseinfo"), Err((404, "unknown service: no service has this URI".to_owned()))),
        // The other dialects.
        (
            get("/?service=Article.Line&article_id=3&no_line=7&lang=en"),
            ok("article.line.get", json!({ "article_id": 3, "no_line": 7, "lang": "en" })),
        ),
        (get("/?service=article.line&no_line=&article_id=3"), ok("article.line.get", json!({ "article_id": 3 }))),
        (
            post("/?service=Store.Buy&URL_0=tea", FORM, "count=3"),
            ok("store.buy.post", json!({ "URL_0": "tea", "count": "3" })),
        ),
        (
            post("/?service=Article.Line", "application/json", r#"{"text": "t", "article_id": 5}"#),
            ok("article.line.post", json!({ "article_id": 5, "text": "t" })),
        ),
        // The query comes before the body.
        (
            post("/?service=Article.Line&article_id=4", FORM, "article_id=5&text=t"),
            ok("article.line.post", json!({ "article_id": 4, "text": "t" })),
        ),
        (post("/?service=User.getBaseInfo", FORM, "service=Site.Index"), ok("user.getBaseInfo", json!({}))),
        // In the body.
        (post("/", FORM, "service=User.Login&username=a"), login("a")),
        (post("/", FORM, "username=a&s=user.login"), login("a")),
        (post("/", "application/json", r#"{"service": "User.Login", "username": "a"}"#), login("a")),
        (
            Request::new("POST", "/").multipart(&[("name=\"username\"", b"a"), ("name=\"s\"", b"User.Login")]),
            login("a"),
        ),
        // None is named.
        (get("/"), ok("site.index", json!({}))),
        (get("/?title=t"), ok("site.index", json!({ "title": "t" }))),
        (post("/", FORM, "title=t"), ok("site.index", json!({ "title": "t" }))),
        (
            post("/", "application/json", r#"{"service": null, "title": "t"}"#),
            ok("site.index", json!({ "title": "t" })),
        ),
        (Request::new("POST", "/"), ok("site.index", json!({}))),
        // Only base takes names.
        (get("/user/getBaseInfo?service=Site.Index"), Err((400, "Bad Request: no such param: service".to_owned()))),
    ];
    assert_all(&on(), &cases);
}

#[test]
fn names_of_none_are_refused_in_phalapis_words() {
    let none = |name: &str| -> Expected { Err((404, format!("Bad Request: no such service as {name}"))) };
    let illegal = |name: &str| -> Expected { Err((400, format!("Bad Request: service ({name}) illegal"))) };
    let cases = [
        (get("/?service=User.Nope"), none("App.User.Nope")),
        (get("/?service=USER.Login"), none("App.USER.Login")),
        (get("/?service=User"), none("App.User.Index")),
        (get("/?service=one"), none("App.one.Index")),
        (get("/?service=One.Two.Three"), none("One.Two.Three")),
        (get("/?service=App.One.Two.Three"), none("App.One.Two.Three")),
        (get("/?service=app.User.Login"), none("app.User.Login")),
        (get("/?service=App.App.User.Login"), none("App.App.User.Login")),
        (get("/?service=User/Login"), none("App.User/Login.Index")),
        (get("/?service=user.login%00"), none("App.user.login\0")),
        (get("/?service=user.login+"), none("App.user.login ")),
        // A capture takes no name.
        (get("/?service=Article.7"), none("App.Article.7")),
        (get("/?service=Article.%7Bid%7D"), none("App.Article.{id}")),
        (get("/?service="), illegal("")),
        (get("/?service"), illegal("")),
        (get("/?service=&s=User.Login"), illegal("")),
        (get("/?s=0"), illegal("0")),
        (get("/?service=."), illegal("App..")),
        (get("/?service=User."), illegal("App.User.")),
        (get("/?service=../User.Login"), illegal("../User.Login")),
        (get("/?service[]=User.Login"), illegal("[]")),
        (get("/?s%5Ba%5D=User.Login"), illegal("[]")),
        (get("/?service=User.Login%FF"), illegal("\u{fffd}")),
        (post("/", "application/json", r#"{"service": ["User.Login"]}"#), illegal("[]")),
        (post("/", "application/json", r#"{"service": {}}"#), illegal("[]")),
        (post("/", "application/json", r#"{"service": 7}"#), none("App.7.Index")),
        (post("/", FORM, "service=User.Nope"), none("App.User.Nope")),
    ];
    assert_all(&on(), &cases);
}
