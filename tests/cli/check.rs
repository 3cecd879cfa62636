//! `rulebook check` and `rulebook routes`.

use std::fs;

use serde_json::{Value as Json, json};

use super::{folder, run, shop, unfinished};

/// Creates a definition with errors in two files.
fn invalid() -> tempfile::TempDir {
    folder(&[
        (
            "a.json",
            json!({ "/": { "a": { "GET": { "info": "A", "in": { "GET@x": { "info": "X", "type": "itn" } } } } } }),
        ),
        ("b.json", json!({ "/": { "b": { "GET": { "inof": "B" } } } })),
    ])
}

#[test]
fn a_valid_definition_has_no_errors() {
    let folder = shop();
    let words = "no errors: 1 module, 1 service, 2 methods\n";
    for arguments in [&["check"][..], &["check", "api"], &["--api", "api", "check"], &["check", "--bound"]] {
        let result = run(folder.path(), arguments);
        assert_eq!((result.code, result.out.as_str(), result.err.as_str()), (Some(0), words, ""), "{arguments:?}");
    }
    let result = run(folder.path(), &["check", "--format", "json"]);
    assert_eq!((result.code, result.out.as_str()), (Some(0), ""), "there is no object without an error");
}

#[test]
fn all_errors_are_reported_with_their_lines() {
    let result = run(invalid().path(), &["check"]);
    assert_eq!((result.code, result.err.as_str()), (Some(1), ""));
    for part in ["error[unknown-type]", "api/a.json:1:", "did you mean `int`?", "error[unknown-key]", "api/b.json:1:"] {
        assert!(result.out.contains(part), "{part} in {}", result.out);
    }
    assert!(result.out.ends_with("\n3 errors\n") || result.out.ends_with("\n2 errors\n"), "{}", result.out);
}

#[test]
fn errors_can_be_printed_as_one_json_object_per_line() {
    let result = run(invalid().path(), &["check", "--format", "json"]);
    assert_eq!(result.code, Some(1));
    let lines: Vec<Json> = result.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() >= 2, "{}", result.out);
    for line in &lines {
        let names: Vec<_> = line.as_object().unwrap().keys().collect();
        assert_eq!(names, ["code", "message", "file", "line", "column", "help"], "{line}");
        assert!(line["line"].as_u64().is_some_and(|line| line > 0) && line["column"].is_u64(), "{line}");
        assert!(line["file"].as_str().is_some_and(|file| file.starts_with("api/")), "{line}");
    }
    assert_eq!(lines[0]["code"], "unknown-type");
    assert_eq!(lines[0]["help"], "did you mean `int`?");
}

#[test]
fn the_canonical_form_can_be_loaded_again() {
    let folder = shop();
    let printed = run(folder.path(), &["check", "--print"]);
    assert_eq!((printed.code, printed.err.as_str()), (Some(0), ""));
    let again = folder.path().join("again");
    fs::create_dir(&again).unwrap();
    fs::write(again.join("app.json"), &printed.out).unwrap();
    assert_eq!(run(folder.path(), &["check", "again", "--print"]), printed);
    assert_eq!(run(folder.path(), &["routes", "--api", "again"]), run(folder.path(), &["routes"]));
}

#[test]
fn handlers_are_checked_with_the_flag_bound() {
    let folder = unfinished(&json!({}));
    assert_eq!(run(folder.path(), &["check"]).code, Some(0));
    let bound = run(folder.path(), &["check", "--bound"]);
    assert_eq!(bound.code, Some(1));
    assert_eq!(bound.out.matches("error[unbound-method]").count(), 2, "{}", bound.out);
    assert_eq!(run(folder.path(), &["check", "--bound", "--unbound", "501"]).code, Some(0));
    assert_eq!(run(folder.path(), &["check", "--bound", "--unbound", "echo"]).code, Some(0));
}

#[test]
fn a_missing_folder_is_reported() {
    let result = run(shop().path(), &["check", "nowhere"]);
    assert_eq!(result.code, Some(1));
    assert!(result.out.contains("error[missing-definition]") && result.out.contains("nowhere"), "{}", result.out);
}

#[test]
fn routes_are_listed_with_positions_ids_and_scopes() {
    let folder = shop();
    let all = run(folder.path(), &["routes"]);
    let expected = "GET   /article/{id?}  article.get\n\
                    POST  /article        article.post  writer and member, or admin\n";
    let rows: std::collections::BTreeSet<_> = all.out.lines().collect();
    assert_eq!((all.code, rows), (Some(0), expected.lines().collect()));
    let some = run(folder.path(), &["routes", "post"]);
    assert_eq!(some.out, "POST  /article  article.post  writer and member, or admin\n");
    assert_eq!(run(folder.path(), &["routes", "nothing"]).out, "");
    let invalid = run(invalid().path(), &["routes"]);
    assert_eq!((invalid.code, invalid.out.as_str()), (Some(1), ""));
    assert!(invalid.err.contains("error[unknown-type]"), "{}", invalid.err);
}
