//! The demo, with SQLite and PostgreSQL.
//!
//! `TEST_POSTGRES` is the URL of a PostgreSQL database; `tests/external/postgres` sets it. Without it, only SQLite is
//! tested.

mod ancestors;
mod articles;
#[cfg(unix)]
mod caches;
mod database_errors;
mod files;
mod random;
mod start;
mod users;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use rulebook_iapi::Database;
use serde_json::{Value, json};
use sqlx::{AnyConnection, Connection as _, Executor};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::client::{Connection, Request, Response};
use crate::server_process::{ServerProcess, copy_files, free_address, program};

/// The test that stops PostgreSQL holds the write lock; tests that use it hold the read lock.
static POSTGRES: RwLock<()> = RwLock::new(());

/// A folder with the demo's definition, and a new database.
pub struct Place {
    pub folder: TempDir,
    postgres: Option<(String, Option<RwLockReadGuard<'static, ()>>)>,
}

impl Place {
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("api"), &folder.path().join("api"));
        Self { folder, postgres: None }
    }

    /// Creates a database on PostgreSQL; `None` if there is no server. If `needed` is `true`, no test may stop the
    /// server meanwhile.
    pub fn postgres(needed: bool) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = std::env::var("TEST_POSTGRES").ok()?;
        let guard = needed.then(|| POSTGRES.read().unwrap_or_else(PoisonError::into_inner));
        let name = format!("demo_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        Sql::connect(&server).execute(&format!("CREATE DATABASE {name}"));
        Some(Self { postgres: Some((server.replace("/postgres?", &format!("/{name}?")), guard)), ..Self::sqlite() })
    }

    /// Runs a test with each database.
    pub fn each(test: impl Fn(&Self)) {
        test(&Self::sqlite());
        if let Some(place) = Self::postgres(true) {
            test(&place);
        }
    }

    pub fn is_postgres(&self) -> bool {
        self.postgres.is_some()
    }

    pub fn file(&self) -> PathBuf {
        self.folder.path().join("data/demo.db")
    }

    /// Returns the location of the database, for caches.
    pub fn database(&self) -> Database {
        match &self.postgres {
            Some((url, _)) => Database::Postgres(url.clone()),
            None => Database::Sqlite(self.file()),
        }
    }

    /// Connects to the database, as another program.
    pub fn sql(&self) -> Sql {
        match &self.postgres {
            Some((url, _)) => Sql::connect(url),
            None => Sql::connect(&format!("sqlite:{}", self.file().display())),
        }
    }

    /// Returns the command that runs the program in this folder.
    pub fn command(&self) -> Command {
        let mut command = program(self.folder.path());
        if let Some((url, _)) = &self.postgres {
            command.env("DATABASE_URL", url);
        }
        command
    }

    pub fn serve(&self) -> Server {
        self.serve_as(self.command())
    }

    /// Starts a server with a command, to which the address is added.
    pub fn serve_as(&self, mut command: Command) -> Server {
        let address = free_address();
        let process = ServerProcess::run(&mut command, self.folder.path(), &address);
        Server { process, address: address.parse().unwrap() }
    }
}

/// A running server of the demo.
pub struct Server {
    pub process: ServerProcess,
    pub address: SocketAddr,
}

impl Server {
    pub fn send(&self, request: &Request) -> Response {
        Connection::open(self.address).send(request)
    }

    pub fn get(&self, target: &str) -> Response {
        self.send(&Request::new("GET", target))
    }

    /// Sends a request with a JSON body and, optionally, a token.
    pub fn send_json(&self, method: &str, target: &str, token: Option<&str>, body: &Value) -> Response {
        let mut request = Request::new(method, target);
        if let Some(token) = token {
            request = request.field("authorization", format_args!("Bearer {token}"));
        }
        self.send(&request.body("application/json", body.to_string()))
    }

    /// Logs in and returns the token.
    #[track_caller]
    pub fn log_in(&self, login: &str, password: &str) -> String {
        let response = self.send_json("POST", "/user/login", None, &json!({ "login": login, "password": password }));
        assert_eq!(response.status, 200, "{response:?}");
        response.json()["token"].as_str().unwrap().to_owned()
    }

    /// Logs in as the editor of a new database.
    #[track_caller]
    pub fn editor(&self) -> String {
        self.log_in("ada", "analytical engine")
    }

    /// Creates an article and returns its id.
    #[track_caller]
    pub fn write(&self, token: &str, title: &str) -> u64 {
        let response = self.send_json("POST", "/article", Some(token), &json!({ "title": title, "text": "One\nTwo" }));
        assert_eq!(response.status, 201, "{response:?}");
        response.json()["article_id"].as_u64().unwrap()
    }

    /// Returns the number of articles.
    #[track_caller]
    pub fn total(&self) -> u64 {
        let response = self.get("/article");
        assert_eq!(response.status, 200, "{response:?}");
        response.json()["total"].as_u64().unwrap()
    }
}

/// A connection to a database.
pub struct Sql {
    runtime: Runtime,
    connection: AnyConnection,
}

impl Sql {
    pub fn connect(url: &str) -> Self {
        sqlx::any::install_default_drivers();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let connection = runtime.block_on(AnyConnection::connect(url)).unwrap();
        Self { runtime, connection }
    }

    pub fn execute(&mut self, sql: &str) {
        self.runtime.block_on(self.connection.execute(sql)).unwrap();
    }
}
