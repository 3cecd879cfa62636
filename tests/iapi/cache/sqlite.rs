//! Tests caches from tables with features that only SQLite has.

use super::CacheServer;
use super::databases::TestDatabase;

/// Each case: the statements that create a table, the column, the expected content of the cache of the key `1`, and the
/// expected length in bytes of the cache of the key `2`.
const READABLE_TABLES: [(&[&str], &str, &[u8], usize); 9] = [
    (&["CREATE TABLE t (id TEXT PRIMARY KEY, v TEXT)"], "t.v", b"one", 3_000_000),
    (&["CREATE TABLE t (id TEXT PRIMARY KEY, v TEXT) WITHOUT ROWID"], "t.v", b"one", 3_000_000),
    (&["CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB)"], "t.v", b"one", 3_000_000),
    (&["CREATE TABLE t (id TEXT PRIMARY KEY, v TEXT)"], "main.t.v", b"one", 3_000_000),
    (&["CREATE TABLE t (id TEXT PRIMARY KEY, v TEXT)"], "T.V", b"one", 3_000_000),
    (&["CREATE TABLE t (id TEXT PRIMARY KEY, v TEXT, rowid TEXT, _rowid_ TEXT)"], "t.v", b"one", 3_000_000),
    (&["CREATE TABLE t (id TEXT PRIMARY KEY, v TEXT, rowid TEXT, _rowid_ TEXT, oid TEXT)"], "t.v", b"one", 3_000_000),
    (
        &["CREATE TABLE t (id TEXT PRIMARY KEY, v TEXT, w TEXT GENERATED ALWAYS AS (v || '!') VIRTUAL)"],
        "t.w",
        b"one!",
        3_000_001,
    ),
    (&["PRAGMA encoding = 'UTF-16le'", "CREATE TABLE t (id TEXT PRIMARY KEY, v TEXT)"], "t.v", b"one", 3_000_000),
];

#[test]
fn values_are_read_from_sqlite_tables_of_every_kind() {
    for (tables, column, small, large) in READABLE_TABLES {
        let database = TestDatabase::sqlite();
        let inserts = [
            "INSERT INTO t (id, v) VALUES ('1', 'one')",
            "INSERT INTO t (id, v) VALUES ('2', replace(hex(zeroblob(500000)), '00', 'é.é!'))",
        ];
        let server = CacheServer::new(&database, &[tables, &inserts].concat(), column);
        assert_eq!(server.cached_value("1"), small, "{tables:?}");
        let value = String::from_utf8(server.cached_value("2")).unwrap();
        assert_eq!((value.len(), value.trim_end_matches('!').len() + 1), (large, 3_000_000), "{tables:?}");
        assert!(value.starts_with("é.é!é.é!"), "{tables:?}");
    }
}

#[test]
fn sqlite_numbers_are_written_as_text_and_blobs_unchanged() {
    for without in ["", "WITHOUT ROWID"] {
        let database = TestDatabase::sqlite();
        let table = format!("CREATE TABLE t (id TEXT PRIMARY KEY, v) {without}");
        let rows =
            "INSERT INTO t VALUES ('int', -42), ('real', 1.5), ('blob', x'00ff0a'), ('text', 'a' || char(0) || 'b')";
        let server = CacheServer::new(&database, &[&table, rows], "t.v");
        let cases: [(&str, &[u8]); 4] = [("int", b"-42"), ("real", b"1.5"), ("blob", b"\0\xff\n"), ("text", b"a\0b")];
        for (key, expected) in cases {
            assert_eq!(server.cached_value(key), expected, "{key} {without}");
        }
    }
}

#[test]
fn quotes_in_names_of_sqlite_tables_and_columns_are_escaped() {
    let database = TestDatabase::sqlite();
    let statements = [
        r#"CREATE TABLE "a ""b'; --" ("i ""d" TEXT PRIMARY KEY, "[v]; DROP" TEXT)"#,
        r#"INSERT INTO "a ""b'; --" VALUES ('1', 'one')"#,
    ];
    assert_eq!(CacheServer::new(&database, &statements, "a \"b'; --.[v]; DROP").cached_value("1"), b"one");
}

#[test]
fn unsupported_sqlite_tables_are_refused() {
    let cases = [
        ("CREATE TABLE t (a TEXT, v TEXT)", "t.v", "the table t has no primary key"),
        ("CREATE TABLE t (id TEXT PRIMARY KEY)", "t.rowid", "the table t has no column rowid"),
        ("CREATE TABLE t (id TEXT PRIMARY KEY, v TEXT)", "u.v", "the database has no table u"),
    ];
    for (table, column, words) in cases {
        let database = TestDatabase::sqlite();
        CacheServer::assert_not_cacheable(&database, table, column, words);
    }
}

#[test]
fn values_of_tables_without_rowid_have_a_size_limit() {
    let database = TestDatabase::sqlite();
    let table = "CREATE TABLE t (id TEXT PRIMARY KEY, v BLOB) WITHOUT ROWID";
    let rows = format!("INSERT INTO t VALUES ('most', zeroblob({0})), ('more', zeroblob({0} + 1))", 16 << 20);
    let server = CacheServer::new(&database, &[table, &rows], "t.v");
    server.assert_error(&server.request_caches(&["most", "more"], &["a", "b"]), 422, "cache_too_large");
    assert_eq!(server.cached_value("most").len(), 16 << 20);
}
