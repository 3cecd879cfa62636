//! Keys of rows, and errors for keys without a value.

use std::collections::BTreeMap;

use serde_json::json;

use super::{CacheServer, connect};
use crate::client::Request;
use crate::demo::DemoFolder;

const TEXTS: &str = "CREATE TABLE texts (id VARCHAR(40) PRIMARY KEY, content TEXT)";
const COLUMN: &str = "texts.content";

/// Unusual keys; the content of each row is its key.
const ODD: [&str; 12] = [
    "a,b",
    "'; DROP TABLE texts; --",
    "O'Brien",
    "\"quoted\"",
    "键",
    "é",
    "e\u{301}",
    " ",
    "%_",
    "NULL",
    "$1 ?1",
    "x\ny",
];

fn insert(key: &str) -> String {
    let key = key.replace('\'', "''");
    format!("INSERT INTO texts VALUES ('{key}', '{key}')")
}

#[test]
fn keys_with_special_characters_are_found() {
    DemoFolder::for_each_database(|place| {
        let inserts = ODD.map(insert);
        let statements: Vec<_> = [TEXTS].into_iter().chain(inserts.iter().map(String::as_str)).collect();
        let caching = CacheServer::new(place, &statements, COLUMN);
        let names: Vec<_> = (0..ODD.len()).map(|number| format!("{number}.txt")).collect();
        let response = caching.request_caches(&ODD, &names);
        assert_eq!(response.status, 200, "{response:?}");
        let expected: Vec<_> = names.iter().map(|name| caching.root().join("cache").join(name)).collect();
        assert_eq!(response.json(), json!(expected), "in the order of the keys");
        let files = caching.files();
        for (key, name) in ODD.iter().zip(&names) {
            assert_eq!(files[&format!("cache/{name}")], *key);
        }
    });
}

#[test]
fn keys_without_a_value_are_named_and_nothing_is_written() {
    DemoFolder::for_each_database(|place| {
        let statements = [TEXTS, "INSERT INTO texts VALUES ('good', 'x'), ('empty', ''), ('null', NULL)"];
        let caching = CacheServer::new(place, &statements, COLUMN);
        for key in ["'; DROP TABLE texts; --", "good'--", "x' OR '1'='1", "good,empty", "Good", "", "a\0b", "goo", "*"]
        {
            caching.assert_no_value(&caching.request_caches(&["good", key], &["a", "b"]), &[key]);
        }
        let response = caching.request_caches(&["good", "no", "null", "empty", "neither"], &["1", "2", "3", "4", "5"]);
        caching.assert_no_value(&response, &["no", "null", "neither"]);
        assert_eq!(response.json()["detail"], "there is no value for the keys no, null, neither");
        let many: Vec<_> = (0..1000).map(|number| format!("k{number}")).collect();
        let response = caching.request_caches(&many, &many);
        assert_eq!(
            response.json()["detail"].as_str().unwrap().split_once(" and "),
            Some(("there is no value for the keys k0, k1, k2, k3, k4, k5, k6, k7, k8, k9", "990 more"))
        );
        let long = "k".repeat(10_000);
        let response = caching.request_caches(&[&long], &["1"]);
        caching.assert_no_value(&response, &[&long]);
        assert_eq!(
            response.json()["detail"],
            format!("there is no value for the keys {}", &long[..100]),
            "words stay short"
        );
        assert_eq!((caching.value("good"), caching.value("empty")), (b"x".to_vec(), Vec::new()));
    });
}

#[test]
fn text_is_not_the_key_of_a_row_with_a_number() {
    DemoFolder::for_each_database(|place| {
        let statements = [
            "CREATE TABLE texts (id INTEGER PRIMARY KEY, content TEXT)",
            "INSERT INTO texts VALUES (1, 'one'), (-2, 'two')",
        ];
        let caching = CacheServer::new(place, &statements, COLUMN);
        for key in ["x", "", "1 OR 1=1", "1;", "99999999999999999999", "1,-2", "id", "NaN", "0x1"] {
            caching.assert_no_value(&caching.request_caches(&["1", key], &["a", "b"]), &[key]);
        }
        assert_eq!((caching.value("1"), caching.value("-2")), (b"one".to_vec(), b"two".to_vec()));
    });
}

#[test]
fn a_thousand_keys_and_repeated_keys_are_possible() {
    DemoFolder::for_each_database(|place| {
        let mut sql = connect(place);
        sql.execute(TEXTS);
        sql.execute("BEGIN");
        (0..1000).for_each(|number| sql.execute(&insert(&format!("key {number}"))));
        sql.execute("COMMIT");
        drop(sql);
        let caching = CacheServer::new(place, &[], COLUMN);
        let keys: Vec<_> = (0..1000).map(|number| format!("key {number}")).collect();
        let response = caching.request_caches(&keys, &keys);
        assert_eq!(response.json().as_array().map(Vec::len), Some(1000), "{response:?}");
        let files: BTreeMap<_, _> = keys.iter().map(|key| (format!("cache/{key}"), key.clone())).collect();
        assert_eq!(caching.files().into_iter().filter(|(name, _)| name != "cache/").collect::<BTreeMap<_, _>>(), files);
        assert_eq!(caching.request_caches(&["key 7", "key 7", "key 8"], &["one", "two", "three"]).status, 200);
        let files = caching.files();
        assert_eq!(["one", "two", "three"].map(|name| &*files[&format!("cache/{name}")]), ["key 7", "key 7", "key 8"]);
    });
}

#[test]
fn keys_and_names_are_accepted_in_every_media_type() {
    let place = DemoFolder::with_sqlite();
    let caching = CacheServer::new(&place, &[TEXTS, &insert("a"), &insert("b")], COLUMN);
    let fields = [("fromDB", COLUMN), ("storePath", "./cache/deep"), ("keys", "b,a"), ("filenames", "1,2")];
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let names = fields.map(|(name, _)| format!("name=\"{name}\""));
    let parts: Vec<_> = names.iter().zip(fields).map(|(name, (_, value))| (&**name, value.as_bytes())).collect();
    let post = || Request::new("POST", "/iapi/cache");
    for request in [post().body("application/x-www-form-urlencoded", form), post().multipart(&parts)] {
        let response = caching.server.send(&request);
        assert_eq!(
            response.json(),
            json!(["1", "2"].map(|name| caching.root().join("cache/deep").join(name))),
            "{response:?}"
        );
        assert_eq!([&caching.files()["cache/deep/1"], &caching.files()["cache/deep/2"]], ["b", "a"]);
        std::fs::remove_dir_all(caching.root().join("cache")).unwrap();
    }
}

#[test]
fn a_table_without_a_primary_key_of_one_column_is_refused() {
    for (table, column, words) in [
        (
            "CREATE TABLE t (a TEXT, b TEXT, v TEXT, PRIMARY KEY (a, b))",
            "t.v",
            "the primary key of the table t has several columns: a, b",
        ),
        ("CREATE VIEW t AS SELECT 1 AS id, 'x' AS v", "t.v", "the table t has no primary key"),
        ("CREATE TABLE t (id TEXT PRIMARY KEY)", "t.v", "the table t has no column v"),
        ("CREATE TABLE t (id TEXT PRIMARY KEY, v TEXT)", "other.t.v", "the database has no table other.t"),
        (
            "CREATE TABLE t (id TEXT PRIMARY KEY, v TEXT)",
            "t.v\" FROM t; --",
            "the table t has no column v\" FROM t; --",
        ),
    ] {
        DemoFolder::for_each_database(|place| CacheServer::assert_not_cacheable(place, table, column, words));
    }
}
