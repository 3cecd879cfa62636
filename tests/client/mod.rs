//! A client in the API's words: serves a definition in this process and asks it over a socket.
//!
//! Requests go out byte by byte as they are written: a library would refuse or
//! mend most of what is of interest here.

pub mod case;
pub mod shape;
mod wire;
pub mod xml;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::{Duration, Instant};

use rulebook::{Engine, Head, Identity, Inspect, Inspection, Module, Rulebook, Running, Settings, Unbound};
use serde_json::Value;
use tempfile::TempDir;

pub use wire::{Answer, Connection, MultipartPart, Request, frame, multipart};

/// How long anything may take.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// A served API with a folder of its own for temporary files.
pub struct Site {
    pub running: Running,
    pub uploads: TempDir,
}

impl Site {
    /// The API of these files, where every method echoes its arguments.
    pub fn echo(files: &[(&str, Value)]) -> Self {
        Self::start(&engine(files, |rulebook| rulebook.unbound(Unbound::Echo)))
    }

    /// The API of these files with the handlers of a module.
    pub fn handlers(files: &[(&str, Value)], module: Module) -> Self {
        Self::start(&engine(files, |rulebook| rulebook.module(module)))
    }

    /// An engine at work.
    pub fn start(engine: &Engine) -> Self {
        Self::with_static(engine, None)
    }

    /// An engine at work beside the files of a folder.
    pub fn with_static(engine: &Engine, folder: Option<&Path>) -> Self {
        let uploads = tempfile::tempdir().unwrap();
        let settings = Settings {
            bind: vec!["127.0.0.1:0".to_owned()],
            workers: Some(1),
            uploads: uploads.path().to_owned(),
            static_files: folder.map(Path::to_owned),
            ..Settings::default()
        };
        Self { running: engine.serve(&settings).unwrap(), uploads }
    }

    pub fn address(&self) -> SocketAddr {
        self.running.addresses()[0]
    }

    pub fn connect(&self) -> Connection {
        Connection::to(self.address())
    }

    /// The answer to one request on a connection of its own.
    #[track_caller]
    pub fn send(&self, request: &Request) -> Answer {
        self.connect().ask(request)
    }

    /// How many temporary files there are.
    pub fn temporary(&self) -> usize {
        fs::read_dir(self.uploads.path()).unwrap().count()
    }

    /// Waits until there are no temporary files: they go when their request does, which may be after its answer.
    #[track_caller]
    pub fn assert_no_temporary(&self) {
        let gone = wait(|| self.temporary() == 0);
        assert!(gone, "{} temporary files are left", self.temporary());
    }
}

/// The engine of a definition without faults, with [`Bearer`] for an inspector.
#[track_caller]
pub fn engine(files: &[(&str, Value)], add: impl FnOnce(Rulebook) -> Rulebook) -> Engine {
    let files = files.iter().map(|(name, json)| (PathBuf::from(name), json.to_string().into_bytes())).collect();
    match add(Rulebook::read(files).inspect(Bearer)).build() {
        Ok(engine) => engine,
        Err(report) => panic!("{report}"),
    }
}

/// Whether something becomes so in time.
pub fn wait(so: impl Fn() -> bool) -> bool {
    let started = Instant::now();
    while !so() {
        if started.elapsed() > PATIENCE {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}

/// Credentials that say themselves what they allow: `Bearer ["reader","user[7]"]`. Others are not valid, and at
/// `Bearer panic` it panics.
pub struct Bearer;

impl Inspect for Bearer {
    fn inspect<'a>(&'a self, head: &'a Head) -> Pin<Box<dyn Future<Output = Inspection> + Send + 'a>> {
        let mut fields = head.headers.iter().filter(|(name, _)| name == "authorization");
        let said = match fields.next() {
            None => Inspection::Nobody,
            Some((_, value)) => match value.as_bytes().strip_prefix(b"Bearer ") {
                Some(b"panic") => panic!("the inspector panicked"),
                Some(scope) => match serde_json::from_slice::<Vec<String>>(scope) {
                    Ok(scope) => Inspection::Identity(Identity::new("test", scope)),
                    Err(_) => Inspection::Invalid("no list of permissions".to_owned()),
                },
                None => Inspection::Invalid("another scheme".to_owned()),
            },
        };
        Box::pin(std::future::ready(said))
    }
}
