//! Tests how names of services and paths are combined: a name in the query of a request to another service's path, the
//! path of PhalApi's script, and the header field `Allow` at the base path.

use rulebook::Rulebook;
use serde_json::{Value as Json, json};

use super::service_parameter::{get_request, post_request, server_with_service_names};
use super::{ExpectedOutcome, FORM_MEDIA_TYPE, assert_outcomes, server_of_all_dialects};
use crate::client::{Request, TestServer};

#[test]
fn a_service_name_in_the_query_has_priority_over_the_path() {
    let ok = |to, args: Json| -> ExpectedOutcome { Ok((to, args)) };
    let unknown = |name: &str| -> ExpectedOutcome { Err((400, format!("Bad Request: no such param: {name}"))) };
    let cases = [
        (get_request("/user/getBaseInfo?service=Site.Index&title=t"), ok("site.index", json!({ "title": "t" }))),
        (get_request("/user/getBaseInfo?s=Site.Index"), ok("site.index", json!({}))),
        (get_request("/index.php/Site/Index?service=User.GetBaseInfo"), ok("user.getBaseInfo", json!({}))),
        (get_request("/article/line/3?service=Site.Index&title=t"), ok("site.index", json!({ "title": "t" }))),
        (
            get_request("/site/index?service=User.Nope"),
            Err((404, "Bad Request: no such service as App.User.Nope".to_owned())),
        ),
        // The same service in the query and in the path is no contradiction, and `s` may have another meaning.
        (get_request("/site/index?service=Site.Index"), unknown("service")),
        (get_request("/site/index?s=no+name"), unknown("s")),
        // Paths without a name in the style of PhalApi, and bodies, do not depend on the field.
        (
            get_request("/one?service=Site.Index"),
            Err((400, "invalid parameter: service in the query is not a parameter of this method".to_owned())),
        ),
        (post_request("/user/getBaseInfo", FORM_MEDIA_TYPE, "service=Site.Index"), unknown("service")),
    ];
    assert_outcomes(&server_with_service_names(), &cases);
    // A parameter of the method at the path has priority.
    let rules = json!({
        "Search": { "find": { "s": { "name": "s" }, "to": { "name": "to", "default": "search.find" } } },
        "Site": { "index": { "to": { "name": "to", "default": "site.index" } } }
    });
    let server = TestServer::echo(&[("app.json", json!({ "service": { "on": true } })), ("rules.json", rules)]);
    assert_outcomes(
        &server,
        &[
            (get_request("/search/find?s=Site.Index"), ok("search.find", json!({ "s": "Site.Index" }))),
            (get_request("/search/find?service=Site.Index"), ok("site.index", json!({}))),
        ],
    );
}

#[test]
fn the_setting_entry_selects_the_path_of_the_script() {
    let none: ExpectedOutcome = Err((404, "unknown service: no service has this URI".to_owned()));
    let index: ExpectedOutcome = Ok(("user.getBaseInfo", json!({})));
    for (settings, target, expected) in [
        (json!({ "on": true, "entry": "demo/api.php" }), "/v1/demo/api.php?service=User.GetBaseInfo", &index),
        (json!({ "on": true, "entry": "/demo/api.php" }), "/v1/demo/api.php/user/getbaseinfo", &index),
        (json!({ "on": true, "entry": "demo/api.php" }), "/v1/index.php?service=User.GetBaseInfo", &none),
        (json!({ "on": true, "entry": "" }), "/v1/index.php?service=User.GetBaseInfo", &none),
        (json!({ "on": true }), "/v1/index.php?service=User.GetBaseInfo", &index),
        (json!({ "on": true }), "/index.php?service=User.GetBaseInfo", &none),
        (json!({ "on": false }), "/v1/index.php", &none),
    ] {
        let server = server_of_all_dialects(&json!({ "service": settings, "base": "/v1" }));
        assert_outcomes(&server, &[(get_request(target), expected.clone())]);
    }
}

