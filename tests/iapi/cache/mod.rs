//! Caches of all kinds of tables, on SQLite and, if a server is available, on PostgreSQL.

mod concurrency;
mod database_errors;
mod keys;
mod names;
mod postgres;
mod sqlite;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use jsonc_parser::{ParseOptions, parse_to_serde_value};
use rulebook::Rulebook;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{Request, Response, TestServer, engine};
use crate::demo::{DatabaseConnection, DemoFolder};
use crate::store::{staged_files, tree};

/// A server that writes caches of one column.
struct CacheServer {
    server: TestServer,
    data: TempDir,
    column: String,
}

impl CacheServer {
    /// Starts a server for a database, after executing these statements in it.
    fn new(place: &DemoFolder, statements: &[&str], column: &str) -> Self {
        let mut sql = connect(place);
        statements.iter().for_each(|statement| sql.execute(statement));
        let database = place.database();
        Self::with(column, |rulebook| rulebook.state(caches(&database)))
    }

    /// Starts a server of a program that `add` completes.
    fn with(column: &str, add: impl FnOnce(Rulebook) -> Rulebook) -> Self {
        let data = tempfile::tempdir().unwrap();
        let engine = engine(&[("iapi.json", definition(column))], |rulebook| {
            let module = rulebook_iapi::module().post("/iapi/cache", rulebook_iapi::cache);
            add(rulebook.data_folder(data.path()).keep_files().module(module))
        });
        Self { server: TestServer::start(&engine), data, column: column.to_owned() }
    }

    /// Requests caches of these keys in the folder `cache/`.
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

    /// Writes a cache of one key and returns its content.
    #[track_caller]
    fn value(&self, key: &str) -> Vec<u8> {
        let response = self.request_caches(&[key], &["value"]);
        assert_eq!(response.status, 200, "{key:?}: {response:?}");
        let path = PathBuf::from(response.json()[0].as_str().unwrap());
        assert_eq!(path, self.root().join("cache/value"));
        fs::read(path).unwrap()
    }

    fn root(&self) -> PathBuf {
        self.data.path().canonicalize().unwrap().join("files")
    }

    fn files(&self) -> BTreeMap<String, String> {
        tree(&self.root())
    }

    /// Asserts that a response is this error, and that no cache was written.
    #[track_caller]
    fn assert_error(&self, response: &Response, status: u16, code: &str) {
        assert_eq!((response.status, response.json()["code"].as_str()), (status, Some(code)), "{response:?}");
        assert_eq!(self.files(), BTreeMap::new(), "{response:?}");
        assert_eq!(staged_files(&self.root()), [""; 0], "{response:?}");
    }

    /// Asserts that caches of a column cannot be written, with this message.
    #[track_caller]
    fn assert_not_cacheable(place: &DemoFolder, table: &str, column: &str, words: &str) {
        let caching = Self::new(place, &[table], column);
        let response = caching.request_caches(&["1"], &["1"]);
        caching.assert_error(&response, 500, "not_cacheable");
        assert_eq!(response.json()["detail"], words);
    }

    /// Asserts that a response names these keys as those without a value, and nothing was written.
    #[track_caller]
    fn assert_no_value(&self, response: &Response, keys: &[&str]) {
        self.assert_error(response, 400, "no_value");
        assert_eq!(response.json()["keys"], json!(keys));
    }
}

fn caches(database: &rulebook_iapi::Database) -> rulebook_iapi::Caches {
    let database = database.clone();
    rulebook_iapi::Caches::new(move || {
        let database = database.clone();
        async { Ok(database) }
    })
}

/// Connects to the database of a place, which is created if it does not exist.
fn connect(place: &DemoFolder) -> DatabaseConnection {
    if !place.is_postgres() && !place.database_file().exists() {
        fs::create_dir_all(place.database_file().parent().unwrap()).unwrap();
        fs::write(place.database_file(), "").unwrap();
    }
    place.connect_to_database()
}

/// Returns the demo's definition for anonymous callers, with another column.
fn definition(column: &str) -> Value {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("api/iapi.json")).unwrap();
    let mut definition: Value = parse_to_serde_value(&text, &ParseOptions::default()).unwrap();
    definition["envelope"] = json!("plain");
    let method = &mut definition["/"]["iapi"]["/"]["cache"]["POST"];
    method["scope"] = json!([]);
    method["in"]["fromDB"]["range"] = json!([column]);
    definition
}
