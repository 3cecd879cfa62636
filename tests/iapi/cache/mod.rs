//! Caches of tables of all kinds, on SQLite and, where there is one, on PostgreSQL.

mod keys;
mod names;
mod postgres;
mod sqlite;
mod together;
mod trouble;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use jsonc_parser::{ParseOptions, parse_to_serde_value};
use rulebook::{Rulebook, iapi};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{Answer, Request, Site, engine};
use crate::demo::{Place, Sql};
use crate::store::{on_their_way, tree};

/// A server that makes caches of one column.
struct Caching {
    site: Site,
    data: TempDir,
    column: String,
}

impl Caching {
    /// Of a database in which these statements have been executed.
    fn of(place: &Place, statements: &[&str], column: &str) -> Self {
        let mut sql = connect(place);
        statements.iter().for_each(|statement| sql.execute(statement));
        let database = place.database();
        Self::with(column, |rulebook| rulebook.state(caches(&database)))
    }

    /// Of what a program says.
    fn with(column: &str, add: impl FnOnce(Rulebook) -> Rulebook) -> Self {
        let data = tempfile::tempdir().unwrap();
        let engine = engine(&[("iapi.json", definition(column))], |rulebook| {
            let module = iapi::module().post("/iapi/cache", iapi::cache);
            add(rulebook.data(data.path()).keep_files().module(module))
        });
        Self { site: Site::start(&engine), data, column: column.to_owned() }
    }

    /// Asks for files in `cache/` of these keys.
    fn ask(&self, keys: &[impl AsRef<str>], filenames: &[impl AsRef<str>]) -> Answer {
        let texts = |texts: Vec<&str>| json!(texts);
        let body = json!({
            "fromDB": self.column,
            "storePath": "cache",
            "keys": texts(keys.iter().map(AsRef::as_ref).collect()),
            "filenames": texts(filenames.iter().map(AsRef::as_ref).collect()),
        });
        self.site.send(&Request::new("POST", "/iapi/cache").body("application/json", body.to_string()))
    }

    /// What is written at a key.
    #[track_caller]
    fn value(&self, key: &str) -> Vec<u8> {
        let answer = self.ask(&[key], &["value"]);
        assert_eq!(answer.status, 200, "{key:?}: {answer:?}");
        let path = PathBuf::from(answer.json()[0].as_str().unwrap());
        assert_eq!(path, self.root().join("cache/value"));
        fs::read(path).unwrap()
    }

    fn root(&self) -> PathBuf {
        self.data.path().canonicalize().unwrap().join("files")
    }

    fn files(&self) -> BTreeMap<String, String> {
        tree(&self.root())
    }

    /// Asserts that it was refused so, and that nothing was written.
    #[track_caller]
    fn assert_refused(&self, answer: &Answer, status: u16, code: &str) {
        assert_eq!((answer.status, answer.json()["code"].as_str()), (status, Some(code)), "{answer:?}");
        assert_eq!(self.files(), BTreeMap::new(), "{answer:?}");
        assert_eq!(on_their_way(&self.root()), [""; 0], "{answer:?}");
    }

    /// Asserts that no caches are made of a column of this table, in these words.
    #[track_caller]
    fn assert_not_cacheable(place: &Place, table: &str, column: &str, words: &str) {
        let caching = Self::of(place, &[table], column);
        let answer = caching.ask(&["1"], &["1"]);
        caching.assert_refused(&answer, 500, "not_cacheable");
        assert_eq!(answer.json()["detail"], words);
    }

    /// Asserts that these keys were refused for having no value, and that nothing was written.
    #[track_caller]
    fn assert_no_value(&self, answer: &Answer, keys: &[&str]) {
        self.assert_refused(answer, 400, "no_value");
        assert_eq!(answer.json()["keys"], json!(keys));
    }
}

fn caches(database: &iapi::Database) -> iapi::Caches {
    let database = database.clone();
    iapi::Caches::new(move || {
        let database = database.clone();
        async { Ok(database) }
    })
}

/// A connection to a place's database, which is made where there is none.
fn connect(place: &Place) -> Sql {
    if !place.is_postgres() && !place.file().exists() {
        fs::create_dir_all(place.file().parent().unwrap()).unwrap();
        fs::write(place.file(), "").unwrap();
    }
    place.sql()
}

/// The demo's definition for whoever comes, with another column.
fn definition(column: &str) -> Value {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("api/iapi.json")).unwrap();
    let mut definition: Value = parse_to_serde_value(&text, &ParseOptions::default()).unwrap();
    definition["envelope"] = json!("plain");
    let method = &mut definition["/"]["iapi"]["/"]["cache"]["POST"];
    method["scope"] = json!([]);
    method["in"]["fromDB"]["range"] = json!([column]);
    definition
}
