//! The server, looked at through its sockets: limits, uploads, expectations, and clients that misbehave.

mod answers;
mod connections;
mod expect;
mod limits;
mod uploads;

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::pin::Pin;
use std::time::{Duration, Instant};

use rulebook::{Engine, Head, Identity, Inspect, Inspection, Module, Rulebook, Running, Settings, Unbound};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The API of these tests.
fn definition() -> Value {
    json!({
        "GET": { "info": "Nothing" },
        "/": {
            "echo": {
                "GET": { "info": "A word in the query", "in": { "GET@word": { "info": "A word", "type": "?string", "name": "word" } } },
                "POST": { "info": "Some text", "in": { "text": { "info": "Text", "type": "string" } } }
            },
            "optional": { "POST": { "info": "Perhaps text", "in": { "text": { "info": "Text", "type": "?string" } } } },
            "locked": { "POST": {
                "info": "For writers", "scope": [["writer"]],
                "in": { "text": { "info": "Text", "type": "string" } }
            } },
            "file": { "POST": {
                "info": "A file with a note", "in": {
                    "file": { "info": "A file", "type": "?file" },
                    "note": { "info": "A note", "type": "?string" }
                }
            } },
            "files": { "POST": { "info": "Files", "in": { "files": { "info": "Files", "type": "array<file>" } } } },
            "vault": { "PUT": {
                "info": "A file for writers", "scope": [["writer"]],
                "in": { "file": { "info": "A file", "type": "file" } }
            } }
        }
    })
}

/// A served API with a folder of its own for temporary files.
struct Site {
    running: Running,
    uploads: TempDir,
}

impl Site {
    /// The API of [`definition`], with these limits, where every method echoes its arguments.
    fn echo(limits: &Value) -> Self {
        let app = json!({ "limits": limits, "unbound": "echo" });
        Self::serve(&app, &definition(), |engine| engine.unbound(Unbound::Echo))
    }

    /// An API whose handlers are those of a module.
    fn handlers(definition: &Value, module: Module) -> Self {
        Self::serve(&json!({}), definition, |engine| engine.module(module))
    }

    fn serve(app: &Value, definition: &Value, add: impl FnOnce(Rulebook) -> Rulebook) -> Self {
        let engine = engine(app, definition, add);
        let uploads = tempfile::tempdir().unwrap();
        let settings = Settings {
            bind: vec!["127.0.0.1:0".to_owned()],
            workers: Some(1),
            uploads: uploads.path().to_owned(),
            ..Settings::default()
        };
        Self { running: engine.serve(&settings).unwrap(), uploads }
    }

    fn address(&self) -> SocketAddr {
        self.running.addresses()[0]
    }

    fn connect(&self) -> Connection {
        Connection::to(self.address())
    }

    /// The answer to one request on a connection of its own.
    fn send(&self, request: &Request) -> Answer {
        self.connect().ask(request)
    }

    /// How many temporary files there are.
    fn temporary(&self) -> usize {
        fs::read_dir(self.uploads.path()).unwrap().count()
    }

    /// Waits until there are no temporary files: they go when their request does, which may be after its answer.
    #[track_caller]
    fn assert_no_temporary(&self) {
        let gone = wait(|| self.temporary() == 0);
        assert!(gone, "{} temporary files are left", self.temporary());
    }
}

/// The engine of a definition in two files.
fn engine(app: &Value, definition: &Value, add: impl FnOnce(Rulebook) -> Rulebook) -> Engine {
    let files = [("app.json", app), ("site.json", definition)];
    let files = files.map(|(name, json)| (PathBuf::from(name), json.to_string().into_bytes())).into();
    add(Rulebook::read(files).inspect(Bearer)).build().unwrap()
}

