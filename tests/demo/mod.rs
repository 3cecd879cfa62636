//! The demo, with SQLite and PostgreSQL.
//!
//! `TEST_POSTGRES` is the URL of a PostgreSQL database; `tests/outside/postgres` sets it. Without it, only SQLite is
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

use crate::client::{Answer, Connection, Request};
use crate::served::{Served, copy_files, free_address, program};

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
        Sql::to(&server).execute(&format!("CREATE DATABASE {name}"));
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
            Some((url, _)) => Sql::to(url),
            None => Sql::to(&format!("sqlite:{}", self.file().display())),
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
        let served = Served::run(&mut command, self.folder.path(), &address);
        Server { served, address: address.parse().unwrap() }
    }
}

/// A running server of the demo.
pub struct Server {
    pub served: Served,
    pub address: SocketAddr,
}

impl Server {
    pub fn send(&self, request: &Request) -> Answer {
        Connection::to(self.address).ask(request)
    }

    pub fn get(&self, target: &str) -> Answer {
        self.send(&Request::new("GET", target))
    }

    /// Sends a request with a JSON body and, optionally, a token.
    pub fn ask(&self, method: &str, target: &str, token: Option<&str>, body: &Value) -> Answer {
        let mut request = Request::new(method, target);
        if let Some(token) = token {
            request = request.field("authorization", format_args!("Bearer {token}"));
        }
        self.send(&request.body("application/json", body.to_string()))
    }

    /// Logs in and returns the token.
    #[track_caller]
    pub fn log_in(&self, login: &str, password: &str) -> String {
        let answer = self.ask("POST", "/user/login", None, &json!({ "login": login, "password": password }));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["token"].as_str().unwrap().to_owned()
    }

    /// Logs in as the editor of a new database.
    #[track_caller]
    pub fn editor(&self) -> String {
        self.log_in("ada", "analytical engine")
    }

    /// Creates an article and returns its id.
    #[track_caller]
    pub fn write(&self, token: &str, title: &str) -> u64 {
        let answer = self.ask("POST", "/article", Some(token), &json!({ "title": title, "text": "One\nTwo" }));
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["article_id"].as_u64().unwrap()
    }

    /// Returns the number of articles.
    #[track_caller]
    pub fn total(&self) -> u64 {
        let answer = self.get("/article");
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["total"].as_u64().unwrap()
    }
}

/// A connection to a database.
pub struct Sql {
    runtime: Runtime,
    connection: AnyConnection,
}

impl Sql {
    pub fn to(url: &str) -> Self {
        sqlx::any::install_default_drivers();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let connection = runtime.block_on(AnyConnection::connect(url)).unwrap();
        Self { runtime, connection }
    }

    pub fn execute(&mut self, sql: &str) {
        self.runtime.block_on(self.connection.execute(sql)).unwrap();
    }
}
