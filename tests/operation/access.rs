//! Tests of the access log. It has one line for each request, without secrets and without line breaks that clients
//! send.

use std::sync::{Arc, Mutex};

use rulebook::trace::{Span, TraceExporter};
use rulebook::{Rulebook, Unbound};
use serde_json::json;
use tokio::sync::Notify;

use super::{begin_request, shop_engine, shop_engine_with_put};
use crate::captured_log::{self, Line, accesses, logged};
use crate::client::{Request, TestServer, engine, wait_until};

/// Returns the line of the access log about the request with this id. Asserts that there is exactly one.
#[track_caller]
fn access_line(name: &str) -> Line {
    // A request is logged before its response is sent, so that the line exists now.
    let lines = accesses(name);
    let [line] = &lines[..] else { panic!("{name}: {lines:?}") };
    line.clone()
}

#[test]
fn a_line_of_the_access_log_describes_the_request_and_its_result() {
    captured_log::begin();
    let server = TestServer::start(&shop_engine());
    let form = "application/x-www-form-urlencoded";
    let locked = || Request::new("POST", "/shop");
    let cases = [
        (Request::new("GET", "/shop?how=name"), "GET /shop 200", "shop.get", "-"),
        (Request::new("HEAD", "/shop"), "HEAD /shop 200", "shop.get", "-"),
        (Request::new("PUT", "/shop"), "PUT /shop 204", "shop.put", "-"),
        (Request::new("GET", "/shop?how=sold"), "GET /shop 410", "shop.get", "failed:sold"),
        (Request::new("GET", "/shop?how=internal"), "GET /shop 500", "shop.get", "internal"),
        (locked(), "POST /shop 401", "shop.post", "unauthenticated"),
        (locked().scope(&["seller"]), "POST /shop 400", "shop.post", "missing-parameter"),
        (locked().scope(&["seller"]).body(form, "text=x"), "POST /shop 200", "shop.post", "-"),
        (locked().field("expect", "100-continue"), "POST /shop 401", "shop.post", "unauthenticated"),
        (Request::new("DELETE", "/shop"), "DELETE /shop 405", "-unrouted", "unknown-method"),
        (Request::new("GET", "/nowhere/%0Aat?all"), "GET /nowhere/%0Aat 404", "-unrouted", "unknown-service"),
        (Request::new("OPTIONS", "/shop"), "OPTIONS /shop 200", "-options", "-"),
        (Request::new("GET", "/llms.txt"), "GET /llms.txt 200", "-document", "-"),
        (Request::new("GET", "/healthz"), "GET /healthz 200", "-health", "-"),
        (Request::new("GET", "/metrics"), "GET /metrics 200", "-metrics", "-"),
    ];
    for (request, asked, id, code) in cases {
        let caller = if request.fields.iter().any(|field| field.starts_with(b"authorization")) { "test" } else { "-" };
        let mut connection = server.connect();
        let peer = connection.stream.local_addr().unwrap().to_string();
        let response = connection.send(&request);
        let name = response.field("x-request-id").unwrap();
        let Line { level, message, fields, .. } = access_line(name);
        assert_eq!(level, log::Level::Info);
        let bytes = response.body.len().to_string();
        let (before, after) = (format!("{peer} {caller} {asked} {bytes} "), format!("ms {id} {code} {name}"));
        assert!(message.starts_with(&before) && message.ends_with(&after), "{message}");
        let [method, path, status] = asked.split(' ').collect::<Vec<_>>()[..] else { panic!("{asked}") };
        let (code, error) = code.split_once(':').unwrap_or((code, "None"));
        let code = if code == "-" { "None" } else { code };
        let expected = [("peer", &*peer), ("method", method), ("path", path), ("status", status), ("bytes", &bytes)];
        let last = [("id", id), ("code", code), ("error", error), ("request_id", name), ("client", "127.0.0.1")];
        for (field, value) in expected.into_iter().chain(last) {
            assert_eq!(fields[field], value, "{field} of {message}");
        }
        assert!((0.0..60_000.0).contains(&fields["ms"].parse::<f64>().unwrap()), "{message}");
    }
}

