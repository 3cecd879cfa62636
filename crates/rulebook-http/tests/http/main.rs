//! Tests of the kind of handler `http`, with a served API and upstreams whose bytes the tests choose.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

mod arguments;
mod diagnostics;
mod downloads;
mod errors;
mod fake;
mod fields;
mod health;
mod invalid_responses;
mod outputs;
mod page;
mod pool;
mod public_location;
mod raw;
mod real_server;
mod retries;
mod timeouts;
mod tls;
mod unix_sockets;

use rulebook::Rulebook;
use rulebook_http::HttpKind;
use rulebook_test::Client;
use serde_json::{Value as Json, json};

/// Returns a program whose definition has these services, at paths without captures or with them, and this setting
/// `handlers.http`.
fn rulebook(services: &Json, shared: &Json) -> Rulebook {
    let app = json!({ "handlers": { "http": shared } }).to_string();
    let module = json!({ "/": services }).to_string();
    Rulebook::read(vec![("app.json".into(), app.into()), ("test.json".into(), module.into())])
        .handler_kind(HttpKind::new())
}

/// Serves an API with these services.
fn serve(services: &Json) -> Client {
    Client::new(rulebook(services, &json!({}))).unwrap()
}

/// Serves an API with the method `GET /note`, which has the output `text` and this handler.
fn serve_note(handler: &Json) -> Client {
    serve(&json!({ "note": { "GET": note_method(handler) } }))
}

/// Returns a method with the output `text` and the errors `no_note` and `locked`.
fn note_method(handler: &Json) -> Json {
    json!({
        "info": "A note",
        "out": { "text": { "info": "The text", "type": "string" } },
        "errors": {
            "no_note": { "status": 404, "info": "there is no note" },
            "locked": { "status": 423, "info": "the note is locked" }
        },
        "handler": handler
    })
}

/// Returns a valid response with a JSON body.
fn json_response(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}
