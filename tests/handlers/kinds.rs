//! Tests handlers that the definition chooses: their kinds, which outputs they may have, and that clients do not see
//! their settings.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rulebook::error::ErrorCode;
use rulebook::handler_kind::{
    ArgumentSlots, CompiledHandler, HandledMethod, HandlerError, HandlerFuture, HandlerKind, JsonNode, ReadinessCheck,
    ReturnedValue, StartFuture,
};
use rulebook::{ApiError, Args, Context, Module, Rulebook};
use rulebook_model::describe::canonical_definition;
use serde_json::{Value as Json, json};

use super::over_http::serve;
use super::preferences::get;
use super::{block_on, build, call, files};
use support::golden;

/// Returns the files of a definition whose only method, `GET /note`, has this handler and these outputs.
pub(super) fn note(handler: &Json, outputs: &Json) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let errors = json!({ "no_note": { "status": 404, "info": "There is no such note" } });
    let method = json!({ "info": "A note", "out": outputs, "errors": errors, "handler": handler });
    files("notes", &json!({ "/": { "note": { "GET": method } } }))
}

pub(super) fn title_and_size() -> Json {
    json!({
        "title": { "info": "The title", "type": "string(1, 20)" },
        "size": { "info": "The number of characters", "type": "?uint" }
    })
}

fn report(rulebook: Rulebook) -> String {
    rulebook.build().err().map(|report| report.render(false)).unwrap_or_default()
}

/// A kind for tests: the outputs are the setting `echo`, whether or not they are valid.
struct Echo {
    starts: Arc<AtomicU32>,
    start_error: Option<HandlerError>,
}

struct EchoHandler(Json);

impl HandlerKind for Echo {
    fn name(&self) -> &str {
        "echo"
    }

    fn settings(&self) -> &[&str] {
        &["loud"]
    }

    fn compile(&self, method: &HandledMethod<'_>) -> Result<Arc<dyn CompiledHandler>, Vec<HandlerError>> {
        let shared = method.shared_settings("echo").and_then(|shared| shared.member("title"));
        let shared = shared.map(JsonNode::json);
        let outputs = method.setting("echo").json();
        Ok(Arc::new(EchoHandler(shared.map_or(outputs, |title| json!({ "title": title })))))
    }

    fn readiness_checks(&self) -> Vec<ReadinessCheck> {
        vec![ReadinessCheck::new("echo", || async { Ok(()) })]
    }

    fn start<'a>(&'a self, _: &'a Path) -> StartFuture<'a> {
        self.starts.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { self.start_error.clone().map_or(Ok(()), |error| Err(vec![error])) })
    }
}

impl CompiledHandler for EchoHandler {
    fn start(&self, _: ArgumentSlots<'_, '_>, _: Context) -> HandlerFuture {
        let outputs = self.0.clone();
        Box::pin(async { Ok(ReturnedValue::Outputs(Box::new(outputs))) })
    }
}

fn echo() -> Echo {
    Echo { starts: Arc::default(), start_error: None }
}

#[test]
fn a_value_is_returned_by_every_call() {
    let outputs = json!({ "title": "Milk", "size": 4 });
    let engine = build(note(&json!({ "value": outputs }), &title_and_size()), []);
    for _ in 0..2 {
        assert_eq!(call(&engine, "note.get", &json!({})).outputs().unwrap(), outputs);
    }
    let whole = json!({ "*": { "info": "The notes", "type": "array<string>" } });
    let engine = build(note(&json!({ "value": ["Milk", "Bread"] }), &whole), []);
    assert_eq!(call(&engine, "note.get", &json!({})).outputs().unwrap(), json!(["Milk", "Bread"]));
}

