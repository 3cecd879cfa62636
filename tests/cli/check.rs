//! Tests of `rulebook check` and `rulebook routes`.

use std::fs;

use serde_json::{Value as Json, json};

use super::{RunResult, definition_folder, folder_with_unbound_service, run_program, shop_folder};
use crate::server_process::program;

/// Creates a folder with a definition that has errors in two files.
fn invalid_definition_folder() -> tempfile::TempDir {
    definition_folder(&[
        (
            "a.json",
            json!({ "/": { "a": { "GET": { "info": "A", "in": { "GET@x": { "info": "X", "type": "itn" } } } } } }),
        ),
        ("b.json", json!({ "/": { "b": { "GET": { "inof": "B" } } } })),
    ])
}

#[test]
fn checking_a_valid_definition_reports_no_errors() {
    let folder = shop_folder();
    let words = "no errors: 1 module, 1 service, 2 methods\n";
    for arguments in [&["check"][..], &["check", "api"], &["--api", "api", "check"], &["check", "--bound"]] {
        let result = run_program(folder.path(), arguments);
        assert_eq!(
            (result.exit_code, result.stdout.as_str(), result.stderr.as_str()),
            (Some(0), words, ""),
            "{arguments:?}"
        );
    }
    let result = run_program(folder.path(), &["check", "--format", "json"]);
    assert_eq!((result.exit_code, result.stdout.as_str()), (Some(0), ""), "there is no object without an error");
}

#[test]
fn all_errors_are_reported_with_their_lines() {
    let result = run_program(invalid_definition_folder().path(), &["check"]);
    assert_eq!((result.exit_code, result.stderr.as_str()), (Some(1), ""));
    for part in ["error[unknown-type]", "api/a.json:1:", "did you mean `int`?", "error[unknown-key]", "api/b.json:1:"] {
        assert!(result.stdout.contains(part), "{part} in {}", result.stdout);
    }
    assert!(result.stdout.ends_with("\n3 errors\n") || result.stdout.ends_with("\n2 errors\n"), "{}", result.stdout);
}

#[test]
fn errors_can_be_printed_as_one_json_object_per_line() {
    let result = run_program(invalid_definition_folder().path(), &["check", "--format", "json"]);
    assert_eq!(result.exit_code, Some(1));
    let lines: Vec<Json> = result.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() >= 2, "{}", result.stdout);
    for line in &lines {
        let names: Vec<_> = line.as_object().unwrap().keys().collect();
        assert_eq!(names, ["code", "message", "file", "line", "column", "help"], "{line}");
        assert!(line["line"].as_u64().is_some_and(|line| line > 0) && line["column"].is_u64(), "{line}");
        assert!(line["file"].as_str().is_some_and(|file| file.starts_with("api/")), "{line}");
    }
    assert_eq!(lines[0]["code"], "unknown-type");
    assert_eq!(lines[0]["help"], "did you mean `int`? programs add custom types with `Rulebook::add_type`");
}

#[test]
fn the_printed_canonical_form_is_a_definition_of_the_same_api() {
    let folder = shop_folder();
    let printed = run_program(folder.path(), &["check", "--print"]);
    assert_eq!((printed.exit_code, printed.stderr.as_str()), (Some(0), ""));
    let again = folder.path().join("again");
    fs::create_dir(&again).unwrap();
    fs::write(again.join("app.json"), &printed.stdout).unwrap();
    assert_eq!(run_program(folder.path(), &["check", "again", "--print"]), printed);
    assert_eq!(run_program(folder.path(), &["routes", "--api", "again"]), run_program(folder.path(), &["routes"]));
}

#[test]
fn no_text_of_a_definition_controls_the_terminal() {
    let text = "a\u{9b}31m\u{7f}\u{202e}b";
    let of_text = |name: &str| json!({ "info": text, "type": "string", "name": name });
    let method = json!({ "info": text, "in": { "URL#0": of_text("id") }, "out": { "id": of_text("id") },
        "handler": { "value": { "id": text } } });
    let module = json!({ "/": { "a": { "GET": method } } });
    let valid = definition_folder(&[("app.json", json!({ "title": text })), ("shop.json", module)]);
    let invalid = definition_folder(&[("shop.json", json!({ "/": { text: { "GET": { "info": "A", text: 1 } } } }))]);
    for (folder, arguments) in [
        (&valid, &["openapi"][..]),
        (&valid, &["check", "--print"]),
        (&valid, &["call", "--unbound", "echo", "a.get", &format!("id={text}")]),
        (&valid, &["routes"]),
        (&invalid, &["check", "--format", "json"]),
        (&invalid, &["check"]),
    ] {
        let printed = run_program(folder.path(), arguments);
        let is_control = |c: char| c != '\n' && rulebook_model::invisible::is_control_character(c);
        assert!(!printed.stdout.is_empty() && !printed.stdout.contains(is_control), "{arguments:?}: {printed:?}");
        if let Ok(Json::Object(document)) = serde_json::from_str(&printed.stdout) {
            assert!(Json::Object(document).to_string().contains(text), "{arguments:?}: {printed:?}");
        }
    }
}

