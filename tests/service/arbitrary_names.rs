//! Tests that a name never leads to a method that it does not name, however the name is spelled.

use proptest::prelude::*;
use serde_json::json;

use super::{FORM_MEDIA_TYPE, request_outcome, server_of_all_dialects};
use crate::client::{Request, TestServer};

/// The two segments in the path of each service that has exactly two static segments.
const NAMED_SERVICES: [(&str, &str); 7] = [
    ("article", "line"),
    ("article", "upload"),
    ("store", "buy"),
    ("store", "locked"),
    ("user", "login"),
    ("user", "getBaseInfo"),
    ("site", "index"),
];

/// Returns the id of the service that PhalApi's rules find for a name; `None` if the name is invalid or unknown.
fn named_service(name: &str) -> Option<String> {
    let parts: Vec<&str> = name.split('.').collect();
    let (class, method) = match parts[..] {
        [class] => (class, "Index"),
        [class, method] | ["App", class, method, ..] => (class, method),
        _ => return None,
    };
    let is_class = |own: &str| {
        let mut letters = class.chars();
        letters.next().is_some_and(|first| format!("{}{}", first.to_ascii_lowercase(), letters.as_str()) == own)
    };
    let found = NAMED_SERVICES.iter().find(|(own, its)| is_class(own) && its.eq_ignore_ascii_case(method));
    found.map(|(class, method)| format!("{class}.{method}"))
}

/// Generates names of services, and texts that are similar to such names.
fn arbitrary_name() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => proptest::sample::select(vec![
            "User", "user", "USER", "login", "Login", "LOGIN", "getBaseInfo", "GETBASEINFO", "Store", "buy", "Site", "index",
            "Article", "line", "App", "app", "Base", "__construct", "__call", "Index", "{id}", "*", "", "0", "7",
        ]).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => "\\PC{0,8}",
    ];
    let between = proptest::sample::select(vec![
        ".", ".", ".", ".", "..", "/", "\\", "::", "|", "_", "\0", " ", ",", "%2E", "．",
    ]);
    proptest::collection::vec((part, between), 1..4).prop_map(|parts| {
        let last = parts.len() - 1;
        let written = parts.iter().enumerate();
        written
            .map(|(at, (part, between))| if at == last { part.clone() } else { format!("{part}{between}") })
            .collect()
    })
}

fn server_with_both_names() -> TestServer {
    server_of_all_dialects(&json!({ "service": { "on": true }, "dispatch": true, "unknown": "ignore" }))
}

/// Encodes a text for a query or a form. If `all` is `true`, every byte is percent-encoded.
fn encode_text(text: &str, all: bool) -> String {
    if all {
        text.bytes().map(|byte| format!("%{byte:02X}")).collect()
    } else {
        form_urlencoded::byte_serialize(text.as_bytes()).collect()
    }
}

proptest! {
    #![proptest_config(support::random::cases(400))]

    #[test]
    fn a_name_leads_to_its_service_or_is_unknown(name in arbitrary_name(), field in "service|s", all in any::<bool>(), form in any::<bool>()) {
        thread_local!(static SITE: TestServer = server_with_both_names());
        let given = format!("{field}={}", encode_text(&name, all));
        let request = if form {
            Request::new("POST", "/").body(FORM_MEDIA_TYPE, given)
        } else {
            Request::new("POST", format!("/?{given}"))
        };
        let response = SITE.with(|server| server.send(&request));
        prop_assert!(response.body.len() < 1000, "{response:?}");
        match (named_service(&name), request_outcome(&response)) {
            // The request may have a wrong HTTP method or lack a parameter, but the error comes from the named service.
            (Some(service), Ok((to, _))) => prop_assert!(to.starts_with(&service), "{name:?} went to {to}"),
            (Some(_), Err((status, _))) => prop_assert!([400, 401, 405].contains(&status), "{name:?}: {status}"),
            (None, Ok((to, _))) => prop_assert!(false, "{name:?} went to {to}"),
            (None, Err((status, words))) => {
                let said = words.starts_with("Bad Request: no such service as ") || words.starts_with("Bad Request: service (");
                prop_assert!(said && [400, 404].contains(&status), "{name:?}: {status} {words}");
            }
        }
    }

    #[test]
    fn module_and_method_lead_to_their_service_or_are_unknown(module in arbitrary_name(), method in arbitrary_name(), json in any::<bool>()) {
        thread_local!(static SITE: TestServer = server_with_both_names());
        let request = Request::new("POST", "/");
        let request = if json {
            request.body("application/json", json!({ "module": module, "method": method }).to_string())
        } else {
            request.body(FORM_MEDIA_TYPE, format!("module={}&method={}", encode_text(&module, false), encode_text(&method, true)))
        };
        let response = SITE.with(|server| server.send(&request));
        let is = |own: &(&str, &str)| {
            // Paths of the dialect `rules` are case-insensitive, so that names of their services are too.
            let (own, given) = (format!("{}/{}", own.0, own.1), format!("{module}/{method}"));
            own == given || (own.starts_with(['u', 's']) && !own.starts_with("st") && own.to_lowercase() == given.to_lowercase())
        };
        match (NAMED_SERVICES.iter().find(|own| is(own)), request_outcome(&response)) {
            (Some((module, method)), Ok((to, _))) => {
                let id = [*module, *method].join(".");
                prop_assert!(to.starts_with(&id), "{to}");
            }
            (Some(_), Err((status, _))) => prop_assert!([400, 401, 405].contains(&status)),
            (None, Ok((to, _))) => prop_assert!(false, "{module:?} {method:?} went to {to}"),
            (None, Err((status, words))) => prop_assert_eq!(status, 404, "{}", words),
        }
    }
}

#[test]
fn errors_quote_only_the_beginning_of_long_names() {
    let server = server_with_both_names();
    let long = "A".repeat(5_000);
    let response = server.send(&Request::new("GET", format!("/?service={long}.b")));
    assert_eq!(response.json()["ret"], 404);
    assert!(response.body.len() < 250, "{response:?}");
    let response = server.send(&Request::new("GET", format!("/?service={}", "A".repeat(10_240))));
    assert_eq!(response.status, 414, "{response:?}");
    let response =
        server.send(&Request::new("POST", "/").body(FORM_MEDIA_TYPE, format!("service={}.b", "A".repeat(10_240))));
    assert_eq!(response.json()["ret"], 404);
    assert!(response.body.len() < 250, "{response:?}");
    let response =
        server.send(&Request::new("POST", "/").body(FORM_MEDIA_TYPE, format!("module={long}&method={long}")));
    assert!(response.status == 404 && response.body.len() < 600, "{response:?}");
    // In the error message, the name is a JSON string with escapes.
    let response = server.send(&Request::new("GET", "/?service=%3Cscript%3E%0A%22%00"));
    let text = String::from_utf8(response.body.clone()).unwrap();
    assert!(text.contains(r#"App.<script>\n\"\u0000.Index"#), "{text}");
}
