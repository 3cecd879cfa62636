//! Tests of the caller of `rulebook call`.

use std::fs;

use serde_json::{Value as Json, json};

use super::{definition_folder, run_program};

#[test]
fn a_method_is_called_in_any_name_and_with_claims() {
    let folder = definition_folder(&[
        ("app.json", json!({ "auth": { "basic": { "users": "users.htpasswd" } }, "handlers": { "sql": {} } })),
        (
            "me.json",
            json!({ "/": { "me": { "GET": { "id": "me", "info": "I", "scope": [["user"]], "out": {
                "name": { "info": "I", "type": "string" } },
                "handler": { "sql": "select :identity.name as name", "missing": false } } } } }),
        ),
    ]);
    fs::write(folder.path().join("users.htpasswd"), "").unwrap();
    let call = |arguments: &[&str]| {
        let result = run_program(folder.path(), &[&["call", "me"], arguments].concat());
        let document: Json = serde_json::from_str(&result.stdout).unwrap_or_else(|_| panic!("{result:?}"));
        let is_success = result.exit_code == Some(0);
        document[if is_success { "name" } else { "code" }].as_str().unwrap().to_owned()
    };
    assert_eq!(call(&["--as", "ada", "--scope", "user"]), "ada");
    assert_eq!(call(&["--as", "ada", "--scope", "user", "--claims", r#"{"tenant": 7}"#]), "ada");
    assert_eq!(call(&["--scope", "user"]), "command line");
    assert_eq!(call(&["--as", "ada"]), "forbidden");
    assert_eq!(call(&["--claims", "{}"]), "forbidden");
    assert_eq!(call(&[]), "unauthenticated");
    assert_eq!(run_program(folder.path(), &["call", "me", "--claims", "7"]).exit_code, Some(2));
}