#[test]
fn errors_in_handlers_are_reported() {
    let title = || json!({ "title": { "info": "The title", "type": "string(1, 20)" } });
    let download = {
        let method = json!({ "info": "A file", "options": { "download": true }, "handler": { "value": {} } });
        files("notes", &json!({ "/": { "note": { "GET": method } } }))
    };
    let cases = [
        ("no object", note(&json!("Milk"), &title())),
        ("no kind", note(&json!({}), &title())),
        ("an unknown kind", note(&json!({ "valeu": { "title": "Milk" } }), &title())),
        ("two kinds", note(&json!({ "value": { "title": "Milk" }, "echo": {} }), &title())),
        ("an unknown setting", note(&json!({ "value": { "title": "Milk" }, "exampels": {} }), &title())),
        ("an unknown setting of a kind", note(&json!({ "echo": {}, "lout": true }), &title())),
        ("no outputs", note(&json!({ "value": "Milk" }), &title())),
        ("a missing output", note(&json!({ "value": {} }), &title())),
        ("an unknown output", note(&json!({ "value": { "title": "Milk", "size": 4 } }), &title())),
        ("an output of the wrong type", note(&json!({ "value": { "title": "" } }), &title())),
        (
            "a wrong example",
            note(&json!({ "value": { "title": "Milk" }, "examples": { "none": { "title": null } } }), &title()),
        ),
        ("examples that are not an object", note(&json!({ "value": { "title": "Milk" }, "examples": 5 }), &title())),
        ("a value for a file", download),
    ];
    let mut text = String::new();
    for (name, files) in cases {
        let report = report(Rulebook::read(files).handler_kind(echo()));
        assert!(!report.is_empty(), "{name} is not reported");
        text += &format!("# {name}\n{report}\n");
    }
    golden::compare(Path::new("tests/data/handlers/kinds.txt"), &text);
}

async fn empty_handler(_: Args<()>, _: Context) -> Result<(), ApiError> {
    Ok(())
}

#[test]
fn a_method_cannot_have_two_handlers() {
    let files = note(&json!({ "value": { "title": "Milk" } }), &title_and_size());
    let module = Module::new("notes").get("/note", empty_handler);
    let report = report(Rulebook::read(files).module(module));
    assert!(
        report.contains("error[bad-handler]: note.get has a handler here, and another one in the program"),
        "{report}"
    );
}

#[test]
fn the_default_handler_is_for_methods_without_another_one() {
    let method = |info: &str| json!({ "info": info, "out": { "title": { "info": "The title", "type": "?string" } } });
    let mut valued = method("Chosen");
    valued["handler"] = json!({ "value": { "title": "chosen" } });
    let app = json!({ "handlers": { "default": { "value": { "title": "default" } } }, "modules": { "notes": { "/": {
        "chosen": { "GET": valued }, "code": { "GET": method("Code") }, "none": { "GET": method("None") }
    } } } });
    let files = vec![("api/app.json".into(), app.to_string().into_bytes())];
    let engine = build(files, [Module::new("notes").get("/code", empty_handler)]);
    let title = |target: &str| call(&engine, target, &json!({})).outputs().unwrap()["title"].clone();
    assert_eq!(title("chosen.get"), json!("chosen"));
    assert_eq!(title("none.get"), json!("default"));
    assert_eq!(title("code.get"), Json::Null, "the program has a handler for this method");
}

#[test]
fn handlers_of_a_kind_share_settings() {
    let engine = |handlers: Json| {
        let mut all = note(&json!({ "echo": { "title": "Milk" } }), &title_and_size());
        all.push(("api/app.json".into(), json!({ "handlers": handlers }).to_string().into_bytes()));
        Rulebook::read(all).handler_kind(echo()).build()
    };
    let outputs = |handlers| block_on(engine(handlers).unwrap().call("note.get").send()).outputs().unwrap();
    assert_eq!(outputs(json!({})), json!({ "title": "Milk" }));
    assert_eq!(outputs(json!({ "echo": { "title": "Bread" } })), json!({ "title": "Bread" }));
    let report = engine(json!({ "ehco": {} })).err().unwrap().render(false);
    assert!(report.contains("`ehco` is not a kind of handler") && report.contains("api/app.json:1:15"), "{report}");
}

#[test]
fn errors_in_the_kind_of_the_default_handler_are_reported_once() {
    let method = json!({ "info": "Nothing" });
    let handled = json!({ "info": "Something", "handler": { "value": {} } });
    for (default, expected) in [
        (json!({ "valeu": {} }), "`valeu` is not a kind of handler"),
        (json!({ "value": {}, "exampels": {} }), "a handler of the kind `value` has no setting `exampels`"),
        (json!({ "value": {}, "echo": {} }), "a handler cannot be of both kinds `value` and `echo`"),
    ] {
        for (a, b) in [(&method, &method), (&handled, &handled), (&method, &handled)] {
            let mut all = files("notes", &json!({ "/": { "a": { "GET": a }, "b": { "GET": b } } }));
            let app = json!({ "handlers": { "default": default } });
            all.push(("api/app.json".into(), app.to_string().into_bytes()));
            let report = report(Rulebook::read(all).handler_kind(echo()));
            assert!(report.contains(expected) && report.contains("api/app.json:1:"), "{report}");
            assert_eq!(report.matches("error[").count(), 1, "{report}");
        }
    }
}

