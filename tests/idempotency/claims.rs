//! Tests requests with the same key at the same time, and the limits of the storage.

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::{Shop, is_replayed, order};
use crate::client::wait_until;

#[test]
fn the_handler_runs_once_for_concurrent_requests() {
    const CLIENTS: usize = 24;
    for round in 0..10 {
        let shop = Shop::new();
        let key = format!("round {round}");
        let statuses: Vec<(u16, bool)> = thread::scope(|scope| {
            let send = || {
                let response = shop.order(&format!("{key:?}"), "tea");
                (response.status, is_replayed(&response))
            };
            let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(send)).collect();
            clients.into_iter().map(|client| client.join().unwrap()).collect()
        });
        assert_eq!(shop.runs(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == (201, false)).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|(status, _)| [201, 409].contains(status)), "{statuses:?}");
    }
}

#[test]
fn a_request_is_refused_while_the_first_one_is_handled() {
    let shop = Shop::new();
    let send = |item: &str| shop.send(&order("POST", "/slow", item).field("idempotency-key", "a"));
    thread::scope(|scope| {
        let first = scope.spawn(|| send("tea"));
        assert!(wait_until(|| shop.runs() == 1));
        let second = send("tea");
        second.assert_error(409, "still being handled");
        assert_eq!(second.field("retry-after"), Some("1"));
        send("coffee").assert_error(422, "other arguments");
        shop.proceed.notify_one();
        assert_eq!(first.join().unwrap().status, 200);
    });
    assert!(is_replayed(&send("tea")));
    assert_eq!(shop.runs(), 1);
}

#[test]
fn a_claim_lasts_as_long_as_the_handler_runs() {
    let shop = Shop::with_limits(&json!({ "idempotency_lease": 1 }));
    let send = || shop.send(&order("POST", "/slow", "tea").field("idempotency-key", "a"));
    thread::scope(|scope| {
        let first = scope.spawn(send);
        assert!(wait_until(|| shop.runs() == 1));
        // The time itself is tested: three leases.
        for _ in 0..12 {
            thread::sleep(Duration::from_millis(250));
            send().assert_error(409, "still being handled");
        }
        shop.proceed.notify_one();
        assert_eq!(first.join().unwrap().status, 200);
    });
    assert!(is_replayed(&send()));
    assert_eq!(shop.runs(), 1);
}

#[test]
fn the_response_is_kept_if_the_client_disconnects() {
    let shop = Shop::new();
    let request = order("POST", "/slow", "tea").field("idempotency-key", "a");
    let mut socket = TcpStream::connect(shop.server.address()).unwrap();
    socket.write_all(&request.bytes()).unwrap();
    assert!(wait_until(|| shop.runs() == 1));
    drop(socket);
    shop.send(&request).assert_error(409, "still being handled");
    shop.proceed.notify_one();
    assert!(wait_until(|| shop.send(&request).status == 200));
    assert!(is_replayed(&shop.send(&request)));
    assert_eq!(shop.runs(), 1);
}

#[test]
fn the_number_of_kept_responses_is_limited() {
    let shop = Shop::with_limits(&json!({ "idempotency_records": 2, "idempotency_seconds": 3 }));
    assert_eq!((shop.order("a", "tea").status, shop.order("b", "tea").status), (201, 201));
    shop.order("c", "tea").assert_error(507, "over the limit `idempotency_records` of 2 items");
    assert!(is_replayed(&shop.order("a", "tea")));
    assert_eq!(shop.send(&order("POST", "/order", "tea")).status, 201, "a request without a key");
    assert!(wait_until(|| shop.order("c", "tea").status == 201), "expired responses are removed");
}
