//! Tests of `rulebook send` and `rulebook fetch` with real servers, and with servers that misbehave.

mod interrupted;
mod requests;
mod round_trips;
mod verification;

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::RunResult;
use crate::client::{Connection, Request, wait_until};
use crate::server_process::{ServerProcess, copy_files, free_address, program};

/// The length in bytes of a file that is large enough to be sent in many chunks.
const LARGE_LEN: usize = 8 << 20;

/// The working directory of a client, with its files and its API key.
struct Workspace {
    folder: TempDir,
    key: String,
}

impl Workspace {
    /// Creates a workspace with an API key, which is stored in the file `key`.
    fn new(key: &str) -> Self {
        let workspace = Self { folder: TempDir::new().unwrap(), key: key.to_owned() };
        workspace.write("key", key);
        #[cfg(unix)]
        fs::set_permissions(workspace.path("key"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        workspace
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// Returns the names of all files in the workspace except the key file.
    fn file_names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| name != "key");
        names.sort();
        names
    }

    /// Runs the program with the flag `--key-file`.
    #[track_caller]
    fn run(&self, arguments: &[&str]) -> RunResult {
        self.run_with(&[arguments, &["--key-file", "key"]].concat(), &[])
    }

    /// Runs the program. Its output must contain neither control sequences nor the key.
    #[track_caller]
    fn run_with(&self, arguments: &[&str], environment: &[(&str, &OsStr)]) -> RunResult {
        let mut command = program(self.folder.path());
        for proxy in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            command.env_remove(proxy).env_remove(proxy.to_lowercase());
        }
        let result: RunResult = command.args(arguments).envs(environment.iter().copied()).output().unwrap().into();
        for text in [&result.stdout, &result.stderr] {
            assert!(!text.contains('\x1b') && !text.contains('\r'), "{result:?}");
            assert!(self.key.is_empty() || !text.contains(self.key.trim_start_matches("rb_")), "{result:?}");
        }
        result
    }

    /// Runs the program. Asserts that it succeeds, and prints the digest and the name of each of these files.
    #[track_caller]
    fn run_successfully(&self, arguments: &[&str], printed: &[(&[u8], &str)]) -> RunResult {
        let result = self.run(arguments);
        let lines = printed.iter().map(|(content, name)| format!("{}  {name}\n", blake3::hash(content)));
        assert_eq!(
            (result.exit_code, result.stdout.as_str()),
            (Some(0), lines.collect::<String>().as_str()),
            "{}",
            result.stderr
        );
        result
    }

    /// Runs the program. Asserts that it fails with this exit code, and prints an error message that contains `words`.
    #[track_caller]
    fn assert_fails(&self, code: i32, words: &str, arguments: &[&str]) -> RunResult {
        let result = self.run(arguments);
        assert_eq!((result.exit_code, result.stdout.as_str()), (Some(code), ""), "{}", result.stderr);
        assert!(result.stderr.contains(words), "{words:?} is not in {:?}", result.stderr);
        result
    }

    /// Runs the program. Asserts that it reports an error response of the server with this status and message.
    #[track_caller]
    fn assert_refused(&self, status: u16, words: &str, arguments: &[&str]) {
        self.assert_fails(1, &format!("error: the server responded with {status}: {words}"), arguments);
    }
}

/// A server of the demo whose definition is changed: it accepts files of any media type up to 16 MiB.
struct TransferServer {
    _served: ServerProcess,
    url: String,
    folder: TempDir,
}

impl TransferServer {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let api = folder.path().join("api");
        copy_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("api"), &api);
        change_definition(&api.join("app.json"), |app| {
            app["limits"] = json!({ "part": 16 << 20, "multipart": 20 << 20 });
        });
        change_definition(&api.join("iapi.json"), |module| {
            let calls = &mut module["/"]["iapi"]["/"];
            let content = &mut calls["file"]["POST"]["in"]["content"];
            content["max"] = json!(16 << 20);
            content.as_object_mut().unwrap().remove("range");
            calls["files"]["POST"]["in"]["content"]["items"] = json!({ "max": 16 << 20 });
        });
        let address = free_address();
        let process = ServerProcess::start(folder.path(), &address, &[]);
        Self { _served: process, url: format!("http://{address}"), folder }
    }

    /// Creates a workspace whose API key has these permissions.
    fn workspace(&self, scope: &str) -> Workspace {
        Workspace::new(&self.create_key(&["--scope", scope]))
    }

    fn create_key(&self, flags: &[&str]) -> String {
        let arguments = [&["keys", "add", "--name", "test"], flags].concat();
        let result = super::run_program(self.folder.path(), &arguments);
        assert_eq!(result.exit_code, Some(0), "{}", result.stderr);
        let key = result.stdout.trim().to_owned();
        // The server reads a changed key file after a quarter of a second at most.
        let request = Request::new("OPTIONS", "/iapi/file?as=me").field("authorization", format_args!("Bearer {key}"));
        let address = self.url.strip_prefix("http://").unwrap().parse().unwrap();
        assert!(
            wait_until(|| Connection::open(address).send(&request).status != 401),
            "the server does not read the key"
        );
        key
    }
}

