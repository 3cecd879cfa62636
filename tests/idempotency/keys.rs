//! Tests which values of `Idempotency-Key` are accepted.

use super::{Shop, is_replayed, order};

#[test]
fn a_method_can_require_a_key() {
    let shop = Shop::new();
    shop.send(&order("PUT", "/order", "tea")).assert_error(400, "Idempotency-Key is required");
    assert_eq!(shop.runs(), 0);
    let request = order("PUT", "/order", "tea").field("idempotency-key", "\"a\"");
    assert_eq!(shop.send(&request).status, 200);
    assert!(is_replayed(&shop.send(&request)));
    assert_eq!(shop.runs(), 1);
}

#[test]
fn requests_without_a_key_always_run() {
    let shop = Shop::new();
    for number in 1..=3 {
        let response = shop.send(&order("POST", "/order", "tea"));
        assert_eq!((response.status, shop.runs(), is_replayed(&response)), (201, number, false));
    }
}

#[test]
fn methods_without_the_option_ignore_the_key() {
    let shop = Shop::new();
    for number in 1..=2 {
        let request = order("POST", "/plain", "tea").field("idempotency-key", "\"a\"");
        assert_eq!((shop.send(&request).status, shop.runs()), (200, number));
    }
}

#[test]
fn malformed_keys_are_refused() {
    let shop = Shop::new();
    for key in ["", "\"\"", "\"a", "a\"", "\"a\\x\"", "a b", "a, b", "\"a\"; b=1", "\u{e9}"] {
        shop.order(key, "tea").assert_error(400, "Idempotency-Key cannot be read");
    }
    let twice = order("POST", "/order", "tea").field("idempotency-key", "a").field("idempotency-key", "a");
    shop.send(&twice).assert_error(400, "Idempotency-Key cannot be read");
    shop.order(&"k".repeat(256), "tea").assert_error(431, "over the limit `idempotency_key` of 255 bytes");
    assert_eq!(shop.runs(), 0);
    assert_eq!(shop.order(&"k".repeat(255), "tea").status, 201);
}

#[test]
fn a_key_is_the_same_with_and_without_quotes() {
    let shop = Shop::new();
    assert!(!is_replayed(&shop.order("8e03978e-40d5", "tea")));
    assert!(is_replayed(&shop.order("\"8e03978e-40d5\"", "tea")));
    assert!(!is_replayed(&shop.order("\"8E03978E-40D5\"", "tea")), "keys are case-sensitive");
    assert!(!is_replayed(&shop.order("a:b/c.d=", "tea")));
    assert!(is_replayed(&shop.order("\"a:b/c.d=\"", "tea")));
    for key in [r#""a \"b\" \\ c""#, "\" \""] {
        assert_eq!(shop.order(key, "tea").status, 201, "{key}");
    }
}
