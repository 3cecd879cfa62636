//! What a client can use before the handshake is complete.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::TestServer;

#[test]
fn handshakes_that_take_too_long_are_cut_and_stop_no_other_client() {
    let server = TestServer::start();
    // The header of a record that never becomes complete, and a client that sends nothing.
    let sent: [&[u8]; 2] = [&[22, 3, 1, 2, 0, 1], &[]];
    let begun = Instant::now();
    let sockets: Vec<_> = sent
        .iter()
        .map(|bytes| {
            let mut socket = TcpStream::connect(server.address()).unwrap();
            socket.write_all(bytes).unwrap();
            socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            socket
        })
        .collect();
    let mut connection = server.connect();
    assert!(connection.get("/caller").starts_with("HTTP/1.1 200 "));
    assert!(begun.elapsed() < Duration::from_secs(5));
    for mut socket in sockets {
        let mut received = Vec::new();
        let _ = socket.read_to_end(&mut received);
        assert!(received.is_empty());
    }
    let elapsed = begun.elapsed();
    assert!((9..14).contains(&elapsed.as_secs()), "{elapsed:?}");
    server.wait_for_limit("tls-handshake");
}

#[test]
fn handshakes_count_for_the_connections_of_a_client() {
    let settings = |settings: rulebook::Settings| settings.with_address_connections(3);
    let server = TestServer::start_with_settings(|_, tls| tls, settings, rulebook::ClientCertificates::new());
    let waiting: Vec<_> = (0..3).map(|_| TcpStream::connect(server.address()).unwrap()).collect();
    std::thread::sleep(Duration::from_millis(200));
    assert!(server.try_connect(&server.authority.client()).is_err());
    drop(waiting);
    super::client::wait_until(|| server.try_connect(&server.authority.client()).is_ok());
}

#[test]
fn a_server_that_stops_ends_handshakes() {
    let server = TestServer::start();
    let mut socket = TcpStream::connect(server.address()).unwrap();
    let mut idle = server.connect();
    std::thread::sleep(Duration::from_millis(200));
    let begun = Instant::now();
    server.running.stop().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(socket.read(&mut [0]).unwrap_or(0), 0);
    assert_eq!(idle.receive_all().unwrap(), b"");
}

#[test]
fn a_server_that_stops_serves_a_client_whose_handshake_its_worker_reads_late() {
    let server = TestServer::start();
    let occupied = "POST /occupy HTTP/1.0\r\nContent-Length: 0\r\n\r\n";
    let response = super::client::plain_request(server.plain_address(), occupied);
    assert!(response.starts_with("HTTP/1.0 200 "), "{response}");
    std::thread::sleep(Duration::from_millis(300));
    let (address, client) = (server.address(), server.authority.client());
    let response = std::thread::spawn(move || client.connect(address, "localhost").unwrap().get("/caller"));
    std::thread::sleep(Duration::from_millis(100));
    server.running.stop().unwrap();
    assert!(response.join().unwrap().starts_with("HTTP/1.1 200 "));
}
