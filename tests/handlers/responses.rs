//! The header fields and the status that handlers set, and the header fields of requests that they read.

use std::path::PathBuf;

use rulebook::{ApiError, Args, Context, Engine, Module, ResponseError};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use ureq::http::{HeaderMap, StatusCode};

use super::over_http::serve;
use super::{block_on, build, files};

/// `GET /aicra` and `GET /plain` in these envelopes, and `GET /none` with the status 204.
fn definition() -> Vec<(PathBuf, Vec<u8>)> {
    let method = json!({
        "info": "Does as it is asked",
        "in": { "GET@how": { "info": "How", "type": "?string", "name": "how" } },
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
struct Parameters {
    how: Option<String>,
}

async fn act(Args(Parameters { how }): Args<Parameters>, context: Context) -> Result<Json, ApiError> {
    context.set_header("X-Total", "1")?;
    context.set_header("x-total", 2_u64)?;
    context.append_header("Set-Cookie", "a=1")?;
    context.append_header("Set-Cookie", "b=2")?;
    context.set_header("Retry-After", "77")?;
    match how.as_deref() {
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

fn engine() -> Engine {
    let module = |name: &str| Module::new(name).get(&format!("/{name}"), act);
    build(definition(), ["aicra", "plain", "none"].map(module))
}

/// The status, header fields and body of a response.
fn get(url: &str) -> (StatusCode, HeaderMap, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut response = agent.get(url).header("x-sent", "hello").call().unwrap();
    let body = response.body_mut().read_to_string().unwrap();
    (response.status(), response.headers().clone(), body)
}

fn values<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
}

#[test]
fn successes_and_errors_have_the_header_fields_that_a_handler_sets() {
    let (running, at) = serve(&engine());
    let cookies = &["a=1", "b=2"][..];
    for module in ["aicra", "plain"] {
        let cases = [
            ("", 200, &["2"][..], cookies, &["77"][..]),
            ("?how=alone", 200, &["2"], &["c=3"], &["77"]),
            ("?how=declared", 409, &["2"], cookies, &["77"]),
            ("?how=unavailable", 503, &["2"], cookies, &["77"]),
            ("?how=internal", 500, &[], &[], &[]),
            ("?how=panic", 500, &[], &[], &[]),
            ("?how=list", 500, &[], &[], &[]),
            ("?how=1&how=2", 400, &[], &[], &[]),
        ];
        for (how, status, total, cookies, retry) in cases {
            let (got, headers, _) = get(&format!("{at}/{module}{how}"));
            assert_eq!(got, status, "{how}");
            assert_eq!(values(&headers, "x-total"), total, "{how}");
            assert_eq!(values(&headers, "set-cookie"), cookies, "{how}");
            assert_eq!(values(&headers, "retry-after"), retry, "{how}");
            assert_eq!(values(&headers, "content-type").len(), 1, "{how}");
        }
    }
    let (status, headers, body) = get(&format!("{at}/none"));
    assert_eq!((status.as_u16(), body.as_str(), values(&headers, "x-total")), (204, "", vec!["2"]));
    running.stop().unwrap();
}

/// RFC 9110 sections 7.7 and 8.8.1: an entity tag from the handler belongs to the uncompressed bytes, and `no-transform` prevents
/// compression.
#[test]
fn long_responses_are_compressed_unless_the_handler_forbids_it() {
    let (running, at) = serve(&engine());
    for (how, coding, tag) in [("long", &["gzip"][..], "W/\"one\""), ("long%20and%20untouched", &[], "\"one\"")] {
        let url = format!("{at}/plain?how={how}");
        let mut response = ureq::get(&url).header("accept-encoding", "gzip").call().unwrap();
        assert_eq!(values(response.headers(), "content-encoding"), coding, "{how}");
        assert_eq!(values(response.headers(), "etag"), [tag], "{how}");
        assert_eq!(values(response.headers(), "vary"), ["accept-encoding"], "{how}");
        let bytes = response.body_mut().read_to_vec().unwrap();
        assert_eq!(bytes.len() < 1_000, !coding.is_empty(), "{how}: {} bytes", bytes.len());
    }
    running.stop().unwrap();
}

#[test]
fn handlers_read_header_fields_of_requests() {
    let (running, at) = serve(&engine());
    let (_, _, body) = get(&format!("{at}/plain"));
    assert_eq!(body, r#"{"sent":"hello","none":null}"#);
    running.stop().unwrap();
    let outputs = block_on(engine().call("plain.get").send()).outputs().unwrap();
    assert_eq!(outputs, json!({ "sent": null, "none": null }));
}

#[test]
fn handlers_set_the_status_of_a_success() {
    let (running, at) = serve(&engine());
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
        let (status, _, got) = get(&format!("{at}/plain?how={set}"));
        assert_eq!(status, expected, "{set}");
        assert!(expected == 500 || got == body, "{set}: {got}");
    }
    assert_eq!(get(&format!("{at}/none?how=200")).2, r#"{"error":0,"ErrorDescription":"all right","done":true}"#);
    running.stop().unwrap();
}

#[test]
fn a_call_from_code_has_a_status_and_no_header_fields() {
    let engine = engine();
    let made = block_on(engine.call("plain.get").arg("how", "201").send());
    assert_eq!((made.status(), made.serialize()), (201, r#"{"done":true}"#.to_owned()));
    let refused = block_on(engine.call("plain.get").arg("how", "declared").send());
    assert_eq!(refused.error().unwrap().headers(), &[]);

    async fn pass_on(_: Args<()>, context: Context) -> Result<Json, ApiError> {
        context.set_header("X-Own", "1")?;
        context.call("plain.get").arg("how", "declared").send().await.outputs()
    }
    let mut all = definition();
    let errors = json!({ "no": { "info": "Not so" } });
    all.extend(files("outer", &json!({ "/": { "outer": { "GET": { "info": "Calls", "errors": errors } } } })));
    let module = |name: &str| Module::new(name).get(&format!("/{name}"), act);
    let modules = ["aicra", "plain", "none"].map(module).into_iter();
    let engine = build(all, modules.chain([Module::new("outer").get("/outer", pass_on)]));
    let (running, at) = serve(&engine);
    let (status, headers, _) = get(&format!("{at}/outer"));
    assert_eq!(status, 400);
    assert_eq!((values(&headers, "x-own"), values(&headers, "set-cookie")), (vec!["1"], vec![]));
    running.stop().unwrap();
}

#[test]
fn hooks_set_header_fields_too() {
    let module = Module::new("shop")
        .get("/it", |_: Args<()>, _| async { Ok::<_, ApiError>(()) })
        .before(|context| async move { Ok(context.set_header("X-Before", "1")?) })
        .after(|context, ended| async move { context.set_header("X-After", format!("{ended:?}")).unwrap() });
    let (running, at) = serve(&build(files("shop", &json!({ "/": { "it": { "GET": { "info": "It" } } } })), [module]));
    let (_, headers, _) = get(&format!("{at}/it"));
    assert_eq!((values(&headers, "x-before"), values(&headers, "x-after")), (vec!["1"], vec!["Succeeded"]));
    running.stop().unwrap();
}

/// The error that a handler gets for setting this field.
fn set(name: &'static str, value: &'static str) -> Result<(), ResponseError> {
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
fn header_fields_of_the_engine_cannot_be_set() {
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
        assert!(matches!(set(name, "1"), Err(ResponseError::Reserved { name }) if name == name_in_small), "{name}");
    }
    for name in ["Location", "Cache-Control", "ETag", "Vary", "Link", "Content-Disposition", "X-Total"] {
        assert_eq!(set(name, "a value"), Ok(()), "{name}");
    }
    for name in ["", " ", "X Total", "X:", "X-Tötal", "X\r\nSet-Cookie"] {
        assert_eq!(set(name, "1"), Err(ResponseError::InvalidName { name: name.to_owned() }));
    }
    for value in ["a\r\nSet-Cookie: b=1", "a\nb", "\0", "\u{7f}"] {
        assert!(matches!(set("X-Total", value), Err(ResponseError::InvalidValue { .. })), "{value:?}");
    }
}
