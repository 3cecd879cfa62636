//! Errors in definitions of methods with files.

use serde_json::json;

use crate::databases::{Kind, TestApi, TestDatabase, for_each_database};

/// Starts an API with a method whose handler marks the position of an error with `«`, and checks the position and the
/// message of the error.
#[track_caller]
fn expect_error(database: &TestDatabase, file: &str, rest: &str, message: &str) {
    let before = "{ \"/\": { \"note\": { \"POST\": { \"info\": \"A method\",\n";
    // A parameter without the text `:file` is not used.
    let unused = if rest.contains(":file") { "[]" } else { "[\"file\"]" };
    let rest = format!("{}, \"unused\": {unused}}}", rest.strip_suffix('}').unwrap());
    let definition = format!("{before}\"in\": {{ \"file\": {{ \"info\": \"A file\", {file} }} }},\n{rest} }} }} }} }}");
    let (first, _) = rest.split_once('«').expect("the text marks no position");
    let place = format!("note.json:3:{}", first.chars().count() + 1);
    let migrations = database.write_migration(&format!(
        "create table file (content {}, name text, pages integer)",
        database.pick(["blob", "bytea", "longblob"])
    ));
    let app = json!({ "handlers": { "sql": { "url": database.url, "migrations": migrations } } });
    let started = TestApi::start_texts(database.folder.path(), &app.to_string(), &definition.replace('«', ""));
    let Err(error) = started else { panic!("no error in {definition}") };
    assert!(error.contains(&place) && error.contains(message), "expected {place}: {message}\n{error}");
}

#[test]
fn files_that_cannot_be_bound_are_reported() {
    let database = TestDatabase::sqlite();
    for (file, rest, message) in [
        (
            r#""type": "array<file>""#,
            r#""handler": {"sql": "insert into file (content) values («:file)"}"#,
            "`file` is a list of uploaded files, which cannot be a value of a statement",
        ),
        (
            r#""type": "array<file>""#,
            r#""handler": {"sql": "insert into file (name) values («:file.name)"}"#,
            "`file` is a list of uploaded files",
        ),
        (
            r#""type": "file""#,
            r#""handler": {"sql": "insert into file (name) values («:file.nme)"}"#,
            "did you mean `name`?",
        ),
        (
            r#""type": "string""#,
            r#""handler": {"sql": "insert into file (name) values («:file.name)"}"#,
            "`file` is not an object, so that it has no field `name`",
        ),
        (
            r#""type": "file", "max": "2MB""#,
            r#""handler": {"sql": "insert into file (content) values («:file)", "max_file": "1MB"}"#,
            "`file` can be a file of 2000000 bytes, but a statement accepts files of 1000000 bytes",
        ),
        (
            r#""type": "?file", "max": "17MiB""#,
            r#""handler": {"sql": "insert into file (content) values («:file)"}"#,
            "reduce the `max` of the parameter, or set `max_file`",
        ),
        (
            r#""type": "file""#,
            r#""handler": {"sql": "insert into file (content) values (:file)", "max_file": «0}"#,
            "`max_file` must be a size in bytes from 1 to 1073741824",
        ),
        (
            r#""type": "file""#,
            r#""handler": {"sql": "insert into file (content) values (:file)", "inline": «true}"#,
            "only a file can be shown by browsers",
        ),
    ] {
        expect_error(&database, file, rest, message);
    }
}

#[test]
fn the_columns_of_a_file_are_checked() {
    for_each_database(|database| {
        for (sql, message) in [
            ("«select name from file", "the file has no column `content`"),
            ("select content, name as «title from file", "a file has no column `title`"),
            ("select content, name as «nme from file", "did you mean `name`?"),
            ("select content, name, content as «name from file", "two columns have the name `name`"),
            ("select «pages as content from file", "the content of a file is binary data or a text"),
            ("select content, pages as «name from file", "the name of a file is a text"),
        ] {
            // The position of a column is that of its name.
            let sql = if sql.contains("«pages as content") { "select pages as «content from file" } else { sql };
            let sql = sql.replace("name, content as «name", "«name, content as name");
            let handler = json!({ "sql": sql, "format": "file", "missing": false });
            let rest = format!(r#""options": {{ "download": true }}, "handler": {handler}"#);
            expect_error(database, r#""type": "string""#, &rest, message);
        }
        let rest = r#""handler": {"sql": "select content from file", "format": "«file", "missing": false}"#;
        expect_error(database, r#""type": "string""#, rest, "only a download has a `format`");
        let rest =
            r#""options": {"download": true}, "handler": {"sql": "«select content from file", "format": "file"}"#;
        expect_error(database, r#""type": "string""#, rest, "the handler has no `missing`");
    });
}

#[test]
fn binary_data_is_not_an_output() {
    for_each_database(|database| {
        if database.kind == Kind::Mariadb {
            // MariaDB does not distinguish binary data and texts before a statement is executed.
            return;
        }
        let output = r#""out": { "content": { "info": "The content", "type": "string" } }"#;
        let rest = format!(r#"{output}, "handler": {{"sql": "select «content from file", "missing": false}}"#);
        expect_error(database, r#""type": "string""#, &rest, "the column `content` is binary data");
        let rest = r#""options": {"download": true}, "handler": {"sql": "select name, «content from file"}"#;
        expect_error(database, r#""type": "string""#, rest, "the column `content` is binary data");
    });
}

#[test]
fn a_file_needs_a_binary_column_of_postgresql() {
    for_each_database(|database| {
        if database.kind == Kind::Postgres {
            let rest = r#""handler": {"sql": "insert into file (name) values («:file)"}"#;
            let message = "`:file` is a file, but the database expects `text` here";
            expect_error(database, r#""type": "file""#, rest, message);
            let rest = r#""handler": {"sql": "insert into file (content) values («:file)"}"#;
            expect_error(database, r#""type": "string""#, rest, "are a text, but the database expects `bytea` here");
        }
    });
}

#[test]
fn a_file_that_mysql_cannot_receive_is_reported() {
    for_each_database(|database| {
        if database.kind == Kind::Mariadb {
            let rest = r#""handler": «{"sql": "insert into file (content) values (:file)", "max_file": "900MB"}"#;
            let message = "the database accepts 16777216 bytes for all values of a statement";
            expect_error(database, r#""type": "file", "max": "900MB""#, rest, message);
        }
    });
}
