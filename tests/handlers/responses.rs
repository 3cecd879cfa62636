//! Tests the header fields and the status that handlers set for responses, and the header fields of requests that
//! handlers read.

use std::path::PathBuf;

use rulebook::{ApiError, Args, Context, Engine, Module, ResponseError};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use ureq::http::{HeaderMap, StatusCode};

use super::over_http::serve;
use super::{block_on, build, files};

/// Returns a definition with three methods: `GET /aicra` and `GET /plain` in these envelopes, and `GET /none` with the
/// status 204.
fn definition() -> Vec<(PathBuf, Vec<u8>)> {
    let method = json!({
        "info": "Does as it is asked",
        "in": { "GET@outcome": { "info": "How", "type": "?string", "name": "outcome" } },
        "errors": { "no": { "status": 409, "info": "Not so" } }
    });
    let mut all = files("aicra", &json!({ "/": { "aicra": { "GET": method } } }));
    all.extend(files("plain", &json!({ "envelope": "plain", "/": { "plain": { "GET": method } } })));
    let mut none = method.clone();
    none["options"] = json!({ "status": 204 });
    all.extend(files("none", &json!({ "/": { "none": { "GET": none } } })));
    all
}

#[derive(Deserialize)]
struct OutcomeArgs {
    outcome: Option<String>,
}

async fn set_headers_with_outcome(
    Args(OutcomeArgs { outcome }): Args<OutcomeArgs>,
    context: Context,
) -> Result<Json, ApiError> {
    context.set_header("X-Total", "1")?;
    context.set_header("x-total", 2_u64)?;
    context.append_header("Set-Cookie", "a=1")?;
    context.append_header("Set-Cookie", "b=2")?;
    context.set_header("Retry-After", "77")?;
    match outcome.as_deref() {
        None => Ok(json!({ "sent": context.header("X-Sent"), "none": context.header("X-None") })),
        Some("declared") => Err(ApiError::declared("no")),
        Some("unavailable") => Err(ApiError::unavailable("as asked")),
        Some("internal") => Err(ApiError::internal("as asked")),
        Some("panic") => panic!("as asked"),
        Some("list") => Ok(json!([1])),
        Some("alone") => {
            context.set_header("Set-Cookie", "c=3")?;
            Ok(json!({}))
        }
        Some(long @ ("long" | "long and untouched")) => {
            context.set_header("ETag", "\"one\"")?;
            if long != "long" {
                context.set_header("Cache-Control", "max-age=5, No-Transform")?;
            }
            Ok(json!({ "text": "word ".repeat(1_000) }))
        }
        Some(status) => {
            context.set_status(status.parse().map_err(ApiError::internal)?)?;
            Ok(json!({ "done": true }))
        }
    }
}

fn engine_with_envelopes() -> Engine {
    let module = |name: &str| Module::new(name).get(&format!("/{name}"), set_headers_with_outcome);
    build(definition(), ["aicra", "plain", "none"].map(module))
}

/// Sends a GET request, and returns the status, the header fields and the body of the response.
fn get(url: &str) -> (StatusCode, HeaderMap, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut response = agent.get(url).header("x-sent", "hello").call().unwrap();
    let body = response.body_mut().read_to_string().unwrap();
    (response.status(), response.headers().clone(), body)
}

fn header_values<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
}

