//! Tests requests over HTTP/2 with a client of the crate `h2`.

use std::fs;

use bytes::Bytes;
use h2::Reason;
use h2::client::{Builder, ResponseFuture, SendRequest};
use http::{HeaderMap, Method, Request, Response};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use super::echo_server;
use crate::captured_log;
use crate::client::{self, TestServer, engine};

/// A connection of HTTP/2, whose client makes progress while the test waits for something.
struct Client {
    runtime: Runtime,
    sender: SendRequest<Bytes>,
}

impl Client {
    fn open(server: &TestServer) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let sender = runtime.block_on(async {
            let stream = TcpStream::connect(server.address()).await.unwrap();
            // The window of the connection does not stop one response because of another.
            let builder = Builder::new().initial_connection_window_size(64 << 20).clone();
            let (sender, connection) = builder.handshake(stream).await.unwrap();
            tokio::spawn(connection);
            sender
        });
        Self { runtime, sender }
    }

    /// Sends a request whose body consists of one frame for each of these parts. Returns the status, the header fields
    /// and the body of the response.
    fn send(&mut self, request: Request<()>, body: &[&'static str]) -> Result<(u16, HeaderMap, Vec<u8>), h2::Error> {
        let Self { runtime, sender } = self;
        runtime.block_on(async {
            let mut sender = sender.clone().ready().await?;
            let (response, mut sending) = sender.send_request(request, body.is_empty())?;
            for (number, part) in (1..).zip(body) {
                // The server may have rejected the request already.
                let _ = sending.send_data(Bytes::from_static(part.as_bytes()), number == body.len());
            }
            let (head, body) = read_response(response).await?.into_parts();
            Ok((head.status.as_u16(), head.headers, body))
        })
    }
}

async fn read_response(response: ResponseFuture) -> Result<Response<Vec<u8>>, h2::Error> {
    let (head, mut body) = response.await?.into_parts();
    let mut all = Vec::new();
    while let Some(bytes) = body.data().await {
        let bytes = bytes?;
        all.extend_from_slice(&bytes);
        body.flow_control().release_capacity(bytes.len())?;
    }
    Ok(Response::from_parts(head, all))
}

