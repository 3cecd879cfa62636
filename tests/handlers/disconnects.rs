//! Tests what happens when a client disconnects while the handler of its request runs.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rulebook::{ApiError, Args, CallEnd, Context, Module};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use tokio::sync::Notify;

use super::{build, files_with_parameters, over_http::serve};
use crate::client::wait_until;

/// The maximum time to wait for an event.
const TIMEOUT: Duration = Duration::from_secs(300);

#[derive(Deserialize)]
struct OutcomeArgs {
    outcome: String,
}

/// Returns a module whose handler sends the event `begun`, waits for `proceed`, and then has the outcome that its
/// argument selects. The after hook sends the end of the call as an event.
fn module_with_waiting_handler(proceed: &Arc<Notify>, sender: &Sender<String>) -> Module {
    let (own, begun, after) = (Arc::clone(proceed), Arc::new(Mutex::new(sender.clone())), Mutex::new(sender.clone()));
    let handler = move |Args(OutcomeArgs { outcome }): Args<OutcomeArgs>, _| {
        let (own, begun) = (Arc::clone(&own), Arc::clone(&begun));
        async move {
            begun.lock().unwrap().send("begun".to_owned()).unwrap();
            own.notified().await;
            match outcome.as_str() {
                "refuse" => Err(ApiError::declared("no")),
                "panic" => panic!("as asked"),
                _ => Ok(json!({})),
            }
        }
    };
    Module::new("shop").post("/it", handler).after(move |_: Context, ended: CallEnd| {
        let sent = after.lock().unwrap().send(format!("{ended:?}"));
        async move { sent.unwrap() }
    })
}

fn next_event(events: &Receiver<String>) -> String {
    events.recv_timeout(TIMEOUT).unwrap()
}

#[test]
fn the_after_hook_runs_once_however_the_call_ends() {
    let parameters = json!({ "outcome": { "info": "How it ends", "type": "string" } });
    for (outcome, ended) in [("succeed", "Succeeded"), ("refuse", "Failed(Failed)"), ("panic", "Panicked")] {
        let proceed = Arc::new(Notify::new());
        let (sender, events) = channel();
        let engine = build(files_with_parameters(&parameters), [module_with_waiting_handler(&proceed, &sender)]);
        let (running, at) = serve(&engine);
        let address = at.strip_prefix("http://").unwrap();
        let mut socket = TcpStream::connect(address).unwrap();
        let body = json!({ "outcome": outcome }).to_string();
        write!(
            socket,
            "POST /it HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        assert_eq!(next_event(&events), "begun");
        drop(socket);
        // The server has noticed the closed socket when it has responded to another request.
        assert_eq!(status_of_another_request(address), 404);
        proceed.notify_one();
        assert_eq!(next_event(&events), ended, "{outcome}");
        running.stop().unwrap();
        assert!(events.try_recv().is_err(), "it ran twice");
    }
}

/// Sends another request and returns the status of its response.
fn status_of_another_request(address: &str) -> u16 {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.write_all(b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    socket.read_to_string(&mut text).unwrap();
    text[9..12].parse().unwrap()
}

#[test]
fn a_stopping_server_waits_for_handlers() {
    let parameters = json!({ "outcome": { "info": "How it ends", "type": "string" } });
    let proceed = Arc::new(Notify::new());
    let (sender, events) = channel();
    let engine = build(files_with_parameters(&parameters), [module_with_waiting_handler(&proceed, &sender)]);
    let (running, at) = serve(&engine);
    let client = std::thread::spawn(move || {
        let mut response = ureq::post(format!("{at}/it")).send_json(json!({ "outcome": "succeed" })).unwrap();
        response.body_mut().read_json::<Json>().unwrap()
    });
    assert_eq!(next_event(&events), "begun");
    running.stopper().stop();
    let address = running.addresses()[0];
    assert!(wait_until(|| TcpStream::connect(address).is_err()), "the server still listens");
    proceed.notify_one();
    assert_eq!(client.join().unwrap()["error"], 0);
    assert_eq!(next_event(&events), "Succeeded");
    running.wait().unwrap();
}