#[test]
fn outputs_of_a_kind_are_compared_with_the_definition() {
    for (outputs, is_valid) in [(json!({ "title": "Milk" }), true), (json!({ "title": 5 }), false), (json!(5), false)] {
        let rulebook = Rulebook::read(note(&json!({ "echo": outputs }), &title_and_size())).handler_kind(echo());
        let engine = rulebook.verify_outputs(false).build().unwrap();
        let result = block_on(engine.call("note.get").send()).outputs();
        assert_eq!(result.map_err(|error| error.code()), if is_valid { Ok(outputs) } else { Err(ErrorCode::Internal) });
    }
}

#[test]
fn outputs_that_the_definition_does_not_declare_are_omitted() {
    let outputs = json!({ "title": "Milk", "error": 7, "password": "x", "size": null });
    let engine = Rulebook::read(note(&json!({ "echo": outputs }), &title_and_size())).handler_kind(echo()).build();
    let (running, at) = serve(&engine.unwrap());
    let (status, _, body) = get(&format!("{at}/note"), &[]);
    let expected = r#"{"error":0,"ErrorDescription":"all right","title":"Milk","size":null}"#;
    assert_eq!((status, body.as_str()), (200, expected));
    running.stop().unwrap();

    let returned = |value: Json, out: Json| {
        let engine = Rulebook::read(note(&json!({ "echo": value }), &out)).handler_kind(echo()).build().unwrap();
        block_on(engine.call("note.get").send()).outputs().map_err(|error| error.code())
    };
    assert_eq!(returned(json!([1, 2]), json!({})), Ok(json!({})), "a method without outputs");
    let optional = json!({ "title": { "info": "The title", "type": "?string" } });
    assert_eq!(returned(Json::Null, optional.clone()), Ok(json!({})), "null is no outputs");
    assert_eq!(returned(json!([1, 2]), optional), Err(ErrorCode::Internal));
}

#[test]
fn a_kind_is_started_once_if_the_definition_uses_it() {
    let starts = |handler: Json, calls: u32| {
        let kind = echo();
        let starts = Arc::clone(&kind.starts);
        let engine = Rulebook::read(note(&handler, &title_and_size())).handler_kind(kind).build().unwrap();
        for _ in 0..calls {
            assert!(block_on(engine.call("note.get").send()).outputs().is_ok());
        }
        starts.load(Ordering::Relaxed)
    };
    assert_eq!(starts(json!({ "echo": { "title": "Milk" } }), 3), 1);
    assert_eq!(starts(json!({ "value": { "title": "Milk" } }), 3), 0);
}

#[test]
fn an_error_at_the_start_of_a_kind_is_shown_as_a_report() {
    let start_error = Some(HandlerError::new("there is no echo in this room").help("find another one"));
    let files = note(&json!({ "echo": { "title": "Milk" } }), &title_and_size());
    let engine = Rulebook::read(files).handler_kind(Echo { start_error, ..echo() }).build().unwrap();
    let error = engine.start().unwrap_err().to_string();
    assert!(error.contains("error[bad-handler]: there is no echo in this room"), "{error}");
    assert!(error.contains("find another one"), "{error}");
}

#[test]
fn clients_do_not_see_handlers() {
    let handler = json!({ "value": { "title": "Milk" }, "examples": { "hidden": { "title": "hidden query" } } });
    let mut all = note(&handler, &title_and_size());
    let shared = json!({ "handlers": { "value": { "hidden": "hidden address" } } });
    all.push(("api/app.json".into(), shared.to_string().into_bytes()));
    let engine = build(all, []);
    let printed = canonical_definition(engine.api());
    assert_eq!(printed["modules"]["notes"]["/"]["note"]["GET"]["handler"], handler);
    assert_eq!(printed["handlers"], shared["handlers"]);

    let (running, at) = serve(&engine);
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let paths = ["/", "/note", "/openapi.json", "/docs/", "/llms.txt", "/docs/note.get", "/readyz"];
    for (path, accept) in
        paths.iter().flat_map(|path| ["*/*", "text/markdown", "text/html"].map(|accept| (path, accept)))
    {
        let url = format!("{at}{path}");
        let requests =
            [agent.options(&url).header("Accept", accept).call(), agent.get(&url).header("Accept", accept).call()];
        for response in requests {
            let body = response.unwrap().body_mut().read_to_string().unwrap();
            assert!(!body.contains("hidden") && !body.contains("handler\""), "{path} {accept}: {body}");
        }
    }
    running.stop().unwrap();
}