/// Whether something becomes so in time.
fn wait(so: impl Fn() -> bool) -> bool {
    let started = Instant::now();
    while !so() {
        if started.elapsed() > PATIENCE {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}

/// `writer` may write, nobody else is known.
struct Bearer;

impl Inspect for Bearer {
    fn inspect<'a>(&'a self, head: &'a Head) -> Pin<Box<dyn Future<Output = Inspection> + Send + 'a>> {
        let said = match head.header(&http::header::AUTHORIZATION) {
            None => Inspection::Nobody,
            Some("Bearer writer") => Inspection::Identity(Identity::new("writer", ["writer"])),
            Some("Bearer panic") => panic!("the inspector panicked"),
            Some(_) => Inspection::Invalid("not the writer's".to_owned()),
        };
        Box::pin(std::future::ready(said))
    }
}

/// A request as it goes over the wire.
#[derive(Clone)]
struct Request {
    line: String,
    fields: Vec<String>,
    body: Vec<u8>,
}

impl Request {
    fn new(method: &str, target: &str) -> Self {
        Self { line: format!("{method} {target} HTTP/1.1"), fields: vec!["host: test".to_owned()], body: Vec::new() }
    }

    fn field(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.fields.push(format!("{name}: {value}"));
        self
    }

    /// With a body of announced length.
    fn body(self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let mut with = self.field("content-type", media_type).field("content-length", body.len());
        with.body = body;
        with
    }

    /// With a body in chunks.
    fn chunked(self, media_type: &str, chunks: &[&[u8]]) -> Self {
        let mut with = self.field("content-type", media_type).field("transfer-encoding", "chunked");
        for chunk in chunks {
            with.body.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
            with.body.extend(*chunk);
            with.body.extend(b"\r\n");
        }
        with.body.extend(b"0\r\n\r\n");
        with
    }

    /// With a multipart body.
    fn multipart(self, parts: &[MultipartPart<'_>]) -> Self {
        self.body("multipart/form-data; boundary=XX", multipart(parts))
    }

    fn head(&self) -> Vec<u8> {
        format!("{}\r\n{}\r\n\r\n", self.line, self.fields.join("\r\n")).into_bytes()
    }

    fn bytes(&self) -> Vec<u8> {
        [self.head(), self.body.clone()].concat()
    }
}

/// A part: the parameters of its disposition, and what it holds.
type MultipartPart<'a> = (&'a str, &'a [u8]);

/// A multipart body with the boundary `XX`.
fn multipart(parts: &[MultipartPart<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for (disposition, content) in parts {
        body.extend(format!("--XX\r\nContent-Disposition: form-data; {disposition}\r\n\r\n").into_bytes());
        body.extend(*content);
        body.extend(b"\r\n");
    }
    body.extend(b"--XX--\r\n");
    body
}

/// A connection with what has been read ahead of what was asked for.
struct Connection {
    stream: TcpStream,
    ahead: Vec<u8>,
}

impl Connection {
    fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self { stream, ahead: Vec::new() }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// Says that nothing more will be written.
    fn close_writing(&mut self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    fn ask(&mut self, request: &Request) -> Answer {
        self.write(&request.bytes());
        self.answer(request.line.starts_with("HEAD "))
    }

    /// The next answer. `without_body`: its length is announced, but it does not come.
    #[track_caller]
    fn answer(&mut self, without_body: bool) -> Answer {
        let end = loop {
            if let Some(end) = self.ahead.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            assert!(self.more(), "no answer, but {:?}", String::from_utf8_lossy(&self.ahead));
        };
        let head = String::from_utf8(self.ahead.drain(..end).collect()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer { status, head, body: Vec::new() };
        let length = answer.field("content-length").map_or(0, |length| length.parse().unwrap());
        while !without_body && self.ahead.len() < length {
            assert!(self.more(), "the answer is cut short: {answer:?}");
        }
        if !without_body {
            answer.body = self.ahead.drain(..length).collect();
        }
        answer
    }

    /// Reads more; false at the end.
    fn more(&mut self) -> bool {
        let mut buffer = [0; 64 << 10];
        match self.stream.read(&mut buffer) {
            Ok(0) => false,
            Ok(length) => {
                self.ahead.extend(&buffer[..length]);
                true
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => panic!("{error}"),
        }
    }

    /// Asserts that the server closes the connection without another word.
    #[track_caller]
    fn assert_closed(mut self) {
        while self.more() {}
        assert!(self.ahead.is_empty(), "{:?}", String::from_utf8_lossy(&self.ahead));
    }

    /// Asserts that the connection can be used again.
    #[track_caller]
    fn assert_usable(&mut self) {
        let answer = self.ask(&Request::new("GET", "/echo?word=again"));
        assert_eq!(answer.json()["args"]["word"], "again", "{answer:?}");
    }

    /// Whether anything comes within a tenth of a second.
    fn is_silent(&mut self) -> bool {
        self.stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let mut buffer = [0; 1024];
        let read = self.stream.read(&mut buffer);
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
        match read {
            Ok(length) => {
                self.ahead.extend(&buffer[..length]);
                false
            }
            Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        }
    }
}

/// An answer.
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (own, value) = line.split_once(':')?;
            own.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts that this is a refusal: a whole document, with these words.
    #[track_caller]
    fn assert_refused(&self, status: u16, words: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.field("content-type"), Some("application/json"), "{self:?}");
        assert_eq!(self.field("x-content-type-options"), Some("nosniff"), "{self:?}");
        let document = self.json();
        assert_ne!(document["error"], 0, "{self:?}");
        let said = document["ErrorDescription"].as_str().unwrap();
        assert!(said.contains(words), "{words:?} is not in {said:?}");
    }

    /// Asserts that this is a success with these arguments echoed.
    #[track_caller]
    fn assert_args(&self, args: &Value) {
        assert_eq!(self.status, 200, "{self:?}");
        assert_eq!(&self.json()["args"], args);
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.head, String::from_utf8_lossy(&self.body))
    }
}
