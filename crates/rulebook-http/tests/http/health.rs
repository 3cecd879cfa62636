//! The readiness checks of upstreams.

use serde_json::json;

use super::fake::{self, request_line};
use super::{json_response, note_method, serve};

#[test]
fn readiness_reports_whether_each_upstream_accepts_connections() {
    let fake = fake::respond(|_| json_response(r#"{"text":"a"}"#));
    let (_socket, refusing) = fake::refuse_connections();
    let client = serve(&json!({
        "one": { "GET": note_method(&json!({ "http": fake.url("/a") })) },
        "two": { "GET": note_method(&json!({ "http": format!("http://{refusing}/") })) },
        "three": { "GET": note_method(&json!({ "http": fake.url("/b") })) }
    }));
    let response = client.get("/readyz").send();
    assert_eq!(response.status(), 503);
    let checks = &response.json()["checks"];
    let mut results: Vec<_> =
        checks.as_object().unwrap().iter().map(|(name, result)| (name.as_str(), result)).collect();
    results.sort_unstable_by_key(|(name, _)| *name);
    assert_eq!(results.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["http", "http-2"]);
    let failed = results.iter().filter(|(_, result)| **result == "failed").count();
    assert_eq!((failed, results.len()), (1, 2), "{results:?}");
    assert!(!response.text().contains("127.0.0.1"));
    assert_eq!(fake.requests().len(), 0);
}

#[test]
fn readiness_requests_the_path_in_the_definition() {
    for (status, expected) in [(204, 200), (200, 200), (500, 503), (302, 503), (404, 503)] {
        let fake = fake::respond(move |_| format!("HTTP/1.1 {status} Status\r\nContent-Length: 0\r\n\r\n"));
        let client =
            serve(&json!({ "one": { "GET": note_method(&json!({ "http": fake.url("/a"), "health": "/up?a=b" })) } }));
        assert_eq!(client.get("/readyz").send().status(), expected, "{status}");
        assert_eq!(request_line(&fake.last_request()), "GET /up?a=b HTTP/1.1");
    }
}

#[test]
fn an_upstream_that_does_not_respond_to_the_check_is_not_ready() {
    let fake = fake::start(|connection| {
        connection.request();
        connection.wait_for_end();
    });
    let client = serve(&json!({ "one": { "GET": note_method(&json!({ "http": fake.url("/a"), "health": "/up" })) } }));
    assert_eq!(client.get("/readyz").send().status(), 503);
    fake.wait_for_closed(1);
}
