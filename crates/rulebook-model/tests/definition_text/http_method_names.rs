//! Tests of files whose top level has keys with the names of HTTP methods, such as `Post`: they can be modules of the
//! dialect `methods`, classes of the dialect `rules`, or misspelled methods of a `tree`.

use super::{into_report, parse_one_file};

/// The names that the tests use as keys: HTTP methods in several cases.
const NAMES: [&str; 9] = ["GET", "get", "Get", "Post", "DELETE", "Delete", "options", "Options", "Head"];

/// Returns the dialect of the modules in a file, and the diagnostics of the file.
fn dialect_and_report(text: &str) -> (Option<&'static str>, String) {
    let loaded = parse_one_file("a.json", text);
    let dialect = loaded.definition.modules.first().map(|module| module.spec.name);
    (dialect, into_report(loaded).to_string())
}

#[test]
fn modules_and_classes_can_have_the_names_of_http_methods() {
    for name in NAMES {
        for (content, dialect) in [
            (r#"{ "GET::read": { "description": "Reads" } }"#, "methods"),
            (r#"{ "GET::get": {}, "POST::post": {} }"#, "methods"),
            (r#"{ "read": { "id": { "name": "id", "type": "int" } } }"#, "rules"),
            (r#"{ "@info": "Notes", "*": { "id": {} }, "get": { "id": {} } }"#, "rules"),
            (r#"{ "@info": "Notes", "$comment": "no methods yet" }"#, "rules"),
            (r#"{ "info": { "id": {} }, "read": [] }"#, "rules"),
            ("[]", "rules"),
        ] {
            let other = if dialect == "methods" { "{}" } else { "[]" };
            for text in
                [format!(r#"{{ "{name}": {content} }}"#), format!(r#"{{ "{name}": {content}, "user": {other} }}"#)]
            {
                assert_eq!(dialect_and_report(&text), (Some(dialect), String::new()), "{text}");
            }
        }
    }
}

#[test]
fn misspelled_http_methods_of_a_tree_are_reported_as_such() {
    for (name, suggestion) in [("get", "GET"), ("Post", "POST"), ("delete", "DELETE")] {
        for content in [
            r#"{ "info": "Reads" }"#,
            r#"{ "info": "Reads", "in": { "GET@id": { "info": "Which", "type": "int" } } }"#,
            r#"{ "in": { "GET@id": { "info": "Which", "type": "int" } } }"#,
            r#"{ "GET": { "info": "Reads" } }"#,
            "{}",
        ] {
            let (dialect, report) = dialect_and_report(&format!(r#"{{ "{name}": {content} }}"#));
            assert_eq!(dialect, Some("tree"), "{content}");
            let message = format!("unknown key `{name}` in a module");
            assert!(report.contains(&message) && report.contains(suggestion), "{content}: {report}");
        }
    }
}
