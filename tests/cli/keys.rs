//! Tests of the folder in which `rulebook keys` stores keys. The folder `tests/keys` tests what the commands do.

use serde_json::json;

use super::{definition_folder, run_program, shop_folder};

#[test]
fn keys_are_stored_in_the_data_folder_of_the_server() {
    let folder = definition_folder(&[("app.json", json!({ "data": "own" })), ("it.json", json!({}))]);
    let file = |data: &str| folder.path().join(data).join("keys.json").exists();
    assert_eq!(run_program(folder.path(), &["keys", "add", "--name", "ada"]).exit_code, Some(0));
    assert!(file("own") && !file("data"));
    let mut command = crate::server_process::program(folder.path());
    command.env("RULEBOOK_DATA", "from-env").args(["keys", "add", "--name", "ada"]);
    assert!(command.status().unwrap().success() && file("from-env"));
    command.args(["--data", "from-flag/deep"]);
    assert!(command.status().unwrap().success() && file("from-flag/deep"));
    let shop = shop_folder();
    assert_eq!(run_program(shop.path(), &["keys", "add", "--name", "ada"]).exit_code, Some(0));
    assert!(shop.path().join("data/keys.json").exists(), "the default");
}

#[test]
fn keys_of_an_invalid_definition_require_the_flag_data() {
    let folder = definition_folder(&[("it.json", json!({ "unknown": 1 }))]);
    let result = run_program(folder.path(), &["keys", "add", "--name", "ada"]);
    assert_eq!((result.exit_code, result.stdout.as_str()), (Some(1), ""));
    assert!(result.stderr.contains("--data DIR"), "{}", result.stderr);
    assert_eq!(run_program(folder.path(), &["keys", "add", "--name", "ada", "--data", "data"]).exit_code, Some(0));
}

#[test]
fn a_data_folder_that_cannot_be_created_is_reported() {
    let folder = shop_folder();
    let result = run_program(folder.path(), &["keys", "add", "--name", "ada", "--data", "api/shop.json/data"]);
    assert_eq!((result.exit_code, result.stdout.as_str()), (Some(3), ""));
    assert!(result.stderr.contains("api/shop.json/data/keys.json"), "{}", result.stderr);
}