/// Changes a definition file. The comments in the file are lost.
fn change_definition(path: &Path, change: impl FnOnce(&mut Json)) {
    let text = fs::read_to_string(path).unwrap();
    let mut json: Json = jsonc_parser::parse_to_serde_value(&text, &jsonc_parser::ParseOptions::default()).unwrap();
    change(&mut json);
    fs::write(path, json.to_string()).unwrap();
}

/// A function that handles a connection. Its second argument is the number of connections before this one.
type ConnectionHandler = dyn Fn(TcpStream, usize) -> io::Result<()> + Send + Sync;

/// A simple server that records the request line and the header fields (the head) of every request.
struct RecordingServer {
    url: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl RecordingServer {
    /// Starts a server that sends these responses in order, and then repeats the last response. It closes the
    /// connection after each response.
    fn start_responding(responses: &[&str]) -> Self {
        let responses: Vec<_> = responses.iter().map(|response| (*response).to_owned()).collect();
        Self::start(move |heads| {
            Arc::new(move |mut stream, before| {
                let (head, mut body) = read_head(&mut stream)?;
                let length = find_field(&head, "content-length").map_or(0, |length| length.parse().unwrap());
                heads.lock().unwrap().push(head);
                stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok().filter(|()| length > 0);
                while body.len() < length && read_chunk(&mut stream, &mut body)? {}
                stream.write_all(responses[before.min(responses.len() - 1)].as_bytes())
            })
        })
    }

    /// Starts a server that forwards connections to another server. It closes each connection after the number of bytes
    /// that `cut` returns for the connection.
    fn start_cutting(server: &str, cut: impl Fn(usize) -> ConnectionLimits + Send + Sync + 'static) -> Self {
        let server = server.strip_prefix("http://").unwrap().to_owned();
        Self::start(move |heads| {
            Arc::new(move |mut stream, before| {
                let ConnectionLimits { request_bytes, response_bytes } = cut(before);
                let (head, body_start) = read_head(&mut stream)?;
                let mut upstream = TcpStream::connect(&server)?;
                upstream.write_all(head.as_bytes())?;
                upstream.write_all(&body_start)?;
                heads.lock().unwrap().push(head);
                let (mut from, mut to) = (stream.try_clone()?, upstream.try_clone()?);
                let sending = thread::spawn(move || {
                    let _ = io::copy(&mut Read::by_ref(&mut from).take(request_bytes), &mut to);
                    let _ = to.shutdown(Shutdown::Both);
                });
                let _ = io::copy(&mut Read::by_ref(&mut upstream).take(response_bytes), &mut stream);
                let _ = stream.shutdown(Shutdown::Both);
                sending.join().unwrap();
                Ok(())
            })
        })
    }

    fn start(with: impl FnOnce(Arc<Mutex<Vec<String>>>) -> Arc<ConnectionHandler>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heads = Arc::default();
        let connected = with(Arc::clone(&heads));
        // This thread runs until the test process ends.
        thread::spawn(move || {
            for (before, stream) in listener.incoming().enumerate() {
                let (connected, stream) = (Arc::clone(&connected), stream.unwrap());
                // The client may close the connection at any time.
                thread::spawn(move || connected(stream, before).ok());
            }
        });
        Self { url, heads }
    }

    /// Returns the heads of all requests that have been received so far.
    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

/// The numbers of bytes after which a connection is closed.
struct ConnectionLimits {
    /// Number of bytes of the request body, not counting the bytes in the first packet.
    request_bytes: u64,
    /// Number of bytes of the response.
    response_bytes: u64,
}

impl ConnectionLimits {
    const UNLIMITED: Self = Self { request_bytes: u64::MAX, response_bytes: u64::MAX };
}

/// Reads the head of a request. Returns it with the first bytes of the body, if they have arrived in the same packet.
fn read_head(stream: &mut TcpStream) -> io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let body = bytes.split_off(end + 4);
            return Ok((String::from_utf8(bytes).unwrap(), body));
        }
        if !read_chunk(stream, &mut bytes)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

fn read_chunk(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<bool> {
    let mut piece = [0; 4096];
    let read = stream.read(&mut piece)?;
    bytes.extend(&piece[..read]);
    Ok(read > 0)
}

/// Returns the value of a header field in the head of a request; `None` if the field is missing.
fn find_field<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().find_map(|line| {
        let (field, value) = line.split_once(": ")?;
        field.eq_ignore_ascii_case(name).then_some(value)
    })
}

/// Returns the text of a response with the field `Connection: close`.
fn response_text(status: &str, fields: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n{fields}\r\n{body}", body.len())
}

/// Returns pseudorandom bytes, which depend only on the length and the seed.
fn pseudorandom_bytes(length: usize, seed: u8) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&[seed]).finalize_xof().fill(&mut bytes);
    bytes
}
