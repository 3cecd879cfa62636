//! An upstream that sends exactly the bytes that a test chooses.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tokio::net::TcpSocket;

/// The time in which something must happen that the tests wait for.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// An upstream on a free local port.
pub struct Fake {
    pub address: SocketAddr,
    record: Arc<Record>,
}

#[derive(Default)]
struct Record {
    requests: Mutex<Vec<String>>,
    opened: Mutex<usize>,
    closed: Mutex<usize>,
}

/// A connection that the upstream has accepted.
pub struct Connection {
    pub stream: TcpStream,
    /// The number of connections before this one.
    pub index: usize,
    received: Vec<u8>,
    record: Arc<Record>,
}

/// Reserves a local port that refuses connections as long as the returned socket exists.
pub fn refuse_connections() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// Starts an upstream that handles each connection with a function. The connection is closed when the function returns.
pub fn start(handle: impl Fn(&mut Connection) + Send + Sync + 'static) -> Fake {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let record = Arc::<Record>::default();
    let (shared, handle) = (Arc::clone(&record), Arc::new(handle));
    thread::spawn(move || {
        for (index, stream) in listener.incoming().enumerate() {
            let (record, handle) = (Arc::clone(&shared), Arc::clone(&handle));
            let stream = stream.unwrap();
            stream.set_nodelay(true).unwrap();
            *record.opened.lock().unwrap() += 1;
            thread::spawn(move || {
                let mut connection = Connection { stream, index, received: Vec::new(), record: Arc::clone(&record) };
                handle(&mut connection);
                drop(connection);
                *record.closed.lock().unwrap() += 1;
            });
        }
    });
    Fake { address, record }
}

/// Starts an upstream that responds to each request with a response that depends on the request.
pub fn respond(response: impl Fn(&str) -> String + Send + Sync + 'static) -> Fake {
    start(move |connection| {
        while let Some(request) = connection.request() {
            connection.send(response(&request));
        }
    })
}

impl Fake {
    /// Returns the address with this path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Returns the received requests, head and body.
    pub fn requests(&self) -> Vec<String> {
        self.record.requests.lock().unwrap().clone()
    }

    /// Returns the last request.
    pub fn last_request(&self) -> String {
        self.requests().pop().expect("there is no request")
    }

    /// Returns the number of connections that were opened.
    pub fn opened(&self) -> usize {
        *self.record.opened.lock().unwrap()
    }

    /// Waits until this number of connections have ended.
    pub fn wait_for_closed(&self, count: usize) {
        wait_until(|| *self.record.closed.lock().unwrap() >= count, "connections are closed");
    }
}

impl Connection {
    /// Receives a request, head and body; `None` if the client closes the connection. The record contains the request.
    pub fn request(&mut self) -> Option<String> {
        let head_end = loop {
            if let Some(end) = self.received.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
            if self.receive() == 0 {
                return None;
            }
        };
        let head = String::from_utf8_lossy(&self.received[..head_end]).to_ascii_lowercase();
        let length = field(&head, "content-length").map_or(0, |length| length.parse().unwrap());
        while self.received.len() < head_end + length {
            if self.receive() == 0 {
                return None;
            }
        }
        let request: Vec<u8> = self.received.drain(..head_end + length).collect();
        let request = String::from_utf8_lossy(&request).into_owned();
        self.record.requests.lock().unwrap().push(request.clone());
        Some(request)
    }

    /// Sends bytes. The client may have closed the connection.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref());
    }

    /// Waits until the client closes the connection.
    pub fn wait_for_end(&mut self) {
        while self.receive() > 0 {}
    }

    /// Receives bytes, and returns their number; 0 at the end.
    pub fn receive(&mut self) -> usize {
        let mut bytes = [0; 4096];
        let read = self.stream.read(&mut bytes).unwrap_or(0);
        self.received.extend_from_slice(&bytes[..read]);
        read
    }
}

/// Returns the value of the first header field with this name in lower case.
pub fn field<'r>(request: &'r str, name: &str) -> Option<&'r str> {
    let head = request.split("\r\n\r\n").next().unwrap_or(request);
    head.lines().skip(1).find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// Returns the body of a request.
pub fn body(request: &str) -> &str {
    request.split_once("\r\n\r\n").expect("the request has a body").1
}

/// Returns the first line of a request.
pub fn request_line(request: &str) -> &str {
    request.lines().next().expect("the request has a first line")
}

/// Waits until a condition is true.
pub fn wait_until(mut condition: impl FnMut() -> bool, description: &str) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited too long until {description}");
        thread::sleep(Duration::from_millis(5));
    }
}