#[test]
fn handlers_are_checked_if_the_flag_bound_is_given() {
    let folder = folder_with_unbound_service(&json!({}));
    assert_eq!(run_program(folder.path(), &["check"]).exit_code, Some(0));
    let bound = run_program(folder.path(), &["check", "--bound"]);
    assert_eq!(bound.exit_code, Some(1));
    assert_eq!(bound.stdout.matches("error[unbound-method]").count(), 2, "{}", bound.stdout);
    assert_eq!(run_program(folder.path(), &["check", "--bound", "--unbound", "501"]).exit_code, Some(0));
    assert_eq!(run_program(folder.path(), &["check", "--bound", "--unbound", "echo"]).exit_code, Some(0));
}

#[test]
fn unknown_kinds_of_handlers_are_reported_even_if_no_method_uses_them() {
    let method = json!({ "info": "A", "handler": { "value": {} } });
    let folder = |handlers: Json| {
        let app = json!({ "handlers": handlers });
        definition_folder(&[("app.json", app), ("a.json", json!({ "/": { "a": { "GET": method } } }))])
    };
    for (handlers, expected) in [
        (json!({ "default": { "proces": ["python3"] } }), "`proces` is not a kind of handler"),
        (json!({ "proces": { "workers": 4 } }), "`proces` is not a kind of handler"),
        (json!({ "default": { "process": ["python3"], "wrokers": 4 } }), "has no setting `wrokers`"),
    ] {
        let result = run_program(folder(handlers).path(), &["check"]);
        assert_eq!(result.exit_code, Some(1), "{}", result.stdout);
        assert!(result.stdout.contains("error[bad-handler]") && result.stdout.contains(expected), "{}", result.stdout);
        assert!(result.stdout.contains("api/app.json:1:"), "{}", result.stdout);
    }
    let known = json!({ "default": { "value": {} }, "process": { "workers": 4 } });
    assert_eq!(run_program(folder(known).path(), &["check"]).exit_code, Some(0));
}

#[test]
fn a_missing_definition_folder_is_reported() {
    let result = run_program(shop_folder().path(), &["check", "nowhere"]);
    assert_eq!(result.exit_code, Some(1));
    assert!(
        result.stdout.contains("error[missing-definition]") && result.stdout.contains("nowhere"),
        "{}",
        result.stdout
    );
}

#[test]
fn routes_are_listed_with_positions_ids_and_scopes() {
    let folder = shop_folder();
    let all = run_program(folder.path(), &["routes"]);
    let expected = "GET   /article/{id?}  article.get\n\
                    POST  /article        article.post  writer and member, or admin\n";
    let rows: std::collections::BTreeSet<_> = all.stdout.lines().collect();
    assert_eq!((all.exit_code, rows), (Some(0), expected.lines().collect()));
    let some = run_program(folder.path(), &["routes", "post"]);
    assert_eq!(some.stdout, "POST  /article  article.post  writer and member, or admin\n");
    assert_eq!(run_program(folder.path(), &["routes", "nothing"]).stdout, "");
    let invalid = run_program(invalid_definition_folder().path(), &["routes"]);
    assert_eq!((invalid.exit_code, invalid.stdout.as_str()), (Some(1), ""));
    assert!(invalid.stderr.contains("error[unknown-type]"), "{}", invalid.stderr);
}

#[test]
fn warnings_are_printed_to_standard_error_and_do_not_change_the_exit_code() {
    let folder = definition_folder(&[("user.json", json!({ "User": { "login": {} } }))]);
    let result = run_program(folder.path(), &["check"]);
    assert_eq!((result.exit_code, result.stdout.as_str()), (Some(0), "no errors: 1 module, 1 service, 2 methods\n"));
    assert_eq!(result.stderr.matches("warning[missing-setting]").count(), 2, "{}", result.stderr);
    for part in ["api/user.json:1:", "`\"service\": { \"on\": true }`", "`\"envelope\": \"phalapi\"`"] {
        assert!(result.stderr.contains(part), "{part} in {}", result.stderr);
    }
    let result = run_program(folder.path(), &["check", "--format", "json"]);
    let lines: Vec<Json> = result.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((result.exit_code, lines.len()), (Some(0), 2));
    assert!(lines.iter().all(|line| line["level"] == "warning" && line["code"] == "missing-setting"), "{lines:?}");
    let result = run_program(folder.path(), &["check", "--print"]);
    assert!(serde_json::from_str::<Json>(&result.stdout).is_ok(), "only the definition is printed to standard output");

    let settings = json!({ "envelope": "phalapi", "service": { "on": true } });
    let folder = definition_folder(&[("user.json", json!({ "User": { "login": {} } })), ("app.json", settings)]);
    assert_eq!(run_program(folder.path(), &["check"]).stderr, "");
}

