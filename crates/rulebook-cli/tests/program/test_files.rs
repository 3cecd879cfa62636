//! Tests of `rulebook test`, which runs test files.

use std::fs;
use std::path::Path;

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::{RunResult, copy_files, definition_folder, run_program};

/// Runs a test file, which is `tests/shop.json`, with further arguments.
pub fn run_tests(folder: &Path, file: &str, arguments: &[&str]) -> RunResult {
    fs::create_dir_all(folder.join("tests")).unwrap();
    fs::write(folder.join("tests/shop.json"), file).unwrap();
    run_program(folder, &[&["test"], arguments].concat())
}

/// Returns the folder of an API whose methods are SQL statements on the tables of one migration.
pub fn item_folder() -> TempDir {
    let text = |kind: &str| json!({ "info": "I", "type": kind });
    let item =
        json!({ "*": { "info": "I", "type": "object", "fields": { "id": text("id"), "name": text("string") } } });
    let id = json!({ "{id}": { "info": "I", "type": "id", "name": "id" } });
    let folder = definition_folder(&[
        ("app.json", json!({ "envelope": "plain", "handlers": { "sql": { "migrations": "migrations" } } })),
        (
            "item.json",
            json!({ "/": {
                "items": {
                    "GET": { "id": "item.list", "info": "I", "out": { "*": text("array<string>") },
                        "handler": { "sql": "select name from item order by id" } },
                    "POST": { "id": "item.add", "info": "I", "scope": [["editor"]], "in": { "name": text("string(1,20)") },
                        "out": { "id": text("id"), "by": text("string") }, "options": { "status": 201 },
                        "handler": { "sql": "insert into item (name) values (:name) returning id, :identity.name as by",
                            "missing": false } }
                },
                "items/{id}": { "GET": { "id": "item.get", "info": "I", "in": id, "out": item,
                    "errors": { "no_item": { "status": 404, "info": "There is no such item" } },
                    "handler": { "sql": "select id, name from item where id = :id", "missing": "no_item" } } }
            } }),
        ),
    ]);
    fs::create_dir(folder.path().join("migrations")).unwrap();
    let table = "create table item (id integer primary key, name text not null)";
    fs::write(folder.path().join("migrations/1_item.sql"), table).unwrap();
    folder
}

#[test]
fn each_test_calls_an_empty_database_with_saved_values_and_callers() {
    let folder = item_folder();
    let file = r#"{
      "$schema": "../schema/tests.json",
      // A comment
      "an item is added and read": [
        { "call": "item.add", "as": "ada", "scope": ["editor"], "with": { "name": "A & B" },
          "expect": { "status": 201, "out": { "id": 1, "by": "ada" } }, "save": { "item": "id", "all": "*" } },
        { "call": "item.get", "with": { "id": "{item}" }, "expect": { "out": { "id": "{item}", "name": "A & B" } } },
        { "call": "GET /items/{item}?", "expect": { "body": { "name": "A & B" }, "headers": {
            "content-type": "application/json", "x-request-id": true, "location": false } }, "save": { "name": "name" } },
        { "call": "POST /items", "scope": "editor", "body": { "name": "{name} {{x}} {" }, "expect": { "out": { "id": 2 } },
          "save": { "kind": { "header": "content-type" } } },
        { "call": "/items", "headers": { "accept": "{kind}" }, "expect": { "out": ["A & B", "A & B {{x}} {"] } }
      ],
      "the next test begins with an empty database": { "call": "item.list", "expect": { "out": [] } },
      "errors are expected": [
        { "call": "item.get", "with": { "id": 1 }, "expect": { "status": 404, "error": "no_item" } },
        { "call": "item.add", "with": { "name": "x" }, "expect": { "error": "unauthenticated" } },
        { "call": "item.add", "scope": "reader", "with": { "name": "x" }, "expect": { "error": "forbidden" } },
        { "call": "item.add", "scope": "editor", "with": { "name": "" },
          "expect": { "error": "invalid-parameter", "parameters": ["name"] } },
        { "call": "POST /items", "scope": "editor", "body": "{", "headers": { "Content-Type": "application/json" },
          "expect": { "status": 400 } },
        { "call": "DELETE /items", "expect": { "status": 405 } }
      ]
    }"#;
    let result = run_tests(folder.path(), file, &[]);
    let words = "tests/shop.json\n  ok    an item is added and read\n  ok    the next test begins with an empty database\n  \
                 ok    errors are expected\n\n3 tests passed\n";
    assert_eq!((result.exit_code, result.stdout.as_str(), result.stderr.as_str()), (Some(0), words, ""));
    let result = run_tests(folder.path(), file, &["--filter", "next test", "tests/shop.json"]);
    assert!(result.stdout.ends_with("\n\n1 test passed\n"), "{result:?}");
    let result = run_tests(folder.path(), file, &["--filter", "other"]);
    assert_eq!((result.exit_code, result.stdout.as_str()), (Some(2), ""));
    assert_eq!(result.stderr, "error: --filter: no test has a name that contains `other`\n");
    // Nothing is stored elsewhere.
    assert!(!folder.path().join("data").exists());
}

