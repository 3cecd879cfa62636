//! Calls of an actual HTTP server.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, rt, web};
use rulebook_test::Client;
use serde_json::{Value as Json, json};

use super::rulebook;

/// Starts a server that echoes JSON, and whose path `/large` has a body of 20 MB.
fn start() -> SocketAddr {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        rt::System::new().block_on(async move {
            let server = HttpServer::new(|| {
                App::new()
                    .route("/echo/{id}", web::post().to(echo))
                    .route("/large", web::get().to(|| async { HttpResponse::Ok().body(vec![b'a'; 20 << 20]) }))
            });
            let server = server.workers(2).bind("127.0.0.1:0").unwrap();
            sender.send(server.addrs()[0]).unwrap();
            server.run().await.unwrap();
        });
    });
    receiver.recv().unwrap()
}

async fn echo(request: HttpRequest, id: web::Path<String>, body: web::Json<Json>) -> HttpResponse {
    let language = request.headers().get("accept-language").and_then(|value| value.to_str().ok());
    HttpResponse::Ok().json(json!({ "id": *id, "body": *body, "language": language }))
}

#[test]
fn many_concurrent_calls_and_downloads_get_their_responses() {
    let address = start();
    let output = |r#type: &str| json!({ "info": "An output", "type": r#type });
    let services = json!({
        "echo/{id}": { "POST": {
            "info": "Echoes",
            "in": { "{id}": { "info": "The id", "type": "string" }, "text": { "info": "Text", "type": "string" } },
            "out": { "id": output("string"), "body": output("object"), "language": output("?string") },
            "handler": { "http": "/echo/{id}", "forward": ["Accept-Language"] }
        } },
        "large": { "GET": {
            "info": "A file", "options": { "download": true }, "handler": { "http": "/large" }
        } }
    });
    let shared = json!({ "base": format!("http://{address}"), "connections": 8 });
    let client = Client::new(rulebook(&services, &shared)).unwrap();
    let client = &client;
    thread::scope(|scope| {
        for thread in 0..8 {
            scope.spawn(move || {
                for number in 0..25 {
                    let (id, text) = (format!("{thread} ä/{number}"), "x".repeat(number * 400));
                    let path = format!("/echo/{thread}%20%C3%A4%2F{number}");
                    let call = client.post(&path).header("Accept-Language", "fr").json(json!({ "text": text }));
                    let expected = json!({ "id": id, "body": { "text": text }, "language": "fr" });
                    assert_eq!(call.send().outputs(), expected);
                }
            });
        }
        for _ in 0..2 {
            scope.spawn(move || {
                for _ in 0..2 {
                    assert_eq!(client.get("/large").send().body().len(), 20 << 20);
                }
            });
        }
    });
}
