//! Tests which responses are repeated, and for which requests.

use serde_json::json;

use super::{Shop, is_replayed, order};
use crate::client::{Connection, Request, Response, wait_until};

/// Returns the parts of a response that a repetition has, too.
fn content(response: &Response) -> (u16, Option<&str>, Option<&str>, &[u8]) {
    (response.status, response.field("content-type"), response.field("x-order"), &response.body)
}

#[test]
fn the_first_response_is_repeated_byte_for_byte() {
    let shop = Shop::new();
    let first = shop.order("a", "tea");
    assert_eq!((first.status, first.field("x-order")), (201, Some("1")), "{first:?}");
    assert!(!is_replayed(&first));
    for _ in 0..3 {
        let again = shop.order("a", "tea");
        assert!(is_replayed(&again), "{again:?}");
        assert_eq!(content(&again), content(&first));
    }
    assert_eq!(shop.order("b", "tea").field("x-order"), Some("2"), "another key");
    assert_eq!(shop.runs(), 2);
}

#[test]
fn repetitions_are_compressed_for_their_clients() {
    let shop = Shop::new();
    let item = "tea".repeat(2_000);
    let first = shop.order("a", &item);
    let compressed = order("POST", "/order", &item).field("idempotency-key", "a").field("accept-encoding", "gzip");
    assert_eq!(shop.send(&compressed).field("content-encoding"), Some("gzip"));
    assert_eq!(shop.order("a", &item).body, first.body);
}

#[test]
fn declared_errors_are_repeated() {
    let shop = Shop::new();
    let first = shop.order("a", "sold out");
    first.assert_error(410, "There are no more");
    let again = shop.order("a", "sold out");
    assert!(is_replayed(&again));
    assert_eq!(content(&again), content(&first));
    assert_eq!(shop.runs(), 1);
}

#[test]
fn failures_of_the_handler_free_the_key() {
    for (item, status) in [("broken", 500), ("away", 503), ("panic", 500)] {
        let shop = Shop::new();
        for runs in 1..=2 {
            let response = shop.order("a", item);
            assert_eq!((response.status, is_replayed(&response)), (status, false), "{item}");
            assert_eq!(shop.runs(), runs, "{item}");
        }
        assert_eq!(shop.order("a", "tea").status, 201, "the key can be used for other arguments");
    }
}

#[test]
fn errors_before_the_handler_do_not_use_the_key() {
    let shop = Shop::new();
    shop.order("a", "").assert_error(400, "item");
    let broken = Request::new("POST", "/order").body("application/json", "{").field("idempotency-key", "a");
    assert_eq!(shop.send(&broken).status, 400);
    assert_eq!((shop.order("a", "tea").status, shop.runs()), (201, 1));
}

#[test]
fn other_arguments_with_the_same_key_are_refused() {
    let shop = Shop::new();
    let first = shop.order("a", "tea");
    shop.order("a", "coffee").assert_error(422, "used for a request with other arguments");
    let with_option = json!({ "item": "tea", "options": { "milk": 1 } }).to_string();
    let with_option = Request::new("POST", "/order").body("application/json", with_option);
    shop.send(&with_option.field("idempotency-key", "a")).assert_error(422, "other arguments");
    assert_eq!((shop.order("a", "tea").body, shop.runs()), (first.body, 1));
}

#[test]
fn the_same_arguments_may_be_written_differently() {
    let shop = Shop::new();
    let send = |media_type: &str, body: &str| {
        let request = Request::new("POST", "/order").body(media_type, body).field("idempotency-key", "a");
        shop.send(&request)
    };
    let first = send("application/json", r#"{"item": "tea", "options": {"milk": 1, "sugar": 2}}"#);
    assert_eq!(first.status, 201, "{first:?}");
    for (media_type, body) in [
        ("application/json", r#"{"options":{"sugar":2,"milk":1},"item":"t\u0065a"}"#),
        ("application/x-www-form-urlencoded", "item=tea&options={\"milk\":1,\"sugar\":2}"),
    ] {
        let again = send(media_type, body);
        assert!(is_replayed(&again), "{body}: {again:?}");
    }
    assert_eq!(shop.runs(), 1);
}

#[test]
fn the_contents_of_files_are_arguments() {
    let shop = Shop::new();
    let send = |content: &[u8]| {
        let file = "name=\"picture\"; filename=\"a.png\"";
        let request = Request::new("POST", "/order").multipart(&[("name=\"item\"", b"tea"), (file, content)]);
        shop.send(&request.field("idempotency-key", "a"))
    };
    assert_eq!(send(b"first").status, 201);
    assert!(is_replayed(&send(b"first")));
    send(b"other").assert_error(422, "other arguments");
    shop.server.assert_no_temporary_files();
    assert_eq!(shop.runs(), 1);
}

#[test]
fn each_caller_and_each_method_has_its_keys() {
    let shop = Shop::new();
    let by = |name: &str| {
        shop.send(&order("POST", "/order", "tea").field("idempotency-key", "a").field("authorization", name))
    };
    for name in ["ada", "grace"] {
        assert!(!is_replayed(&by(name)), "{name}");
        assert!(is_replayed(&by(name)), "{name}");
    }
    assert!(!is_replayed(&shop.order("a", "tea")), "anonymous");
    let other_method = order("PUT", "/order", "tea").field("idempotency-key", "a");
    assert!(!is_replayed(&shop.send(&other_method)));
    assert_eq!(shop.runs(), 4);
}

#[test]
fn all_credentials_together_identify_the_caller() {
    let shop = Shop::new();
    let send = |gateway: Option<&str>, name: Option<&str>| {
        let request = order("POST", "/order", "tea").field("idempotency-key", "a");
        let fields = [("x-gateway", gateway), ("authorization", name)];
        let fields = fields.into_iter().filter_map(|(field, value)| Some((field, value?)));
        is_replayed(&shop.send(&fields.fold(request, |request, (field, value)| request.field(field, value))))
    };
    for gateway in [None, Some("ada"), Some("eu")] {
        for name in [None, Some("ada"), Some("grace")] {
            assert!(!send(gateway, name), "{gateway:?} {name:?}");
            assert!(send(gateway, name), "{gateway:?} {name:?}");
        }
    }
    assert_eq!(shop.runs(), 9);
}

#[test]
#[cfg(target_os = "linux")]
fn anonymous_callers_with_different_addresses_have_different_keys() {
    let shop = Shop::new();
    let request = order("POST", "/order", "tea").field("idempotency-key", "a");
    for address in ["127.0.0.2", "127.0.0.3"] {
        let send = || Connection::open_from(address, shop.server.address()).send(&request);
        assert!(!is_replayed(&send()), "{address}");
        assert!(is_replayed(&send()), "{address}");
    }
}

#[test]
fn a_response_is_kept_for_a_limited_time() {
    let shop = Shop::with_limits(&json!({ "idempotency_seconds": 1 }));
    let first = shop.order("a", "tea");
    assert!(wait_until(|| {
        let response = shop.order("a", "tea");
        assert_eq!(response.status, 201);
        !is_replayed(&response)
    }));
    assert_ne!(shop.order("a", "tea").body, first.body);
}

#[test]
fn a_response_that_is_too_long_is_not_kept_but_the_handler_does_not_run_again() {
    let shop = Shop::with_limits(&json!({ "idempotency_response": 1_000 }));
    assert_eq!(shop.order("a", &"x".repeat(1_000)).status, 201);
    shop.order("a", &"x".repeat(1_000)).assert_error(409, "too long or incomplete");
    shop.order("a", "tea").assert_error(422, "other arguments");
    assert_eq!(shop.runs(), 1);
}
