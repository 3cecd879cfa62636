//! Tests the parameters `?service=` and `?s=`: which method is called, and PhalApi's errors for invalid names.

use serde_json::{Value as Json, json};

use super::{ExpectedOutcome, FORM_MEDIA_TYPE, assert_outcomes, server_of_all_dialects};
use crate::client::{Request, TestServer};

pub fn get_request(target: &str) -> Request {
    Request::new("GET", target)
}

pub fn post_request(target: &str, media_type: &str, body: impl Into<Vec<u8>>) -> Request {
    Request::new("POST", target).body(media_type, body)
}

pub fn server_with_service_names() -> TestServer {
    server_of_all_dialects(&json!({ "service": { "on": true, "default": "Site.Index" } }))
}

#[test]
fn a_service_name_calls_the_method_at_its_path() {
    let ok = |to, args: Json| -> ExpectedOutcome { Ok((to, args)) };
    let login = |name: &str| ok("user.login", json!({ "username": name }));
    let similar = |path: &str| -> ExpectedOutcome {
        Err((404, format!("unknown service: no service has this URI; did you mean {path}?")))
    };
    let cases = [
        (get_request("/?service=User.Login&username=a"), login("a")),
        (get_request("/?username=a&service=user.login"), login("a")),
        (get_request("/?service=user.LOGIN&username=a"), login("a")),
        // A name that consists of a class gets the method `Index`, and parts after the method are ignored.
        (get_request("/?service=Site"), ok("site.index", json!({}))),
        (get_request("/?s=site&title=t"), ok("site.index", json!({ "title": "t" }))),
        (get_request("/?service=App.User.Login.x.y&username=a"), login("a")),
        (get_request("/?service=App.User.Login&username=a"), login("a")),
        (get_request("/?s=User.Login&username=a"), login("a")),
        (get_request("/?s=User.Login&service=User.getBaseInfo"), ok("user.getBaseInfo", json!({}))),
        // If the parameter occurs several times, its last value is used.
        (get_request("/?service=User.getBaseInfo&service=User.Login&username=a"), login("a")),
        (get_request("/?service=%55ser%2ELogin&username=a+b"), login("a b")),
        (get_request("/?service=User.getbaseinfo"), ok("user.getBaseInfo", json!({}))),
        (get_request("//?service=User.getbaseinfo"), Err((404, "unknown service: no service has this URI".to_owned()))),
        // Names of services in the other dialects (`tree` and `methods`).
        (
            get_request("/?service=Article.Line&article_id=3&no_line=7&lang=en"),
            ok("article.line.get", json!({ "article_id": 3, "no_line": 7, "lang": "en" })),
        ),
        (
            get_request("/?service=article.line&no_line=&article_id=3"),
            ok("article.line.get", json!({ "article_id": 3 })),
        ),
        (
            post_request("/?service=Store.Buy&URL_0=tea", FORM_MEDIA_TYPE, "count=3"),
            ok("store.buy.post", json!({ "URL_0": "tea", "count": "3" })),
        ),
        (
            post_request("/?service=Article.Line", "application/json", r#"{"text": "t", "article_id": 5}"#),
            ok("article.line.post", json!({ "article_id": 5, "text": "t" })),
        ),
        // A name in the query takes precedence over a name in the body.
        (
            post_request("/?service=Article.Line&article_id=4", FORM_MEDIA_TYPE, "article_id=5&text=t"),
            ok("article.line.post", json!({ "article_id": 4, "text": "t" })),
        ),
        (
            post_request("/?service=User.getBaseInfo", FORM_MEDIA_TYPE, "service=Site.Index"),
            ok("user.getBaseInfo", json!({})),
        ),
        // The name is in the body.
        (post_request("/", FORM_MEDIA_TYPE, "service=User.Login&username=a"), login("a")),
        (post_request("/", FORM_MEDIA_TYPE, "username=a&s=user.login"), login("a")),
        (post_request("/", "application/json", r#"{"service": "User.Login", "username": "a"}"#), login("a")),
        (
            Request::new("POST", "/").multipart(&[("name=\"username\"", b"a"), ("name=\"s\"", b"User.Login")]),
            login("a"),
        ),
        // The request contains no name.
        (get_request("/"), ok("site.index", json!({}))),
        (get_request("/?title=t"), ok("site.index", json!({ "title": "t" }))),
        (post_request("/", FORM_MEDIA_TYPE, "title=t"), ok("site.index", json!({ "title": "t" }))),
        (
            post_request("/", "application/json", r#"{"service": null, "title": "t"}"#),
            ok("site.index", json!({ "title": "t" })),
        ),
        (Request::new("POST", "/"), ok("site.index", json!({}))),
        // PhalApi's script is at the base path, and may be followed by the path of a service.
        (get_request("/index.php"), ok("site.index", json!({}))),
        (get_request("/index.php/?title=t"), ok("site.index", json!({ "title": "t" }))),
        (get_request("/index.php?service=User.Login&username=a"), login("a")),
        (post_request("/index.php", FORM_MEDIA_TYPE, "service=User.Login&username=a"), login("a")),
        (get_request("/index.php/User/Login?username=a"), login("a")),
        (get_request("/index.php/App/User/Login?username=a"), login("a")),
        // PhalApi's namespace may precede the path of a service that has a name.
        (get_request("/App/User/Login?username=a"), login("a")),
        (get_request("/App/user/getbaseinfo/"), ok("user.getBaseInfo", json!({}))),
        (get_request("/App/article/line/3"), ok("article.line.get", json!({ "article_id": 3 }))),
        (get_request("/App/Site/Index?service=User.Login&username=a"), login("a")),
        (get_request("/App/App/User/Login"), Err((404, "unknown service: no service has this URI".to_owned()))),
        (get_request("/app/User/Login"), similar("/user/login")),
        (get_request("/App/one"), similar("/one")),
        (get_request("/App/one/two/three"), similar("/one/two/three")),
        (get_request("/index.php/article/line/3"), ok("article.line.get", json!({ "article_id": 3 }))),
        (get_request("/index.phpx"), Err((404, "unknown service: no service has this URI".to_owned()))),
        (get_request("/x/index.php"), Err((404, "unknown service: no service has this URI".to_owned()))),
    ];
    assert_outcomes(&server_with_service_names(), &cases);
}

#[test]
fn invalid_service_names_are_refused_with_the_messages_of_phalapi() {
    let none = |name: &str| -> ExpectedOutcome { Err((404, format!("Bad Request: no such service as {name}"))) };
    let illegal = |name: &str| -> ExpectedOutcome { Err((400, format!("Bad Request: service ({name}) illegal"))) };
    let cases = [
        (get_request("/?service=User.Nope"), none("App.User.Nope")),
        (get_request("/?service=USER.Login"), none("App.USER.Login")),
        (get_request("/?service=User"), none("App.User.Index")),
        (get_request("/?service=App.Site"), none("App.App.Site")),
        (get_request("/?service=one"), none("App.one.Index")),
        (get_request("/?service=One.Two.Three"), none("One.Two.Three")),
        (get_request("/?service=App.One.Two.Three"), none("App.One.Two.Three")),
        (get_request("/?service=app.User.Login"), none("app.User.Login")),
        (get_request("/?service=App.App.User.Login"), none("App.App.User.Login")),
        (get_request("/?service=User/Login"), none("App.User/Login.Index")),
        (get_request("/?service=user.login%00"), none("App.user.login\0")),
        (get_request("/?service=user.login+"), none("App.user.login ")),
        // A service whose path contains a capture has no name.
        (get_request("/?service=Article.7"), none("App.Article.7")),
        (get_request("/?service=Article.%7Bid%7D"), none("App.Article.{id}")),
        (get_request("/?service="), illegal("")),
        (get_request("/?service"), illegal("")),
        (get_request("/?service=&s=User.Login"), illegal("")),
        (get_request("/?s=0"), illegal("0")),
        (get_request("/?service=."), illegal("App..")),
        (get_request("/?service=User."), illegal("App.User.")),
        (get_request("/?service=../User.Login"), illegal("../User.Login")),
        (get_request("/?service[]=User.Login"), illegal("[]")),
        (get_request("/?s%5Ba%5D=User.Login"), illegal("[]")),
        (get_request("/?service=User.Login%FF"), illegal("\u{fffd}")),
        (post_request("/", "application/json", r#"{"service": ["User.Login"]}"#), illegal("[]")),
        (post_request("/", "application/json", r#"{"service": {}}"#), illegal("[]")),
        (post_request("/", "application/json", r#"{"service": 7}"#), none("App.7.Index")),
        (post_request("/", FORM_MEDIA_TYPE, "service=User.Nope"), none("App.User.Nope")),
    ];
    assert_outcomes(&server_with_service_names(), &cases);
}

/// The responses of each version of PhalApi to a name that no service has, and to a class without a method.
#[test]
fn errors_of_names_are_those_of_the_version_of_phalapi() {
    let (array, object) = (json!([]), json!({}));
    // For each version: its catalogues, the empty `data`, the number of an unknown service, and the names in messages.
    // `-` is a name that is not valid.
    let cases = [
        (["1.x", "zh-1.4"], &array, 404, ["User.Nope", "-User", "Nope.Index", "-User.", "-"]),
        (["1.1", "zh-1.1"], &array, 400, ["User.Nope", "-User", "Nope.Index", "User.", "-"]),
        (["1.4", "zh-1.4"], &array, 404, ["User.Nope", "-User", "Nope.Index", "-User.", "-"]),
        (["2.0", "zh-2.0"], &array, 404, ["App.User.Nope", "-User", "App.Nope.Index", "-App.User.", "-"]),
        (["2.3", "zh-2.3"], &object, 404, ["App.User.Nope", "-User", "App.Nope.Index", "-App.User.", "-"]),
        (["2.x", "zh"], &object, 404, ["App.User.Nope", "App.User.Index", "App.Nope.Index", "-App.User.", "-"]),
    ];
    for (catalogues, empty, unknown, names) in cases {
        for catalogue in catalogues {
            let server = server_of_all_dialects(&json!({ "service": { "on": true }, "catalogue": catalogue }));
            for (sent, name) in ["User.Nope", "User", "Nope.Index", "User.", ""].into_iter().zip(names) {
                let (ret, message) = match (name.strip_prefix('-'), catalogue.starts_with("zh")) {
                    (Some(name), false) => (400, format!("Bad Request: service ({name}) illegal")),
                    (Some(name), true) => (400, format!("非法请求：非法服务：{name}")),
                    (None, false) => (unknown, format!("Bad Request: no such service as {name}")),
                    (None, true) => (unknown, format!("非法请求：接口服务{name}不存在")),
                };
                let response = server.send(&get_request(&format!("/?service={sent}")));
                let head = (response.status, response.field("content-type"));
                assert_eq!(head, (200, Some("application/json;charset=utf-8")), "{catalogue} {sent}");
                let expected = json!({ "ret": ret, "data": empty, "msg": message });
                assert_eq!(response.json(), expected, "{catalogue} {sent}");
            }
            let alone = server.send(&get_request("/?s=Site"));
            assert_eq!(alone.json()["ret"] == 200, ["2.x", "zh"].contains(&catalogue), "{catalogue} {alone:?}");
            // The namespace is accepted in every version.
            for target in ["/?service=App.Site.Index", "/App/Site/Index", "/Site/Index"] {
                assert_eq!(server.send(&get_request(target)).json()["ret"], 200, "{catalogue} {target}");
            }
        }
    }
    let real = server_of_all_dialects(&json!({ "service": { "on": true }, "phalapi": { "real_status": true } }));
    assert_eq!(real.send(&get_request("/?service=User.Nope")).status, 404);
    let problem = get_request("/?service=User.Nope").field("accept", "application/problem+json");
    let response = real.send(&problem);
    let (status, words) = (response.status, response.json()["detail"].clone());
    assert_eq!((status, words), (404, "no service has the name App.User.Nope".into()), "{response:?}");
}

#[test]
fn the_root_is_called_only_if_the_request_contains_no_name() {
    let server = server_of_all_dialects(&json!({ "service": { "on": true }, "dispatch": true, "base": "/api" }));
    let cases: [(Request, ExpectedOutcome); 5] = [
        (post_request("/api?service=User.getBaseInfo", FORM_MEDIA_TYPE, ""), Ok(("user.getBaseInfo", json!({})))),
        (
            post_request("/api/", FORM_MEDIA_TYPE, "s=User.getBaseInfo&text=t"),
            Err((400, "Bad Request: no such param: text".to_owned())),
        ),
        // A name in the form of PhalApi takes precedence over a name in the form of api 3.0.
        (
            post_request("/api", FORM_MEDIA_TYPE, "module=store&method=buy&s=User.getBaseInfo"),
            Err((400, "Bad Request: no such param: module".to_owned())),
        ),
        (
            post_request("/api", FORM_MEDIA_TYPE, "module=store&method=buy&URL_0=tea"),
            Ok(("store.buy.post", json!({ "URL_0": "tea" }))),
        ),
        (post_request("/api", FORM_MEDIA_TYPE, "text=t"), Ok(("post", json!({ "text": "t" })))),
    ];
    assert_outcomes(&server, &cases);
    // At a path above the base path, the server reads no names. The response leads to the pages of the API.
    let page = server.send(&get_request("/?service=User.getBaseInfo"));
    assert_eq!((page.status, page.field("location")), (307, Some("docs/")));
}

#[test]
fn the_http_method_of_the_request_selects_the_method_of_a_named_service() {
    let server = server_with_service_names();
    let lacking = server.send(&Request::new("DELETE", "/?service=User.Login"));
    let body = lacking.json();
    assert_eq!(
        (body["ret"].clone(), lacking.field("allow")),
        (404.into(), Some("GET, HEAD, POST, OPTIONS")),
        "{lacking:?}"
    );
    // The module that the name selects determines the envelope of errors.
    let lacking = server.send(&Request::new("PATCH", "/?service=Article.Line"));
    assert_eq!(
        (lacking.status, lacking.field("allow")),
        (405, Some("GET, HEAD, POST, PUT, DELETE, OPTIONS")),
        "{lacking:?}"
    );
    let head = server.connect().send(&Request::new("HEAD", "/?service=User.getBaseInfo"));
    assert_eq!((head.status, head.body.len()), (200, 0));
    let options = server.send(&Request::new("OPTIONS", "/?service=User.Login"));
    let described = options.json();
    assert_eq!((options.status, &described["module"]), (200, &json!("User")), "{options:?}");
    assert!(described["/"].as_object().unwrap().keys().eq(["user/login"]), "{options:?}");
}

#[test]
fn a_preflight_allows_the_header_fields_of_the_named_method() {
    let parameters = json!({
        "URL#0": { "info": "Which", "type": "id", "name": "id" },
        "HEADER@X-Line": { "info": "A line", "type": "?string", "name": "line" },
    });
    let root = json!({ "HEADER@X-Line": { "info": "A line", "type": "?string", "name": "line" } });
    let tree = json!({
        "POST": { "info": "The root", "in": root },
        "/": { "article/line": { "PUT": { "info": "Another line", "in": parameters } } },
    });
    let app = json!({ "service": { "on": true }, "dispatch": true, "cors": { "origins": ["*"] } });
    let server = TestServer::echo(&[("app.json", app), ("tree.json", tree)]);
    // The named method requires a position, which may be in the body of the later request. A preflight does not show
    // whether that request has a body.
    let named = Request::new("OPTIONS", "/?service=Article.Line");
    for (request, method) in
        [(named.clone(), "PUT"), (named.chunked(FORM_MEDIA_TYPE, &[]), "PUT"), (Request::new("OPTIONS", "/"), "POST")]
    {
        let preflight = request.field("origin", "https://a.example").field("access-control-request-method", method);
        let response = server.send(&preflight);
        let fields = response.field("access-control-allow-headers").unwrap_or_default().to_ascii_lowercase();
        assert!(fields.contains("x-line"), "{preflight:?} {response:?}");
    }
}

#[test]
fn permissions_of_a_named_method_are_checked_before_its_parameters() {
    let server = server_with_service_names();
    let put = |scope: Option<&str>, target: &str, body: &str| {
        let request = Request::new("PUT", target).body("application/json", body);
        server.send(&scope.map_or(request.clone(), |scope| request.scope(&[scope])))
    };
    let target = "/?service=Article.Line";
    put(None, target, r#"{"article_id": "x"}"#).assert_error(401, "a credential is required");
    put(None, target, "{").assert_error(401, "a credential is required");
    server.send(&post_request(target, "application/json", "{")).assert_error(400, "the JSON body cannot be read");
    put(Some("author[6]"), target, r#"{"article_id": 5}"#).assert_error(403, "author[article_id]");
    put(Some("author[5]"), target, r#"{"article_id": [5]}"#).assert_error(403, "author[article_id]");
    // If the permission does not depend on the body, the permission is checked before the body is read.
    let delete = |scope: &str| {
        let request = Request::new("DELETE", target).field("content-type", FORM_MEDIA_TYPE).field("content-length", 12);
        request.field("expect", "100-continue").scope(&[scope])
    };
    let mut connection = server.connect();
    connection.write(&delete("reader").head());
    connection.read_response(false).assert_error(403, "missing permission: admin");
    let mut connection = server.connect();
    connection.write(&delete("admin").head());
    connection.write(b"article_id=5");
    connection.read_response(false).assert_args(&json!({ "article_id": 5, "to": "article.line.delete" }));
    // A value in the query takes precedence over a value in the body, for permissions and for handlers.
    let both = format!("{target}&article_id=6");
    put(Some("author[5]"), &both, r#"{"article_id": 5}"#).assert_error(403, "author[article_id]");
    put(Some("author[6]"), &both, r#"{"article_id": 5}"#)
        .assert_args(&json!({ "article_id": 6, "text": null, "to": "article.line.put" }));
    put(Some("author[5]"), target, r#"{"article_id": 5, "text": "t"}"#)
        .assert_args(&json!({ "article_id": 5, "text": "t", "to": "article.line.put" }));
}

#[test]
fn errors_of_service_names_are_sent_as_jsonp() {
    let server = server_of_all_dialects(&json!({ "service": { "on": true }, "jsonp": true }));
    for (target, body) in [
        (
            "/?service=User.Nope&callback=cb",
            r#"{"ret":404,"data":{},"msg":"Bad Request: no such service as App.User.Nope"}"#,
        ),
        (
            "/?service=User.Login&callback=cb",
            r#"{"ret":400,"data":{},"msg":"Bad Request: username require, but miss"}"#,
        ),
        ("/?callback=cb&s=%3C", r#"{"ret":404,"data":{},"msg":"Bad Request: no such service as App.\u003c.Index"}"#),
    ] {
        let response = server.send(&get_request(target));
        let script = format!("/**/ typeof cb === 'function' && cb({body});");
        assert_eq!((response.status, String::from_utf8(response.body).unwrap()), (200, script.clone()));
        // PhalApi sends scripts in response to every HTTP method.
        let posted = server.send(&post_request(target, FORM_MEDIA_TYPE, ""));
        assert_eq!(String::from_utf8(posted.body).unwrap(), script, "{target}");
    }
    let posted = post_request("/?service=User.Login&callback=cb", FORM_MEDIA_TYPE, "username=a");
    let script = String::from_utf8(server.send(&posted).body).unwrap();
    assert!(script.starts_with("/**/ typeof cb === 'function' && cb({\"ret\":200,"), "{script}");
    // In other dialects, POST methods respond with JSON.
    let posted = post_request("/?service=Store.Buy&URL_0=tea&callback=cb", FORM_MEDIA_TYPE, "");
    server.send(&posted).assert_error(400, "callback in the query is not a parameter of this method");
}
