//! Tests caches from tables with features that only PostgreSQL has.

use super::CacheServer;
use super::databases::{DatabaseKind, TestDatabase};

type ReadableTable = (&'static [&'static str], &'static str, &'static [u8], &'static [&'static str]);

/// Each case: the statements that create a table, the column, the expected content of the cache of the first key, and
/// the keys. All keys but the first have no rows.
const READABLE_TABLES: [ReadableTable; 14] = [
    (
        &["CREATE TABLE t (id TEXT PRIMARY KEY, v BYTEA)", r"INSERT INTO t VALUES ('1', '\x00ff0a')"],
        "t.v",
        b"\0\xff\n",
        &["1"],
    ),
    (
        &["CREATE TABLE t (id TEXT PRIMARY KEY, v JSON)", r#"INSERT INTO t VALUES ('1', '{ "b": 1,  "a":2}')"#],
        "t.v",
        br#"{ "b": 1,  "a":2}"#,
        &["1"],
    ),
    (
        &["CREATE TABLE t (id TEXT PRIMARY KEY, v JSONB)", r#"INSERT INTO t VALUES ('1', '{"b":"é",  "a":2}')"#],
        "t.v",
        r#"{"a": 2, "b": "é"}"#.as_bytes(),
        &["1"],
    ),
    (
        &["CREATE TABLE t (id TEXT PRIMARY KEY, v XML)", "INSERT INTO t VALUES ('1', '<a>é</a>')"],
        "t.v",
        "<a>é</a>".as_bytes(),
        &["1"],
    ),
    (&["CREATE TABLE t (id TEXT PRIMARY KEY, v NUMERIC)", "INSERT INTO t VALUES ('1', 1.50)"], "t.v", b"1.50", &["1"]),
    (
        &[
            "CREATE DOMAIN d AS BYTEA",
            "CREATE DOMAIN e AS d",
            "CREATE TABLE t (id TEXT PRIMARY KEY, v e)",
            r"INSERT INTO t VALUES ('1', '\x00ff')",
        ],
        "t.v",
        b"\0\xff",
        &["1"],
    ),
    (
        &["CREATE SCHEMA s", "CREATE TABLE s.t (id TEXT PRIMARY KEY, v TEXT)", "INSERT INTO s.t VALUES ('1', 'one')"],
        "s.t.v",
        b"one",
        &["1"],
    ),
    (
        &[
            r#"CREATE TABLE "T ""'; --" ("I D" TEXT PRIMARY KEY, "V; --" TEXT)"#,
            r#"INSERT INTO "T ""'; --" VALUES ('1', 'one')"#,
        ],
        "T \"'; --.V; --",
        b"one",
        &["1"],
    ),
    (
        &["CREATE TABLE t (id VARCHAR(3) PRIMARY KEY, v TEXT)", "INSERT INTO t VALUES ('abc', 'one')"],
        "t.v",
        b"one",
        &["abc", "abcd", "ab"],
    ),
    (
        &["CREATE TABLE t (id CHAR(3) PRIMARY KEY, v TEXT)", "INSERT INTO t VALUES ('abc', 'one')"],
        "t.v",
        b"one",
        &["abc", "abcd", "a"],
    ),
    (
        &[
            "CREATE TABLE t (id UUID PRIMARY KEY, v TEXT)",
            "INSERT INTO t VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'one')",
        ],
        "t.v",
        b"one",
        &["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc99", "x"],
    ),
    (
        &["CREATE TABLE t (id INT, v TEXT, PRIMARY KEY (id) INCLUDE (v))", "INSERT INTO t VALUES (1, 'one')"],
        "t.v",
        b"one",
        &["1", "2", "x"],
    ),
    (
        &[
            "CREATE DOMAIN small AS INT CHECK (VALUE < 9)",
            "CREATE TABLE t (id small PRIMARY KEY, v TEXT)",
            "INSERT INTO t VALUES (1, 'one')",
        ],
        "t.v",
        b"one",
        &["1", "10", "x"],
    ),
    (
        &[
            "CREATE TABLE t (id INT PRIMARY KEY, v TEXT) PARTITION BY RANGE (id)",
            "CREATE TABLE u PARTITION OF t DEFAULT",
            "INSERT INTO t VALUES (1, 'one')",
        ],
        "t.v",
        b"one",
        &["1", "2"],
    ),
];

#[test]
fn values_and_keys_of_every_postgres_type_are_read() {
    for (statements, column, expected, keys) in READABLE_TABLES {
        let Some(database) = TestDatabase::new(DatabaseKind::Postgres) else { return };
        let server = CacheServer::new(&database, statements, column);
        for key in &keys[1..] {
            server.assert_no_value(&server.request_caches(&[key], &["1"]), &[key]);
        }
        assert_eq!(server.cached_value(keys[0]), expected, "{statements:?}");
    }
}

#[test]
fn unsupported_postgres_tables_are_refused() {
    let cases = [
        ("CREATE TABLE t (a TEXT UNIQUE NOT NULL, v TEXT)", "t.v", "the table t has no primary key"),
        ("CREATE TABLE t (id TEXT PRIMARY KEY)", "t.ctid", "the table t has no column ctid"),
        ("CREATE TABLE t (id TEXT PRIMARY KEY, v TEXT)", "T.v", "the database has no table T"),
    ];
    for (table, column, words) in cases {
        let Some(database) = TestDatabase::new(DatabaseKind::Postgres) else { return };
        CacheServer::assert_not_cacheable(&database, table, column, words);
    }
}

#[test]
fn long_values_are_complete_with_every_postgres_storage_strategy() {
    for storage in ["PLAIN", "MAIN", "EXTERNAL", "EXTENDED"] {
        for kind in ["TEXT", "BYTEA"] {
            let Some(database) = TestDatabase::new(DatabaseKind::Postgres) else { return };
            // With the storage strategy PLAIN, a value must fit on one page of the table.
            let lines = if storage == "PLAIN" { 7 } else { 3_500 };
            let value = format!(
                "(SELECT string_agg(lpad(i::text, 1023, 'é') || chr(10), '' ORDER BY i) FROM generate_series(1, {lines}) i)"
            );
            let value = if kind == "BYTEA" { format!("convert_to({value}, 'UTF8')") } else { value };
            let value = if storage == "PLAIN" { value.replace("1023", "500") } else { value };
            let statements = [
                &format!("CREATE TABLE t (id TEXT PRIMARY KEY, v {kind})"),
                &format!("ALTER TABLE t ALTER v SET STORAGE {storage}"),
                &format!("INSERT INTO t VALUES ('1', {value})"),
            ];
            let server = CacheServer::new(&database, &statements.map(String::as_str), "t.v");
            let written = String::from_utf8(server.cached_value("1")).unwrap();
            let numbers: Vec<usize> =
                written.lines().map(|line| line.trim_start_matches('é').parse().unwrap()).collect();
            assert_eq!(numbers, (1..=lines).collect::<Vec<_>>(), "{kind} {storage}");
        }
    }
}
