//! Tests the keys of the rows whose values are written to caches, and the errors for keys without a value.

use std::collections::BTreeMap;

use serde_json::json;

use super::CacheServer;
use super::databases::TestDatabase;
use crate::client::Request;

const CREATE_TABLE: &str = "CREATE TABLE texts (id VARCHAR(40) PRIMARY KEY, content VARCHAR(40))";
const VALUE_COLUMN: &str = "texts.content";

/// Unusual keys. In the table, the value of each row is its key.
const UNUSUAL_KEYS: [&str; 12] = [
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

fn insert_statement(key: &str) -> String {
    let key = key.replace('\'', "''");
    format!("INSERT INTO texts VALUES ('{key}', '{key}')")
}

#[test]
fn keys_with_special_characters_are_found() {
    TestDatabase::for_each(|database| {
        let inserts = UNUSUAL_KEYS.map(insert_statement);
        let statements: Vec<_> = [CREATE_TABLE].into_iter().chain(inserts.iter().map(String::as_str)).collect();
        let server = CacheServer::new(database, &statements, VALUE_COLUMN);
        let names: Vec<_> = (0..UNUSUAL_KEYS.len()).map(|number| format!("{number}.txt")).collect();
        let response = server.request_caches(&UNUSUAL_KEYS, &names);
        assert_eq!(response.status, 200, "{response:?}");
        let expected: Vec<_> = names.iter().map(|name| server.store_path().join("cache").join(name)).collect();
        assert_eq!(response.json(), json!(expected), "in the order of the keys");
        let files = server.stored_files();
        for (key, name) in UNUSUAL_KEYS.iter().zip(&names) {
            assert_eq!(files[&format!("cache/{name}")], *key);
        }
    });
}

#[test]
fn the_error_names_the_keys_without_a_value_and_no_cache_is_written() {
    TestDatabase::for_each(|database| {
        let statements = [CREATE_TABLE, "INSERT INTO texts VALUES ('good', 'x'), ('empty', ''), ('null', NULL)"];
        let server = CacheServer::new(database, &statements, VALUE_COLUMN);
        for key in ["'; DROP TABLE texts; --", "good'--", "x' OR '1'='1", "good,empty", "Good", "", "a\0b", "goo", "*"]
        {
            server.assert_no_value(&server.request_caches(&["good", key], &["a", "b"]), &[key]);
        }
        let response = server.request_caches(&["good", "no", "null", "empty", "neither"], &["1", "2", "3", "4", "5"]);
        server.assert_no_value(&response, &["no", "null", "neither"]);
        assert_eq!(response.json()["detail"], "there is no value for the keys no, null, neither");
        let many: Vec<_> = (0..1000).map(|number| format!("k{number}")).collect();
        let response = server.request_caches(&many, &many);
        assert_eq!(
            response.json()["detail"].as_str().unwrap().split_once(" and "),
            Some(("there is no value for the keys k0, k1, k2, k3, k4, k5, k6, k7, k8, k9", "990 more"))
        );
        let long = "k".repeat(10_000);
        let response = server.request_caches(&[&long], &["1"]);
        server.assert_no_value(&response, &[&long]);
        assert_eq!(
            response.json()["detail"],
            format!("there is no value for the keys {}", &long[..100]),
            "words stay short"
        );
        assert_eq!((server.cached_value("good"), server.cached_value("empty")), (b"x".to_vec(), Vec::new()));
    });
}

#[test]
fn a_text_is_not_the_key_of_a_row_with_a_numeric_key() {
    TestDatabase::for_each(|database| {
        let statements = [
            "CREATE TABLE texts (id INTEGER PRIMARY KEY, content TEXT)",
            "INSERT INTO texts VALUES (1, 'one'), (-2, 'two')",
        ];
        let server = CacheServer::new(database, &statements, VALUE_COLUMN);
        for key in ["x", "", "1 OR 1=1", "1;", "99999999999999999999", "1,-2", "id", "NaN", "0x1"] {
            server.assert_no_value(&server.request_caches(&["1", key], &["a", "b"]), &[key]);
        }
        assert_eq!((server.cached_value("1"), server.cached_value("-2")), (b"one".to_vec(), b"two".to_vec()));
    });
}

#[test]
fn a_request_can_have_a_thousand_keys_and_repeated_keys() {
    TestDatabase::for_each(|database| {
        let mut sql = database.connect();
        sql.execute(CREATE_TABLE);
        sql.execute("BEGIN");
        (0..1000).for_each(|number| sql.execute(&insert_statement(&format!("key {number}"))));
        sql.execute("COMMIT");
        drop(sql);
        let server = CacheServer::new(database, &[], VALUE_COLUMN);
        let keys: Vec<_> = (0..1000).map(|number| format!("key {number}")).collect();
        let response = server.request_caches(&keys, &keys);
        assert_eq!(response.json().as_array().map(Vec::len), Some(1000), "{response:?}");
        let files: BTreeMap<_, _> = keys.iter().map(|key| (format!("cache/{key}"), key.clone())).collect();
        assert_eq!(
            server.stored_files().into_iter().filter(|(name, _)| name != "cache/").collect::<BTreeMap<_, _>>(),
            files
        );
        assert_eq!(server.request_caches(&["key 7", "key 7", "key 8"], &["one", "two", "three"]).status, 200);
        let files = server.stored_files();
        assert_eq!(["one", "two", "three"].map(|name| &*files[&format!("cache/{name}")]), ["key 7", "key 7", "key 8"]);
    });
}

#[test]
fn keys_and_names_are_accepted_in_every_media_type() {
    let database = TestDatabase::sqlite();
    let server =
        CacheServer::new(&database, &[CREATE_TABLE, &insert_statement("a"), &insert_statement("b")], VALUE_COLUMN);
    let fields = [("fromDB", VALUE_COLUMN), ("storePath", "./cache/deep"), ("keys", "b,a"), ("filenames", "1,2")];
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let names = fields.map(|(name, _)| format!("name=\"{name}\""));
    let parts: Vec<_> = names.iter().zip(fields).map(|(name, (_, value))| (&**name, value.as_bytes())).collect();
    let post = || Request::new("POST", "/iapi/cache");
    for request in [post().body("application/x-www-form-urlencoded", form), post().multipart(&parts)] {
        let response = server.server.send(&request);
        assert_eq!(
            response.json(),
            json!(["1", "2"].map(|name| server.store_path().join("cache/deep").join(name))),
            "{response:?}"
        );
        assert_eq!([&server.stored_files()["cache/deep/1"], &server.stored_files()["cache/deep/2"]], ["b", "a"]);
        std::fs::remove_dir_all(server.store_path().join("cache")).unwrap();
    }
}

#[test]
fn a_table_whose_primary_key_is_not_a_single_column_is_refused() {
    for (table, column, words) in [
        (
            "CREATE TABLE t (a VARCHAR(9), b VARCHAR(9), v TEXT, PRIMARY KEY (a, b))",
            "t.v",
            "the primary key of the table t has several columns: a, b",
        ),
        ("CREATE VIEW t AS SELECT 1 AS id, 'x' AS v", "t.v", "the table t has no primary key"),
        ("CREATE TABLE t (id VARCHAR(9) PRIMARY KEY)", "t.v", "the table t has no column v"),
        ("CREATE TABLE t (id VARCHAR(9) PRIMARY KEY, v TEXT)", "other.t.v", "the database has no table other.t"),
        (
            "CREATE TABLE t (id VARCHAR(9) PRIMARY KEY, v TEXT)",
            "t.v\" FROM t; --",
            "the table t has no column v\" FROM t; --",
        ),
    ] {
        TestDatabase::for_each(|database| CacheServer::assert_not_cacheable(database, table, column, words));
    }
}

#[test]
fn blanks_around_the_commas_of_a_form_are_removed() {
    TestDatabase::for_each(|database| {
        let statements = [CREATE_TABLE, "INSERT INTO texts VALUES ('id001', 'one'), ('id002', 'two')"];
        let server = CacheServer::new(database, &statements, VALUE_COLUMN);
        let form = "fromDB=texts.content&storePath=cache&keys=id001,+id002&filenames=about-us.json+,%09contact-us.json";
        let request = Request::new("POST", "/iapi/cache").body("application/x-www-form-urlencoded", form);
        let response = server.server.send(&request);
        assert_eq!(response.status, 200, "{response:?}");
        let files = server.stored_files();
        assert_eq!((&*files["cache/about-us.json"], &*files["cache/contact-us.json"]), ("one", "two"));
    });
}
