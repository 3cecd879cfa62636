//! Connections that are kept for several calls, and requests that are sent again.

use std::time::Duration;

use rulebook::Engine;
use serde_json::{Value as Json, json};

use super::definitions::{engine, rulebook, run, settings, song, until};
use super::fake_server::{FakeServer, PhpRequest, Step, response, text};

async fn call(engine: &Engine, method: &str) -> (u16, Option<Json>) {
    let response = engine.call(method).send().await;
    (response.status(), response.get("text").cloned())
}

fn la() -> (u16, Option<Json>) {
    (200, Some(json!("la")))
}

#[test]
fn a_connection_is_used_for_several_calls_up_to_its_limit() {
    run(async {
        let server = FakeServer::start(|_, _| text("la")).await;
        let engine = engine(&server.address, &json!({ "calls_per_connection": 3, "idle": 60 }));
        for _ in 0..7 {
            assert_eq!(call(&engine, "song.post").await, la());
        }
        let connections: Vec<_> = server.requests().iter().map(|request| request.connection).collect();
        assert_eq!(connections, [0, 0, 0, 1, 1, 1, 2]);
    });
}

#[test]
fn idle_connections_are_closed() {
    run(async {
        let server = FakeServer::start(|_, _| text("la")).await;
        let kept = engine(&server.address, &json!({ "idle": 0.1 }));
        assert_eq!(call(&kept, "song.post").await, la());
        until(|| server.connections()[0].is_closed).await;
        assert_eq!(call(&kept, "song.post").await, la());
        let not_kept = engine(&server.address, &json!({ "idle": 0 }));
        assert_eq!(call(&not_kept, "song.post").await, la());
        assert_eq!(call(&not_kept, "song.post").await, la());
        assert_eq!(server.connections().len(), 4);
    });
}

#[test]
fn runtimes_share_connections() {
    run(async {
        let server = FakeServer::start(|_, _| text("la")).await;
        let engine = std::sync::Arc::new(engine(&server.address, &json!({ "connections": 1, "idle": 60 })));
        assert_eq!(call(&engine, "song.post").await, la());
        let other = std::sync::Arc::clone(&engine);
        let called = tokio::task::spawn_blocking(move || run(async move { call(&other, "song.post").await }));
        assert_eq!(called.await.unwrap(), la());
        assert_eq!(server.connections().len(), 1);
        // The runtime that used the connection last has ended.
        assert_eq!(call(&engine, "song.post").await, la());
        assert!(server.connections().len() <= 2);
    });
}

