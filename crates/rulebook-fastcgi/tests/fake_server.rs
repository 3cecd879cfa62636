//! A FastCGI server whose responses a test chooses, byte by byte.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const PARAMS: u8 = 4;
const STDIN: u8 = 5;
pub const STDOUT: u8 = 6;
pub const STDERR: u8 = 7;
pub const END: u8 = 3;

/// A request that the server has received.
#[derive(Debug, Clone, Default)]
pub struct PhpRequest {
    /// The number of the connection, from 0.
    pub connection: usize,
    /// The id in its records.
    pub id: u16,
    pub parameters: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl PhpRequest {
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    pub fn json(&self) -> Json {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }
}

/// What the server does after it has received a request.
pub enum Step {
    Send(Vec<u8>),
    /// Waits before the next step.
    Wait(std::time::Duration),
    /// Waits until the client closes the connection.
    AwaitClose,
    Close,
}

/// When the server begins to respond.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// After the whole request.
    Request,
    /// Before it has read anything; it reads the request after the first step.
    Nothing,
}

/// A server that runs as tasks of the test's runtime.
#[derive(Clone)]
pub struct FakeServer {
    /// The address in a definition.
    pub address: String,
    requests: Arc<Mutex<Vec<PhpRequest>>>,
    connections: Arc<Mutex<Vec<Connection>>>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Connection {
    pub is_closed: bool,
}

type Respond = Arc<dyn Fn(usize, &PhpRequest) -> Vec<Step> + Send + Sync>;

impl FakeServer {
    /// Starts a server. `respond` gets the number of the request, from 0, and the request.
    pub async fn start(respond: impl Fn(usize, &PhpRequest) -> Vec<Step> + Send + Sync + 'static) -> Self {
        Self::start_reading(Reads::Request, respond).await
    }

    pub async fn start_reading(
        reads: Reads,
        respond: impl Fn(usize, &PhpRequest) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = Self { address, requests: Arc::default(), connections: Arc::default() };
        let (running, respond): (_, Respond) = (server.clone(), Arc::new(respond));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let index = {
                    let mut connections = running.connections.lock().unwrap();
                    connections.push(Connection::default());
                    connections.len() - 1
                };
                tokio::spawn(running.clone().serve(socket, index, reads, Arc::clone(&respond)));
            }
        });
        server
    }

    async fn serve(self, mut socket: TcpStream, connection: usize, reads: Reads, respond: Respond) {
        self.exchange(&mut socket, connection, reads, &respond).await;
        drop(socket);
        self.connections.lock().unwrap()[connection].is_closed = true;
    }

    /// Handles requests until the connection ends.
    async fn exchange(&self, socket: &mut TcpStream, connection: usize, reads: Reads, respond: &Respond) {
        loop {
            let mut request = PhpRequest { connection, ..PhpRequest::default() };
            if reads == Reads::Request {
                let Some(read) = read_request(socket, connection).await else { return };
                request = read;
            }
            let number = {
                let mut requests = self.requests.lock().unwrap();
                requests.push(request.clone());
                requests.len() - 1
            };
            let steps = respond(number, &request);
            let mut ids = RecordIds::default();
            for (index, step) in steps.into_iter().enumerate() {
                if index == 1 && reads == Reads::Nothing {
                    let Some(read) = read_request(socket, connection).await else { return };
                    self.requests.lock().unwrap()[number] = read;
                }
                match step {
                    Step::Send(bytes) => {
                        let bytes = ids.replace(bytes, self.requests.lock().unwrap()[number].id);
                        if socket.write_all(&bytes).await.is_err() {
                            return;
                        }
                    }
                    Step::Wait(time) => tokio::time::sleep(time).await,
                    Step::AwaitClose => {
                        let mut rest = Vec::new();
                        let _ = socket.read_to_end(&mut rest).await;
                        return;
                    }
                    Step::Close => return,
                }
            }
        }
    }

    pub fn requests(&self) -> Vec<PhpRequest> {
        self.requests.lock().unwrap().clone()
    }

    pub fn connections(&self) -> Vec<Connection> {
        self.connections.lock().unwrap().clone()
    }
}

async fn read_request(socket: &mut TcpStream, connection: usize) -> Option<PhpRequest> {
    let mut request = PhpRequest { connection, ..PhpRequest::default() };
    loop {
        let mut header = [0; 8];
        socket.read_exact(&mut header).await.ok()?;
        let mut content = vec![0; usize::from(u16::from_be_bytes([header[4], header[5]]))];
        socket.read_exact(&mut content).await.ok()?;
        socket.read_exact(&mut vec![0; usize::from(header[6])]).await.ok()?;
        request.id = u16::from_be_bytes([header[2], header[3]]);
        match header[1] {
            PARAMS => add_pairs(&mut request.parameters, &content),
            STDIN if content.is_empty() => return Some(request),
            STDIN => request.body.extend(content),
            _ => {}
        }
    }
}

fn add_pairs(to: &mut BTreeMap<String, String>, mut bytes: &[u8]) {
    fn length(bytes: &mut &[u8]) -> usize {
        let (length, rest) = bytes.split_at(if bytes[0] < 0x80 { 1 } else { 4 });
        *bytes = rest;
        length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)) & 0x7FFF_FFFF
    }
    fn text(bytes: &mut &[u8], len: usize) -> String {
        let (text, rest) = bytes.split_at(len);
        *bytes = rest;
        String::from_utf8(text.to_vec()).unwrap()
    }
    while !bytes.is_empty() {
        let (name, value) = (length(&mut bytes), length(&mut bytes));
        let name = text(&mut bytes, name);
        assert!(to.insert(name, text(&mut bytes, value)).is_none(), "a parameter is sent twice");
    }
}

/// Replaces the id 1 in records by that of the request. Records may be split.
#[derive(Default)]
struct RecordIds {
    header: Vec<u8>,
    /// The number of bytes until the next header.
    left: usize,
}

impl RecordIds {
    fn replace(&mut self, mut bytes: Vec<u8>, id: u16) -> Vec<u8> {
        assert!(id < 256);
        for byte in &mut bytes {
            if self.left > 0 {
                self.left -= 1;
                continue;
            }
            self.header.push(*byte);
            match self.header[..] {
                // A server that has read no request does not know its id.
                [_, _, 0, 1] if id > 0 => *byte = id as u8,
                [_, _, _, _, high, low, padding, _] => {
                    self.left = usize::from(u16::from_be_bytes([high, low])) + usize::from(padding);
                    self.header.clear();
                }
                _ => {}
            }
        }
        bytes
    }
}

/// Returns the records of a stream.
pub fn records(kind: u8, content: &[u8]) -> Vec<u8> {
    let encode = |content: &[u8]| {
        let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[1, kind, 0, 1, high, low, 3, 0], content, &[0; 3]].concat()
    };
    content.chunks(60_000).flat_map(encode).collect()
}

/// Returns the end record.
pub fn end(protocol_status: u8) -> Vec<u8> {
    records(END, &[0, 0, 0, 0, protocol_status, 0, 0, 0])
}

/// Returns a complete response with a head and a body.
pub fn response(head: &str, body: &str) -> Vec<u8> {
    [records(STDOUT, format!("{head}\r\n\r\n{body}").as_bytes()), end(0)].concat()
}

/// Returns a complete response with outputs.
pub fn outputs(json: &Json) -> Vec<Step> {
    vec![Step::Send(response("Content-Type: application/json", &json.to_string()))]
}

/// Returns a complete response with the output `text`.
pub fn text(text: &str) -> Vec<Step> {
    outputs(&json!({ "text": text }))
}
