//! The connections to an upstream.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use rulebook::Settings;
use rulebook_test::Client;
use serde_json::{Value as Json, json};

use super::fake::{self, Fake, request_line};
use super::{json_response, note_method, rulebook, serve};

/// Responds with the query of each request.
fn echo() -> Fake {
    fake::respond(|request| {
        let query = request_line(request).split(['?', ' ']).nth(2).unwrap_or_default();
        json_response(&json!({ "text": query }).to_string())
    })
}

fn services(fake: &Fake) -> Json {
    let mut method = note_method(&json!({ "http": fake.url("/"), "connect_timeout": 0.3 }));
    method["in"] = json!({ "GET@q": { "info": "Text", "type": "string", "name": "q" } });
    json!({ "note": { "GET": method } })
}

#[test]
fn calls_one_after_the_other_use_one_connection() {
    let fake = echo();
    let client = serve(&services(&fake));
    for number in 0..20 {
        assert_eq!(client.get(&format!("/note?q={number}")).send().output("text"), format!("q={number}"));
    }
    assert_eq!(fake.opened(), 1);
}

#[test]
fn concurrent_calls_get_their_own_responses() {
    let fake = echo();
    let client = serve(&services(&fake));
    let client = &client;
    thread::scope(|scope| {
        for thread in 0..16 {
            scope.spawn(move || {
                for number in 0..30 {
                    let response = client.get(&format!("/note?q={thread}-{number}")).send();
                    assert_eq!(response.output("text"), format!("q={thread}-{number}"));
                }
            });
        }
    });
    assert!(fake.opened() <= 16, "{}", fake.opened());
}

#[test]
fn calls_wait_for_a_free_connection_and_are_unavailable_if_there_is_none() {
    static RELEASE: Barrier = Barrier::new(2);
    let fake = fake::respond(|request| {
        if request.contains("q=slow") {
            RELEASE.wait();
        }
        json_response(r#"{"text":"a"}"#)
    });
    let client = Client::new(rulebook(&services(&fake), &json!({ "connections": 1 }))).unwrap();
    let client = &client;
    thread::scope(|scope| {
        let slow = scope.spawn(|| client.get("/note?q=slow").send().status());
        fake::wait_until(|| !fake.requests().is_empty(), "the slow request arrives");
        let busy = client.get("/note?q=a").send();
        assert_eq!((busy.status(), busy.code()), (503, Some("unavailable")));
        RELEASE.wait();
        assert_eq!(slow.join().unwrap(), 200);
    });
    assert_eq!(client.get("/note?q=b").send().status(), 200);
    assert_eq!((fake.opened(), fake.requests().len()), (1, 2));
}

#[test]
fn idle_connections_are_closed() {
    let fake = echo();
    let client = Client::new(rulebook(&services(&fake), &json!({ "idle_timeout": 0.05 }))).unwrap();
    for count in 1..4 {
        assert_eq!(client.get("/note?q=a").send().status(), 200);
        fake.wait_for_closed(count);
    }
    assert_eq!(fake.opened(), 3);
}

#[test]
fn a_client_that_disconnects_does_not_release_the_connection_to_another_call_too_early() {
    static RELEASE: Barrier = Barrier::new(2);
    let fake = fake::respond(|request| {
        if request.contains("q=slow") {
            RELEASE.wait();
        }
        let query = request_line(request).split(['?', ' ']).nth(2).unwrap_or_default();
        json_response(&json!({ "text": query }).to_string())
    });
    let client = serve(&services(&fake));
    let stream = std::net::TcpStream::connect(client.address()).unwrap();
    std::io::Write::write_all(&mut &stream, b"GET /note?q=slow HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    fake::wait_until(|| !fake.requests().is_empty(), "the slow request arrives");
    drop(stream);
    assert_eq!(client.get("/note?q=next").send().output("text"), "q=next");
    RELEASE.wait();
    assert_eq!(client.get("/note?q=last").send().output("text"), "q=last");
}

#[test]
fn calls_from_code_on_different_runtimes_do_not_share_connections() {
    let fake = echo();
    let engine = rulebook(&services(&fake), &json!({})).build().unwrap();
    for number in 0..3 {
        // The connections of a runtime end with it.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for _ in 0..2 {
            let response = runtime.block_on(engine.call("note.get").arg("q", number.to_string()).send());
            assert_eq!(response.get("text"), Some(&json!(format!("q={number}"))), "{response:?}");
        }
    }
    assert_eq!(fake.opened(), 3);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let calls = (0..50).map(|number| {
            let call = engine.call("note.get").arg("q", number.to_string()).send();
            tokio::spawn(async move { (number, call.await) })
        });
        for call in calls.collect::<Vec<_>>() {
            let (number, response) = call.await.unwrap();
            assert_eq!(response.get("text"), Some(&json!(format!("q={number}"))), "{response:?}");
        }
    });
}

#[test]
fn each_worker_has_its_connections() {
    let fake = echo();
    let engine = rulebook(&services(&fake), &json!({ "connections": 1 })).build().unwrap();
    let running = engine.serve(&Settings::new().with_bind(["127.0.0.1:0"]).with_workers(3)).unwrap();
    let address = running.addresses()[0];
    thread::scope(|scope| {
        for thread in 0..6 {
            scope.spawn(move || {
                let config = ureq::Agent::config_builder().proxy(None).timeout_global(Some(Duration::from_secs(60)));
                let agent = config.http_status_as_error(false).build().new_agent();
                for number in 0..20 {
                    let url = format!("http://{address}/note?q={thread}-{number}");
                    let text = agent.get(&url).call().unwrap().body_mut().read_to_string().unwrap();
                    assert!(text.contains(&format!("q={thread}-{number}")), "{text}");
                }
            });
        }
    });
    assert!((1..=3).contains(&fake.opened()), "{}", fake.opened());
}
