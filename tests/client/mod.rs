//! An HTTP client for the tests, and a server that runs in the test process.
//!
//! The client sends exactly the bytes that a test specifies. It does not use an HTTP library, which would reject or
//! change many requests that the tests need.

pub mod case;
pub mod envelope;
mod wire;
pub mod xml;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rulebook::{
    Authenticate, Authentication, Engine, Head, Identity, Module, Rulebook, RunningServer, Settings, Unbound,
};
use serde_json::Value;
use tempfile::TempDir;

pub use wire::{Connection, MultipartPart, Request, Response, frame, multipart};

/// The timeout of every operation. It is long, because a response can take a minute while a slow disk is under load.
pub const TIMEOUT: Duration = Duration::from_secs(300);

/// A server that runs in the test process, and its folder for temporary files.
pub struct TestServer {
    pub running: RunningServer,
    pub uploads: TempDir,
}

impl TestServer {
    /// Starts a server for the definition in these files. Every method responds with its arguments.
    pub fn echo(files: &[(&str, Value)]) -> Self {
        Self::start(&engine(files, |rulebook| rulebook.unbound(Unbound::Echo)))
    }

    /// Starts a server for the definition in these files, with the handlers of `module`.
    pub fn handlers(files: &[(&str, Value)], module: Module) -> Self {
        Self::start(&engine(files, |rulebook| rulebook.module(module)))
    }

    /// Starts a server for an engine.
    pub fn start(engine: &Engine) -> Self {
        Self::with_static(engine, None)
    }

    /// Starts a server for an engine. If `folder` is given, the server also serves the static files in it.
    pub fn with_static(engine: &Engine, folder: Option<&Path>) -> Self {
        Self::with_settings(engine, |settings| folder.into_iter().fold(settings, Settings::with_static_files))
    }

    /// Starts a server for an engine, with settings that `change` makes from the usual ones.
    pub fn with_settings(engine: &Engine, change: impl FnOnce(Settings) -> Settings) -> Self {
        let uploads = tempfile::tempdir().unwrap();
        let settings = Settings::new().with_bind(["127.0.0.1:0"]).with_workers(1);
        let settings = settings.with_upload_folder(uploads.path());
        Self { running: engine.serve(&change(settings)).unwrap(), uploads }
    }

    pub fn address(&self) -> SocketAddr {
        self.running.addresses()[0]
    }

    pub fn connect(&self) -> Connection {
        Connection::open(self.address())
    }

    /// Sends a request on a new connection, and returns the response.
    #[track_caller]
    pub fn send(&self, request: &Request) -> Response {
        self.connect().send(request)
    }

    /// Sends a request for a document, again and again until the server has rendered it: a busy server has no time to
    /// render documents for callers, and responds with 503.
    #[track_caller]
    pub fn send_until_rendered(&self, request: &Request) -> Response {
        let mut response = self.send(request);
        wait_until(|| {
            if response.status == 503 {
                response = self.send(request);
            }
            response.status != 503
        });
        response
    }

    /// Returns the number of temporary files that the server has not deleted.
    pub fn temporary_files(&self) -> usize {
        fs::read_dir(self.uploads.path()).unwrap().count()
    }

    /// Waits until there are no temporary files. The server deletes the files of a request when the request ends, which
    /// may be after its response has been sent.
    #[track_caller]
    pub fn assert_no_temporary_files(&self) {
        let gone = wait_until(|| self.temporary_files() == 0);
        assert!(gone, "{} temporary files are left", self.temporary_files());
    }
}

/// Builds the engine for a valid definition, with the authenticator [`Bearer`]. `add` can add handlers and options.
#[track_caller]
pub fn engine(files: &[(&str, Value)], add: impl FnOnce(Rulebook) -> Rulebook) -> Engine {
    let files = files.iter().map(|(name, json)| (PathBuf::from(name), json.to_string().into_bytes())).collect();
    match add(Rulebook::read(files).authenticator(Bearer)).build() {
        Ok(engine) => engine,
        Err(report) => panic!("{report}"),
    }
}

/// Waits until a condition is met. Returns `false` if it is not met within [`TIMEOUT`].
pub fn wait_until(mut condition: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    while !condition() {
        if started.elapsed() > TIMEOUT {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}

/// Returns the number of requests that a server handles at the moment, including the request for this number.
pub fn requests_in_flight(server: SocketAddr) -> u64 {
    let response = Connection::open(server).send(&Request::new("GET", "/metrics"));
    let text = String::from_utf8(response.body).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("rulebook_requests_in_flight "));
    line.unwrap().parse().unwrap()
}

/// An authenticator for credentials that contain the permissions of the caller, such as `Bearer ["reader","user[7]"]`.
/// For `Bearer panic` it panics. All other credentials are invalid.
pub struct Bearer;

impl Authenticate for Bearer {
    async fn authenticate(&self, head: &Head) -> Authentication {
        match head.header_values("authorization").next() {
            None => Authentication::Anonymous,
            Some(value) => match value.as_bytes().strip_prefix(b"Bearer ") {
                Some(b"panic") => panic!("the authenticator panicked"),
                Some(scope) => match serde_json::from_slice::<Vec<String>>(scope) {
                    Ok(scope) => Authentication::Identity(Identity::new("test", scope)),
                    Err(_) => Authentication::Invalid("no list of permissions".to_owned()),
                },
                None => Authentication::Invalid("another scheme".to_owned()),
            },
        }
    }
}
