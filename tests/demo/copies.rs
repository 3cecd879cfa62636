//! Tests `scripts/copy-from-sqlite`, which copies the tables of the demo from SQLite to another database.

use std::path::Path;
use std::process::{Command, Output};

use rulebook_iapi::Database;
use serde_json::json;

use super::{DatabaseServer, DemoFolder, MARIADB, POSTGRES};

/// The tables of the demo. A table comes after the tables to which it refers.
const TABLES: [&str; 5] = ["users", "logins", "articles", "pictures", "user_info"];

/// A text with characters that are special in SQL, in CSV files or for the programs that read them.
const HARD_TEXT: &str = "it's \"x\" \\ \\n \\. %s :name $1 ? /* -- ; ü 你 😀\n\n\ttab,";

/// A picture with bytes that are special in SQL, in hexadecimal.
const HARD_PICTURE: &str = "00FF275C220A0D1A2C09C0";

/// Runs the script with the databases of two folders.
fn copy(from: &DemoFolder, to: &DemoFolder, tables: &[&str]) -> Output {
    let (Database::Postgres(url) | Database::Mysql(url)) = to.database() else { panic!("it is on a server") };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/copy-from-sqlite");
    Command::new(script).arg(from.database_file()).arg(url).args(tables).output().unwrap()
}

/// Creates the tables and the first rows of a database.
fn create_tables(place: &DemoFolder) {
    let output = place.command().args(["call", "article.read", "article_id=1"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn copies_from_sqlite_have_the_same_values() {
    let from = DemoFolder::with_sqlite();
    let server = from.serve();
    let editor = server.log_in_as_editor();
    let article = json!({ "title": "it's ü", "text": HARD_TEXT, "tags": ["a", "b"] });
    let response = server.send_json("POST", "/article", Some(&editor), &article);
    let id = response.json()["article_id"].as_u64().unwrap();
    let mut database = from.connect_to_database();
    database.execute(&format!("INSERT INTO pictures VALUES ({id}, '', 'image/png', 11, X'{HARD_PICTURE}')"));
    database.execute("INSERT INTO user_info VALUES ('no text', NULL), ('empty', '')");
    drop(database);
    let (path, picture) = (format!("/article/{id}"), format!("/article/{id}/picture"));
    let expected = (server.get(&path).json(), server.get(&picture).body);
    assert_eq!(expected.0["article"]["text"], HARD_TEXT);
    drop(server);

    for to in [&POSTGRES, &MARIADB].into_iter().filter_map(DatabaseServer::new_folder) {
        create_tables(&to);
        let output = copy(&from, &to, &TABLES);
        assert!(output.status.success(), "{output:?}");
        // The second copy replaces the first one.
        assert_eq!(copy(&from, &to, &TABLES), output);
        let server = to.serve();
        assert_eq!((server.get(&path).json(), server.get(&picture).body), expected);
        // The login is valid, and new rows get new ids.
        assert_eq!(server.create_article(&editor, "After the copy"), id + 1);
        let mut database = to.connect_to_database();
        // The table must contain the value null, an empty text, and texts that are not empty.
        database.execute(
            "INSERT INTO logins SELECT 'null', 1, 0 FROM user_info WHERE id = 'no text' AND intro_json IS NULL",
        );
        database
            .execute("INSERT INTO logins SELECT 'empty', 1, 0 FROM user_info WHERE id = 'empty' AND intro_json = ''");
        database.execute("UPDATE articles SET title = 'found' WHERE (SELECT count(*) FROM logins WHERE hash IN ('null', 'empty')) = 2");
        assert_eq!(server.get(&path).json()["article"]["title"], "found");
    }
}

#[test]
fn a_copy_that_fails_changes_no_rows() {
    let from = DemoFolder::with_sqlite();
    create_tables(&from);
    for to in [&POSTGRES, &MARIADB].into_iter().filter_map(DatabaseServer::new_folder) {
        create_tables(&to);
        let server = to.serve();
        server.create_article(&server.log_in_as_editor(), "Before the copy");
        let count = server.article_count();
        // Articles refer to users, who cannot be removed before them.
        assert!(!copy(&from, &to, &["articles", "users"]).status.success());
        let output = copy(&from, &to, &["users", "nowhere"]);
        assert!(String::from_utf8_lossy(&output.stderr).contains("has no table nowhere"), "{output:?}");
        assert_eq!(server.article_count(), count);
    }
}
