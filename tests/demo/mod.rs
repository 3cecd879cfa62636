//! Tests of the demo: the article site in `src`.

mod ancestors;
mod articles;
#[cfg(unix)]
mod caches;
mod database_errors;
mod failed_logins;
mod files;
#[cfg(unix)]
mod private_files;
mod random;
mod start;
mod users;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{Connection, Request, Response};
use crate::server_process::{ServerProcess, copy_files, free_address, program};

/// A folder with the definition of the demo, and its database, which does not exist yet.
pub struct DemoFolder {
    pub folder: TempDir,
}

impl DemoFolder {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("api"), &folder.path().join("api"));
        Self { folder }
    }

    pub fn database_file(&self) -> PathBuf {
        self.folder.path().join("data/demo.db")
    }

    /// Opens a connection to the database that is independent of the server.
    pub fn connect_to_database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.database_file()).unwrap()
    }

    /// Returns a command that runs the program of the demo with this folder as its working directory.
    pub fn command(&self) -> Command {
        program(self.folder.path())
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
