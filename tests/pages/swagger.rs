//! Tests Swagger UI, the page that displays OpenAPI documents: its files, and the documents that it displays.

use serde_json::{Map, Value as Json, json};

use super::{assert_policy_with_styles, fetch, pages_server};
use crate::client::TestServer;

/// The hash of the inline style in the logo of Swagger UI, which the content security policy must allow.
const LOGO_STYLE_HASH: &str = "'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='";

#[test]
fn swagger_ui_is_complete_and_loads_only_from_the_server() {
    let server = pages_server();
    let page = fetch(&server, "/docs/swagger/");
    let text = String::from_utf8(page.body.clone()).unwrap();
    assert_eq!(page.field("content-type"), Some("text/html; charset=utf-8"));
    let parts: Vec<_> = ["src=\"", "href=\""].iter().flat_map(|mark| text.split(mark).skip(1)).collect();
    let parts: Vec<_> = parts.iter().map(|rest| rest.split('"').next().unwrap().trim_start_matches("./")).collect();
    assert_eq!(parts.len(), 12, "{text}");
    assert!(text.contains("<meta name=\"viewport\" content=\"width=device-width"), "{text}");
    let (outside, parts): (Vec<_>, Vec<_>) = parts.into_iter().partition(|name| name.starts_with("../"));
    assert_eq!(outside, ["../theme.js", "../swagger.js", "../theme.css", "../swagger.css", "../"]);
    for name in &outside {
        let response = fetch(&server, &format!("/docs/{}", name.trim_start_matches("../")));
        assert_eq!(response.status, 200, "{name}");
    }
    for name in parts.iter().chain(&[""]) {
        let response = fetch(&server, &format!("/docs/swagger/{name}"));
        assert_eq!(response.status, 200, "{name}");
        assert!(!response.body.is_empty(), "{name}");
        assert_policy_with_styles(&response, &[LOGO_STYLE_HASH]);
        let media_type = match name.rsplit('.').next().unwrap() {
            "" => "text/html; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            _ => "image/png",
        };
        assert_eq!(response.field("content-type"), Some(media_type), "{name}");
    }
    let settings = fetch(&server, "/docs/swagger/swagger-initializer.js");
    let settings = String::from_utf8(settings.body).unwrap();
    for expected in [r#""url": "../../openapi.json""#, r#""validatorUrl": "none""#, r#""persistAuthorization": true"#] {
        assert!(settings.contains(expected), "{expected} is not in {settings}");
    }
    assert!(!settings.contains("http"), "{settings}");
    for unknown in ["swagger-ui-bundle.js.map", "oauth2-redirect.html", "index.html/", "/", "..", "%2e%2e/swagger"] {
        fetch(&server, &format!("/docs/swagger/{unknown}")).assert_error(404, "");
    }
    fetch(&server, "/docs/other").assert_error(404, "");
}

#[test]
fn the_path_of_swagger_ui_in_other_frameworks_leads_to_it() {
    let server = pages_server();
    for (path, target) in [
        ("/swagger-ui", "docs/swagger/"),
        ("/swagger-ui/", "../docs/swagger/"),
        ("/swagger-ui/index.html", "../docs/swagger/"),
    ] {
        let response = fetch(&server, path);
        assert_eq!((response.status, response.field("location")), (307, Some(target)), "{path}");
    }
    fetch(&server, "/swagger-ui/other").assert_error(404, "");
}

#[test]
fn swagger_ui_displays_a_large_api_module_by_module() {
    let module = |services: usize| {
        let service = |n| (format!("s{n}"), json!({ "GET": { "info": "One of many" } }));
        json!({ "/": (0..services).map(service).collect::<Map<_, _>>() })
    };
    let one = json!({ "/": { "one": { "GET": { "info": "Alone" } } } });
    let shown = |app: Json, modules: Json| {
        let mut app = app;
        app["modules"] = modules;
        let settings = fetch(&TestServer::echo(&[("app.json", app)]), "/docs/swagger/swagger-initializer.js");
        assert_eq!(settings.status, 200);
        let text = String::from_utf8(settings.body).unwrap();
        let urls = text.lines().filter_map(|line| line.trim().strip_prefix("\"url\": \"")?.split('"').next());
        urls.map(str::to_owned).collect::<Vec<_>>()
    };
    let whole = ["../../openapi.json"];
    assert_eq!(shown(json!({}), json!({ "a": one, "b": module(199) })), whole, "200 methods are shown at once");
    assert_eq!(shown(json!({}), json!({ "b": module(250) })), whole, "a single module is not listed as a choice");
    let by_module = shown(json!({}), json!({ "a&b": one, "empty": {}, "b": module(200) }));
    assert_eq!(by_module, ["../../openapi.json?module=a%26b", "../../openapi.json?module=b"]);
    let by_part = shown(json!({}), json!({ "b": module(251) }));
    assert_eq!(by_part, ["../../openapi.json?module=b&part=1", "../../openapi.json?module=b&part=2"]);
    let own = shown(json!({ "options": "own" }), json!({ "a": one, "b": module(300) }));
    assert_eq!(own, whole, "documents that differ by caller are not split");
}
