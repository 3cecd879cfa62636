//! Tests that query strings and form bodies are decoded by the rules of the URL standard.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::client::{Connection, Request, TestServer};

fn server_with_two_parameters() -> TestServer {
    let module = json!({ "/": { "x": { "POST": { "info": "Takes x", "in": {
        "ANY@a": { "info": "Texts", "type": "?array<string>", "name": "a" },
        "ANY@é +": { "info": "Texts", "type": "?array<string>", "name": "e" }
    } } } } });
    TestServer::echo(&[("site.json", module)])
}

/// Returns the arguments that the server must echo for these bytes, as the crate `form_urlencoded` decodes them.
/// Returns `None` if the bytes are not comparable: if they are not UTF-8, if a single value would be read as JSON, or
/// if a name has other brackets than `[]`, which the tests in `array_fields` check.
fn expected_args(bytes: &[u8]) -> Option<Value> {
    let values = |wanted: &str| {
        let pairs = form_urlencoded::parse(bytes);
        let has_keys = |name: &str| name.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('[') && rest != "[]");
        if pairs.clone().any(|(name, _)| has_keys(&name)) {
            return None;
        }
        let values: Vec<Cow<'_, str>> = pairs
            // `x[]` is another name of the parameter `x`.
            .filter(|(name, _)| *name == *wanted || name.strip_suffix("[]") == Some(wanted))
            .map(|(_, value)| value)
            .collect();
        match &values[..] {
            _ if values.iter().any(|value| value.contains('\u{fffd}')) => None,
            [one] if one.trim_start().starts_with('[') => None,
            [] => Some(Value::Null),
            values => Some(json!(values)),
        }
    };
    Some(json!({ "a": values("a")?, "e": values("é +")? }))
}

/// Generates query strings of random bytes, many of which are special characters.
fn arbitrary_query() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => Just(b"a=".to_vec()),
        2 => Just(b"&".to_vec()),
        1 => Just(b"a".to_vec()),
        1 => Just("%C3%A9+%2B=".as_bytes().to_vec()),
        1 => Just("%c3%a9%20%2b=".as_bytes().to_vec()),
        1 => Just(b"a%5b%5D=".to_vec()),
        2 => prop::sample::select(b"%=&+;#?0123456789abcdefABCDEF[]{}\" ".to_vec()).prop_map(|byte| vec![byte]),
        2 => any::<u8>().prop_map(|byte| format!("%{byte:02x}").into_bytes()),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
        1 => any::<String>().prop_map(String::into_bytes),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// The number of generated cases.
const GENERATED_CASES: u32 = 3_000;
/// The minimum number of generated cases whose decoded arguments could be compared.
const MIN_COMPARED_CASES: u32 = 500;

#[test]
fn forms_are_decoded_by_the_url_standard() {
    let server = server_with_two_parameters();
    let connection = RefCell::new(server.connect());
    let config = support::random::cases(GENERATED_CASES);
    let compared = Cell::new(0);
    proptest!(config, |(bytes in arbitrary_query())| {
        // A body that begins like JSON is not read as a form.
        let bytes = [b"&", &bytes[..]].concat();
        let request = Request::new("POST", "/x").body("application/x-www-form-urlencoded", bytes.clone());
        compare_args(&mut connection.borrow_mut(), &request, &bytes, &compared)?;
    });
    assert!(compared.get() > MIN_COMPARED_CASES, "{} were compared", compared.get());
}

#[test]
fn a_byte_order_mark_before_json_is_ignored() {
    let server = server_with_two_parameters();
    for (body, status) in [("\u{feff}{\"a\": [\"x\"]}", 200), ("\u{feff}\u{feff}{}", 400), ("{\"a\": \u{feff}[]}", 400)]
    {
        let request = Request::new("POST", "/x").body("application/json", body);
        let response = server.send(&request);
        assert_eq!(response.status, status, "{body:?}");
        assert!(status != 200 || response.json()["args"]["a"] == json!(["x"]), "{body:?}");
    }
}

#[test]
fn queries_are_decoded_by_the_url_standard() {
    let server = server_with_two_parameters();
    let connection = RefCell::new(server.connect());
    let config = support::random::cases(GENERATED_CASES);
    let compared = Cell::new(0);
    proptest!(config, |(bytes in arbitrary_query())| {
        // Removes bytes that a request target cannot contain.
        let bytes: Vec<u8> = bytes.into_iter().filter(|byte| *byte > b' ' && !b"#\x7f".contains(byte)).collect();
        let request = Request::new("POST", [b"/x?", &bytes[..]].concat());
        compare_args(&mut connection.borrow_mut(), &request, &bytes, &compared)?;
    });
    assert!(compared.get() > MIN_COMPARED_CASES, "{} were compared", compared.get());
}

/// Checks that the server echoes the expected arguments, and counts the cases in which arguments were compared.
fn compare_args(
    connection: &mut Connection,
    request: &Request,
    bytes: &[u8],
    compared: &Cell<u32>,
) -> Result<(), TestCaseError> {
    let response = connection.send(request);
    if let Some(args) = expected_args(bytes) {
        compared.set(compared.get() + u32::from(args != json!({ "a": null, "e": null })));
        prop_assert_eq!(response.status, 200, "{:?} {:?}", request, response);
        prop_assert_eq!(&response.json()["args"], &args, "{:?}", request);
    }
    Ok(())
}
