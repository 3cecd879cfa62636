//! The files of SQLite databases.

use serde_json::json;

use crate::databases::{TestDatabase, method, of_type};

#[cfg(unix)]
#[test]
fn only_the_user_of_the_server_can_read_a_new_database() {
    use std::os::unix::fs::PermissionsExt;

    let database = TestDatabase::sqlite();
    let api = database.api(json!({
        "add": method(json!({ "GET@title": of_type("string") }), json!({}),
            json!({ "sql": "insert into note (title) values (:title)" })),
    }));
    api.outputs("add.get", json!({ "title": "a" }));
    let data = database.folder.path().join("data");
    let files = std::fs::read_dir(data).unwrap().map(|entry| entry.unwrap().path());
    let modes: Vec<_> = files
        .filter(|file| {
            let name = file.file_name().unwrap().to_str().unwrap();
            // Other users can lock the file of the lock, which is empty.
            name.starts_with("test.db") && !name.ends_with(".lock")
        })
        .map(|file| file.metadata().unwrap().permissions().mode() & 0o777)
        .collect();
    // The database, its log and its index.
    assert_eq!(modes, [0o600; 3]);
}