#[test]
fn connections_of_other_runtimes_are_not_used_after_an_unexpected_response_or_an_end() {
    for close in [true, false] {
        run(async {
            let server = FakeServer::start(move |number, _| match number {
                0 if close => vec![Step::Send(response("A: b", r#"{"text":"la"}"#)), Step::Close],
                0 => vec![
                    Step::Send(response("A: b", r#"{"text":"la"}"#)),
                    Step::Wait(Duration::from_millis(20)),
                    Step::Send(response("A: b", r#"{"text":"stolen"}"#)),
                    Step::AwaitClose,
                ],
                _ => text("la"),
            })
            .await;
            let engine = std::sync::Arc::new(engine(&server.address, &json!({ "idle": 60 })));
            assert_eq!(call(&engine, "song.post").await, la());
            tokio::time::sleep(Duration::from_millis(200)).await;
            let other = std::sync::Arc::clone(&engine);
            let called = tokio::task::spawn_blocking(move || run(async move { call(&other, "song.post").await }));
            assert_eq!(called.await.unwrap(), la());
            assert_eq!(server.requests()[1].connection, 1);
        });
    }
}

#[test]
fn a_connection_with_bytes_after_a_response_is_not_used_again() {
    run(async {
        let server = FakeServer::start(|number, _| {
            let response = |text: &str| response("A: b", &json!({ "text": text }).to_string());
            match number {
                // The bytes are the beginning of a response that no call has requested.
                0 => vec![Step::Send([response("la"), response("stolen")].concat()), Step::AwaitClose],
                _ => vec![Step::Send(response("la"))],
            }
        })
        .await;
        let engine = engine(&server.address, &json!({ "idle": 60 }));
        assert_eq!(call(&engine, "song.post").await, la());
        assert_eq!(call(&engine, "song.post").await, la());
        assert_eq!(server.requests()[1].connection, 1);
    });
}

#[test]
fn a_response_that_arrives_on_an_idle_connection_belongs_to_no_call() {
    run(async {
        let server = FakeServer::start(|number, _| match number {
            0 => vec![
                Step::Send(response("A: b", r#"{"text":"la"}"#)),
                Step::Send(response("A: b", r#"{"text":"stolen"}"#)),
                Step::AwaitClose,
            ],
            _ => text("la"),
        })
        .await;
        let engine = engine(&server.address, &json!({ "idle": 60 }));
        assert_eq!(call(&engine, "song.post").await, la());
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        assert_eq!(call(&engine, "song.post").await, la());
        assert_eq!(server.requests()[1].connection, 1);
    });
}

/// Serves a first call, and closes the connection when it has read the second request.
async fn server_that_closes_on_reuse() -> FakeServer {
    FakeServer::start(|number, _| if number == 1 { vec![Step::Close] } else { text("la") }).await
}

#[test]
fn a_request_of_an_idempotent_method_is_sent_again_if_a_kept_connection_is_closed() {
    for http in ["GET", "PUT", "DELETE"] {
        run(async {
            let server = server_that_closes_on_reuse().await;
            let app = settings(&server.address, &json!({ "idle": 60 }));
            let api = song(http, &json!({ "in": {} }));
            let engine = rulebook(&app, &api).build().unwrap();
            let method = format!("song.{}", http.to_lowercase());
            assert_eq!(call(&engine, &method).await, la());
            assert_eq!(call(&engine, &method).await, la(), "{http}");
            assert_eq!(server.requests().len(), 3);
        });
    }
}

#[test]
fn a_request_that_php_may_have_handled_is_not_sent_again() {
    for http in ["POST", "PATCH"] {
        run(async {
            let server = server_that_closes_on_reuse().await;
            let app = settings(&server.address, &json!({ "idle": 60 }));
            let engine = rulebook(&app, &song(http, &json!({}))).build().unwrap();
            let method = format!("song.{}", http.to_lowercase());
            assert_eq!(call(&engine, &method).await, la());
            assert_eq!(call(&engine, &method).await.0, 502, "{http}");
            assert_eq!(server.requests().len(), 2);
            assert_eq!(call(&engine, &method).await, la());
        });
    }
}

/// The programs for which these styles and dialects were made also write in methods for GET.
#[test]
fn no_request_is_sent_again_to_a_project_of_another_framework() {
    let method = json!({ "info": "A song", "description": "A song", "handler": { "fastcgi": "ADDRESS" } });
    let tree = |settings: Json| {
        let mut get = method.clone();
        get.as_object_mut().unwrap().shift_remove("description");
        get["handler"].as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        json!({ "/": { "song/get": { "GET": get } } })
    };
    let mut described = method.clone();
    described.as_object_mut().unwrap().shift_remove("info");
    for api in [
        tree(json!({ "style": "phalapi" })),
        tree(json!({ "style": "phalapi", "arguments": "form" })),
        tree(json!({ "style": "api3", "root": "/srv/app" })),
        json!({ "dialect": "methods", "song": { "GET::get": described } }),
        json!({ "dialect": "rules", "Song": { "get": { "@desc": "A song", "@handler": { "fastcgi": "ADDRESS" } } } }),
    ] {
        run(async {
            let server = server_that_closes_on_reuse().await;
            let app = json!({ "handlers": settings(&server.address, &json!({ "idle": 60 }))["handlers"] });
            let api = api.to_string().replace("ADDRESS", &server.address);
            let engine = rulebook(&app, &serde_json::from_str(&api).unwrap()).build();
            let engine = engine.unwrap_or_else(|report| panic!("{report}"));
            let method = engine.api().methods().next().unwrap().2.id.clone();
            // The server responds to the first call as a plain script does.
            engine.call(&*method).send().await;
            assert_eq!(call(&engine, &method).await.0, 502, "{api}");
            assert_eq!(server.requests().len(), 2, "{api}");
        });
    }
}

#[test]
fn a_request_is_not_sent_again_after_a_part_of_its_response() {
    run(async {
        let server = FakeServer::start(|number, _| match number {
            1 => vec![Step::Send(response("A: b", "{}")[..8].to_vec()), Step::Close],
            _ => text("la"),
        })
        .await;
        let app = settings(&server.address, &json!({ "idle": 60 }));
        let engine = rulebook(&app, &song("GET", &json!({ "in": {} }))).build().unwrap();
        assert_eq!(call(&engine, "song.get").await, la());
        assert_eq!(call(&engine, "song.get").await.0, 502);
        assert_eq!(server.requests().len(), 2);
    });
}

#[test]
fn a_connection_that_the_server_has_closed_in_the_meantime_is_not_used() {
    run(async {
        let server = FakeServer::start(|number, _| match number {
            0 => vec![Step::Send(response("A: b", r#"{"text":"la"}"#)), Step::Close],
            _ => text("la"),
        })
        .await;
        let engine = engine(&server.address, &json!({ "idle": 60 }));
        assert_eq!(call(&engine, "song.post").await, la());
        until(|| server.connections()[0].is_closed).await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        assert_eq!(call(&engine, "song.post").await, la());
        assert_eq!(server.requests().len(), 2);
    });
}

/// Responds with the name of the song, and fails at many requests: each one in another way.
fn fail_often(number: usize, request: &PhpRequest) -> Vec<Step> {
    let form = String::from_utf8(request.body.clone()).unwrap();
    let body = json!({ "text": form.strip_prefix("name=").unwrap() }).to_string();
    let response = response("A: b", &body);
    let (begin, rest) = response.split_at(number % response.len());
    let (begin, rest) = (begin.to_vec(), rest.to_vec());
    let late = Step::Wait(Duration::from_millis(600));
    match number % 11 {
        0 => vec![Step::Send(begin), late, Step::Send(rest)],
        1 => vec![Step::Send(begin), Step::Close],
        2 => vec![late, Step::Send(response)],
        3 => vec![Step::Send([&begin[..], b"\x01garbage"].concat()), Step::Send(rest)],
        4 => vec![Step::Send([&response[..], &begin].concat())],
        5 => vec![Step::Send(response.clone()), Step::Send(response)],
        6 => vec![Step::Send(response), Step::Close],
        7 => vec![Step::Send(begin), Step::Wait(Duration::from_millis(5)), Step::Send(rest)],
        _ => vec![Step::Send(response)],
    }
}

#[test]
fn no_call_gets_the_response_of_another_call_whatever_the_server_does() {
    run(async {
        let server = FakeServer::start(fail_often).await;
        let engine = engine(&server.address, &json!({ "timeout": 0.2, "connections": 8, "idle": 60, "wait": 60 }));
        let calls = (0..600).map(async |number| {
            let name = format!("song-{number}");
            let response = engine.call("song.post").arg("name", name.as_str()).send().await;
            match response.get("text") {
                Some(text) => assert_eq!(text, &json!(name)),
                None => assert!([502, 504].contains(&response.status()), "{:?}", response.error()),
            }
            response.status() == 200
        });
        let succeeded = futures_util::future::join_all(calls).await.into_iter().filter(|succeeded| *succeeded).count();
        assert!((100..600).contains(&succeeded), "{succeeded} calls have succeeded");
        let reused = server.requests().len() > server.connections().len();
        assert!(reused, "no connection was used again");
    });
}
