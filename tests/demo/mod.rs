//! Tests of the demo (the article site in `src`), with SQLite and with PostgreSQL.
//!
//! The environment variable `TEST_POSTGRES` contains the URL of a PostgreSQL database; the script
//! `tests/external/postgres` sets it. Without the variable, only SQLite is tested.

mod ancestors;
mod articles;
#[cfg(unix)]
mod caches;
mod database_errors;
mod failed_logins;
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

/// A lock for the PostgreSQL server. The test that stops the server holds the write lock, tests that need a running
/// server hold the read lock.
static POSTGRES: RwLock<()> = RwLock::new(());

/// A folder with the definition of the demo, and a new database.
pub struct DemoFolder {
    pub folder: TempDir,
    postgres: Option<(String, Option<RwLockReadGuard<'static, ()>>)>,
}

impl DemoFolder {
    pub fn with_sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("api"), &folder.path().join("api"));
        Self { folder, postgres: None }
    }

    /// Creates a folder and a database on the PostgreSQL server; `None` if there is no server. If
    /// `needs_running_server` is `true`, no other test stops the server while this value exists.
    pub fn with_postgres(needs_running_server: bool) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = std::env::var("TEST_POSTGRES").ok()?;
        let guard = needs_running_server.then(|| POSTGRES.read().unwrap_or_else(PoisonError::into_inner));
        let name = format!("demo_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        DatabaseConnection::connect(&server).execute(&format!("CREATE DATABASE {name}"));
        Some(Self {
            postgres: Some((server.replace("/postgres?", &format!("/{name}?")), guard)),
            ..Self::with_sqlite()
        })
    }

    /// Runs a test with SQLite and, if there is a server, with PostgreSQL.
    pub fn for_each_database(test: impl Fn(&Self)) {
        test(&Self::with_sqlite());
        if let Some(place) = Self::with_postgres(true) {
            test(&place);
        }
    }

    pub fn is_postgres(&self) -> bool {
        self.postgres.is_some()
    }

    pub fn database_file(&self) -> PathBuf {
        self.folder.path().join("data/demo.db")
    }

    /// Returns the location of the database for the handler `rulebook_iapi::cache`.
    pub fn database(&self) -> Database {
        match &self.postgres {
            Some((url, _)) => Database::Postgres(url.clone()),
            None => Database::Sqlite(self.database_file()),
        }
    }

    /// Opens a connection to the database that is independent of the server.
    pub fn connect_to_database(&self) -> DatabaseConnection {
        match &self.postgres {
            Some((url, _)) => DatabaseConnection::connect(url),
            None => DatabaseConnection::connect(&format!("sqlite:{}", self.database_file().display())),
        }
    }

    /// Returns a command that runs the program of the demo with this folder as its working directory.
    pub fn command(&self) -> Command {
        let mut command = program(self.folder.path());
        if let Some((url, _)) = &self.postgres {
            command.env("DATABASE_URL", url);
        }
        command
    }

    pub fn serve(&self) -> Server {
        self.serve_with_command(self.command())
    }

    /// Starts a server that shares its data folder with other servers.
    pub fn serve_beside_others(&self) -> Server {
        let mut command = self.command();
        command.arg("--share-data");
        self.serve_with_command(command)
    }

    /// Starts a server with a command. The address of the server is added to the arguments of the command.
    pub fn serve_with_command(&self, mut command: Command) -> Server {
        let address = free_address();
        let process = ServerProcess::run(&mut command, self.folder.path(), &address);
        Server { process, address: address.parse().unwrap() }
    }
}

/// A running server process of the demo.
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

    /// Sends a request with a JSON body. If `token` is given, the request has this bearer token.
    pub fn send_json(&self, method: &str, target: &str, token: Option<&str>, body: &Value) -> Response {
        let mut request = Request::new(method, target);
        if let Some(token) = token {
            request = request.field("authorization", format_args!("Bearer {token}"));
        }
        self.send(&request.body("application/json", body.to_string()))
    }

    /// Logs in as a user, and returns the token of the login.
    #[track_caller]
    pub fn log_in(&self, login: &str, password: &str) -> String {
        let response = self.send_json("POST", "/user/login", None, &json!({ "login": login, "password": password }));
        assert_eq!(response.status, 200, "{response:?}");
        response.json()["token"].as_str().unwrap().to_owned()
    }

    /// Logs in as the editor whom every new database contains, and returns the token of the login.
    #[track_caller]
    pub fn log_in_as_editor(&self) -> String {
        self.log_in("ada", "analytical engine")
    }

    /// Creates an article with this title, and returns its id.
    #[track_caller]
    pub fn create_article(&self, token: &str, title: &str) -> u64 {
        let response = self.send_json("POST", "/article", Some(token), &json!({ "title": title, "text": "One\nTwo" }));
        assert_eq!(response.status, 201, "{response:?}");
        response.json()["article_id"].as_u64().unwrap()
    }

    /// Returns the number of all articles.
    #[track_caller]
    pub fn article_count(&self) -> u64 {
        let response = self.get("/article");
        assert_eq!(response.status, 200, "{response:?}");
        response.json()["total"].as_u64().unwrap()
    }
}

/// A connection to a database.
pub struct DatabaseConnection {
    runtime: Runtime,
    connection: AnyConnection,
}

impl DatabaseConnection {
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