#[test]
fn a_failed_expectation_names_its_place_and_both_values() {
    let folder = item_folder();
    let add = r#"{ "call": "item.add", "scope": "editor", "with": { "name": "x" } }"#;
    let cases = [
        (
            r#""call": "item.get", "with": { "id": 7 }"#,
            "expected a success, got the status 404, `no_item`: There is no such item",
        ),
        (r#""call": "item.list", "expect": { "status": 201 }"#, "status: expected 201, got 200"),
        (
            r#""call": "item.get", "with": { "id": 1 }, "expect": { "error": "no_item" }"#,
            "error: expected `no_item`, got a success with the status 200",
        ),
        (
            r#""call": "item.get", "with": { "id": 7 }, "expect": { "error": "forbidden" }"#,
            "error: expected `forbidden`, got `no_item`",
        ),
        (
            r#""call": "GET /items/x", "expect": { "parameters": ["name"] , "error": "invalid-parameter" }"#,
            r#"parameters: expected ["name"], got ["id"]"#,
        ),
        (r#""call": "item.list", "expect": { "out": [] }"#, r#"out: expected 0 items, got 1: ["x"]"#),
        (r#""call": "item.list", "expect": { "out": ["y"] }"#, r#"out.0: expected "y", got "x""#),
        (
            r#""call": "item.get", "with": { "id": 1 }, "expect": { "out": { "nam": "x" } }"#,
            r#"out.nam: it is missing; there is ["id","name"]"#,
        ),
        (
            r#""call": "item.get", "with": { "id": 1 }, "expect": { "out": { "id": "1" } }"#,
            r#"out.id: expected "1", got 1"#,
        ),
        (
            r#""call": "item.get", "with": { "id": 7 }, "expect": { "status": 404, "out": {} }"#,
            "out: the response has no outputs",
        ),
        (
            r#""call": "item.list", "expect": { "headers": { "etag": "x" } }"#,
            "headers.etag: the response has no such field",
        ),
        (
            r#""call": "item.list", "expect": { "headers": { "content-type": "x" } }"#,
            r#"headers.content-type: expected "x", got "application/json""#,
        ),
        (
            r#""call": "item.list", "expect": { "headers": { "content-type": false } }"#,
            r#"headers.content-type: expected no such field, got "application/json""#,
        ),
        (r#""call": "item.list", "expect": { "body": "x" }"#, r#"body: expected "x", got "[\"x\"]""#),
        (
            r#""call": "item.get", "with": { "id": 1 }, "save": { "a": "b" }"#,
            "save `a`: the response has no output `b`",
        ),
        (r#""call": "item.list", "save": { "a": { "header": "etag" } }"#, "save `a`: the response has no field `etag`"),
        (r#""call": "item.get""#, "`item.get` requires the argument `id`, which is part of its path"),
    ];
    let tests = cases.iter().enumerate().map(|(at, (step, _))| format!("\"{at}\": [{add},\n{{ {step} }}]"));
    let file = format!("{{{}}}", tests.collect::<Vec<_>>().join(",\n"));
    let result = run_tests(folder.path(), &file, &[]);
    assert_eq!((result.exit_code, result.stderr.as_str()), (Some(1), ""), "{}", result.stdout);
    for (at, (_, message)) in cases.iter().enumerate() {
        let line = format!("  FAIL  {at}\n        tests/shop.json:{}:", at * 2 + 2);
        let after = result.stdout.split_once(&line).unwrap_or_else(|| panic!("{line}{}", result.stdout)).1;
        let (column, rest) = after.split_once(": ").unwrap();
        assert!(column.parse::<u8>().is_ok() && rest.starts_with(&format!("{message}\n")), "{message}:\n{rest}");
    }
    assert!(result.stdout.contains("\n        item.list: 200 [\"x\"]\n"), "{}", result.stdout);
    assert!(result.stdout.ends_with("\n\n17 tests, 17 failed\n"), "{}", result.stdout);
    assert!(!result.stdout.contains('\u{1b}'), "{}", result.stdout);
}

#[test]
fn errors_in_test_files_are_reported_with_their_place() {
    let tags = json!({ "GET@tags": { "info": "I", "type": "?array<string>", "name": "tags" } });
    let method = json!({ "GET": { "id": "article.get", "info": "I", "in": tags, "handler": { "value": {} } } });
    let folder = definition_folder(&[("shop.json", json!({ "/": { "article": method } }))]);
    // The file, the text at the place of the error, a part of the message, and a part of the help.
    let cases = [
        (
            r#"{ "a": { "call": "article.gte" } }"#,
            "article.gte",
            "has no method with the id `article.gte`",
            "did you mean `article.get`?",
        ),
        (
            r#"{ "a": { "call": "article.get", "with": { "tgas": 1 } } }"#,
            "tgas",
            "the method `article.get` has no parameter `tgas`",
            "did you mean `tags`?",
        ),
        (
            r#"{ "a": { "call": "article.get", "with": { "tags": "{it}" } } }"#,
            "{it}",
            "no earlier step of this test saves `it`",
            "write `{{it}}` for a text with braces",
        ),
        (
            r#"{ "a": { "call": "article.get", "status": 7 } }"#,
            "status",
            "unknown key `status` in a step",
            "write it in `expect`",
        ),
        (r#"{ "a": { "call": "article.get", "body": 7 } }"#, "7 }", "`body` is for requests with a path", "in `with`"),
        (
            r#"{ "a": { "call": "GET article", "with": { "id": 7 } } }"#,
            "article\",",
            "a path must begin with `/`",
            "GET /orders",
        ),
        (
            r#"{ "a": { "call": "article.get", "expect": { "error": "no_article" } } }"#,
            "no_article",
            "the method `article.get` declares no error `no_article`",
            "add it to the errors of the method",
        ),
        (r#"{ "a": { "expect": {} } }"#, "{ \"expect", "this step has no `call`", "`rulebook routes` lists"),
        (r#"{ "a": { "call": "/", "save": { "b": 7 } } }"#, "7 }", "`b` must be saved from an output", "`notes.0.id`"),
        (r#"{ "a": [7] }"#, "7]", "a step of a test must be an object", "expected an object"),
        (r#"[]"#, "[]", "a test file must be an object", "write the name of each test"),
        (r#"{ "a": "#, "", "syntax", ""),
    ];
    for (file, at, message, help) in cases {
        let result = run_tests(folder.path(), file, &[]);
        assert_eq!((result.exit_code, result.stdout.as_str()), (Some(1), ""), "{file}");
        let column = file.find(at).filter(|_| !at.is_empty()).map_or(String::new(), |start| format!("{}\n", start + 1));
        for text in [&format!("tests/shop.json:1:{column}"), message, help] {
            assert!(result.stderr.contains(text), "{file}: {text:?} is missing in {}", result.stderr);
        }
    }
    fs::remove_dir_all(folder.path().join("tests")).unwrap();
    let result = run_program(folder.path(), &["test"]);
    assert_eq!((result.exit_code, result.stdout.as_str()), (Some(3), ""), "{}", result.stderr);
}

#[test]
fn the_log_of_a_failed_step_is_shown() {
    let handlers = "import sys\nfrom rulebook import handler, serve\n@handler('it.get')\ndef it():\n    print('printed')\n    \
                    return {}[7]\nserve()\n";
    let app = json!({ "handlers": { "default": { "process": ["python3", "handlers.py"], "workers": 1 } } });
    let method: Json = json!({ "GET": { "id": "it.get", "info": "I" } });
    let folder = definition_folder(&[("app.json", app), ("it.json", json!({ "/": { "it": method } }))]);
    fs::write(folder.path().join("handlers.py"), handlers).unwrap();
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rulebook-process/sdk/python/rulebook");
    copy_files(&sdk, &folder.path().join("rulebook"));
    let result = run_tests(folder.path(), r#"{ "it": { "call": "it.get" } }"#, &[]);
    assert_eq!((result.exit_code, result.stderr.as_str()), (Some(1), ""), "{}", result.stdout);
    for text in [
        "tests/shop.json:1:20: expected a success, got the status 500",
        ": printed ",
        "handlers.py\", line 6, in it",
        "KeyError: 7",
    ] {
        assert!(result.stdout.contains(text), "{text:?} is missing in {}", result.stdout);
    }
}

#[test]
fn tests_do_not_change_databases_of_others_by_accident() {
    let folder = item_folder();
    let outside = folder.path().join("other.db");
    let write = |url: &str| {
        let app = json!({ "handlers": { "sql": { "url": url, "migrations": "migrations" } }, "envelope": "plain" });
        fs::write(folder.path().join("api/app.json"), app.to_string()).unwrap();
    };
    let file = r#"{ "it": { "call": "item.list" } }"#;
    for url in [&format!("sqlite:{}", outside.display()), "sqlite:../other.db", "postgres://ada@192.0.2.1/notes"] {
        write(url);
        let result = run_tests(folder.path(), file, &[]);
        assert_eq!((result.exit_code, result.stdout.as_str()), (Some(2), ""), "{url}");
        assert!(result.stderr.contains("the database `main` is not a file in their data folder"), "{}", result.stderr);
    }
    write(&format!("sqlite:{}", outside.display()));
    let result = run_tests(folder.path(), file, &["--shared-databases"]);
    assert_eq!((result.exit_code, result.stderr.as_str()), (Some(0), ""), "{}", result.stdout);
    assert!(outside.exists());
}

#[test]
fn the_tests_of_new_projects_pass() {
    for language in ["sql", "python"] {
        let folder = TempDir::new().unwrap();
        let created = run_program(folder.path(), &["new", "notes", "--no-git", "--handlers", language]);
        assert_eq!(created.exit_code, Some(0), "{}", created.stderr);
        let result = run_program(&folder.path().join("notes"), &["test"]);
        assert_eq!((result.exit_code, result.stderr.as_str()), (Some(0), ""), "{}", result.stdout);
        assert!(result.stdout.ends_with(" tests passed\n"), "{}", result.stdout);
    }
}

/// The example `examples/shop`, whose tests say what it does.
#[test]
fn the_example_of_a_shop_passes_its_tests() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/shop");
    let folder = TempDir::new().unwrap();
    for part in ["api", "migrations", "sql", "tests"] {
        copy_files(&example.join(part), &folder.path().join(part));
    }
    let checked = run_program(folder.path(), &["check"]);
    assert_eq!((checked.exit_code, &*checked.stderr), (Some(0), ""), "{checked:?}");
    let tested = run_program(folder.path(), &["test"]);
    assert_eq!(tested.exit_code, Some(0), "{tested:?}");
    assert!(tested.stdout.ends_with("5 tests passed\n"), "{tested:?}");
}