#[test]
fn successes_and_errors_have_the_header_fields_that_a_handler_sets() {
    let (running, at) = serve(&engine_with_envelopes());
    let cookies = &["a=1", "b=2"][..];
    for module in ["aicra", "plain"] {
        let cases = [
            ("", 200, &["2"][..], cookies, &["77"][..]),
            ("?outcome=alone", 200, &["2"], &["c=3"], &["77"]),
            ("?outcome=declared", 409, &["2"], cookies, &["77"]),
            ("?outcome=unavailable", 503, &["2"], cookies, &["77"]),
            ("?outcome=internal", 500, &[], &[], &[]),
            ("?outcome=panic", 500, &[], &[], &[]),
            ("?outcome=list", 500, &[], &[], &[]),
            ("?outcome=1&outcome=2", 400, &[], &[], &[]),
        ];
        for (outcome, status, total, cookies, retry) in cases {
            let (got, headers, _) = get(&format!("{at}/{module}{outcome}"));
            assert_eq!(got, status, "{outcome}");
            assert_eq!(header_values(&headers, "x-total"), total, "{outcome}");
            assert_eq!(header_values(&headers, "set-cookie"), cookies, "{outcome}");
            assert_eq!(header_values(&headers, "retry-after"), retry, "{outcome}");
            assert_eq!(header_values(&headers, "content-type").len(), 1, "{outcome}");
        }
    }
    let (status, headers, body) = get(&format!("{at}/none"));
    assert_eq!((status.as_u16(), body.as_str(), header_values(&headers, "x-total")), (204, "", vec!["2"]));
    running.stop().unwrap();
}

/// An entity tag that a handler sets belongs to the bytes before compression (RFC 9110 section 8.8.1). The directive
/// `no-transform` prevents compression (RFC 9110 section 7.7).
#[test]
fn long_responses_are_compressed_unless_the_handler_forbids_it() {
    let (running, at) = serve(&engine_with_envelopes());
    for (outcome, coding, tag) in [("long", &["gzip"][..], "W/\"one\""), ("long%20and%20untouched", &[], "\"one\"")] {
        let url = format!("{at}/plain?outcome={outcome}");
        let mut response = ureq::get(&url).header("accept-encoding", "gzip").call().unwrap();
        assert_eq!(header_values(response.headers(), "content-encoding"), coding, "{outcome}");
        assert_eq!(header_values(response.headers(), "etag"), [tag], "{outcome}");
        assert_eq!(header_values(response.headers(), "vary"), ["accept-encoding"], "{outcome}");
        let bytes = response.body_mut().read_to_vec().unwrap();
        assert_eq!(bytes.len() < 1_000, !coding.is_empty(), "{outcome}: {} bytes", bytes.len());
    }
    running.stop().unwrap();
}

