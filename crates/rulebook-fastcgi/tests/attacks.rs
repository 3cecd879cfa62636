//! Requests that shall make PHP run another service than the one whose permissions were checked.

use serde_json::json;

use super::php_fpm::PhpFpm;
use super::raw_exchange::{RawRequest, send};
use super::same_responses::client;

/// The services that the client may not call: one needs a permission, the other is not in the definition.
const FORBIDDEN: [&str; 2] = ["Admin.Wipe", "App.Admin.Hidden"];

/// Notations of a field in which PHP, or a careless program, reads `service`.
const SERVICE: [&str; 9] =
    ["service", "s", "%73ervice", "+service", "%20%20service", "service%00x", "%20s%00", "service[]", "service[0]"];

#[test]
fn no_request_selects_another_service_in_php() {
    let Some(fpm) = PhpFpm::start() else { return };
    for shared in [
        json!({}),
        json!({ "uri_match": true }),
        json!({ "request_headers": ["Cookie", "X-Any"] }),
        json!({ "environment": { "PHALAPI_VERSION": "1" }, "uri_match": true }),
    ] {
        let client = client(&fpm, &shared);
        let mut count = 0;
        let mut attack = |request: RawRequest| {
            count += 1;
            let answer = send(client.address(), &request);
            assert!(!answer.text().contains("wiped"), "{request:?}: {answer:?}");
        };
        for forbidden in FORBIDDEN {
            for field in SERVICE {
                let pair = format!("{field}={forbidden}");
                for query in [
                    format!("service=Demo.Free&{pair}"),
                    format!("{pair}&service=Demo.Free"),
                    format!("s=Demo.Free&{pair}"),
                    format!("{pair}&s=Demo.Free"),
                    format!("service=Demo.Free&service[]=x&{pair}"),
                ] {
                    attack(RawRequest::new(format!("GET /?{query}")));
                    attack(RawRequest::new("POST /").form(&query));
                }
                attack(RawRequest::new(format!("GET /Demo/Free?{pair}")));
                attack(RawRequest::new(format!("GET /?{pair}")));
                for target in ["/Demo/Free", "/?service=Demo.Free", "/?s=Demo.Free", "/"] {
                    let line = format!("POST {target}");
                    attack(RawRequest::new(&*line).form(&pair));
                    // PHP accepts more texts as the media type of a form.
                    for media_type in [
                        "application/x-www-form-urlencoded, text/plain",
                        "application/x-www-form-urlencoded charset=utf-8",
                        "APPLICATION/X-WWW-FORM-URLENCODED;a",
                    ] {
                        attack(RawRequest::new(&*line).body(media_type, pair.clone()));
                    }
                    let part = format!(
                        "--b\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n{forbidden}\r\n--b--\r\n",
                        field.replace("%20", " ").replace("%73", "s").replace('+', " ").replace("%00", "\0"),
                    );
                    for media_type in [
                        "multipart/form-data; boundary=b",
                        "multipart/form-data, boundary=b",
                        "multipart/form-data boundary=b",
                        "Multipart/Form-Data;boundary=\"b\"",
                    ] {
                        attack(RawRequest::new(&*line).body(media_type, part.clone()));
                    }
                    attack(RawRequest::new(&*line).field(format!("Cookie: {field}={forbidden}")));
                    attack(RawRequest::new(&*line).field(format!("Cookie: a=1;{field}={forbidden}")));
                }
            }
            for target in ["/Demo/Free", "/?service=Demo.Free", "/?s=Demo.Free", "/"] {
                for media_type in ["application/json", "text/plain", "application/x-www-form-urlencoded", ""] {
                    for body in [
                        format!("{{\"service\":\"{forbidden}\"}}"),
                        format!("{{\"s\":\"{forbidden}\"}}"),
                        format!("\n {{\"\\u0073ervice\":\"{forbidden}\"}}"),
                        format!("{{\"service\":\"Demo.Free\",\"service\":\"{forbidden}\"}}"),
                        format!("{{\"service\":\"{forbidden}\",\"x\":1e999}}"),
                        format!("{{\"service\":\"{forbidden}\",\"x\":{}{}}}", "[".repeat(300), "]".repeat(300)),
                        format!("{{\"service\":null,\"s\":\"{forbidden}\"}}"),
                        format!("{{\"service\":[\"{forbidden}\"]}}"),
                    ] {
                        attack(RawRequest::new(format!("POST {target}")).body(media_type, body));
                    }
                }
            }
            let path = forbidden.replace('.', "/");
            let padding = "x".repeat(60);
            for uri in [
                format!("/Demo/Free?x=index.php/{path}{padding}"),
                format!("/Demo/Free?x=index.php/{path}?{padding}"),
                format!("/Demo/Free?index.php/{path}0123456789"),
                format!("/index.php/Demo/Free?index.php/{path}0123456789012345678901"),
                format!("/?index.php/{path}0"),
                format!("//{path}"),
                format!("/Demo/Free/../../{path}"),
                format!("/Demo/Free%2F..%2F{path}"),
            ] {
                for fill in 0..24 {
                    attack(RawRequest::new(format!("GET {uri}{}", "y".repeat(fill))));
                }
            }
            // PHP ignores the fields after `max_input_vars`.
            let fields = "a=1&".repeat(1_000);
            attack(RawRequest::new(format!("GET /?{fields}service={forbidden}")));
            attack(RawRequest::new("POST /").form(&format!("service={forbidden}&{fields}service=Demo.Free")));
        }
        assert!(count > 1_000, "{count}");
    }
}

