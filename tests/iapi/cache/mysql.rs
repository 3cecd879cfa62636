//! Tests caches from tables with types, keys and settings that only MySQL and MariaDB have.

use rulebook_iapi::Database;

use super::databases::{DatabaseKind, TestDatabase};
use super::{CacheServer, caches_of_database};

/// Each case: the type of a column, an SQL expression for its value, and the expected content of the cache.
const VALUES: [(&str, &str, &[u8]); 36] = [
    ("TEXT", "'é林😀'", "é林😀".as_bytes()),
    ("TINYTEXT", "'a\\nb '", b"a\nb "),
    ("MEDIUMTEXT", "''", b""),
    ("LONGTEXT", "'a'", b"a"),
    ("CHAR(5)", "'ab'", b"ab"),
    ("VARCHAR(9) CHARACTER SET latin1", "'é€'", "é€".as_bytes()),
    ("TEXT CHARACTER SET utf16", "'é😀'", "é😀".as_bytes()),
    ("TEXT CHARACTER SET utf8mb3", "'é林'", "é林".as_bytes()),
    ("TEXT CHARACTER SET gbk", "'林'", "林".as_bytes()),
    ("BLOB", "X'00FF0A'", b"\0\xff\n"),
    ("TINYBLOB", "X'FF'", b"\xff"),
    ("MEDIUMBLOB", "X'FE'", b"\xfe"),
    ("LONGBLOB", "X''", b""),
    ("VARBINARY(9)", "X'80'", b"\x80"),
    ("BINARY(3)", "X'80'", b"\x80\0\0"),
    ("BIT(12)", "b'100011111111'", b"\x08\xff"),
    ("JSON", r#"'{ "b": 1,  "a":"é"}'"#, r#"{ "b": 1,  "a":"é"}"#.as_bytes()),
    ("DECIMAL(20,2)", "12345678901234567.50", b"12345678901234567.50"),
    ("INT", "-7", b"-7"),
    ("INT(5) ZEROFILL", "7", b"00007"),
    ("TINYINT", "-128", b"-128"),
    ("BOOL", "TRUE", b"1"),
    ("BIGINT UNSIGNED", "18446744073709551615", b"18446744073709551615"),
    ("FLOAT", "0.25", b"0.25"),
    ("DOUBLE", "1e100", b"1e100"),
    ("DATE", "'2024-02-29'", b"2024-02-29"),
    ("DATETIME(3)", "'2024-02-29 01:02:03.45'", b"2024-02-29 01:02:03.450"),
    ("TIMESTAMP", "FROM_UNIXTIME(86400)", b"1970-01-02 00:00:00"),
    ("TIME", "'-100:00:01'", b"-100:00:01"),
    ("YEAR", "2024", b"2024"),
    ("ENUM('one','é')", "2", "é".as_bytes()),
    ("SET('a','b','c')", "'c,a'", b"a,c"),
    ("UUID", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", b"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ("INET6", "'2001:DB8::1'", b"2001:db8::1"),
    ("POINT", "ST_GeomFromText('POINT(1 1)')", b"\0\0\0\0\x01\x01\0\0\0\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\xf0\x3f"),
    ("TEXT AS (CONCAT(id, '!'))", "DEFAULT", b"1!"),
];

#[test]
fn values_of_every_mysql_type_are_read() {
    let Some(database) = TestDatabase::new(DatabaseKind::Mariadb) else { return };
    for (column_type, value, expected) in VALUES {
        let table = format!("CREATE OR REPLACE TABLE t (id INT PRIMARY KEY, v {column_type})");
        let insert = format!("INSERT INTO t VALUES (1, {value})");
        let server = CacheServer::new(&database, &[&table, &insert], "t.v");
        assert_eq!(server.request_caches(&["1"], &["value"]).status, 200, "{column_type}");
        assert_eq!(server.cached_value("1"), expected, "{column_type}");
    }
}

/// Each case: the type of a primary key, an SQL expression for the key of the only row, the key, and texts that are not
/// the key.
const KEYS: [(&str, &str, &str, &[&str]); 22] = [
    ("VARCHAR(9)", "'abc'", "abc", &["ABC", "abc ", "äbc", "ab", "abc\0", "abcdefghijk"]),
    ("VARCHAR(9)", "'abc '", "abc ", &["abc", "abc  "]),
    ("VARCHAR(9)", "'1'", "1", &["1abc", "01", "1.0", "0"]),
    ("VARCHAR(9) COLLATE utf8mb4_bin", "'abc'", "abc", &["ABC", "abc "]),
    ("VARCHAR(9) COLLATE utf8mb4_unicode_ci", "'straße'", "straße", &["strasse", "STRASSE"]),
    ("VARCHAR(9) CHARACTER SET latin1 COLLATE latin1_general_cs", "'é'", "é", &["e", "É", "林", "?", "Ã©"]),
    ("VARCHAR(9) CHARACTER SET utf8mb3", "'?'", "?", &["😀"]),
    ("VARCHAR(9) CHARACTER SET utf16", "'é'", "é", &["e"]),
    ("CHAR(5)", "'abc'", "abc", &["abc ", "Abc", "ab"]),
    ("ENUM('one','two')", "'two'", "two", &["2", "Two", "three", ""]),
    ("VARBINARY(9)", "'abc'", "abc", &["ABC", "abc ", "ab"]),
    ("BINARY(3)", "'abc'", "abc", &["ABC", "abc ", "ab"]),
    ("INT", "1", "1", &["1abc", "01", "1.0", " 1", "+1", "1 ", "1e0", "true", "0x1", "2"]),
    ("INT", "0", "0", &["", "x", "-0", "00", "null"]),
    ("INT(3) ZEROFILL", "7", "7", &["007", "07"]),
    ("BIGINT", "9007199254740993", "9007199254740993", &["9007199254740992", "9007199254740994", "9007199254740993.0"]),
    ("BIGINT", "-9223372036854775808", "-9223372036854775808", &["-9223372036854775809"]),
    ("BIGINT UNSIGNED", "18446744073709551615", "18446744073709551615", &["18446744073709551616", "-1"]),
    ("DECIMAL(5,2)", "1.50", "1.50", &["1.5", "01.50", "1.50 ", "x"]),
    ("DATE", "'2024-02-29'", "2024-02-29", &["2024-2-29", "20240229", "2024-02-30", "x", ""]),
    ("DATETIME", "'2024-02-29 00:00:00'", "2024-02-29 00:00:00", &["2024-02-29", "x"]),
    (
        "UUID",
        "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        &["A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "a0eebc999c0b4ef8bb6d6bb9bd380a11", "x"],
    ),
];

#[test]
fn a_text_is_a_mysql_key_only_if_it_is_equal_byte_for_byte() {
    let Some(database) = TestDatabase::new(DatabaseKind::Mariadb) else { return };
    for (key_type, stored, key, others) in KEYS {
        let table = format!("CREATE OR REPLACE TABLE t (id {key_type} PRIMARY KEY, v TEXT)");
        let server = CacheServer::new(&database, &[&table, &format!("INSERT INTO t VALUES ({stored}, 'one')")], "t.v");
        for other in others {
            server.assert_no_value(&server.request_caches(&[key, other], &["1", "2"]), &[other]);
        }
        assert_eq!(server.cached_value(key), b"one", "{key_type} {key}");
    }
}

#[test]
fn rows_of_all_kinds_of_mysql_tables_are_read() {
    let cases: [(&[&str], &str); 7] = [
        (
            &[
                "CREATE TABLE `T ``\"'; --` (`I D` INT PRIMARY KEY, `V; --` TEXT)",
                "INSERT INTO `T ``\"'; --` VALUES (1, 'one')",
            ],
            "T `\"'; --.V; --",
        ),
        (
            &[
                "CREATE OR REPLACE DATABASE `other one`",
                "CREATE TABLE `other one`.t (id INT PRIMARY KEY, v TEXT)",
                "INSERT INTO `other one`.t VALUES (1, 'one')",
            ],
            "other one.t.v",
        ),
        (&["CREATE TABLE t (id INT PRIMARY KEY, Vé TEXT)", "INSERT INTO t VALUES (1, 'one')"], "t.vÉ"),
        (&["CREATE TABLE t (id INT PRIMARY KEY, v TEXT) ENGINE = MyISAM", "INSERT INTO t VALUES (1, 'one')"], "t.v"),
        (
            &[
                "CREATE TABLE t (id INT PRIMARY KEY, v TEXT) PARTITION BY HASH (id) PARTITIONS 3",
                "INSERT INTO t VALUES (1, 'one'), (2, 'two')",
            ],
            "t.v",
        ),
        (&["CREATE TABLE t (id TEXT, v TEXT, PRIMARY KEY (id(2)))", "INSERT INTO t VALUES ('1', 'one')"], "t.v"),
        (&["CREATE TABLE t (id BLOB, v TEXT, PRIMARY KEY (id(2)))", "INSERT INTO t VALUES ('1', 'one')"], "t.v"),
    ];
    for (statements, column) in cases {
        let Some(database) = TestDatabase::new(DatabaseKind::Mariadb) else { return };
        let server = CacheServer::new(&database, statements, column);
        server.assert_no_value(&server.request_caches(&["1", "3"], &["a", "b"]), &["3"]);
        assert_eq!(server.cached_value("1"), b"one", "{statements:?}");
    }
}

#[test]
fn unsupported_mysql_tables_are_refused() {
    let table = "CREATE TABLE t (id INT PRIMARY KEY, v TEXT)";
    let long = format!("{}.v", "t".repeat(65));
    let cases = [
        ("CREATE TABLE t (a VARCHAR(9) UNIQUE NOT NULL, v TEXT)", "t.v", "the table t has no primary key"),
        (table, "t.`v`", "the table t has no column `v`"),
        (table, "T.v", "the database has no table T"),
        (table, "t .v", "the database has no table t "),
        (table, "none.t.v", "the database has no table none.t"),
        (table, &long, &format!("the database has no table {}", "t".repeat(65))),
    ];
    for (table, column, words) in cases {
        let Some(database) = TestDatabase::new(DatabaseKind::Mariadb) else { return };
        CacheServer::assert_not_cacheable(&database, table, column, words);
    }
}

/// SQL for a text of 3 500 numbered lines of 1024 characters.
const LINES: &str =
    "(SELECT GROUP_CONCAT(LPAD(seq, 1023, 'é'), CHAR(10 USING utf8mb4) ORDER BY seq SEPARATOR '') FROM seq_1_to_3500)";

/// Asserts that a cache contains the text of [`LINES`].
#[track_caller]
fn assert_lines(cache: Vec<u8>) {
    let text = String::from_utf8(cache).unwrap();
    let numbers: Vec<usize> = text.lines().map(|line| line.trim_start_matches('é').parse().unwrap()).collect();
    assert_eq!(numbers, (1..=3500).collect::<Vec<_>>());
}

fn server_with_lines(database: &TestDatabase, column_type: &str) -> CacheServer {
    let table = format!("CREATE OR REPLACE TABLE t (id CHAR(3) PRIMARY KEY, v {column_type})");
    let insert = format!("INSERT INTO t VALUES ('1', {LINES})");
    CacheServer::new(database, &["SET group_concat_max_len = 1 << 30", &table, &insert], "t.v")
}

#[test]
fn long_values_of_every_mysql_type_and_row_format_are_complete() {
    let Some(database) = TestDatabase::new(DatabaseKind::Mariadb) else { return };
    let types = [
        "LONGTEXT",
        "LONGBLOB",
        "LONGTEXT CHARACTER SET utf16",
        "LONGTEXT CHARACTER SET latin1",
        "LONGTEXT COMPRESSED",
    ];
    for column_type in types {
        assert_lines(server_with_lines(&database, column_type).cached_value("1"));
    }
    let server = server_with_lines(&database, "LONGTEXT");
    for format in ["COMPRESSED", "REDUNDANT"] {
        database.connect().execute(&format!("ALTER TABLE t ROW_FORMAT = {format}"));
        assert_lines(server.cached_value("1"));
    }
}

#[test]
fn settings_in_the_url_do_not_change_the_values() {
    let Some(database) = TestDatabase::new(DatabaseKind::Mariadb) else { return };
    let table = "CREATE TABLE t (id VARCHAR(9) PRIMARY KEY, v TIMESTAMP)";
    CacheServer::new(&database, &[table, "INSERT INTO t VALUES ('é', FROM_UNIXTIME(86400))"], "t.v");
    let Database::Mysql(url) = &database.location else { panic!("it is a MariaDB database") };
    let location = Database::Mysql(format!("{url}&charset=latin1&timezone=%2B05:00"));
    let server = CacheServer::with_program("t.v", |rulebook| rulebook.state(caches_of_database(&location)));
    assert_eq!(server.cached_value("é"), b"1970-01-02 00:00:00");
}

#[test]
fn settings_of_the_mysql_server_do_not_change_the_values() {
    let settings = [
        "sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH'",
        "sql_mode = 'MAXDB'",
        "sql_mode = 'ORACLE'",
        "time_zone = '+05:00'",
        "character_set_server = latin1",
        "autocommit = 0",
        "max_allowed_packet = 16384",
    ];
    TestDatabase::with_mariadb_control(|database, control| {
        let server = server_with_lines(database, "LONGTEXT");
        let mut sql = database.connect();
        for setting in settings {
            sql.execute(&format!("SET GLOBAL {setting}"));
            server.assert_no_value(&server.request_caches(&["1 "], &["1"]), &["1 "]);
            assert_eq!(server.request_caches(&["1"], &["value"]).status, 200, "{setting}");
            assert_lines(server.cached_value("1"));
            std::fs::remove_dir_all(server.store_path().join("cache")).unwrap();
        }
        // The settings last until the server stops.
        control("stop");
        server.assert_error(&server.request_caches(&["1"], &["1"]), 503, "no_database");
        control("start");
        assert_lines(server.cached_value("1"));
    });
}
