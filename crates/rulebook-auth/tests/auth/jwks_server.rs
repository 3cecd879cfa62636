//! A server with a key set that tests change while it is served.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value as Json;

/// A server of a key set.
pub struct JwksServer {
    shared: Arc<Shared>,
    pub url: String,
}

#[derive(Default)]
struct Shared {
    body: Mutex<String>,
    /// The number of requests.
    fetches: AtomicUsize,
    /// `true` if the server closes connections without a response.
    is_away: AtomicBool,
    /// The time before each response in milliseconds.
    delay: AtomicUsize,
    /// The status of the responses; 0 stands for 200.
    status: AtomicUsize,
}

impl JwksServer {
    pub fn start(jwks: &Json) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
        let server = Self { shared: Arc::default(), url };
        server.publish(jwks);
        let shared = Arc::clone(&server.shared);
        // The thread ends with the process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || shared.respond(stream.unwrap()));
            }
        });
        server
    }

    pub fn publish(&self, jwks: &Json) {
        *self.shared.body.lock().unwrap() = jwks.to_string();
    }

    pub fn publish_text(&self, text: String) {
        *self.shared.body.lock().unwrap() = text;
    }

    pub fn set_away(&self, is_away: bool) {
        self.shared.is_away.store(is_away, Ordering::SeqCst);
    }

    pub fn set_delay(&self, delay: Duration) {
        self.shared.delay.store(usize::try_from(delay.as_millis()).unwrap(), Ordering::SeqCst);
    }

    pub fn set_status(&self, status: usize) {
        self.shared.status.store(status, Ordering::SeqCst);
    }

    pub fn fetches(&self) -> usize {
        self.shared.fetches.load(Ordering::SeqCst)
    }
}

impl Shared {
    fn respond(&self, mut stream: TcpStream) {
        let mut buffer = [0; 4096];
        let _ = stream.read(&mut buffer);
        self.fetches.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(self.delay.load(Ordering::SeqCst) as u64));
        if self.is_away.load(Ordering::SeqCst) {
            return;
        }
        let body = self.body.lock().unwrap().clone();
        let status = self.status.load(Ordering::SeqCst).max(200);
        let head = "Content-Type: application/json\r\nConnection: close\r\nContent-Length:";
        let _ = write!(stream, "HTTP/1.1 {status} Status\r\n{head} {}\r\n\r\n{body}", body.len());
    }
}