#[test]
fn a_request_whose_client_disconnects_is_logged() {
    captured_log::begin();
    let (begun, proceed) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait_for) = (Arc::clone(&begun), Arc::clone(&proceed));
    let put = move |_| {
        let (tell, wait_for) = (Arc::clone(&tell), Arc::clone(&wait_for));
        async move {
            tell.notify_one();
            wait_for.notified().await;
            Ok(())
        }
    };
    let server = TestServer::start(&shop_engine_with_put(put, |rulebook| rulebook));
    let request = Request::new("PUT", "/shop").field("x-request-id", "who-goes");
    let connection = begin_request(server.address(), &request, &begun);
    assert!(accesses("who-goes").is_empty(), "it is not over");
    connection.reset();
    assert!(wait_until(|| !accesses("who-goes").is_empty()));
    let line = access_line("who-goes");
    assert!(line.message.contains(" PUT /shop - - "), "{line:?}");
    assert!(line.message.ends_with("ms shop.put -gone who-goes"), "{line:?}");
    proceed.notify_one();
    server.running.stop().unwrap();
    assert_eq!(accesses("who-goes").len(), 1);
}

#[test]
fn a_request_with_100_continue_is_logged_once() {
    captured_log::begin();
    let server = TestServer::start(&shop_engine());
    let request = Request::new("POST", "/shop").scope(&["seller"]).field("x-request-id", "expects");
    let request = request.field("expect", "100-continue").body("application/x-www-form-urlencoded", "text=x");
    let mut connection = server.connect();
    connection.write(&request.head());
    assert!(connection.read_more() && connection.unread.starts_with(b"HTTP/1.1 100 "));
    assert!(accesses("expects").is_empty(), "it is not over");
    connection.write(&request.body);
    assert_eq!(connection.read_response(false).status, 200);
    assert!(access_line("expects").message.contains(" POST /shop 200 "));
}

#[test]
fn no_line_of_the_log_contains_a_secret() {
    captured_log::begin();
    let server = TestServer::start(&shop_engine());
    let secrets =
        ["hidden-in-the-query", "hidden-in-a-scope", "hidden-in-a-cookie", "hidden-in-basic", "hidden-in-the-body"];
    let requests = ["/shop", "/nowhere", "/shop/1", "/healthz"].map(|path| {
        Request::new("POST", format!("{path}?token={}", secrets[0]))
            .scope(&[secrets[1]])
            .field("cookie", format_args!("session={}", secrets[2]))
            .field("proxy-authorization", format_args!("Basic {}", secrets[3]))
            .body("application/json", format!("{{\"text\": \"{}\"}}", secrets[4]))
    });
    for request in requests {
        let response = server.send(&request);
        access_line(response.field("x-request-id").unwrap());
    }
    for secret in secrets {
        assert_eq!(logged(secret).len(), 0, "{secret}");
    }
}

/// Keeps the spans of requests.
#[derive(Default, Clone)]
struct Spans(Arc<Mutex<Vec<String>>>);

impl TraceExporter for Spans {
    fn export(&self, span: Span) {
        self.0.lock().unwrap().push(format!("{span:?}"));
    }
}

