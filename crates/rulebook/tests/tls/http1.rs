//! HTTP/1.1 over TLS.

use std::io::{Read, Write};
use std::net::Shutdown;

use rustls::ProtocolVersion;
use rustls::version::TLS12;

use super::client::{Client, plain_request};
use super::{FILE_LEN, TestServer, file_bytes};

fn body(response: &[u8]) -> &[u8] {
    let at = response.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
    &response[at + 4..]
}

#[test]
fn one_connection_serves_several_requests() {
    let server = TestServer::start();
    let mut connection = server.connect();
    for _ in 0..3 {
        let response = connection.get("/caller");
        assert!(response.starts_with("HTTP/1.1 200 ") && response.contains("nobody"), "{response}");
    }
    assert_eq!(connection.0.conn.protocol_version(), Some(ProtocolVersion::TLSv1_3));
    let plain = plain_request(server.plain_address(), "GET /caller HTTP/1.0\r\n\r\n");
    assert!(plain.starts_with("HTTP/1.0 200 "), "{plain}");
}

#[test]
fn clients_can_speak_tls_1_2() {
    let server = TestServer::start();
    let client = Client::with_versions(&server.authority, None, &[&TLS12]);
    let mut connection = server.try_connect(&client).unwrap();
    assert!(connection.get("/caller").starts_with("HTTP/1.1 200 "));
    assert_eq!(connection.0.conn.protocol_version(), Some(ProtocolVersion::TLSv1_2));
}

#[test]
fn pipelined_requests_get_responses_in_order() {
    let server = TestServer::start();
    let mut connection = server.connect();
    let request = |text: &str| {
        let body = format!("{{\"text\":\"{text}\"}}");
        let fields = format!("Host: localhost\r\nContent-Type: application/json\r\nContent-Length: {}", body.len());
        format!("POST /length HTTP/1.1\r\n{fields}\r\n\r\n{body}")
    };
    let requests: Vec<_> = (0..20).map(|length| request(&"a".repeat(length))).collect();
    connection.send(requests.concat());
    for length in 0..20 {
        let response = String::from_utf8(connection.receive().unwrap()).unwrap();
        assert!(response.contains(&format!("\"length\":{length}")), "{response}");
    }
}

#[test]
fn large_bodies_are_received_completely() {
    let server = TestServer::start();
    let mut connection = server.connect();
    let text = "x".repeat(6 << 20);
    let body = format!("{{\"text\":\"{text}\"}}");
    let fields = "Host: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue";
    connection.send(format!("POST /length HTTP/1.1\r\n{fields}\r\nContent-Length: {}\r\n\r\n", body.len()));
    let interim = String::from_utf8(connection.receive().unwrap()).unwrap();
    assert!(interim.starts_with("HTTP/1.1 100 "), "{interim}");
    connection.send(body);
    let response = String::from_utf8(connection.receive().unwrap()).unwrap();
    assert!(response.contains(&format!("\"length\":{}", text.len())), "{response}");
}

#[test]
fn large_files_are_sent_completely() {
    let server = TestServer::start();
    let mut connection = server.connect();
    for path in ["/static/file.bin", "/bytes"] {
        let response = connection.get_bytes(path);
        assert!(body(&response) == file_bytes(), "{path}: {} bytes", response.len());
    }
    // A part of a file that is sent in one piece.
    connection.send("GET /static/file.bin HTTP/1.1\r\nHost: localhost\r\nRange: bytes=250-509\r\n\r\n");
    let response = connection.receive().unwrap();
    assert_eq!(body(&response), &file_bytes()[250..510]);
}

/// The client does not read for a while, so that the system accepts only a part of the file.
#[test]
fn files_wait_for_slow_clients() {
    let server = TestServer::start();
    let mut connection = server.connect();
    connection.send("GET /static/file.bin HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let mut received = Vec::new();
    let mut piece = vec![0; 1 << 20];
    loop {
        std::thread::sleep(std::time::Duration::from_millis(30));
        match connection.0.read(&mut piece).unwrap() {
            0 => break,
            count => received.extend_from_slice(&piece[..count]),
        }
    }
    assert!(received.len() > FILE_LEN && body(&received) == file_bytes());
}

#[test]
fn the_end_of_a_connection_is_announced() {
    let server = TestServer::start();
    for version in ["1.0", "1.1"] {
        let mut connection = server.connect();
        connection.send(format!("GET /caller HTTP/{version}\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
        // Without `close_notify`, this would fail.
        let received = String::from_utf8(connection.receive_all().unwrap()).unwrap();
        assert!(received.starts_with(&format!("HTTP/{version} 200 ")), "{received}");
    }
}

#[test]
fn a_client_that_has_closed_its_side_gets_its_response() {
    let server = TestServer::start();
    let mut connection = server.connect();
    connection.send("GET /caller HTTP/1.1\r\nHost: localhost\r\n\r\n");
    connection.0.conn.send_close_notify();
    connection.0.flush().unwrap();
    connection.0.sock.shutdown(Shutdown::Write).unwrap();
    let received = String::from_utf8(connection.receive_all().unwrap()).unwrap();
    assert!(received.starts_with("HTTP/1.1 200 "), "{received}");
}

#[test]
fn requests_without_tls_get_a_short_response() {
    let server = TestServer::start();
    for request in ["GET /caller HTTP/1.1\r\nHost: localhost\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let response = plain_request(server.address(), request);
        assert!(response.starts_with("HTTP/1.1 400 ") && response.contains("https://"), "{response}");
        assert!(response.contains("connection: close") || response.contains("Connection: close"), "{response}");
    }
    // What is neither HTTP nor TLS gets an alert, which is not text.
    let mut socket = std::net::TcpStream::connect(server.address()).unwrap();
    socket.write_all(&[0; 64]).unwrap();
    let mut received = Vec::new();
    let _ = socket.read_to_end(&mut received);
    assert!(received.is_empty() || received[0] == 21, "{received:?}");
}

#[test]
fn clients_of_http2_get_http1_or_an_alert() {
    let server = TestServer::start();
    let offering = |names: &[&[u8]]| server.try_connect(&server.authority.client().with_protocols(names));
    for names in [&[&b"h2"[..], b"http/1.1"][..], &[b"http/1.1"], &[b"http/1.0"]] {
        let mut connection = offering(names).unwrap();
        assert_eq!(connection.0.conn.alpn_protocol(), names.last().copied());
        assert!(connection.get("/caller").starts_with("HTTP/1.1 200 "));
    }
    let error = offering(&[b"h2"]).err().unwrap();
    assert!(error.to_string().contains("NoApplicationProtocol"), "{error}");
    let mut connection = server.connect();
    connection.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    let response = String::from_utf8(connection.receive().unwrap()).unwrap();
    assert!(response.starts_with("HTTP/1.1 400 "), "{response}");
}
