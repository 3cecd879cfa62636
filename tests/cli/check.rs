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
        assert_eq!(names, ["code", "message", "file", "line", "column", "label", "help"], "{line}");
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

/// Returns the code and the file of each error in a definition with these files, of which texts are not JSON, and with
/// a database that has the table `note`.
fn reported_errors(files: &[(&str, Json)]) -> Vec<(String, String)> {
    let settings = json!({ "handlers": { "sql": { "url": "sqlite:data.db", "migrations": "migrations" } } });
    let folder = definition_folder(&[&[("app.json", settings)], files].concat());
    fs::create_dir(folder.path().join("migrations")).unwrap();
    fs::write(folder.path().join("migrations/1_note.sql"), "create table note (n integer not null)").unwrap();
    for (name, content) in files {
        if let Json::String(text) = content {
            fs::write(folder.path().join("api").join(name), text).unwrap();
        }
    }
    let result = run_program(folder.path(), &["check", "--format", "json"]);
    let line = |line: &str| {
        let line: Json = serde_json::from_str(line).unwrap();
        (line["code"].as_str().unwrap().to_owned(), line["file"].as_str().unwrap().replace("api/", ""))
    };
    result.stdout.lines().map(line).collect()
}

#[test]
fn an_error_hides_no_errors_of_other_methods_and_has_no_consequences() {
    let output = |r#type: &str| json!({ "n": { "info": "N", "type": r#type } });
    let query = |sql: &str| json!({ "info": "I", "out": output("int"), "handler": { "sql": sql, "missing": false } });
    let get = |path: &str, method: Json| json!({ "/": { path: { "GET": method } } });
    let sql = ("sql.json", get("sql", query("select nothing as n from note")));
    let broken = ("broken.json", json!("{ \"/\": "));
    let mut unknown = query("select :x as n");
    unknown["in"] = json!({ "GET@x": { "info": "X", "type": "itn", "name": "x" } });
    let failed_output = json!({ "info": "I", "out": output("itn"), "handler": { "sql": "select 1 as m" } });
    let mut misspelled = query("select :x as n");
    misspelled["in"] = json!({ "GET@x": { "info": "X", "type": "?int", "nmae": "x" } });
    let schema = json!({
        "schemas": { "S": { "info": "S", "fields": { "a": { "info": "A", "type": "itn" } } } },
        "/": { "s": { "GET": { "info": "I", "out": output("S"), "handler": { "sql": "select nothing" } } } }
    });
    let no_scope = |sql: &str| json!({ "/": { "write": { "POST": query(sql) } } });
    // The settings in a file that contains a whole API are added to those in `app.json`.
    let app = |mut settings: Json| {
        settings["modules"] = json!({});
        ("settings.json", settings)
    };
    let error = |code: &str, file: &str| (code.to_owned(), format!("{file}.json"));
    let handler = error("bad-handler", "sql");
    let cases = [
        (vec![broken.clone(), sql.clone()], vec![error("syntax", "broken"), handler.clone()]),
        (vec![("a.json", get("a", unknown)), sql.clone()], vec![error("unknown-type", "a"), handler.clone()]),
        (vec![("a.json", get("a", failed_output)), sql.clone()], vec![error("unknown-type", "a"), handler.clone()]),
        (vec![("a.json", get("a", misspelled)), sql.clone()], vec![error("unknown-key", "a"), handler.clone()]),
        (vec![("a.json", schema), sql.clone()], vec![error("unknown-type", "a"), handler.clone()]),
        (
            vec![app(json!({ "timezone": "Nowhere" })), sql.clone()],
            vec![error("bad-option", "settings"), handler.clone()],
        ),
        (
            vec![app(json!({ "auth": { "jwt": {} } })), sql.clone()],
            vec![error("bad-auth", "settings"), handler.clone()],
        ),
        // Two statements of different methods, of which one is rejected before the database sees it.
        (
            vec![("a.json", get("a", query("select :unknown as n"))), sql.clone()],
            vec![error("bad-handler", "a"), handler.clone()],
        ),
        // The permissions say nothing about the statement.
        (
            vec![app(json!({ "require_scope": true })), ("write.json", no_scope("select nothing as n from note"))],
            vec![error("missing-scope", "write"), error("bad-handler", "write")],
        ),
        // The settings that have an error could contain the database.
        (vec![("app.json", json!("{ \"handlers\": ")), sql.clone()], vec![error("syntax", "app")]),
        (vec![("app.json", json!({ "handlers": 5 })), sql.clone()], vec![error("wrong-kind", "app")]),
        // The scope that has an error could be the default.
        (
            vec![
                app(json!({ "require_scope": true })),
                ("write.json", json!({ "scope": "editor", "/": { "write": { "POST": query("select 1 as n") } } })),
            ],
            vec![error("wrong-kind", "write")],
        ),
        // A method in the other file could use the parameter.
        (
            vec![
                app(json!({ "common": { "GET@lang": { "info": "L", "type": "?string", "name": "lang" } } })),
                ("b.json", json!({ "/": { "b": { "POST": query("select 1 as n") } } })),
                broken.clone(),
            ],
            vec![error("syntax", "broken")],
        ),
    ];
    for (files, mut expected) in cases {
        let mut found = reported_errors(&files);
        found.sort();
        found.dedup();
        expected.sort();
        assert_eq!(found, expected, "{files:?}");
    }
}

