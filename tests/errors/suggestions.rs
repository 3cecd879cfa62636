//! Tests of suggestions: a response with the status 404 lists services with a similar URI.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use crate::client::{Request, TestServer};

/// Starts a server with services that have these paths. A number after the path, as in `/article/line 1`, is the number
/// of positional parameters of the service.
fn start_server(app: &Value, services: &[&str]) -> TestServer {
    let method = |positions: usize| {
        let parameters = (0..positions).map(|position| {
            let name = format!("p{position}");
            (format!("URL#{position}"), json!({ "info": "I", "type": "?string", "name": name }))
        });
        json!({ "info": "I", "in": parameters.collect::<Map<_, _>>() })
    };
    let mut uris = Map::new();
    for service in services {
        let (uri, positions) = service.split_once(' ').unwrap_or((service, "0"));
        let mut method = method(positions.parse().unwrap());
        for name in uri.split(['{', '}']).skip(1).step_by(2) {
            method["in"][format!("{{{name}}}")] = json!({ "info": "I", "type": "string" });
        }
        uris.insert(uri.trim_start_matches('/').to_owned(), json!({ "GET": method }));
    }
    TestServer::echo(&[("app.json", app.clone()), ("site.json", json!({ "/": uris }))])
}

fn suggested_uris(server: &TestServer, path: &str) -> Vec<String> {
    let response = server.send(&Request::new("GET", path));
    assert_eq!(response.status, 404, "{path}: {response:?}");
    let document = response.json();
    let similar = document["similar"].as_array().cloned().unwrap_or_default();
    let similar: Vec<_> = similar.iter().map(|uri| uri.as_str().unwrap().to_owned()).collect();
    let message = document["ErrorDescription"].as_str().unwrap();
    let expected = match &similar[..] {
        [] => "unknown service: no service has this URI".to_owned(),
        some => format!("unknown service: no service has this URI; did you mean {}?", some.join(" or ")),
    };
    assert_eq!(message, expected, "{path}");
    assert_eq!(document.get("similar").is_some(), !similar.is_empty(), "{path}");
    similar
}

#[test]
fn services_with_a_similar_uri_are_suggested() {
    let services = [
        "/article/line 2",
        "/article/{id}",
        "/article/{id}/comment",
        "/user",
        "/user/profile",
        "/user/{id}/mail",
        "/größe/maß",
        "/a/b/c",
    ];
    let server = start_server(&json!({}), &services);
    let cases: [(&str, &[&str]); 27] = [
        // The path has a misspelled segment.
        ("/usr", &["/user"]),
        ("/uesr/profile", &["/user/profile"]),
        ("/user/profiel", &["/user/profile"]),
        ("/artikle/line", &["/article/line"]),
        ("/artikle/line/1", &["/article/line"]),
        ("/artikle/lime/1/2", &["/article/line"]),
        ("/article/7/coment", &["/article/{id}/comment"]),
        ("/gr%C3%B6sse/mass", &[]),
        ("/gr%C3%B6%C3%9Fe/mas", &["/größe/maß"]),
        // The path differs in uppercase and lowercase letters.
        ("/User", &["/user"]),
        ("/USER/PROFILE", &["/user/profile"]),
        ("/GR%C3%96%C3%9FE/ma%C3%9F", &["/größe/maß"]),
        // The path has an additional segment.
        ("/user/profile/7", &["/user/profile"]),
        ("/article/lines/3", &["/article/line"]),
        ("/article/lines/3/4/5", &["/article/line"]),
        ("/api/user", &["/user"]),
        ("/v1/user/profile", &["/user/profile"]),
        ("/user//profile", &["/user/profile"]),
        ("//user", &["/user"]),
        ("/a/b/x/c", &["/a/b/c"]),
        // The path lacks a segment.
        ("/profile", &["/user/profile"]),
        ("/user/mail", &["/user/{id}/mail"]),
        ("/article", &["/article/line", "/article/{id}"]),
        ("/a/c", &["/a/b/c"]),
        // No service has a similar path.
        ("/nothing", &[]),
        ("/x/y/z", &[]),
        ("/a/b/c/d/e", &[]),
    ];
    for (path, expected) in cases {
        assert_eq!(suggested_uris(&server, path), expected, "{path}");
    }
    // The response to OPTIONS has the same suggestions.
    assert_eq!(server.send(&Request::new("OPTIONS", "/usr")).json()["similar"], json!(["/user"]));
}

