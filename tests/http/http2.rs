//! Tests HTTP/2 without TLS, which a setting of the server enables.

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use http::{Method, Request, Response};
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::echo_definition;
use crate::client::{self, TestServer, engine};

/// Starts a server that echoes arguments.
fn server(http2: bool) -> TestServer {
    let files = [("app.json", json!({ "unbound": "echo" })), ("site.json", echo_definition())];
    TestServer::with_settings(&engine(&files, |rulebook| rulebook), |settings| settings.with_http2(http2))
}

async fn connect(server: &TestServer) -> SendRequest<Bytes> {
    let stream = TcpStream::connect(server.address()).await.unwrap();
    let (sender, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// Sends a request, and returns its future response.
async fn send(sender: &SendRequest<Bytes>, method: Method, path: &str, body: &'static str) -> ResponseFuture {
    let mut request = Request::new(());
    *request.method_mut() = method;
    *request.uri_mut() = format!("http://test{path}").parse().unwrap();
    let form = "application/x-www-form-urlencoded".parse().unwrap();
    request.headers_mut().append("content-type", form);
    let mut sender = sender.clone().ready().await.unwrap();
    let (response, mut sending) = sender.send_request(request, body.is_empty()).unwrap();
    if !body.is_empty() {
        sending.send_data(Bytes::from_static(body.as_bytes()), true).unwrap();
    }
    response
}

async fn read(response: ResponseFuture) -> Response<Value> {
    let (head, mut body) = response.await.unwrap().into_parts();
    let mut all = Vec::new();
    while let Some(bytes) = body.data().await {
        let bytes = bytes.unwrap();
        all.extend_from_slice(&bytes);
        body.flow_control().release_capacity(bytes.len()).unwrap();
    }
    Response::from_parts(head, serde_json::from_slice(&all).unwrap())
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

#[test]
fn requests_over_one_connection_get_the_responses_that_http1_gets() {
    let server = server(true);
    run(async {
        let sender = connect(&server).await;
        let get = send(&sender, Method::GET, "/echo?word=a", "").await;
        let post = send(&sender, Method::POST, "/echo", "text=b").await;
        let locked = send(&sender, Method::POST, "/locked", "text=c").await;
        let (get, post, locked) = (read(get).await, read(post).await, read(locked).await);
        assert_eq!(get.body()["args"], json!({ "word": "a" }));
        assert_eq!(post.body()["args"], json!({ "text": "b" }));
        assert_eq!(locked.status(), 401);
        assert!(get.headers().contains_key("x-request-id") && locked.headers().contains_key("x-request-id"));
    });
    let http1 = client::Request::new("GET", "/echo?word=a");
    server.send(&http1).assert_args(&json!({ "word": "a" }));
}

#[test]
fn connections_of_http2_are_refused_unless_they_are_enabled() {
    assert!(!rulebook::Settings::new().http2, "disabled by default");
    let server = server(false);
    let mut connection = server.connect();
    connection.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    let response = connection.read_response(false);
    assert_eq!(response.status, 400);
    connection.assert_closed();
}
