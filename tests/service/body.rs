//! Tests bodies that contain the name of a method. The server reads the beginning of such a body before the method is
//! known, and the remaining bytes afterwards.

use std::time::Instant;

use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

use super::{FORM_MEDIA_TYPE, request_outcome, server_of_all_dialects};
use crate::captured_log::{self, accesses};
use crate::client::{self, Request, TestServer};

const MULTIPART_MEDIA_TYPE: &str = "multipart/form-data; boundary=XX";

/// Starts a server with both kinds of names (of PhalApi and of api 3.0). It searches for names in the first hundred
/// bytes of a body.
fn server_with_short_prefix() -> TestServer {
    server_of_all_dialects(
        &json!({ "dispatch": true, "service": { "on": true }, "limits": { "dispatch": 100, "seconds": 1 } }),
    )
}

fn post_request(media_type: &str, body: impl Into<Vec<u8>>) -> Request {
    Request::new("POST", "/").body(media_type, body)
}

#[test]
fn names_are_read_from_the_prefix_and_the_whole_body_arrives_unchanged() {
    let server = server_with_short_prefix();
    let count = "9".repeat(300);
    let args = json!({ "URL_0": "tea", "count": count });
    let parts = client::multipart(&[
        ("name=\"module\"", b"store"),
        ("name=\"method\"", b"buy"),
        ("name=\"URL_0\"", b"tea"),
        ("name=\"count\"", count.as_bytes()),
    ]);
    let site_of_parts = super::server_of_all_dialects(&json!({ "dispatch": true, "limits": { "dispatch": 250 } }));
    for (server, request) in [
        (&server, post_request(FORM_MEDIA_TYPE, format!("module=store&method=buy&URL_0=tea&count={count}"))),
        (
            &server,
            post_request(
                "application/json",
                json!({ "module": "store", "method": "buy", "URL_0": "tea", "count": count }).to_string(),
            ),
        ),
        (&site_of_parts, post_request(MULTIPART_MEDIA_TYPE, parts.clone())),
    ] {
        // In a body without `URL_1` in its prefix, `URL_1` could still follow. So the server cannot route the request,
        // and reports the limit.
        let response = server.send(&request);
        assert_eq!(
            request_outcome(&response).unwrap_err(),
            (413, limit_message(std::ptr::eq(server, &site_of_parts))),
            "{request:?}"
        );
    }
    let positions = "&URL_1=large";
    for request in [
        post_request(FORM_MEDIA_TYPE, format!("module=store&method=buy&URL_0=tea{positions}&count={count}")),
        Request::new("POST", "/?URL_1=large")
            .body(FORM_MEDIA_TYPE, format!("module=store&method=buy&URL_0=tea&count={count}")),
        Request::new("POST", "/tea/large").body(FORM_MEDIA_TYPE, format!("module=store&method=buy&count={count}")),
        Request::new("POST", "/?service=Store.Buy&URL_0=tea&URL_1=large")
            .body(FORM_MEDIA_TYPE, format!("count={count}")),
        post_request(
            "application/json",
            format!(r#"{{"module":"store","method":"buy","URL_0":"tea","URL_1":"large","count":"{count}"}}"#),
        ),
    ] {
        let mut args = args.clone();
        args["URL_1"] = "large".into();
        assert_eq!(
            request_outcome(&server.send(&request)).unwrap(),
            ("store.buy.post".to_owned(), args),
            "{request:?}"
        );
    }
    // A number that is cut off at the end of the prefix is not used.
    let cut = |digits: usize| {
        let start = r#"{"module":"article","method":"line","article_id":"#;
        post_request("application/json", format!("{start}{},\"text\":\"{}\"}}", "1".repeat(digits), "x".repeat(100)))
    };
    assert_eq!(request_outcome(&server.send(&cut(60))).unwrap_err().0, 413);
    assert_eq!(request_outcome(&server.send(&cut(3))).unwrap().1["article_id"], 111);
}

fn limit_message(parts: bool) -> String {
    let max = if parts { 250 } else { 100 };
    format!("request too large: over the limit `dispatch` of {max} bytes")
}

#[test]
fn a_name_after_the_prefix_limit_is_not_found_and_the_error_names_the_limit() {
    let server = server_with_short_prefix();
    let fill = |name: &str, length: usize| format!("text={}&{name}", "x".repeat(length));
    let refused = [
        post_request(FORM_MEDIA_TYPE, fill("module=store&method=buy", 100)),
        post_request(FORM_MEDIA_TYPE, fill("s=User.getBaseInfo", 100)),
        post_request(FORM_MEDIA_TYPE, "x".repeat(101)),
        post_request("application/json", json!({ "text": "x".repeat(100), "service": "User.getBaseInfo" }).to_string()),
        post_request(
            MULTIPART_MEDIA_TYPE,
            client::multipart(&[("name=\"file\"; filename=\"a\"", &[0; 200]), ("name=\"s\"", b"User.getBaseInfo")]),
        ),
        Request::new("POST", "/").chunked(FORM_MEDIA_TYPE, &[b"te", b"xt=", "x".repeat(99).as_bytes()]),
    ];
    for request in refused {
        server.send(&request).assert_error(413, "over the limit `dispatch` of 100 bytes");
    }
    // A body of exactly this length is searched completely. It contains no name, so that the method at the root is
    // called.
    let response = server.send(&post_request(FORM_MEDIA_TYPE, format!("text={}", "x".repeat(95))));
    assert_eq!(request_outcome(&response).unwrap().0, "post");
    // Whatever the length of its body, a request for an unknown path gets the error for unknown paths.
    server
        .send(&Request::new("POST", "/x").body(FORM_MEDIA_TYPE, "x".repeat(1000)))
        .assert_error(404, "no service has this URI");
    // The usual limits of bodies apply to bodies with names too.
    let server = super::server_of_all_dialects(&json!({ "dispatch": true, "limits": { "body": 50, "fields": 3 } }));
    server.send(&post_request(FORM_MEDIA_TYPE, "x".repeat(51))).assert_error(413, "over the limit `body` of 50 bytes");
    server
        .send(&Request::new("POST", "/").chunked(FORM_MEDIA_TYPE, &[&[b'x'; 60]]))
        .assert_error(413, "over the limit `body` of 50 bytes");
    server
        .send(&post_request(FORM_MEDIA_TYPE, "a=1&b=2&c=3&d=4"))
        .assert_error(413, "over the limit `fields` of 3 fields");
    let json = r#"{"a":1,"b":2,"c":3,"d":4}"#;
    server.send(&post_request("application/json", json)).assert_error(413, "over the limit `fields` of 3 fields");
}

#[test]
fn only_callers_with_permission_get_the_error_about_the_prefix_limit() {
    let server = server_with_short_prefix();
    let locked = post_request(FORM_MEDIA_TYPE, format!("module=store&method=locked&text={}", "x".repeat(1000)));
    server.send(&locked).assert_error(401, "a credential is required");
    server.send(&locked.clone().scope(&["reader"])).assert_error(403, "missing permission: owner");
    server.send(&locked.scope(&["owner"])).assert_error(413, "over the limit `dispatch` of 100 bytes");
    // The permission depends on a value that is not in the prefix, so that the caller does not have it.
    let put = Request::new("PUT", "/?service=Article.Line").body(FORM_MEDIA_TYPE, format!("text={}", "x".repeat(1000)));
    server.send(&put).assert_error(401, "a credential is required");
    server.send(&put.scope(&["author[5]"])).assert_error(403, "missing permission: author[article_id]");
}

#[test]
fn files_after_the_names_in_a_body_are_received() {
    let server = server_of_all_dialects(&json!({ "dispatch": true, "service": { "on": true } }));
    let file = vec![b'x'; 300_000];
    let ways: [&[(&str, &str)]; 2] =
        [&[("name=\"module\"", "article"), ("name=\"method\"", "upload")], &[("name=\"service\"", "Article.Upload")]];
    for names in ways {
        let mut parts: Vec<_> = names.iter().map(|(name, content)| (*name, content.as_bytes())).collect();
        parts.push(("name=\"file\"; filename=\"a.txt\"", &file));
        parts.push(("name=\"text\"", b"behind"));
        let (to, args) = request_outcome(&server.send(&Request::new("POST", "/").multipart(&parts))).unwrap();
        assert_eq!(
            (to.as_str(), &args["text"], &args["file"]["size"]),
            ("article.upload.post", &json!("behind"), &json!(300_000))
        );
    }
    server.assert_no_temporary_files();
}

#[test]
fn malformed_and_slow_bodies_with_names_are_refused() {
    let server = server_with_short_prefix();
    for target in ["/", "/x", "/?service=Article.Line"] {
        let mut connection = server.connect();
        connection.write(&Request::new("POST", target).field("content-length", 50).head());
        let started = Instant::now();
        connection.write(b"module=store&");
        let response = connection.read_response(false);
        response.assert_error(408, "the body did not arrive in time");
        assert!((900..9000).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
        connection.assert_closed();

        let mut connection = server.connect();
        connection.write(&Request::new("POST", target).field("content-length", 50).head());
        connection.write(b"module=store&");
        connection.close_writing();
        assert!(connection.try_read_response(false).map_or(true, |response| response.status == 400));
    }
    // There is one timeout for the whole body, not one for its prefix and another for the remaining bytes.
    let server =
        super::server_of_all_dialects(&json!({ "dispatch": true, "limits": { "dispatch": 100, "seconds": 2 } }));
    let mut connection = server.connect();
    connection.write(&Request::new("POST", "/").field("content-length", 500).head());
    let started = Instant::now();
    connection.write(b"module=store&method=buy&URL_0=a&URL_1=b&count=");
    std::thread::sleep(std::time::Duration::from_millis(1500));
    connection.write("9".repeat(100).as_bytes());
    let response = connection.read_response(false);
    response.assert_error(408, "the body did not arrive in time");
    assert!(started.elapsed().as_millis() < 3400, "{:?}", started.elapsed());
}

#[test]
fn connections_stay_usable_after_a_partially_read_body() {
    let server = server_with_short_prefix();
    let mut connection = server.connect();
    for (request, status) in [
        (Request::new("POST", "/x").body(FORM_MEDIA_TYPE, "a=b"), 404),
        (Request::new("POST", "/x").body(FORM_MEDIA_TYPE, "x".repeat(5000)), 404),
        (post_request(FORM_MEDIA_TYPE, "x".repeat(5000)), 413),
        (post_request(FORM_MEDIA_TYPE, "module=store&method=sell"), 404),
        (Request::new("POST", "/x").chunked(FORM_MEDIA_TYPE, &[b"module=store&", b"method=buy"]), 200),
        (post_request(FORM_MEDIA_TYPE, "module=store&method=locked&count=x"), 401),
        (post_request(FORM_MEDIA_TYPE, "module=store&method=locked&count=x").scope(&["owner"]), 400),
    ] {
        assert_eq!(connection.send(&request).status, status, "{request:?}");
    }
}

#[test]
fn clients_that_wait_for_100_continue_can_name_a_method_in_the_body() {
    let server = server_with_short_prefix();
    let body = "module=store&method=buy&URL_0=a";
    let expecting = |target: &str, length: usize| {
        Request::new("POST", target)
            .field("content-type", FORM_MEDIA_TYPE)
            .field("content-length", length)
            .field("expect", "100-continue")
    };
    for target in ["/", "/?URL_1=b", "/a"] {
        let mut connection = server.connect();
        connection.write(&expecting(target, body.len()).head());
        connection.write(body.as_bytes());
        assert_eq!(request_outcome(&connection.read_response(false)).unwrap().0, "store.buy.post", "{target}");
    }
    for (request, status) in [
        (expecting("/", 2_000_000), 413),
        (Request::new("POST", "/").field("expect", "200-ok").body(FORM_MEDIA_TYPE, body), 417),
        (expecting("/?service=Nope.Nope", 9), 200),
    ] {
        let mut connection = server.connect();
        connection.write(&request.head());
        assert_eq!(connection.read_response(false).status, status, "{request:?}");
    }
}

#[test]
fn the_access_log_and_the_metrics_contain_the_named_method() {
    captured_log::begin();
    let server = server_with_short_prefix();
    let named = [
        (Request::new("GET", "/?service=User.getBaseInfo"), "user.getBaseInfo.get"),
        (post_request(FORM_MEDIA_TYPE, "module=store&method=buy&URL_0=a"), "store.buy.post"),
        (Request::new("POST", "/a").body(FORM_MEDIA_TYPE, "module=store&method=buy"), "store.buy.post"),
        (post_request(FORM_MEDIA_TYPE, "module=store&method=nope"), "-unrouted"),
        (Request::new("GET", "/?service=Nope"), "-unrouted"),
        (post_request(FORM_MEDIA_TYPE, "text=t"), "post"),
    ];
    for (request, id) in named {
        let response = server.send(&request);
        let lines = accesses(response.field("x-request-id").unwrap());
        assert!(lines.len() == 1 && format!("{:?}", lines[0]).contains(id), "{request:?}: {lines:?}");
    }
    let metrics = server.send(&Request::new("GET", "/metrics"));
    let text = String::from_utf8(metrics.body).unwrap();
    assert!(text.contains(r#"rulebook_requests_total{method="store.buy.post",status="200",code=""} 2"#), "{text}");
}

proptest! {
    #![proptest_config(support::random::cases(60))]

    /// A call by name has the same response as a call by path, in whatever pieces the body arrives.
    #[test]
    fn a_call_by_name_has_the_same_response_as_a_call_by_path(
        words in proptest::collection::vec("[ -~éü]{0,12}", 3),
        cuts in proptest::collection::vec(1_usize..40, 1..20),
        json in any::<bool>(),
    ) {
        thread_local!(static SITE: TestServer = server_with_short_prefix());
        let names = [("module", "store"), ("method", "buy")];
        let segment = |word: &str| percent_encoding::utf8_percent_encode(word, percent_encoding::NON_ALPHANUMERIC).to_string();
        let query = format!("/?URL_0=a{}&URL_1=b{}", segment(&words[0]), segment(&words[1]));
        let path = format!("/store/buy/a{}/b{}", segment(&words[0]), segment(&words[1]));
        let write = |fields: &[(&str, &str)]| if json {
            let members: Map<_, _> = fields.iter().map(|(name, value)| ((*name).to_owned(), Json::from(*value))).collect();
            ("application/json", Json::Object(members).to_string())
        } else {
            (FORM_MEDIA_TYPE, form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish())
        };
        let plain = [("count", &*words[2])];
        let (media_type, body) = write(&plain);
        let by_path = Request::new("POST", path).body(media_type, body);
        let (media_type, body) = write(&[&names[..], &plain].concat());
        let mut rest = body.as_bytes();
        let mut pieces = Vec::new();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, behind) = rest.split_at((*cut).min(rest.len()));
            pieces.push(piece);
            rest = behind;
        }
        let by_name = Request::new("POST", query).chunked(media_type, &pieces);
        let (by_path, by_name) = SITE.with(|server| (request_outcome(&server.send(&by_path)), request_outcome(&server.send(&by_name))));
        prop_assert!(by_path.is_ok());
        prop_assert_eq!(by_path, by_name);
    }
}
