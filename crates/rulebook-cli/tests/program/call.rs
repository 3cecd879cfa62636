//! Tests of `rulebook call`: its caller, and the databases that it uses.

use std::fs;

use serde_json::{Value as Json, json};

use super::test_files::item_folder;
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

#[test]
fn only_migrate_and_serve_apply_migrations_to_a_database_that_exists() {
    let folder = item_folder();
    let run = |arguments: &[&str]| run_program(folder.path(), arguments);
    let list = || run(&["call", "item.list"]);
    // The command creates a database that does not exist.
    assert_eq!((list().exit_code, list().stdout.as_str()), (Some(0), "[]\n"));
    let migration = folder.path().join("migrations/2_label.sql");
    fs::write(&migration, "create table label (id integer primary key)").unwrap();
    let result = list();
    assert_eq!((result.exit_code, result.stdout.as_str()), (Some(0), "[]\n"), "{result:?}");
    for arguments in ["check", "routes", "openapi", "types", "usage", "keys list", "call items"] {
        run(&arguments.split(' ').collect::<Vec<_>>());
    }
    let status = || run(&["migrate", "--status"]).stdout;
    assert_eq!(status(), "main: 1 applied, 1 pending: `2_label.sql`\n");
    let plan = "main: 2_label.sql\n  the table `label` is added\n";
    assert_eq!(run(&["migrate", "--plan"]).stdout, plan);
    assert_eq!(status(), "main: 1 applied, 1 pending: `2_label.sql`\n");
    assert_eq!((run(&["migrate"]).stdout.as_str(), status().as_str()), (plan, "main: 2 applied, 0 pending\n"));
    assert_eq!(run(&["migrate"]).stdout, "no migrations are pending\n");
    assert_eq!((list().exit_code, list().stdout.as_str()), (Some(0), "[]\n"));
}
