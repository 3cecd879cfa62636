//! Statements in files.

use std::fs;
use std::path::Path;

use rulebook::{Engine, Rulebook};
use rulebook_sql::SqlKind;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::databases::{method, of_type};

const LIST: &str = "-- The notes of an author; '/*' and :these are not parameters.\nselect id, title\nfrom note\nwhere \
                    author = :author; -- and no others\n";

/// Writes a project whose statement is in a file, and returns its folder.
fn project(handler: Json, files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let tables = "create table note (id integer primary key, title text not null, author text not null);
                  insert into note (title, author) values ('One', 'Ada'), ('Two', 'Bob')";
    let app = json!({ "handlers": { "sql": { "migrations": "migrations" } } });
    let notes = json!({ "info": "The notes", "type": "array<object>", "fields": { "id": of_type("int"), "title": of_type("string") } });
    let list = method(json!({ "GET@author": of_type("string") }), json!({ "notes": notes }), handler);
    for (path, content) in [
        ("migrations/1_note.sql", tables),
        ("api/app.json", &app.to_string()),
        ("api/note.json", &json!({ "/": { "note": list } }).to_string()),
    ]
    .into_iter()
    .chain(files.iter().copied())
    {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

fn start(folder: &Path) -> Result<Engine, String> {
    let rulebook = Rulebook::load(folder.join("api")).handler_kind(SqlKind::new()).data_folder(folder.join("data"));
    let engine = rulebook.build().map_err(|report| report.to_string())?;
    engine.start().map_err(|error| error.to_string())?;
    Ok(engine)
}

#[test]
fn a_statement_can_be_in_a_file() {
    let notes = json!({ "notes": [{ "id": 1, "title": "One" }] });
    let file = json!({ "file": "sql/list.sql" });
    for sql in [
        file.clone(),
        json!([file]),
        json!(["delete from note where id = 9", { "sql": file, "missing": "missing" }]),
        json!({ "notes": file }),
    ] {
        let folder = project(json!({ "sql": sql }), &[("sql/list.sql", LIST)]);
        let engine = start(folder.path()).unwrap_or_else(|error| panic!("{sql}: {error}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let response = runtime.block_on(engine.call("note.get").arg("author", "Ada").send());
        assert_eq!(response.outputs().unwrap(), notes, "{sql}");
        assert!(engine.source_files().contains(&folder.path().join("sql/list.sql")), "{:?}", engine.source_files());
    }
}

#[test]
fn errors_are_at_the_line_and_column_of_the_file() {
    for (text, position, message) in [
        ("select id, title\nfrom note\nwhere author = :auhtor", ":3:16", "did you mean `author`?"),
        ("select id,\n  titel as title\nfrom note where author = :author", ":2:3", "no such column: titel"),
        ("select id, title\nfrom note;\n\ndelete from note", ":4:1", "a second statement begins here"),
        (
            "select id, title, author as\n  autor from note where author = :author",
            ":2:3",
            "the column `autor` is not an output",
        ),
        ("select id, title\nfrom note where title = 'x", ":2:25", "the text that begins here is not closed"),
        ("-- nothing\n", ":1:1", "the statement is empty"),
    ] {
        let folder = project(json!({ "sql": { "file": "sql/list.sql" } }), &[("sql/list.sql", text)]);
        let error = start(folder.path()).err().unwrap();
        let place = format!("sql/list.sql{position}\n");
        assert!(error.contains(&place) && error.contains(message), "expected {place}: {message}\n{error}");
    }
}

#[test]
fn a_file_must_be_in_the_project() {
    let long = format!("select id, title from note where author = '{}'", "x".repeat(1 << 20));
    for (file, message) in [
        ("sql/lits.sql", "did you mean `list.sql`? the folder"),
        ("sql/lits.sql", "there is no file"),
        ("sqls/list.sql", "there is no folder"),
        ("../list.sql", "is not in the folder of the project"),
        ("/etc/passwd", "is not in the folder of the project"),
        ("sql/link.sql", "is not in the folder of the project"),
        ("sql/long.sql", "it has more than 1048576 bytes"),
        ("sql", "there is no file"),
    ] {
        let folder = project(json!({ "sql": { "file": file } }), &[("sql/list.sql", LIST), ("sql/long.sql", &long)]);
        #[cfg(unix)]
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("sql/link.sql")).unwrap();
        let error = start(folder.path()).err().unwrap();
        assert!(error.contains(message) && error.contains("note.json:1:"), "expected {message}\n{error}");
    }
}
