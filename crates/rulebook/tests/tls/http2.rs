//! HTTP/2 over TLS.

use std::sync::Arc;

use bytes::Bytes;
use h2::client::SendRequest;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::client::Client;
use super::{FILE_LEN, TestServer, file_bytes};

/// Opens a connection, and returns a handle that sends requests.
async fn connect(server: &TestServer, client: &Client) -> SendRequest<Bytes> {
    let socket = TcpStream::connect(server.address()).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::clone(&client.0)).connect(name, socket).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (sender, connection) = h2::client::Builder::new().initial_window_size(1 << 20).handshake(stream).await.unwrap();
    tokio::spawn(async move {
        let _ = connection.await;
    });
    sender
}

/// Sends a request, and returns the status and the body of its response.
async fn send(sender: &mut SendRequest<Bytes>, method: &str, path: &str, body: Bytes) -> (u16, Vec<u8>) {
    let request = http::Request::builder().method(method).uri(format!("https://localhost{path}"));
    let request = request.header("content-type", "application/json").body(()).unwrap();
    *sender = sender.clone().ready().await.unwrap();
    let (response, mut sending) = sender.send_request(request, body.is_empty()).unwrap();
    let mut left = body;
    while !left.is_empty() {
        sending.reserve_capacity(left.len());
        let capacity = std::future::poll_fn(|task| sending.poll_capacity(task)).await.unwrap().unwrap();
        let part = left.split_to(capacity.min(left.len()));
        sending.send_data(part, left.is_empty()).unwrap();
    }
    let (head, mut body) = response.await.unwrap().into_parts();
    let mut received = Vec::new();
    while let Some(bytes) = body.data().await {
        let bytes = bytes.unwrap();
        body.flow_control().release_capacity(bytes.len()).unwrap();
        received.extend_from_slice(&bytes);
    }
    (head.status.as_u16(), received)
}

fn client(server: &TestServer) -> Client {
    server.authority.client().with_protocols(&[b"h2", b"http/1.1"])
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

/// Starts a server whose clients can speak HTTP/2.
fn start() -> TestServer {
    TestServer::start_with_settings(
        |_, tls| tls,
        |settings| settings.with_http2(true),
        rulebook::ClientCertificates::new(),
    )
}

#[test]
fn http2_is_offered_only_if_it_is_enabled() {
    let without = TestServer::start();
    let mut connection = without.try_connect(&client(&without)).unwrap();
    assert_eq!(connection.0.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
    assert!(connection.get("/caller").starts_with("HTTP/1.1 200 "));
    let server = start();
    run(async {
        let mut sender = connect(&server, &client(&server)).await;
        for _ in 0..3 {
            let (status, body) = send(&mut sender, "GET", "/caller", Bytes::new()).await;
            assert_eq!(status, 200);
            assert!(String::from_utf8(body).unwrap().contains(r#""name":"nobody""#));
        }
    });
}

#[test]
fn large_bodies_and_files_arrive_completely() {
    let server = start();
    run(async {
        let mut sender = connect(&server, &client(&server)).await;
        let text = "x".repeat(4 << 20);
        let (status, body) = send(&mut sender, "POST", "/length", format!("{{\"text\":\"{text}\"}}").into()).await;
        assert_eq!(status, 200);
        assert!(String::from_utf8(body).unwrap().contains(&format!("\"length\":{}", text.len())));
        for path in ["/static/file.bin", "/bytes"] {
            let (status, body) = send(&mut sender, "GET", path, Bytes::new()).await;
            assert!(status == 200 && body.len() == FILE_LEN && body == file_bytes(), "{path}");
        }
    });
}

#[test]
fn a_client_can_prefer_http1() {
    let server = start();
    for name in [&b"http/1.1"[..], b"http/1.0"] {
        let client = server.authority.client().with_protocols(&[name]);
        let mut connection = server.try_connect(&client).unwrap();
        assert_eq!(connection.0.conn.alpn_protocol(), Some(name));
        assert!(connection.get("/caller").starts_with("HTTP/1.1 200 "));
    }
}