#[test]
fn an_entry_that_is_not_a_path_is_an_error() {
    let class = json!({ "User": { "login": {} } });
    for (entry, is_valid) in [
        ("a.php", true),
        ("", true),
        ("/", true),
        ("a.php?x", false),
        ("?", false),
        ("a.php#x", false),
        ("a/", false),
        ("{a}.php", false),
    ] {
        let app = json!({ "envelope": "phalapi", "service": { "on": true, "entry": entry } });
        let files = [("app.json", &app), ("user.json", &class)];
        let files = files.map(|(name, json)| (name.into(), json.to_string().into_bytes()));
        let report = Rulebook::read(files.into()).check().err().unwrap_or_default().to_string();
        assert_eq!(
            report.contains(&format!("bad-option]: `{entry}` is not the path of a script")),
            !is_valid,
            "{report}"
        );
        assert_eq!(report.is_empty(), is_valid, "{report}");
    }
}

#[test]
fn options_at_the_base_path_lists_the_methods_that_can_be_called_there() {
    let cases = [
        (json!({}), "/", "POST, OPTIONS"),
        // The body can name a method of another service, with its HTTP method.
        (json!({ "dispatch": true }), "/", "GET, HEAD, POST, PUT, DELETE, OPTIONS"),
        (json!({ "dispatch": true }), "/?service=Article.Line", "GET, HEAD, POST, PUT, DELETE, OPTIONS"),
        (json!({ "service": { "on": true } }), "/", "POST, OPTIONS"),
        (json!({ "service": { "on": true } }), "/?service=User.getBaseInfo", "GET, HEAD, POST, OPTIONS"),
        (json!({ "service": { "on": true } }), "/?s=Article.Line", "GET, HEAD, POST, PUT, DELETE, OPTIONS"),
        (json!({ "service": { "on": true, "default": "Site.Index" } }), "/", "GET, HEAD, POST, OPTIONS"),
        (json!({ "service": { "on": true, "default": "Article.Upload" } }), "/", "POST, OPTIONS"),
    ];
    for (settings, target, allowed) in cases {
        let mut settings = settings;
        settings["cors"] = json!({ "origins": ["*"] });
        let server = server_of_all_dialects(&settings);
        let options = Request::new("OPTIONS", target);
        assert_eq!(server.send(&options).field("allow"), Some(allowed), "{settings} {target}");
        let preflight = options.field("origin", "https://a.example").field("access-control-request-method", "PUT");
        let response = server.send(&preflight);
        assert_eq!(response.field("access-control-allow-methods"), Some(allowed), "{settings} {target}");
        if target == "/" {
            let unsupported = server.send(&Request::new("PATCH", target));
            assert_eq!(unsupported.field("allow"), Some(allowed), "{settings} {target}: {unsupported:?}");
        }
    }
    let unknown = server_with_service_names().send(&Request::new("OPTIONS", "/?service=Article.None"));
    assert_eq!(unknown.json()["msg"], "Bad Request: no such service as App.Article.None", "{unknown:?}");
}

#[test]
fn allow_at_the_base_path_lists_the_page_of_the_api_and_the_methods_that_bodies_can_name() {
    let rules = json!({ "User": { "login": { "@method": "POST" } } });
    let methods = json!({ "m": { "PUT::edit": { "description": "It edits" } } });
    for (app, target, allowed) in [
        (json!({}), "/", "GET, HEAD, OPTIONS"),
        (json!({ "dispatch": true }), "/", "GET, HEAD, POST, PUT, OPTIONS"),
        (json!({ "service": { "on": true } }), "/", "GET, HEAD, POST, OPTIONS"),
        (json!({ "dispatch": true, "base": "/v1" }), "/v1", "POST, PUT, OPTIONS"),
    ] {
        let files = [("app.json", app.clone()), ("user.json", rules.clone()), ("m.json", methods.clone())];
        let server = TestServer::echo(&files);
        assert_eq!(server.send(&Request::new("OPTIONS", target)).field("allow"), Some(allowed), "{app} {target}");
        let page = server.send(&Request::new("GET", target));
        assert_eq!(page.status == 307, allowed.starts_with("GET"), "{app} {target}");
        if page.status == 307 {
            let unsupported = server.send(&Request::new("PATCH", target));
            assert_eq!((unsupported.status, unsupported.field("allow")), (405, Some(allowed)), "{app} {target}");
        }
    }
}
