//! Requests that are sent again.

use std::sync::Barrier;
use std::thread;

use serde_json::{Value as Json, json};

use super::fake::{self, Fake};
use super::{json_response, rulebook, serve};
use rulebook::Rulebook;
use rulebook_http::HttpKind;
use rulebook_test::Client;

/// Returns an upstream that closes the first connections after each request, after it has sent `beginning`.
fn failing(failures: usize, beginning: &'static str) -> Fake {
    fake::start(move |connection| {
        while connection.request().is_some() {
            if connection.index < failures {
                return connection.send(beginning);
            }
            connection.send(json_response("{}"));
        }
    })
}

fn serve_all(handler: &Json) -> Client {
    let method = || json!({ "info": "Does it", "handler": handler });
    let methods = json!({ "GET": method(), "POST": method(), "PUT": method(), "PATCH": method(), "DELETE": method() });
    serve(&json!({ "do": methods }))
}

#[test]
fn only_idempotent_requests_are_sent_again_if_the_connection_is_closed_before_a_response() {
    for (method, status) in [("GET", 200), ("PUT", 200), ("DELETE", 200), ("POST", 502), ("PATCH", 502)] {
        let fake = failing(1, "");
        let client = serve_all(&json!({ "http": fake.url("/") }));
        assert_eq!(client.request(method, "/do").send().status(), status, "{method}");
        assert_eq!(fake.requests().len(), if status == 200 { 2 } else { 1 }, "{method}");
    }
}

/// The programs for which these dialects were made also write in methods for GET.
#[test]
fn no_request_of_a_method_in_another_dialect_is_sent_again() {
    let definitions = |handler: &Json| {
        [
            json!({ "dialect": "rules", "Note": { "get": { "@desc": "A note", "@handler": handler } } }),
            json!({ "dialect": "methods", "note": { "GET::get": { "description": "A note", "handler": handler } } }),
        ]
    };
    for index in 0..2 {
        let fake = failing(1, "");
        let api = definitions(&json!({ "http": fake.url("/"), "retries": 3 }))[index].to_string();
        let client = Client::new(Rulebook::read(vec![("api.json".into(), api.into())]).handler_kind(HttpKind::new()));
        client.unwrap().get("/note/get").send();
        assert_eq!(fake.requests().len(), 1, "{index}");
    }
}

#[test]
fn the_number_of_retries_is_a_setting() {
    for (retries, failures, status) in [(0, 1, 502), (1, 1, 200), (1, 2, 502), (3, 3, 200), (3, 4, 502)] {
        let fake = failing(failures, "");
        let client = serve_all(&json!({ "http": fake.url("/"), "retries": retries }));
        assert_eq!(client.get("/do").send().status(), status, "{retries} {failures}");
        assert_eq!(fake.requests().len(), failures.min(retries) + 1);
    }
}

#[test]
fn a_request_is_not_sent_again_after_the_first_byte_of_a_response() {
    for beginning in ["H", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"] {
        let fake = failing(1, beginning);
        let client = serve_all(&json!({ "http": fake.url("/") }));
        assert_eq!(client.get("/do").send().status(), 502);
        assert_eq!(fake.requests().len(), 1);
    }
}

#[test]
fn an_error_response_is_not_a_reason_to_send_a_request_again() {
    let fake = fake::respond(|_| "HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\n\r\n".to_owned());
    assert_eq!(serve_all(&json!({ "http": fake.url("/") })).get("/do").send().status(), 502);
    assert_eq!(fake.requests().len(), 1);
}

#[test]
fn a_connection_that_the_upstream_has_closed_between_two_calls_is_replaced() {
    let fake = fake::start(|connection| {
        if connection.request().is_some() {
            connection.send(json_response("{}"));
        }
    });
    let client = serve_all(&json!({ "http": fake.url("/"), "retries": 0 }));
    for count in 1..5 {
        assert_eq!(client.post("/do").send().status(), 200);
        fake.wait_for_closed(count);
    }
    assert_eq!((fake.opened(), fake.requests().len()), (4, 4));
}

/// Two idle connections are both closed by the next request. The retry must not use the second one.
#[test]
fn a_request_is_sent_again_on_a_new_connection() {
    static BOTH: Barrier = Barrier::new(2);
    let fake = fake::start(|connection| {
        let mut is_first = connection.index < 2;
        while connection.request().is_some() {
            if is_first {
                BOTH.wait();
            } else if connection.index < 2 {
                return;
            }
            is_first = false;
            connection.send(json_response("{}"));
        }
    });
    let client = serve_all(&json!({ "http": fake.url("/"), "retries": 1 }));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| assert_eq!(client.get("/do").send().status(), 200));
        }
    });
    assert_eq!(client.get("/do").send().status(), 200);
    assert_eq!(fake.opened(), 3);
}

/// The call begins after the upstream has closed the connection, but before the task of the connection has noticed it.
#[test]
fn any_request_that_was_not_sent_is_sent_on_another_connection() {
    static RELEASE: Barrier = Barrier::new(2);
    let fake = fake::start(|connection| {
        if connection.request().is_some() {
            connection.send(json_response("{}"));
            if connection.index == 0 {
                RELEASE.wait();
            }
        }
    });
    let services =
        json!({ "do": { "POST": { "info": "Does it", "handler": { "http": fake.url("/"), "retries": 0 } } } });
    let engine = rulebook(&services, &json!({})).build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        assert_eq!(engine.call("do.post").send().await.status(), 200);
        RELEASE.wait();
        fake.wait_for_closed(1);
        // The runtime receives the event, and continues this future before the task of the connection.
        tokio::task::yield_now().await;
        assert_eq!(engine.call("do.post").send().await.status(), 200);
    });
    assert_eq!((fake.opened(), fake.requests().len()), (2, 2));
}
