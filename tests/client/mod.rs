//! A client for the tests: serves a definition in this process and sends requests over a socket.
//!
//! Requests are sent byte by byte as the test writes them, since an HTTP library would refuse or change most of the
//! requests of interest.

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

/// The timeout of every operation. Under load, such as a build that runs at the same time, responses take seconds.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// A server for an API, with a folder of its own for temporary files.
pub struct TestServer {
    pub running: RunningServer,
    pub uploads: TempDir,
}

impl TestServer {
    /// Serves the definition in these files. Every method echoes its arguments.
    pub fn echo(files: &[(&str, Value)]) -> Self {
        Self::start(&engine(files, |rulebook| rulebook.unbound(Unbound::Echo)))
    }

    /// Serves the definition in these files with the handlers of a module.
    pub fn handlers(files: &[(&str, Value)], module: Module) -> Self {
        Self::start(&engine(files, |rulebook| rulebook.module(module)))
    }

    /// Serves an engine.
    pub fn start(engine: &Engine) -> Self {
        Self::with_static(engine, None)
    }

    /// Serves an engine with the static files of a folder.
    pub fn with_static(engine: &Engine, folder: Option<&Path>) -> Self {
        let uploads = tempfile::tempdir().unwrap();
        let settings = Settings::new().with_bind(["127.0.0.1:0"]).with_workers(1).with_upload_folder(uploads.path());
        let settings = folder.into_iter().fold(settings, Settings::with_static_files);
        Self { running: engine.serve(&settings).unwrap(), uploads }
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

    /// Returns the number of temporary files.
    pub fn temporary_files(&self) -> usize {
        fs::read_dir(self.uploads.path()).unwrap().count()
    }

    /// Waits until there are no temporary files: they are deleted with their request, perhaps after the response.
    #[track_caller]
    pub fn assert_no_temporary_files(&self) {
        let gone = wait_until(|| self.temporary_files() == 0);
        assert!(gone, "{} temporary files are left", self.temporary_files());
    }
}

/// Returns the engine of a valid definition, with the authenticator [`Bearer`].
#[track_caller]
pub fn engine(files: &[(&str, Value)], add: impl FnOnce(Rulebook) -> Rulebook) -> Engine {
    let files = files.iter().map(|(name, json)| (PathBuf::from(name), json.to_string().into_bytes())).collect();
    match add(Rulebook::read(files).authenticator(Bearer)).build() {
        Ok(engine) => engine,
        Err(report) => panic!("{report}"),
    }
}

/// Waits for a condition, and returns `false` if it is not met in time.
pub fn wait_until(condition: impl Fn() -> bool) -> bool {
    let started = Instant::now();
    while !condition() {
        if started.elapsed() > TIMEOUT {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}

/// An authenticator for credentials that contain their permissions: `Bearer ["reader","user[7]"]`. Others are invalid,
/// and for `Bearer panic` it panics.
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
