//! Tests the storage of idempotency keys that the command line opens.

use std::net::SocketAddr;

use serde_json::{Value as Json, json};

use super::{definition, is_replayed, order};
use crate::cli::RunResult;
use crate::client::Connection;
use crate::server_process::{ServerProcess, copy_files, free_address, program};

/// Returns a folder with the definition of the example program, and of a shop whose methods respond with constants.
fn shop_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy_files("api".as_ref(), &folder.path().join("api"));
    let [_, (name, shop)] = &definition(&json!({}))[..] else { panic!("the definition has two files") };
    let mut shop: Json = serde_json::from_slice(shop).unwrap();
    for methods in shop["/"].as_object_mut().unwrap().values_mut() {
        for method in methods.as_object_mut().unwrap().values_mut() {
            method["handler"] = json!({ "value": { "item": "tea", "number": 1 } });
        }
    }
    std::fs::write(folder.path().join("api").join(name), shop.to_string()).unwrap();
    folder
}

#[test]
fn the_data_folder_keeps_responses_when_the_server_is_killed() {
    let folder = shop_folder();
    let address = free_address();
    let request = order("PUT", "/order", "tea").field("idempotency-key", "a");
    for is_first in [true, false] {
        // The server is killed when this value is dropped.
        let _server = ServerProcess::start(folder.path(), &address, &["serve"]);
        let response = Connection::open(address.parse::<SocketAddr>().unwrap()).send(&request);
        assert_eq!((response.status, is_replayed(&response)), (200, !is_first), "{response:?}");
    }
    assert!(folder.path().join("data/idempotency.db").exists());
}

#[test]
fn a_definition_without_the_option_needs_no_storage() {
    let folder = shop_folder();
    let handler = json!({ "value": {} });
    let plain = json!({ "/": { "plain": { "POST": { "info": "A method", "handler": handler } } } });
    std::fs::write(folder.path().join("api/shop.json"), plain.to_string()).unwrap();
    let flag = ["serve", "--idempotency-storage", "mysql://127.0.0.1:1/none"];
    let _server = ServerProcess::start(folder.path(), &free_address(), &flag);
    assert!(!folder.path().join("data/idempotency.db").exists());
}

#[test]
fn the_echo_mode_needs_no_storage() {
    let folder = shop_folder();
    let address = free_address();
    let flags = ["serve", "--unbound", "echo", "--idempotency-storage", "mysql://127.0.0.1:1/none"];
    let request = order("PUT", "/order", "tea").field("idempotency-key", "a");
    for _ in 0..2 {
        let _server = ServerProcess::start(folder.path(), &address, &flags);
        let response = Connection::open(address.parse::<SocketAddr>().unwrap()).send(&request);
        assert_eq!((response.status, is_replayed(&response)), (200, false), "{response:?}");
    }
    assert!(!folder.path().join("data/idempotency.db").exists());
}

#[test]
fn errors_of_the_storage_show_no_password() {
    let folder = shop_folder();
    for url in ["mysql://ada:hunter2@[", "hunter2://127.0.0.1/keys"] {
        let mut command = program(folder.path());
        command.args(["serve", "--bind", "127.0.0.1:0"]).env("RULEBOOK_IDEMPOTENCY_STORAGE", url);
        let result = RunResult::from(command.output().unwrap());
        assert!(result.exit_code != Some(0) && result.stderr.contains("--idempotency-storage"), "{result:?}");
        assert!(!format!("{result:?}").contains("hunter2"), "{result:?}");
    }
    let app = json!({ "unbound": "echo", "idempotency_storage": "mysql://ada:hunter2@localhost/keys" });
    std::fs::write(folder.path().join("api/app.json"), app.to_string()).unwrap();
    let result = RunResult::from(program(folder.path()).arg("check").output().unwrap());
    assert!(format!("{result:?}").contains("`idempotency_storage` contains a password"), "{result:?}");
    assert!(!format!("{result:?}").contains("hunter2"), "{result:?}");
}