#[test]
fn secret_parameters_in_paths_are_neither_logged_nor_traced() {
    captured_log::begin();
    let parameter = |name: &str| json!({ "info": "I", "type": "string", "name": name });
    let module = json!({ "/": {
        "reset/{token}": {
            "GET": { "info": "I", "in": { "{token}": parameter("token") } },
            "/": { "user/{id}": { "GET": { "info": "I", "in": {
                "{token}": parameter("secret_of_user"), "{id}": parameter("id")
            } } } }
        },
        "pick": {
            "GET": { "info": "I", "in": { "URL#0": parameter("id"), "URL#1": parameter("api_key") } },
            "POST": { "info": "I" }
        },
        "two/{a}/{token}/{b}": { "GET": { "info": "I", "in": {
            "{a}": parameter("a"), "{token}": parameter("token"), "{b}": parameter("b")
        } } },
        "open/{id}": { "GET": { "info": "I", "in": { "{id}": parameter("id") } } }
    } });
    let spans = Spans::default();
    let exporter = spans.clone();
    let add = |rulebook: Rulebook| rulebook.unbound(Unbound::Echo).trace_exporter(exporter, 100);
    let server = TestServer::start(&engine(&[("app.json", json!({ "base": "/v1" })), ("site.json", module)], add));
    let cases = [
        ("GET", "/v1/reset/HIDDEN?token=HIDDEN", 200, "/v1/reset/{token}"),
        ("HEAD", "/v1/reset/HIDDEN", 200, "/v1/reset/{token}"),
        ("PUT", "/v1/reset/HIDDEN", 405, "/v1/reset/{token}"),
        ("OPTIONS", "/v1/reset/HIDDEN", 200, "/v1/reset/{token}"),
        ("GET", "/v1/reset/HIDDEN/", 200, "/v1/reset/{token}/"),
        ("GET", "/v1/%72eset/%48HIDDEN%2f", 200, "/v1/%72eset/{token}"),
        ("GET", "/v1/reset/HIDDEN/more", 404, "/v1/reset/{token}/more"),
        ("GET", "/v1/reset/HIDDEN/user/7", 200, "/v1/reset/{secret_of_user}/user/7"),
        ("GET", "/v1/reset/HIDDEN%FF", 400, "-"),
        ("GET", "/v1/pick/7/HIDDEN", 200, "/v1/pick/7/{api_key}"),
        ("POST", "/v1/pick/7/HIDDEN", 405, "/v1/pick/7/{api_key}"),
        ("GET", "/v1/open/7", 200, "/v1/open/7"),
        ("GET", "/v1/open/7/8", 404, "/v1/open/7/8"),
        ("GET", "/v1/two/x/HIDDEN/y", 200, "/v1/two/x/{token}/y"),
        ("GET", "/v1/two/x/HIDDEN", 404, "/v1/two/x/{token}"),
        ("OPTIONS", "/v1/two/x/HIDDEN", 200, "/v1/two/x/{token}"),
        ("GET", "/v1/two/x/HIDDEN/y/more", 404, "/v1/two/x/{token}/y/more"),
        ("GET", "/v1/Reset/HIDDEN", 404, "/v1/Reset/{token}"),
        ("GET", "/reset/HIDDEN", 404, "/reset/{token}"),
        ("GET", "/v1/other/x/shown", 404, "/v1/other/x/shown"),
        ("GET", "/v1", 404, "/v1"),
        ("GET", "/elsewhere/7", 404, "/elsewhere/7"),
    ];
    for (method, target, status, logged_path) in cases {
        let response = server.send(&Request::new(method, target));
        assert_eq!(response.status, status, "{method} {target}");
        assert!(!response.head.contains("HIDDEN") || response.status == 200, "{response:?}");
        let line = access_line(response.field("x-request-id").unwrap());
        assert_eq!(line.fields["path"], logged_path, "{method} {target}");
        assert!(line.message.contains(&format!(" {method} {logged_path} {status} ")), "{line:?}");
        let spans = spans.0.lock().unwrap();
        assert!(spans.iter().any(|span| span.contains(&format!("{logged_path:?}"))), "{method} {target}: {spans:?}");
    }
    assert_eq!(logged("HIDDEN").len(), 0);
    let spans = spans.0.lock().unwrap();
    assert!(spans.iter().all(|span| !span.contains("HIDDEN")), "{spans:?}");
}

#[test]
fn text_of_clients_cannot_begin_a_line_or_a_column() {
    captured_log::begin();
    let server = TestServer::start(&shop_engine());
    for (path, shown) in
        [("/a%0d%0ab%20c", "/a%0d%0ab%20c"), ("/a\u{202e}b", "/a%E2%80%AEb"), ("/caf\u{e9}", "/caf%C3%A9")]
    {
        let response = server.connect().send(&Request::new("GET", path));
        assert_eq!(access_line(response.field("x-request-id").unwrap()).fields["path"], shown);
    }
    let long = format!("/{}", "x".repeat(5_000));
    let response = server.send(&Request::new("GET", &long));
    let path = &access_line(response.field("x-request-id").unwrap()).fields["path"];
    assert_eq!(path.chars().count(), 1025, "{path}");
    assert!(path.ends_with('…'), "{path}");
}
