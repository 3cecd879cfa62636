//! Loses the responses to writes of link heads: the bucket has written the object, but the server does not know it. A
//! link must still be created, and its downloads must be counted exactly.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rulebook_test::Client;
use serde_json::json;

use super::links::{create_link, servers};
use super::places::new_url;

/// The variable from which the program behind the proxy reads the URL of its bucket.
const CHILD: &str = "RULEBOOK_LOST_RESPONSES_URL";
const LINKS: usize = 12;

/// The program behind the proxy: without the variable, this test does nothing.
#[test]
fn program_whose_responses_are_lost() {
    let Ok(url) = std::env::var(CHILD) else { return };
    let servers: [Client; 2] = servers(&url, &json!({}));
    for number in 0..LINKS {
        let uses = number % 3 + 1;
        let link = create_link(&servers[number % 2], 100, u32::try_from(uses).unwrap());
        let statuses: Vec<u16> = thread::scope(|scope| {
            let request = |server: usize| servers[server % 2].get(&link).send().status();
            let threads: Vec<_> = (0..6).map(|server| scope.spawn(move || request(server))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let delivered = statuses.iter().filter(|status| **status == 200).count();
        // A server that does not find its own download in the head, because another server has counted one since,
        // counts again.
        let is_right = if uses == 1 { delivered == 1 } else { (1..=uses).contains(&delivered) };
        assert!(is_right && statuses.iter().all(|status| [200, 410].contains(status)), "{uses}: {statuses:?}");
        assert_eq!(servers[0].get(&link).send().status(), 410);
    }
}

#[test]
fn lost_responses_of_the_bucket_change_no_number_of_downloads() {
    let (Some(url), Ok(endpoint)) = (new_url(), std::env::var("AWS_ENDPOINT_URL")) else { return };
    let upstream = endpoint.strip_prefix("http://").unwrap().to_owned();
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = proxy.local_addr().unwrap();
    let writes: &'static AtomicUsize = Box::leak(Box::default());
    thread::spawn(move || {
        for client in proxy.incoming().flatten() {
            let upstream = upstream.clone();
            // The connection fails if the client has left.
            thread::spawn(move || drop(pass_on(&client, &upstream, writes)));
        }
    });
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args(["--exact", "lost_responses::program_whose_responses_are_lost"]).env(CHILD, url);
    let output = program.env("AWS_ENDPOINT_URL", format!("http://{address}")).stdout(Stdio::piped()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(writes.load(Ordering::Relaxed) > 2 * LINKS, "every second response of {writes:?} was lost");
}

/// Sends one request of a client to the server, and its response to the client, unless the response is to be lost.
fn pass_on(mut client: &TcpStream, upstream: &str, writes: &AtomicUsize) -> std::io::Result<()> {
    let mut reader = BufReader::new(client);
    let (mut head, mut length) = (String::new(), 0);
    while !head.ends_with("\r\n\r\n") {
        let start = head.len();
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
        if let Some(value) = head[start..].to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let head = head.trim_end().to_owned() + "\r\nConnection: close\r\n\r\n";
    let mut server = TcpStream::connect(upstream)?;
    server.write_all(head.as_bytes())?;
    server.write_all(&body)?;
    let mut response = Vec::new();
    server.read_to_end(&mut response)?;
    let is_write = head.starts_with("PUT") && head.contains("/links/heads/");
    // Every second response is lost.
    if !is_write || writes.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
        client.write_all(&response)?;
    }
    client.shutdown(Shutdown::Both)
}