#[test]
fn suggestions_include_the_base_path() {
    let server = start_server(&json!({ "base": "/api/v1" }), &["/user/profile", "/{a}/{b}/{c}/{d}", "/{a}"]);
    for path in ["/user/profile", "/user/profil", "/ap/v1/user/profile", "/api/v2x/user/profile", "/api/user/profile"] {
        let expected: &[&str] = if path.contains("v2x") { &[] } else { &["/api/v1/user/profile"] };
        assert_eq!(suggested_uris(&server, path), expected, "{path}");
    }
    assert_eq!(suggested_uris(&server, "/api/v1/user/profiles"), ["/api/v1/user/profile"]);
    // A path that has only the base path in common with services has no suggestions.
    for path in ["/api", "/api/v1", "/api/v1/7/8", "/api/v1/7/8/9", "/api/v1/7/8/9/10/11"] {
        assert!(suggested_uris(&server, path).is_empty(), "{path}");
    }
}

#[test]
fn at_most_three_services_are_suggested() {
    let server = start_server(&json!({}), &["/report1", "/report2", "/report3", "/report4", "/reprot9"]);
    assert_eq!(suggested_uris(&server, "/report"), ["/report1", "/report2", "/report3"]);
}

#[test]
fn problem_documents_have_suggestions() {
    let server = start_server(&json!({}), &["/user"]);
    let response = server.send(&Request::new("GET", "/usr").field("accept", "application/problem+json"));
    let expected = json!({
        "type": "about:blank", "title": "Not Found", "status": 404,
        "detail": "no service has this URI; did you mean /user?", "code": "unknown-service", "similar": ["/user"]
    });
    assert_eq!(response.json(), expected);
}

/// Without a bound, the server would compare the path of each such request with all services.
#[test]
fn the_cost_of_suggestions_is_bounded() {
    let services: Vec<_> = (0..10_000).map(|number| format!("/service{number:05}")).collect();
    let services: Vec<_> = services.iter().map(String::as_str).collect();
    let server = start_server(&json!({}), &services);
    assert_eq!(suggested_uris(&server, "/service0500")[0], "/service05000");
    assert_eq!(suggested_uris(&server, "/service01234x")[0], "/service01234");
    let mut connection = server.connect();
    let started = Instant::now();
    for number in 0..500 {
        let response = connection.send(&Request::new("GET", format!("/zervise{number:05}/none")));
        assert_eq!(response.status, 404);
    }
    let took = started.elapsed();

    // Comparing each of them with all services would take minutes.
    assert!(took < Duration::from_secs(120), "500 requests took {took:?}");
    let long = format!("/{}", "service/".repeat(900));
    assert!(suggested_uris(&server, &long).is_empty());
    assert!(suggested_uris(&server, &format!("/{}", "s".repeat(8_000))).is_empty());
}

#[test]
fn parameters_with_a_similar_name_are_suggested_for_unknown_parameters() {
    let parameter = |name: &str| json!({ "info": "I", "type": "?uint", "name": name });
    let method = json!({ "info": "I", "in": { "GET@page": parameter("page"), "GET@size": parameter("size"),
        "title": parameter("title") } });
    let app = json!({ "unknown": "refuse" });
    let server =
        TestServer::echo(&[("app.json", app), ("site.json", json!({ "/": { "article": { "PUT": method } } }))]);
    let unknown = |query: &str, body: &str| {
        let request = Request::new("PUT", format!("/article?{query}")).body("application/json", body);
        let response = server.send(&request);
        assert_eq!(response.status, 400, "{response:?}");
        let document = response.json();
        let error = &document["errors"][0];
        (error["similar"].as_str().map(str::to_owned), document["ErrorDescription"].as_str().unwrap().to_owned())
    };
    let is = |similar: &str, message: &str| (Some(similar.to_owned()), format!("invalid parameter: {message}"));
    let message = "pgae in the query is not a parameter of this method; did you mean page?";
    assert_eq!(unknown("pgae=1", "{}"), is("page", message));
    // Brackets at the end of the name do not count.
    for name in ["pag[]", "pgae[from][0]", "pag[a_long_key]"] {
        let message = format!("{name} in the query is not a parameter of this method; did you mean page?");
        assert_eq!(unknown(&format!("{name}=1"), "{}"), is("page", &message));
    }
    let message = "Titel in the body is not a parameter of this method; did you mean title?";
    assert_eq!(unknown("page=1", r#"{"Titel":1}"#), is("title", message));
    let message = "invalid parameter: sort in the query is not a parameter of this method";
    assert_eq!(unknown("sort=1", "{}"), (None, message.to_owned()));
    // A suggestion is searched only for the first parameters.
    let many: Vec<_> = (0..20).map(|number| format!("pag{number}=1")).collect();
    let response = server.send(&Request::new("PUT", format!("/article?{}", many.join("&"))));
    let errors = response.json()["errors"].as_array().unwrap().clone();
    assert_eq!((errors.len(), errors.iter().filter(|error| error["similar"] == "page").count()), (20, 10));
}