/// Returns a request with header fields.
fn request(method: &Method, path: &str, fields: &[(&'static str, String)]) -> Request<()> {
    let mut request = Request::new(());
    *request.method_mut() = method.clone();
    *request.uri_mut() = format!("http://test{path}").parse().unwrap();
    for (name, value) in fields {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    request
}

/// Returns the number of times that clients have exceeded a limit.
fn exceeded(server: &TestServer, limit: &str) -> u64 {
    let metrics = server.send(&client::Request::new("GET", "/metrics"));
    let text = String::from_utf8(metrics.body).unwrap();
    let name = format!("rulebook_connection_limits_exceeded_total{{limit=\"{limit}\"}} ");
    text.lines().find_map(|line| line.strip_prefix(&name)).unwrap().parse().unwrap()
}

#[test]
fn a_head_that_exceeds_a_limit_of_connections_gets_a_complete_response() {
    captured_log::begin();
    let server = echo_server(&json!({ "head": 1_000_000 }));
    let mut client = Client::open(&server);
    let long = vec![("x-long", "x".repeat(140_000))];
    let many = (0..101).map(|_| ("x-many", String::new())).collect();
    for (limit, max, fields) in [("head-size", "131072", long), ("head-fields", "100", many)] {
        let path = format!("/echo-of-{limit}");
        let (status, headers, body) = client.send(request(&Method::GET, &path, &fields), &[]).unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        let message = body["ErrorDescription"].as_str().unwrap();
        assert!(
            status == 431 && message.contains(&format!("over the limit `{limit}` of {max} ")),
            "{status} {message}"
        );
        let id = headers["x-request-id"].to_str().unwrap();
        let lines = captured_log::logged(&path);
        assert!(lines.iter().any(|line| format!("{line:?}").contains(id)), "{lines:?}");
        assert_eq!(exceeded(&server, limit), 1, "{limit}");
    }
    let (status, ..) = client.send(request(&Method::GET, "/echo", &[]), &[]).unwrap();
    assert_eq!(status, 200, "the connection can still be used");
}

#[test]
fn cookies_in_many_fields_count_as_one_field() {
    let server = echo_server(&json!({}));
    let mut client = Client::open(&server);
    let cookies: Vec<_> = (0..180).map(|number| ("cookie", format!("name{number}=value"))).collect();
    for _ in 0..200 {
        let (status, ..) = client.send(request(&Method::GET, "/echo", &cookies), &[]).unwrap();
        assert_eq!(status, 200);
    }
    // All these requests arrive before the server has handled one of them.
    let Client { runtime, sender } = &client;
    runtime.block_on(async {
        let mut responses = Vec::new();
        for _ in 0..100 {
            let mut sender = sender.clone().ready().await.unwrap();
            responses.push(sender.send_request(request(&Method::GET, "/echo", &cookies), true).unwrap().0);
        }
        for response in responses {
            assert_eq!(response.await.unwrap().status(), 200);
        }
    });
    assert_eq!((exceeded(&server, "head-fields"), exceeded(&server, "http2-small-frames")), (0, 0));
}

#[test]
fn many_requests_with_too_many_fields_close_the_connection() {
    let server = echo_server(&json!({}));
    let mut client = Client::open(&server);
    let fields: Vec<_> = (0..300).map(|_| ("x-many", String::new())).collect();
    let mut results = (0..100).map(|_| client.send(request(&Method::GET, "/echo", &fields), &[]));
    let error = results.find_map(Result::err).expect("the connection is closed");
    assert_eq!(error.reason(), Some(Reason::ENHANCE_YOUR_CALM));
    assert!(exceeded(&server, "head-fields") > 1);
}

#[test]
fn a_request_whose_content_length_is_not_that_of_its_body_is_malformed() {
    let server = echo_server(&json!({}));
    let mut client = Client::open(&server);
    for (lengths, body, is_valid) in [
        (&["5"][..], &["hello"][..], true),
        (&["5"], &["he", "", "llo"], true),
        (&["0"], &[], true),
        (&[], &["hello"], true),
        (&["5"], &[], false),
        (&["5"], &[""], false),
        (&["5"], &["hell"], false),
        (&["5"], &["hello", "!"], false),
        (&["5", "5"], &["hello"], false),
        (&["5", "6"], &["hello"], false),
        (&["five"], &["hello"], false),
        (&["+5"], &["hello"], false),
        (&[""], &["hello"], false),
    ] {
        let fields: Vec<_> = lengths.iter().map(|length| ("content-length", (*length).to_owned())).collect();
        let result = client.send(request(&Method::POST, "/optional", &fields), body);
        match result {
            Ok((status, ..)) => assert!(is_valid, "{lengths:?} {body:?}: the status is {status}"),
            Err(error) => {
                assert!(!is_valid && error.reason() == Some(Reason::PROTOCOL_ERROR), "{lengths:?} {body:?}: {error}");
            }
        }
    }
}

#[test]
fn a_response_that_is_not_read_does_not_stop_others() {
    let folder = tempfile::tempdir().unwrap();
    let content: Vec<u8> = (0..3_u32 << 18).flat_map(u32::to_be_bytes).collect();
    fs::write(folder.path().join("long.bin"), &content).unwrap();
    let engine = engine(&[("site.json", json!({ "GET": { "info": "Nothing" } }))], |rulebook| {
        rulebook.unbound(rulebook::Unbound::Echo)
    });
    let server = TestServer::with_static(&engine, Some(folder.path()));
    let Client { runtime, sender } = Client::open(&server);
    runtime.block_on(async {
        let mut unread = Vec::new();
        for _ in 0..20 {
            let (response, _) = sender.clone().send_request(request(&Method::GET, "/long.bin", &[]), true).unwrap();
            unread.push(response.await.unwrap());
        }
        let (response, _) = sender.clone().send_request(request(&Method::GET, "/long.bin", &[]), true).unwrap();
        assert!(read_response(response).await.unwrap().into_body() == content);
        for response in unread {
            assert_eq!(response.status(), 200);
        }
    });
}
