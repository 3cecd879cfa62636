//! Tests which keys and other credentials belong to one caller.

use serde_json::json;

use super::{add_key, key_id, run_keys_command};
use crate::cli::definition_folder;
use crate::client::{Connection, Request};
use crate::server_process::{ServerProcess, free_address};

#[test]
fn a_key_and_its_replacement_are_one_caller_and_a_user_of_the_same_name_is_another() {
    let auth = json!({ "keys": {}, "basic": { "users": "users.htpasswd" } });
    let module = json!({ "/": {
        "order": { "POST": { "info": "Orders", "options": { "idempotent": "required" } } },
        "limited": { "GET": { "info": "Limited", "options": { "rate_limit": { "requests": 2, "per": "day" } } } }
    } });
    let folder = definition_folder(&[("app.json", json!({ "unbound": "echo", "auth": auth })), ("shop.json", module)]);
    // The password is `secret`.
    let users = "ada:$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW\n";
    std::fs::write(folder.path().join("users.htpasswd"), users).unwrap();
    let key = add_key(folder.path(), &["--name", "ada"]);
    let rotated = run_keys_command(folder.path(), &["rotate", key_id(&key), "--grace", "1h"]);
    let [key, replacement] = [&*key, rotated.stdout.trim()].map(|key| format!("Bearer {key}"));
    let user = "Basic YWRhOnNlY3JldA==".to_owned();

    let address = free_address();
    let _process = ServerProcess::start(folder.path(), &address, &["serve"]);
    let send = |request: Request, credential: &String| {
        Connection::open(address.parse().unwrap()).send(&request.field("authorization", credential))
    };
    let is_replayed = |credential| {
        let response = send(Request::new("POST", "/order").field("idempotency-key", "a"), credential);
        assert_eq!(response.status, 200, "{response:?}");
        response.field("idempotent-replayed") == Some("true")
    };
    let replayed = [&key, &key, &replacement, &user, &user].map(is_replayed);
    assert_eq!(replayed, [false, true, true, false, true]);
    let status = |credential| send(Request::new("GET", "/limited"), credential).status;
    let statuses = [&key, &replacement, &replacement, &user, &user, &user].map(status);
    assert_eq!(statuses, [200, 200, 429, 200, 200, 429]);
}

#[test]
fn a_server_without_kinds_of_authenticators_treats_all_callers_as_anonymous() {
    let module = json!({ "/": {
        "public": { "GET": { "info": "Public" } },
        "staff": { "GET": { "info": "For the staff", "scope": [["staff"]] } }
    } });
    let folder = definition_folder(&[("app.json", json!({ "unbound": "echo", "auth": {} })), ("shop.json", module)]);
    let key = add_key(folder.path(), &["--name", "ada", "--scope", "staff"]);
    let address = free_address();
    let _process = ServerProcess::start(folder.path(), &address, &["serve"]);
    for credential in ["Bearer abc.def", "Basic YWRhOnNlY3JldA==", &format!("Bearer {key}"), "x"] {
        let status = |path| {
            let request = Request::new("GET", path).field("authorization", credential);
            Connection::open(address.parse().unwrap()).send(&request).status
        };
        assert_eq!((status("/public"), status("/staff")), (200, 401), "{credential}");
    }
}