#[test]
fn handlers_read_header_fields_of_requests() {
    let (running, at) = serve(&engine_with_envelopes());
    let (_, _, body) = get(&format!("{at}/plain"));
    assert_eq!(body, r#"{"sent":"hello","none":null}"#);
    running.stop().unwrap();
    let outputs = block_on(engine_with_envelopes().call("plain.get").send()).outputs().unwrap();
    assert_eq!(outputs, json!({ "sent": null, "none": null }));
}

#[test]
fn handlers_set_the_status_of_a_success() {
    let (running, at) = serve(&engine_with_envelopes());
    let cases = [
        ("201", 201, r#"{"done":true}"#),
        ("299", 299, r#"{"done":true}"#),
        ("204", 204, ""),
        ("199", 500, ""),
        ("300", 500, ""),
        ("404", 500, ""),
        ("65535", 500, ""),
    ];
    for (set, expected, body) in cases {
        let (status, _, got) = get(&format!("{at}/plain?outcome={set}"));
        assert_eq!(status, expected, "{set}");
        assert!(expected == 500 || got == body, "{set}: {got}");
    }
    assert_eq!(get(&format!("{at}/none?outcome=200")).2, r#"{"error":0,"ErrorDescription":"all right","done":true}"#);
    running.stop().unwrap();
}

#[test]
fn a_call_from_code_has_a_status_and_no_header_fields() {
    let engine = engine_with_envelopes();
    let made = block_on(engine.call("plain.get").arg("outcome", "201").send());
    assert_eq!((made.status(), made.serialize()), (201, r#"{"done":true}"#.to_owned()));
    let refused = block_on(engine.call("plain.get").arg("outcome", "declared").send());
    assert_eq!(refused.error().unwrap().headers(), &[]);

    async fn call_failing_method(_: Args<()>, context: Context) -> Result<Json, ApiError> {
        context.set_header("X-Own", "1")?;
        context.call("plain.get").arg("outcome", "declared").send().await.outputs()
    }
    let mut all = definition();
    let errors = json!({ "no": { "info": "Not so" } });
    all.extend(files("outer", &json!({ "/": { "outer": { "GET": { "info": "Calls", "errors": errors } } } })));
    let module = |name: &str| Module::new(name).get(&format!("/{name}"), set_headers_with_outcome);
    let modules = ["aicra", "plain", "none"].map(module).into_iter();
    let engine = build(all, modules.chain([Module::new("outer").get("/outer", call_failing_method)]));
    let (running, at) = serve(&engine);
    let (status, headers, _) = get(&format!("{at}/outer"));
    assert_eq!(status, 400);
    assert_eq!((header_values(&headers, "x-own"), header_values(&headers, "set-cookie")), (vec!["1"], vec![]));
    running.stop().unwrap();
}

#[test]
fn hooks_can_set_header_fields() {
    let module = Module::new("shop")
        .get("/it", |_: Args<()>, _| async { Ok::<_, ApiError>(()) })
        .before(|context| async move { Ok(context.set_header("X-Before", "1")?) })
        .after(|context, ended| async move { context.set_header("X-After", format!("{ended:?}")).unwrap() });
    let (running, at) = serve(&build(files("shop", &json!({ "/": { "it": { "GET": { "info": "It" } } } })), [module]));
    let (_, headers, _) = get(&format!("{at}/it"));
    assert_eq!(
        (header_values(&headers, "x-before"), header_values(&headers, "x-after")),
        (vec!["1"], vec!["Succeeded"])
    );
    running.stop().unwrap();
}

/// Builds a handler that sets this header field, and returns the result of setting it.
fn result_of_setting_header(name: &'static str, value: &'static str) -> Result<(), ResponseError> {
    let result = std::sync::Arc::new(std::sync::Mutex::new(None));
    let own = std::sync::Arc::clone(&result);
    let handler = move |_: Args<()>, context: Context| {
        let set = context.set_header(name, value);
        assert_eq!(context.append_header(name, value), set);
        *own.lock().unwrap() = Some(set.clone());
        std::future::ready(set.map_err(ApiError::from))
    };
    let module = Module::new("shop").get("/it", handler);
    let engine = build(files("shop", &json!({ "/": { "it": { "GET": { "info": "It" } } } })), [module]);
    let response = block_on(engine.call("it.get").send());
    let result = result.lock().unwrap().take().unwrap();
    let why = result.as_ref().err().map(ToString::to_string);
    assert_eq!(response.error().and_then(ApiError::log), why.as_deref(), "the log has the reason");
    result
}

#[test]
fn handlers_cannot_set_header_fields_that_the_engine_sets() {
    let reserved = [
        "Content-Length",
        "content-type",
        "CONTENT-ENCODING",
        "Transfer-Encoding",
        "Connection",
        "Keep-Alive",
        "Proxy-Connection",
        "Upgrade",
        "TE",
        "Trailer",
        "Date",
        "Allow",
        "X-Request-Id",
        "X-Content-Type-Options",
        "Access-Control-Allow-Origin",
    ];
    for name in reserved {
        let name_in_small: &str = &name.to_lowercase();
        assert!(
            matches!(result_of_setting_header(name, "1"), Err(ResponseError::Reserved { name }) if name == name_in_small),
            "{name}"
        );
    }
    for name in ["Location", "Cache-Control", "ETag", "Vary", "Link", "Content-Disposition", "X-Total"] {
        assert_eq!(result_of_setting_header(name, "a value"), Ok(()), "{name}");
    }
    for name in ["", " ", "X Total", "X:", "X-Tötal", "X\r\nSet-Cookie"] {
        assert_eq!(result_of_setting_header(name, "1"), Err(ResponseError::InvalidName { name: name.to_owned() }));
    }
    for value in ["a\r\nSet-Cookie: b=1", "a\nb", "\0", "\u{7f}"] {
        assert!(
            matches!(result_of_setting_header("X-Total", value), Err(ResponseError::InvalidValue { .. })),
            "{value:?}"
        );
    }
}
