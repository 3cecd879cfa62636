//! Errors in the settings of handlers.

use rulebook::Rulebook;
use rulebook::model::Span;
use rulebook_process::ProcessKind;
use serde_json::{Value as Json, json};

/// Returns the errors of a definition, each with the text at its span.
fn errors(app: &Json, handler: &Json) -> Vec<(String, String)> {
    let method = json!({ "info": "A method", "handler": handler });
    let other = json!({ "info": "Another method" });
    let definition = json!({ "/": { "one": { "GET": method }, "two": { "GET": other } } });
    let files = [("app.json", app.to_string()), ("api.json", definition.to_string())];
    let read = files.iter().map(|(name, text)| (name.into(), text.clone().into_bytes())).collect();
    let Err(report) = Rulebook::read(read).handler_kind(ProcessKind::new()).build() else { return Vec::new() };
    let text = |span: Span| {
        let source = report.sources.get(span.file).unwrap();
        source.text[span.start as usize..span.end as usize].to_owned()
    };
    report.diagnostics.iter().map(|diagnostic| (diagnostic.message.clone(), text(diagnostic.span))).collect()
}

/// Checks the messages of the errors in the settings of a handler.
#[track_caller]
fn assert_errors(handler: &Json, expected: &[&str]) {
    let app = json!({ "handlers": { "default": { "process": ["true"] } } });
    let messages: Vec<_> = errors(&app, handler).into_iter().map(|(message, _)| message).collect();
    assert_eq!(messages, expected, "{handler}");
}

#[test]
fn commands_are_arrays_of_strings() {
    for (command, expected) in [
        (json!([]), "the command in `process` is empty"),
        (json!([""]), "the name of the program is empty"),
        (json!("python3 handlers.py"), "`process` must be an array of strings, but this is a string"),
        (json!(["python3", 5]), "each item of `process` must be a string, but this is the number 5"),
        (json!(["a\u{0}"]), "an argument of a program cannot contain U+0000"),
    ] {
        assert_errors(&json!({ "process": command }), &[expected]);
    }
}

#[test]
fn settings_have_ranges() {
    for (name, value, expected) in [
        ("workers", json!(0), "`workers` must be a whole number from 1 to 1024, but this is the number 0"),
        ("workers", json!("two"), "`workers` must be a whole number from 1 to 1024, but this is \"two\""),
        (
            "concurrency",
            json!(1_001),
            "`concurrency` must be a whole number from 1 to 1000, but this is the number 1001",
        ),
        ("queue", json!(-1), "`queue` must be a whole number from 0 to 1000000, but this is the number -1"),
        ("timeout", json!(0), "`timeout` must be a number of seconds from 0.001 to 86400, but this is the number 0"),
        ("timeout", json!("1s"), "`timeout` must be a number of seconds from 0.001 to 86400, but this is \"1s\""),
        (
            "start_timeout",
            json!(90_000),
            "`start_timeout` must be a number of seconds from 0.001 to 86400, but this is the number 90000",
        ),
        (
            "stop_timeout",
            json!(null),
            "`stop_timeout` must be a number of seconds from 0.001 to 86400, but this is null",
        ),
        ("once", json!("yes"), "`once` must be true or false, but this is \"yes\""),
        ("directory", json!(""), "`directory` must not be empty"),
        ("files", json!(5), "`files` must be a string, but this is the number 5"),
        ("environment", json!([]), "`environment` must be an object, but this is an array"),
        ("environment", json!({"A": 5}), "each member of `environment` must be a string, but this is the number 5"),
        ("environment", json!({"A=": "5"}), "`A=` is not a name of an environment variable"),
        ("threads", json!(5), "a handler of the kind `process` has no setting `threads`"),
    ] {
        assert_errors(&json!({ "process": ["true"], name: value }), &[expected]);
    }
    let message = "`max_message` must be a size in bytes from 1024 to 1000000000, such as `16KB`, but this is \"5B\"";
    assert_errors(&json!({ "process": ["true"], "max_message": "5B" }), &[message]);
    assert_errors(&json!({ "process": ["true"], "max_message": "8MB", "timeout": 0.5, "queue": 0 }), &[]);
}

#[test]
fn all_errors_of_a_handler_are_reported() {
    assert_errors(
        &json!({ "process": [], "workers": 0 }),
        &[
            "the command in `process` is empty",
            "`workers` must be a whole number from 1 to 1024, but this is the number 0",
        ],
    );
}

#[test]
fn errors_in_shared_settings_are_reported_once() {
    let app = json!({ "handlers": {
        "default": { "process": ["true"] },
        "process": { "workers": 0, "thread": 1 }
    } });
    let found = errors(&app, &json!({ "process": ["true"] }));
    let messages: Vec<_> = found.iter().map(|(message, _)| message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "`workers` must be a whole number from 1 to 1024, but this is the number 0",
            "`handlers.process` has no setting `thread`"
        ]
    );
    let texts: Vec<_> = found.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["0", "thread"], "the errors are at the settings");
}
