//! Tests caches, which are files with the values of one database column. They are written from all kinds of tables, on
//! SQLite and, if servers are available, on PostgreSQL and MariaDB.

mod cache_names;
mod concurrency;
mod database_errors;
mod databases;
mod keys;
mod mysql;
mod postgres;
mod sqlite;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use jsonc_parser::{ParseOptions, parse_to_serde_value};
use rulebook::Rulebook;
use serde_json::{Value, json};
use tempfile::TempDir;

use databases::TestDatabase;

use crate::client::{Request, Response, TestServer, engine};
use crate::store::{staged_files, tree};

/// A server that writes caches of the values in one column.
struct CacheServer {
    server: TestServer,
    data_folder: TempDir,
    column: String,
}

impl CacheServer {
    /// Starts a server for the database of a database, after these statements have been executed in the database.
    fn new(database: &TestDatabase, statements: &[&str], column: &str) -> Self {
        let mut sql = database.connect();
        statements.iter().for_each(|statement| sql.execute(statement));
        Self::with_program(column, |rulebook| rulebook.state(caches_of_database(&database.location)))
    }

    /// Starts a server. `complete` adds the caches to the program.
    fn with_program(column: &str, complete: impl FnOnce(Rulebook) -> Rulebook) -> Self {
        let data_folder = tempfile::tempdir().unwrap();
        let engine = engine(&[("iapi.json", definition_for_column(column))], |rulebook| {
            let module = rulebook_iapi::module().post("/iapi/cache", rulebook_iapi::cache);
            complete(rulebook.data_folder(data_folder.path()).keep_files().module(module))
        });
        Self { server: TestServer::start(&engine), data_folder, column: column.to_owned() }
    }

    /// Requests caches with these file names in the folder `cache/`, one for each key.
    fn request_caches(&self, keys: &[impl AsRef<str>], filenames: &[impl AsRef<str>]) -> Response {
        let texts = |texts: Vec<&str>| json!(texts);
        let body = json!({
            "fromDB": self.column,
            "storePath": "cache",
            "keys": texts(keys.iter().map(AsRef::as_ref).collect()),
            "filenames": texts(filenames.iter().map(AsRef::as_ref).collect()),
        });
        self.server.send(&Request::new("POST", "/iapi/cache").body("application/json", body.to_string()))
    }

    /// Requests a cache for one key, and returns the content of the file.
    #[track_caller]
    fn cached_value(&self, key: &str) -> Vec<u8> {
        let response = self.request_caches(&[key], &["value"]);
        assert_eq!(response.status, 200, "{key:?}: {response:?}");
        let path = PathBuf::from(response.json()[0].as_str().unwrap());
        assert_eq!(path, self.store_path().join("cache/value"));
        fs::read(path).unwrap()
    }

    fn store_path(&self) -> PathBuf {
        self.data_folder.path().canonicalize().unwrap().join("files")
    }

    fn stored_files(&self) -> BTreeMap<String, String> {
        tree(&self.store_path())
    }

    /// Asserts that a response is this error, and that the server has written no cache.
    #[track_caller]
    fn assert_error(&self, response: &Response, status: u16, code: &str) {
        assert_eq!((response.status, response.json()["code"].as_str()), (status, Some(code)), "{response:?}");
        assert_eq!(self.stored_files(), BTreeMap::new(), "{response:?}");
        assert_eq!(staged_files(&self.store_path()), [""; 0], "{response:?}");
    }

    /// Asserts that a request for caches of this column fails with this message.
    #[track_caller]
    fn assert_not_cacheable(database: &TestDatabase, table: &str, column: &str, words: &str) {
        let server = Self::new(database, &[table], column);
        let response = server.request_caches(&["1"], &["1"]);
        server.assert_error(&response, 500, "not_cacheable");
        assert_eq!(response.json()["detail"], words);
    }

    /// Asserts that a response is the error for keys without a value, that the error names these keys, and that the
    /// server has written no cache.
    #[track_caller]
    fn assert_no_value(&self, response: &Response, keys: &[&str]) {
        self.assert_error(response, 400, "no_value");
        assert_eq!(response.json()["keys"], json!(keys));
    }
}

fn caches_of_database(database: &rulebook_iapi::Database) -> rulebook_iapi::Caches {
    let database = database.clone();
    rulebook_iapi::Caches::new(move || {
        let database = database.clone();
        async { Ok(database) }
    })
}

/// Returns the definition of the demo's internal API, changed so that anonymous callers may request caches of this
/// column.
fn definition_for_column(column: &str) -> Value {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("api/iapi.json")).unwrap();
    let mut definition: Value = parse_to_serde_value(&text, &ParseOptions::default()).unwrap();
    definition["envelope"] = json!("plain");
    let method = &mut definition["/"]["iapi"]["/"]["cache"]["POST"];
    method["scope"] = json!([]);
    method["in"]["fromDB"]["range"] = json!([column]);
    definition
}