/// PhalApi 1 does not know `s` and namespaces, and runs another service for them.
#[test]
fn phalapi_1_runs_the_checked_service_or_none() {
    let Some(fpm) = PhpFpm::start() else { return };
    let client = client(&fpm, &json!({ "environment": { "PHALAPI_VERSION": "1" } }));
    let part =
        |name: &str| format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\nDemo.Free\r\n--b--\r\n");
    let multipart = |name: &str| RawRequest::new("POST /").body("multipart/form-data; boundary=b", part(name));
    for (request, ret) in [
        (RawRequest::new("GET /?service=Demo.Free"), 200),
        (RawRequest::new("GET /?service=demo.free&s=Admin.Wipe"), 200),
        (RawRequest::new("GET /?s=Demo.Free"), 200),
        (RawRequest::new("GET /?s=App.Demo.Free.x"), 200),
        (RawRequest::new("GET /Demo/Free"), 200),
        (RawRequest::new("GET /Demo/Free?s=Demo.Free"), 200),
        (RawRequest::new("POST /Demo/Free").form("s=Admin.Wipe"), 200),
        (RawRequest::new("POST /").form("s=Demo.Free"), 200),
        (RawRequest::new("POST /").form("service=Demo.Free"), 200),
        (multipart("s"), 200),
        (multipart("service"), 200),
        (RawRequest::new("POST /").body("application/json", "{\"s\":\"Demo.Free\"}"), 200),
        (RawRequest::new("POST /").body("application/json", "{\"service\":\"Demo.Free\"}"), 200),
        (RawRequest::new("GET /?service=App.Demo.Free"), 400),
        (RawRequest::new("POST /").form("service=App.Demo.Free"), 400),
        (RawRequest::new("POST /?s=Demo.Free").form("service=App.Demo.Free"), 400),
    ] {
        let answer = send(client.address(), &request).json();
        assert_eq!(
            (answer["ret"].as_u64(), answer["data"]["anything"].is_array()),
            (Some(ret), ret == 200),
            "{request:?}"
        );
    }
    // PhalApi 1 has another default service.
    assert_eq!(send(client.address(), &RawRequest::new("GET /")).json()["data"]["parameters"]["service"], "Site.index");
}

#[test]
fn php_runs_the_service_that_the_last_of_too_many_fields_names_or_none() {
    let Some(fpm) = PhpFpm::start() else { return };
    let client = client(&fpm, &json!({}));
    let fields = "a=1&".repeat(1_000);
    for request in [
        RawRequest::new(format!("GET /?{fields}service=Demo.Free")),
        RawRequest::new("POST /").form(&format!("{fields}service=Demo.Free")),
    ] {
        assert_eq!(send(client.address(), &request).json()["ret"], 413, "{request:?}");
    }
    // php.ini has `post_max_size = 8M`, after which PHP ignores the body.
    let long = format!("service=Demo.Seen&x={}", "y".repeat(8 << 20));
    let answer = send(client.address(), &RawRequest::new("POST /").form(&long));
    let is_refused = answer.json()["ret"] == 413;
    assert!(is_refused || answer.json()["data"]["query"] == "service=Demo.Seen", "{}", answer.text());
}

#[test]
fn a_credential_of_rulebook_does_not_reach_php() {
    let Some(fpm) = PhpFpm::start() else { return };
    for (shared, is_sent) in [(json!({}), false), (json!({ "request_headers": ["Authorization"] }), true)] {
        let client = client(&fpm, &shared);
        let seen = client.get("/?service=Demo.Seen").header("Authorization", "Own x").scope(["admin"]).send().json();
        assert_eq!(seen["data"]["fields"].get("HTTP_AUTHORIZATION").is_some(), is_sent, "{seen}");
    }
    let client = client(&fpm, &json!({}));
    let request = RawRequest::new("GET /?service=Demo.Seen").field("X_Own: forged").field("Proxy: evil");
    let fields = send(client.address(), &request).json()["data"]["fields"].clone();
    assert_eq!((fields.get("HTTP_X_OWN"), fields.get("HTTP_PROXY")), (None, None), "{fields}");
}