#[test]
fn the_printed_definition_names_the_origins_of_values() {
    let lines = |lines: &[&str]| json!(lines.join("\n"));
    let files = [
        (
            "app.json",
            lines(&[
                r#"{ "rate_limit": { "requests": 5, "per": "second" },"#,
                r#"  "handlers": { "default": { "value": {} },"#,
                r#"    "value": {} },"#,
                r#"  "common": {"#,
                r#"    "GET@lang": { "info": "L", "type": "?string" } },"#,
                r#"  "schemas": { "S": { "info": "S", "fields": { "a": { "info": "A", "type": "?int" } } } },"#,
                r#"  "scope": [["reader"]] }"#,
            ]),
        ),
        (
            "a.json",
            lines(&[
                r#"{ "GET": { "info": "I", "out": { "s": { "info": "S", "type": "?S" } } }, "/": {"#,
                r#"
            "a": { "POST": { "info": "I", "scope": [], "handler": { "value": {} }, "options": { "rate_limit": [] } } } } }"#,
            ]),
        ),
        ("b.json", lines(&[r#"{"#, r#"  "scope": [["editor"]],"#, r#"  "/": { "b": { "GET": { "info": "I" } } } }"#])),
        ("c.json", lines(&[r#"{ "C": {"#, r#"    "*": { "rule": { "type": "int" } }, "c": { "@method": "GET" } } }"#])),
    ];
    let folder = definition_folder(&files);
    for (name, content) in &files {
        fs::write(folder.path().join("api").join(name), content.as_str().unwrap()).unwrap();
    }
    let result = run_program(folder.path(), &["check", "--print", "--origins"]);
    let printed: Json = serde_json::from_str(&result.stdout).unwrap_or_else(|error| panic!("{error}: {result:?}"));
    let origins =
        |module: &str, pointer: &str| printed["modules"][module].pointer(pointer).unwrap()["$origins"].clone();
    let settings = json!({ "handlers.value": "api/app.json:3", "in.GET@lang": "api/app.json:5" });
    let with = |more: Json| {
        let mut all = settings.as_object().unwrap().clone();
        all.extend(more.as_object().unwrap().clone());
        Json::Object(all)
    };
    let defaults = with(json!({
        "rate_limit": "api/app.json:1", "handler": "api/app.json:2", "scope": "api/app.json:7"
    }));
    let mut with_schema = defaults.clone();
    with_schema["schemas.S"] = "api/app.json:6".into();
    assert_eq!(origins("a", "/GET"), with_schema);
    assert_eq!(origins("a", "/~1/a/POST"), settings);
    assert_eq!(origins("b", "/~1/b/GET")["scope"], "api/b.json:2");
    assert_eq!(origins("C", "/~1/c~1c/GET")["in.ANY@rule"], "api/c.json:2");
    fs::create_dir(folder.path().join("again")).unwrap();
    fs::write(folder.path().join("again/app.json"), &result.stdout).unwrap();
    let print = |folder_name: &str| run_program(folder.path(), &["check", folder_name, "--print"]).stdout;
    assert_eq!(print("again"), print("api"), "the origins are ignored");
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
    let result = run_program(folder.path(), &["check", "--strict"]);
    let words = "no errors: 1 module, 1 service, 2 methods, but --strict refuses 2 warnings\n";
    assert_eq!((result.exit_code, result.stdout.as_str()), (Some(1), words));
    let result = run_program(folder.path(), &["check", "--print"]);
    assert!(serde_json::from_str::<Json>(&result.stdout).is_ok(), "only the definition is printed to standard output");

    let settings = json!({ "envelope": "phalapi", "service": { "on": true } });
    let folder = definition_folder(&[("user.json", json!({ "User": { "login": {} } })), ("app.json", settings)]);
    assert_eq!(run_program(folder.path(), &["check"]).stderr, "");
    assert_eq!(run_program(folder.path(), &["check", "--strict"]).exit_code, Some(0));
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
