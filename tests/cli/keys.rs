//! `rulebook keys`: the folder of the keys. `tests/keys` tests the commands themselves.

use serde_json::json;

use super::{folder, run, shop};

#[test]
fn keys_are_stored_in_the_folder_of_the_server() {
    let folder = folder(&[("app.json", json!({ "data": "own" })), ("it.json", json!({}))]);
    let file = |data: &str| folder.path().join(data).join("keys.json").exists();
    assert_eq!(run(folder.path(), &["keys", "add", "--name", "ada"]).code, Some(0));
    assert!(file("own") && !file("data"));
    let mut command = crate::server_process::program(folder.path());
    command.env("RULEBOOK_DATA", "from-env").args(["keys", "add", "--name", "ada"]);
    assert!(command.status().unwrap().success() && file("from-env"));
    command.args(["--data", "from-flag/deep"]);
    assert!(command.status().unwrap().success() && file("from-flag/deep"));
    let shop = shop();
    assert_eq!(run(shop.path(), &["keys", "add", "--name", "ada"]).code, Some(0));
    assert!(shop.path().join("data/keys.json").exists(), "the default");
}

#[test]
fn if_the_definition_has_errors_the_folder_must_be_given() {
    let folder = folder(&[("it.json", json!({ "unknown": 1 }))]);
    let result = run(folder.path(), &["keys", "add", "--name", "ada"]);
    assert_eq!((result.code, result.out.as_str()), (Some(1), ""));
    assert!(result.err.contains("--data DIR"), "{}", result.err);
    assert_eq!(run(folder.path(), &["keys", "add", "--name", "ada", "--data", "data"]).code, Some(0));
}

#[test]
fn a_folder_that_cannot_be_created_is_reported() {
    let folder = shop();
    let result = run(folder.path(), &["keys", "add", "--name", "ada", "--data", "api/shop.json/data"]);
    assert_eq!((result.code, result.out.as_str()), (Some(3), ""));
    assert!(result.err.contains("api/shop.json/data/keys.json"), "{}", result.err);
}
