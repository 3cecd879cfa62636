//! Names lead only to the methods that they name, however they are spelled.

use proptest::prelude::*;
use serde_json::json;

use super::{FORM, outcome, server};
use crate::client::{Request, TestServer};

/// All services with two static segments, by their paths.
const SERVICES: [(&str, &str); 7] = [
    ("article", "line"),
    ("article", "upload"),
    ("store", "buy"),
    ("store", "locked"),
    ("user", "login"),
    ("user", "getBaseInfo"),
    ("site", "index"),
];

/// Returns the path of the service that PhalApi's rules find for a name.
fn meant(name: &str) -> Option<String> {
    let parts: Vec<&str> = name.split('.').collect();
    let (class, method) = match parts[..] {
        [class, method] | ["App", class, method] => (class, method),
        _ => return None,
    };
    let is_class = |own: &str| {
        let mut letters = class.chars();
        letters.next().is_some_and(|first| format!("{}{}", first.to_ascii_lowercase(), letters.as_str()) == own)
    };
    let found = SERVICES.iter().find(|(own, its)| is_class(own) && its.eq_ignore_ascii_case(method));
    found.map(|(class, method)| format!("{class}.{method}"))
}

/// Generates names, and texts that are similar to names.
fn name() -> impl Strategy<Value = String> {
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

fn both() -> TestServer {
    server(&json!({ "service": { "on": true }, "dispatch": true, "unknown": "ignore" }))
}

/// A text in a query or a form. If `all` is `true`, every byte is encoded.
fn encoded(text: &str, all: bool) -> String {
    if all {
        text.bytes().map(|byte| format!("%{byte:02X}")).collect()
    } else {
        form_urlencoded::byte_serialize(text.as_bytes()).collect()
    }
}

proptest! {
    #![proptest_config(support::random::cases(400))]

    #[test]
    fn a_name_leads_to_its_service_or_is_unknown(name in name(), field in "service|s", all in any::<bool>(), form in any::<bool>()) {
        thread_local!(static SITE: TestServer = both());
        let given = format!("{field}={}", encoded(&name, all));
        let request = if form {
            Request::new("POST", "/").body(FORM, given)
        } else {
            Request::new("POST", format!("/?{given}"))
        };
        let response = SITE.with(|server| server.send(&request));
        prop_assert!(response.body.len() < 1000, "{response:?}");
        match (meant(&name), outcome(&response)) {
            // The HTTP method may be unknown or a parameter missing, but the service is the right one.
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
    fn module_and_method_lead_to_their_service_or_are_unknown(module in name(), method in name(), json in any::<bool>()) {
        thread_local!(static SITE: TestServer = both());
        let request = Request::new("POST", "/");
        let request = if json {
            request.body("application/json", json!({ "module": module, "method": method }).to_string())
        } else {
            request.body(FORM, format!("module={}&method={}", encoded(&module, false), encoded(&method, true)))
        };
        let response = SITE.with(|server| server.send(&request));
        let is = |own: &(&str, &str)| {
            // ServicesByClass of rules are case-insensitive, as their paths are.
            let (own, given) = (format!("{}/{}", own.0, own.1), format!("{module}/{method}"));
            own == given || (own.starts_with(['u', 's']) && !own.starts_with("st") && own.to_lowercase() == given.to_lowercase())
        };
        match (SERVICES.iter().find(|own| is(own)), outcome(&response)) {
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
fn quoted_names_are_truncated() {
    let server = both();
    let long = "A".repeat(5_000);
    let response = server.send(&Request::new("GET", format!("/?service={long}.b")));
    assert_eq!(response.json()["ret"], 404);
    assert!(response.body.len() < 250, "{response:?}");
    let response = server.send(&Request::new("GET", format!("/?service={}", "A".repeat(10_240))));
    assert_eq!(response.status, 414, "{response:?}");
    let response = server.send(&Request::new("POST", "/").body(FORM, format!("service={}.b", "A".repeat(10_240))));
    assert_eq!(response.json()["ret"], 404);
    assert!(response.body.len() < 250, "{response:?}");
    let response = server.send(&Request::new("POST", "/").body(FORM, format!("module={long}&method={long}")));
    assert!(response.status == 404 && response.body.len() < 600, "{response:?}");
    // The name is a JSON string in JSONP and in the log, too.
    let response = server.send(&Request::new("GET", "/?service=%3Cscript%3E%0A%22%00"));
    let text = String::from_utf8(response.body.clone()).unwrap();
    assert!(text.contains(r#"App.<script>\n\"\u0000.Index"#), "{text}");
}
