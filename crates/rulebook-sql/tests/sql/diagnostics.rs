//! Errors in definitions: each has the line and the column of the part that is wrong.

use serde_json::json;

use crate::databases::{Kind, TestApi, TestDatabase, for_each_database};

/// The line of the handler in the definition.
const HANDLER_LINE: usize = 6;

const DEFINITION: &str = r#"{ "/": { "note": { "GET": {
"info": "Reads notes",
"in": { "GET@id": { "info": "The note", "type": "id" }, "GET@title": { "info": "The title", "type": "?string" }, "GET@big": { "info": "A number", "type": "?uint" } },
"out": OUT,
"errors": { "missing": { "info": "There is no such note", "status": 404 } },
HANDLER
} } } }"#;

const ONE: &str =
    r#"{ "id": { "info": "The id", "type": "int" }, "title": { "info": "The title", "type": "string" } }"#;
const MANY: &str = r#"{ "notes": { "info": "The notes", "type": "array<object>", "fields": { "id": { "info": "The id", "type": "int" } } } }"#;
const SCALARS: &str = r#"{ "*": { "info": "The ids", "type": "array<int>" } }"#;
const NO_OUTPUTS: &str = "{}";

/// Removes the mark `«` from a text, and returns its line and column.
fn without_mark(text: &str) -> (String, Option<(usize, usize)>) {
    let position = text.find('«').map(|offset| {
        let before = &text[..offset];
        let line_start = before.rfind('\n').map_or(0, |line| line + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    });
    (text.replace('«', ""), position)
}

/// Returns the definition with these outputs and this handler, which may leave parameters unused.
fn definition_with(outputs: &str, handler: &str) -> String {
    let names = ["id", "title", "big"].into_iter().filter(|name| !handler.contains(&format!(":{name}")));
    let unused = json!(names.collect::<Vec<_>>());
    let settings = handler.strip_suffix('}').unwrap();
    let handler = format!("\"handler\": {settings}, \"unused\": {unused}}}");
    DEFINITION.replace("OUT", outputs).replace("HANDLER", &handler)
}

/// Starts an API with a method that has these outputs and this handler, whose text marks the position of an error with
/// `«`, and checks that the error has this position and message.
#[track_caller]
fn expect_error(database: &TestDatabase, outputs: &str, handler: &str, message: &str) {
    let (definition, position) = without_mark(&definition_with(outputs, handler));
    let (line, column) = position.expect("the text marks no position");
    assert_eq!(line, HANDLER_LINE);
    let migrations =
        database.write_migration("create table note (id integer primary key, title varchar(100) not null);");
    let app = json!({ "handlers": { "sql": { "url": database.url, "migrations": migrations } } }).to_string();
    let started = TestApi::start_texts(database.folder.path(), &app, &definition);
    let Err(error) = started else { panic!("no error in {handler}") };
    let place = format!("note.json:{line}:{column}");
    assert!(error.contains(&place) && error.contains(message), "expected {place}: {message}\n{error}");
}

#[test]
fn errors_in_the_settings_of_a_method_are_reported() {
    let database = TestDatabase::sqlite();
    for (outputs, handler, message) in [
        (
            ONE,
            r#"{"sql": "select id, title from note where id = «:ident", "missing": "missing"}"#,
            "the method has no parameter `ident`",
        ),
        (
            ONE,
            r#"{"sql": "select id, title from note where title = «:titel", "missing": "missing"}"#,
            "did you mean `title`?",
        ),
        (
            ONE,
            r#"{"sql": "select id, «:identity.id as title from note", "missing": "missing"}"#,
            "did you mean `identity.name`?",
        ),
        (
            ONE,
            r#"{"sql": "select ':no', /* :no */ «:title2 from note", "missing": "missing"}"#,
            "no parameter `title2`",
        ),
        (
            ONE,
            r#"{"sql": "select id from note where title = «'x", "missing": "missing"}"#,
            "the text that begins here is not closed",
        ),
        (
            ONE,
            r#"{"sql": "select id from note; «delete from note", "missing": "missing"}"#,
            "a second statement begins here",
        ),
        (
            ONE,
            r#"{"sql": "select id, title from note order by «:title desc", "missing": "missing"}"#,
            "the rows are not ordered by a column that a parameter names",
        ),
        (
            ONE,
            r#"{"sql": ["«begin", "select id, title from note"], "missing": "missing"}"#,
            "`begin` cannot be a statement",
        ),
        (ONE, r#"{"sql": «"", "missing": "missing"}"#, "the statement is empty"),
        (ONE, r#"{"sql": «[], "missing": "missing"}"#, "the list of statements is empty"),
        (
            ONE,
            r#"{"sql": «7}"#,
            "`sql` must be a statement, or a list or an object of statements, but this is the number 7",
        ),
        (ONE, r#"{"sql": ["select 1", «7]}"#, "`sql` must be a string"),
        (ONE, r#"{"sql": [{"sql": "select 1", "«mising": "missing"}]}"#, "did you mean `missing`?"),
        (ONE, r#"{"sql": [«{"missing": "missing"}]}"#, "the statement has no `sql`"),
        (ONE, r#"{"sql": "«select id, title from note"}"#, "the handler has no `missing`"),
        (
            ONE,
            r#"{"sql": "select id, title from note", "missing": "«mising"}"#,
            "the method declares no error `mising`",
        ),
        (ONE, r#"{"sql": "select id, title from note", "missing": «true}"#, "`missing` must be the name of an error"),
        (
            ONE,
            r#"{"sql": "select 1", "on_unique": "«taken", "missing": false}"#,
            "the method declares no error `taken`",
        ),
        (ONE, r#"{"sql": "select 1", "on_check": {"positive": "«taken"}, "missing": false}"#, "no error `taken`"),
        (
            ONE,
            r#"{"sql": "select 1", "on_check": «1, "missing": false}"#,
            "`on_check` must be the name of an error, an object",
        ),
        (ONE, r#"{"sql": "select 1", "rows": "«few", "missing": false}"#, "`rows` must be `one`, `many` or `none`"),
        (ONE, r#"{"sql": "select 1", "rows": "«many"}"#, "many rows need exactly one output, which is an array"),
        (ONE, r#"{"sql": "select 1", "rows": "«none"}"#, "without rows, the method cannot have outputs"),
        (ONE, r#"{"sql": "select 1", "missing": false, "format": «"csv"}"#, "only a download has a `format`"),
        (ONE, r#"{"sql": "select 1", "missing": false, "timeout": «0}"#, "`timeout` must be a number of seconds"),
        (ONE, r#"{"sql": "select 1", "missing": false, "max_rows": «0}"#, "`max_rows` must be a whole number from 1"),
        (
            ONE,
            r#"{"sql": "select 1", "missing": false, "max_bytes": "«a"}"#,
            "`max_bytes` must be a size in bytes from 1",
        ),
        (ONE, r#"{"sql": "select 1", "missing": false, "database": "«min"}"#, "did you mean `main`?"),
        (
            ONE,
            r#"{"sql": "select 1", "missing": false, "«row": "one"}"#,
            "a handler of the kind `sql` has no setting `row`",
        ),
    ] {
        // The span of a string does not include its quotes, except for an empty string.
        let handler = handler.replace("«\"csv\"", "\"«csv\"");
        expect_error(&database, outputs, &handler, message);
    }
}

#[test]
fn all_errors_of_a_statement_are_reported_together() {
    let database = TestDatabase::sqlite();
    let handler = r#"{"sql": "select «:one, :two", "missing": "other", "timeout": "a"}"#;
    for message in ["no parameter `one`", "no parameter `two`", "no error `other`", "`timeout` must be"] {
        expect_error(&database, ONE, handler, message);
    }
}

#[test]
fn statements_are_compared_with_the_database_and_the_outputs() {
    for_each_database(|database| {
        for (outputs, handler, message) in [
            (ONE, r#"{"sql": "select id, «titel from note where id = :id", "missing": "missing"}"#, "titel"),
            (ONE, r#"{"sql": "select id, title from «nothing", "missing": "missing"}"#, "nothing"),
            (
                ONE,
                r#"{"sql": "select id, title as «name from note", "missing": "missing"}"#,
                "the column `name` is not an output",
            ),
            (ONE, r#"{"sql": "«select id from note", "missing": "missing"}"#, "the output `title` has no column"),
            (
                ONE,
                r#"{"sql": "select «id, title, id from note", "missing": "missing"}"#,
                "two columns have the name `id`",
            ),
            (
                ONE,
                r#"{"sql": "select «id, id as title from note", "missing": "missing"}"#,
                "is a whole number, but the output is a text",
            ),
            (
                ONE,
                r#"{"sql": "«delete from note", "missing": "missing"}"#,
                "the statement returns no rows, but the method has outputs",
            ),
            (MANY, r#"{"sql": "select id, «title from note"}"#, "the column `title` is not an output"),
            (
                MANY,
                r#"{"sql": "select title as «id from note"}"#,
                "the column `id` is a text, but the output is a whole number",
            ),
            (
                SCALARS,
                r#"{"sql": "«select id, title from note"}"#,
                "the output needs exactly one column, but the statement has 2",
            ),
            (NO_OUTPUTS, r#"{"sql": ["delete from note", "delete from «nothing where id = :id"]}"#, "nothing"),
        ] {
            let handler = match handler.contains("«id, id as title") {
                true => handler.replace("«id, id as title", "id, id as «title"),
                false => handler.to_owned(),
            };
            expect_error(database, outputs, &handler, message);
        }
    });
}

#[test]
fn placeholders_of_the_database_are_errors() {
    for_each_database(|database| {
        let placeholder = database.pick(["?", "$2", "?"]);
        let handler = format!(r#"{{"sql": "«select id from note where id = :id and id = {placeholder}"}}"#);
        expect_error(database, MANY, &handler, "the statement contains placeholders that are not names");
    });
}

#[test]
fn syntax_errors_are_reported_where_the_database_finds_them() {
    for_each_database(|database| {
        expect_error(database, MANY, r#"{"sql": "select id «fro note where id = :id"}"#.replace("id «fro note", database.pick([
            "id fro «note",
            "id fro «note",
            "id fro «note where id = ?",
        ])).replace(" where id = ? where", " where").as_str(), "the database rejects the statement");
    });
}

#[test]
fn parameters_are_compared_with_the_types_of_postgresql() {
    for_each_database(|database| {
        if database.kind != Kind::Postgres {
            return;
        }
        for (handler, message) in [
            (
                r#"{"sql": "select id from note where id = «:title"}"#,
                "the values of `:title` are a text, but the database expects `integer`",
            ),
            (r#"{"sql": "select id from note where id = «:big"}"#, "are larger than the whole numbers of the database"),
            (r#"{"sql": "select id from note where now() > «:id"}"#, "the database expects `timestamp with time zone`"),
        ] {
            expect_error(database, MANY, handler, message);
        }
        let outputs = r#"{ "v": { "info": "A value", "type": "string" } }"#;
        let handler = r#"{"sql": "select '1 day'::interval as «v", "missing": false}"#;
        expect_error(database, outputs, handler, "the column `v` has the type `INTERVAL`, which is not supported");
    });
}

#[test]
fn outputs_that_cannot_express_a_column_are_errors() {
    for_each_database(|database| {
        if database.kind == Kind::Sqlite {
            return;
        }
        let date = "cast('2026-01-31' as date)";
        for (column, r#type, message) in [
            ("cast(1 as decimal(5, 2))", "int", "is a decimal number, but the output is a whole number"),
            (date, "time", "is a date, which becomes a text, but the output is a time of day"),
            (date, "int", "is a date, which becomes a text, but the output is a whole number"),
            (
                "cast('2026-01-31' as timestamp)",
                "date",
                "is a date and time, which becomes a text, but the output is a date",
            ),
            ("count(*)", "id", "can have numbers above 2147483647, the largest `id`"),
            ("count(*)", "?text_id", "declare an `int` or a `uint`, or `int(0,2147483647)`"),
            (date, "numeric", "is a date, which becomes a text, but the output is a number or null"),
            (
                "array[1]",
                "array<date>",
                "each item of the column `v` is a whole number, but each item of the output is a date",
            ),
        ] {
            if database.kind == Kind::Mariadb && column.starts_with("array") {
                continue;
            }
            let column = if database.kind == Kind::Mariadb {
                column.replace("timestamp", "datetime")
            } else {
                column.to_owned()
            };
            let outputs = format!(r#"{{ "v": {{ "info": "A value", "type": "{type}" }} }}"#);
            let handler = format!(r#"{{"sql": "select {column} as «v", "missing": false, "rows": "one"}}"#);
            expect_error(database, &outputs, &handler, message);
        }
    });
}

#[test]
fn numbers_that_do_not_fit_are_reported_for_sqlite() {
    let handler = r#"{"sql": "select id from note where id = «:big"}"#;
    expect_error(&TestDatabase::sqlite(), MANY, handler, "are larger than the whole numbers of the database");
}

/// Starts an API with these settings in `app.json`, in which `«` marks the position of an error.
#[track_caller]
fn expect_settings_error(settings: &str, message: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (app, position) = without_mark(&format!(r#"{{ "handlers": {{ "sql": {settings} }} }}"#));
    let (line, column) = position.expect("the text marks no position");
    let definition = definition_with(MANY, r#"{"sql": "select 1 as id"}"#);
    let Err(error) = TestApi::start_texts(folder.path(), &app, &definition) else { panic!("no error in {settings}") };
    let place = format!("app.json:{line}:{column}");
    assert!(error.contains(&place) && error.contains(message), "expected {place}: {message}\n{error}");
    error
}

#[test]
fn errors_in_the_settings_of_databases_are_reported() {
    for (settings, message) in [
        (r#"«7"#, "`handlers.sql` must be an object"),
        (r#"{"«ulr": "sqlite:a.db"}"#, "did you mean `url`?"),
        (r#"{"url": "«oracle:a"}"#, "the address of a database begins with its kind"),
        (r#"{"url": "«sqlite::memory:"}"#, "a database in memory"),
        (r#"{"url": "«${RULEBOOK_TEST_UNSET}"}"#, "the environment variable `RULEBOOK_TEST_UNSET` is not set"),
        (r#"{"url": "«${A"}"#, "must be followed by the name of an environment variable"),
        (r#"{"pool": «0}"#, "`pool` must be a whole number from 1 to 1000"),
        (r#"{"timeout": "«1"}"#, "`timeout` must be a number of seconds"),
        (r#"{"databases": {"«log": {}}}"#, "the database `log` has no `url`"),
        (r#"{"databases": «[]}"#, "`databases` must be an object"),
        (r#"{"pool": 5, "databases": {"main": {"url": "«sqlite:a.db"}}}"#, "inside and outside of `databases`"),
        (r#"{"migrations": "«missing-folder"}"#, "the migrations cannot be read"),
    ] {
        expect_settings_error(settings, message);
    }
}

#[test]
fn a_method_must_name_one_of_several_databases() {
    let folder = tempfile::tempdir().unwrap();
    let app = r#"{"handlers": {"sql": {"databases": {"a": {"url": "sqlite:a.db"}, "b": {"url": "sqlite:b.db"}}}}}"#;
    let definition = definition_with(MANY, r#"{"sql": "select 1 as id"}"#);
    let Err(error) = TestApi::start_texts(folder.path(), app, &definition) else { panic!("it started") };
    assert!(error.contains("note.json:6:12") && error.contains("the databases are `a`, `b`"), "{error}");
}

#[test]
fn an_unreachable_database_is_reported_without_its_password() {
    let folder = tempfile::tempdir().unwrap();
    let app = r#"{"handlers": {"sql": {"pool_timeout": 0.3, "url": "postgres://ada:hunter2@127.0.0.1:1/notes"}}}"#;
    let definition = definition_with(MANY, r#"{"sql": "select 1 as id"}"#);
    let Err(error) = TestApi::start_texts(folder.path(), app, &definition) else { panic!("it started") };
    assert!(
        error.contains("app.json:1:52") && error.contains("the database `main` at postgres://127.0.0.1:1/notes cannot")
    );
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn errors_never_show_a_line_with_a_password() {
    for settings in [
        r#"{"url": "«postgre://ada:hunter2@127.0.0.1/notes"}"#,
        r#"{"url": "postgres://ada:hunter2@127.0.0.1/notes", "pool": «0}"#,
        r#"{"url": "«${A}postgres://ada:hunter2@127.0.0.1/notes"}"#,
        r#"{"url": "«postgres://ada:user1@hunter2/x@127.0.0.1/notes"}"#,
        r#"{"url": "«postgres://ada:12?hunter2@127.0.0.1/notes"}"#,
        r#"{"url": "«mysql://ada:12#hunter2@127.0.0.1/notes"}"#,
        r#"{"databases": {"main": {"url": "postgres:///notes?Password=hunter2", "«ulr": ""}}}"#,
        r#"{"databases": {"main": {"url": "postgres://a:hunter2@127.0.0.1"}, "log": {"url": "«oracle:a"}}}"#,
    ] {
        let error = expect_settings_error(settings, "error");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn positions_after_escape_sequences_are_those_of_the_definition() {
    for_each_database(|database| {
        for (handler, message) in [
            (r#"{"sql": "select '\u00e9\"\ud83e\udd80',\n\tid, «:wrong from note"}"#, "no parameter `wrong`"),
            (r#"{"sql": "select /* \u00e9\" */\n id from «nothing where id = :id"}"#, "nothing"),
        ] {
            expect_error(database, MANY, handler, message);
        }
    });
}