#[test]
fn files_that_look_like_definition_files_are_warnings() {
    let cases = [
        ("note.yaml", "write it as JSON, which may contain comments, in `note.json`"),
        ("note.YML", "write it as JSON"),
        ("note.toml", "write it as JSON"),
        ("note.json5", "write it as JSON"),
        ("note.JSON", "rename it to `note.json`"),
        ("note.Jsonc", "rename it to `note.json`"),
        ("sub/note.json", "move it to the folder of the definition"),
        ("sub/note.yaml", ""),
        (".sub/note.json", ""),
        ("note.json.bak", ""),
        ("note.json~", ""),
        (".note.yaml", ""),
        ("README.md", ""),
        ("note.sql", ""),
    ];
    for (name, help) in cases {
        let folder = shop_folder();
        let path = folder.path().join("api").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "a: 1").unwrap();
        let result = run_program(folder.path(), &["check"]);
        assert_eq!((result.exit_code, result.stdout.contains("no errors")), (Some(0), true), "{name}: {result:?}");
        let file = name.rsplit('/').next().unwrap();
        let is_reported = result.stderr.contains(&format!("warning[unread-file]: the file `{file}` is not read"))
            && result.stderr.contains(&format!("--> api/{name}\n"))
            && result.stderr.contains(help);
        assert_eq!(is_reported, !help.is_empty(), "{name}: {}", result.stderr);
    }
    // A definition that consists only of such files is missing, and the warning says why.
    let folder = definition_folder(&[]);
    fs::write(folder.path().join("api/note.yaml"), "a: 1").unwrap();
    let result = run_program(folder.path(), &["check"]);
    assert_eq!((result.exit_code, result.stdout.ends_with("\n1 error\n")), (Some(1), true), "{result:?}");
    assert!(result.stdout.contains("warning[unread-file]") && result.stdout.contains("[missing-definition]"));
}

#[test]
fn variables_in_addresses_that_are_not_set_are_errors_unless_the_address_is_not_used() {
    let orders =
        json!({ "GET": { "info": "Orders" }, "POST": { "info": "Order", "options": { "idempotent": "required" } } });
    let auth = json!({ "jwt": { "issuer": "a", "audience": "b", "permissions": "x", "jwks": "${NO_JWKS}" } });
    let key_storage = json!("postgres://ada:${NO_KEYS}hunter2@localhost/keys");
    let cases: [(Json, &str, &[&str]); 5] = [
        (json!({ "auth": auth }), "NO_JWKS", &[]),
        (json!({ "shared_limits": { "url": "redis://${NO_LIMITS}" } }), "NO_LIMITS", &["--shared-limits", "redis://a"]),
        (json!({ "key_storage": key_storage }), "NO_KEYS", &["--key-storage", "postgres://localhost/keys"]),
        (json!({ "idempotency_storage": "sqlite:${NO_ROWS}" }), "NO_ROWS", &["--idempotency-storage", "sqlite:a.db"]),
        (json!({ "traces": "http://${NO_TRACES}" }), "NO_TRACES", &["--traces", ""]),
    ];
    for (app, variable, replacement) in cases {
        let folder = definition_folder(&[("app.json", app), ("shop.json", orders.clone())]);
        let result = run_program(folder.path(), &["check"]);
        let message = format!("the environment variable `{variable}` is not set");
        assert_eq!(result.exit_code, Some(1), "{variable}: {result:?}");
        assert!(result.stdout.contains(&message) && result.stdout.contains("app.json:1:"), "{}", result.stdout);
        assert!(!result.stdout.contains("hunter2"), "{}", result.stdout);
        let with_variable = program(folder.path()).arg("check").env(variable, "keys.json").output().unwrap();
        assert_eq!(RunResult::from(with_variable).exit_code, Some(0), "{variable}");
        if !replacement.is_empty() {
            let result = run_program(folder.path(), &[&["check"], replacement].concat());
            assert_eq!(result.exit_code, Some(0), "{variable}: {result:?}");
        }
    }
    let unused = json!({ "auth": { "basic": { "users": "a" } }, "key_storage": key_storage, "idempotency_storage": "${NO_ROWS}" });
    let method = json!({ "GET": { "info": "Orders" } });
    let folder = definition_folder(&[("app.json", unused), ("shop.json", method)]);
    assert_eq!(run_program(folder.path(), &["check"]).exit_code, Some(0));
}
