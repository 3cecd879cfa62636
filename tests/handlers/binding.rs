//! Methods without handlers, and handlers without methods.

use std::path::{Path, PathBuf};

use rulebook::error::ErrorCode;
use rulebook::{ApiError, Args, Context, Module, Rulebook, Unbound};
use serde_json::{Value as Json, json};

use super::{build, call, files};
use support::golden;

async fn ok(_: Args<()>, _: Context) -> Result<(), ApiError> {
    Ok(())
}

fn shop() -> Vec<(PathBuf, Vec<u8>)> {
    let method = |info: &str| json!({ "info": info });
    let article = json!({ "GET": method("All articles"), "POST": method("A new one"), "/": { "{id}": {
        "GET": { "info": "One article", "in": { "{id}": { "info": "Which", "type": "id" } } }
    } } });
    let mut all = files("shop", &json!({ "/": { "article": article } }));
    all.extend(files("user", &json!({ "/": { "user": { "GET": method("Everybody") } } })));
    all
}

/// Removes the lines and columns of positions in this file, which change with every edit.
pub fn without_lines(text: &str) -> String {
    let mut kept = String::new();
    let mut pieces = text.split(".rs:");
    kept += pieces.next().unwrap_or_default();
    for piece in pieces {
        kept += ".rs:…";
        kept += piece.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':');
    }
    kept
}

/// The report about these modules; empty if everything is bound.
fn report(modules: impl IntoIterator<Item = Module>, unbound: Unbound) -> String {
    let rulebook = modules.into_iter().fold(Rulebook::read(shop()), Rulebook::module);
    match rulebook.unbound(unbound).build() {
        Ok(_) => String::new(),
        Err(report) => without_lines(&report.render(false)),
    }
}

fn bound() -> Module {
    Module::new("shop").get("/article", ok).post("/article", ok).get("/article/{id}", ok)
}

fn user() -> Module {
    Module::new("user").get("/user", ok)
}

#[test]
fn handlers_of_all_methods_are_bound() {
    assert_eq!(report([bound(), user()], Unbound::Refuse), "");
    let other_name = Module::new("shop").get("/article", ok).post("/article", ok).get("/article/{article_id}", ok);
    assert_eq!(report([user(), other_name], Unbound::Refuse), "", "names of captures do not matter");
}

#[test]
fn disagreements_between_handlers_and_definition_are_reported() {
    let cases: Vec<(&str, Vec<Module>)> = vec![
        ("a method without handler", vec![Module::new("shop").get("/article", ok).post("/article", ok), user()]),
        ("a module without handlers", vec![bound()]),
        ("a path that is not defined", vec![bound().get("/artcle", ok), user()]),
        ("another HTTP method", vec![bound().delete("/article", ok), user()]),
        ("a slash at the end", vec![bound().get("/article/", ok), user()]),
        ("two slashes", vec![bound().get("//article", ok), user()]),
        ("no slash", vec![bound().get("article", ok), user()]),
        ("a position in the path", vec![bound().get("/article/{id}/{no}", ok), user()]),
        ("the root", vec![bound().get("/", ok), user()]),
        ("a method of another module", vec![bound().get("/user", ok), user()]),
        ("a module that is not defined", vec![bound(), user(), Module::new("shpo").get("/article", ok)]),
        ("a module twice", vec![bound(), user(), Module::new("user").post("/user", ok)]),
        ("a handler twice", vec![bound().get("/article", ok), user()]),
        ("a handler twice under two names", vec![bound().get("/article/{no}", ok), user()]),
    ];
    let mut text = String::new();
    for (name, modules) in cases {
        let report = report(modules, Unbound::Refuse);
        assert!(!report.is_empty(), "{name} is not reported");
        text += &format!("# {name}\n{report}\n");
    }
    golden::compare(Path::new("tests/data/handlers/binding.txt"), &text);
}

#[test]
fn diagnostics_have_the_position_of_a_handler_in_the_program() {
    let line = line!() + 1;
    let module = bound().put("/article", ok);
    let report = Rulebook::read(shop()).module(module).module(user()).build().unwrap_err();
    let place = format!("{}:{line}:", file!());
    assert!(report.render(false).contains(&place), "{}", report.render(false));
}

#[test]
fn unbound_methods_respond_with_501_if_the_program_says_so() {
    let rulebook = Rulebook::read(shop()).module(user()).unbound(Unbound::NotImplemented);
    let engine = rulebook.build().unwrap();
    assert!(call(&engine, "user.get", &json!({})).error().is_none());
    let refused = call(&engine, "article.get", &json!({}));
    assert_eq!(refused.error().unwrap().code(), ErrorCode::NotImplemented);
    assert_eq!(refused.error().unwrap().status().get(), 501);
    // Handlers are nevertheless compared with the definition.
    assert_ne!(report([Module::new("shop").get("/artcle", ok)], Unbound::NotImplemented), "");
}

#[test]
fn echo_binds_no_handler_and_returns_the_arguments() {
    let unfit = Module::new("nobody").get("/nowhere", ok);
    let rulebook = Rulebook::read(shop()).module(unfit).module(bound()).unbound(Unbound::Echo);
    let engine = rulebook.build().unwrap();
    let outputs = call(&engine, "article.{id}.get", &json!({ "id": 5 })).outputs().unwrap();
    assert_eq!(outputs, json!({ "args": { "id": 5 } }));
    let parameters = json!({ "a": { "info": "One", "type": "?int" }, "b": { "info": "Two", "type": "?int" } });
    let engine = Rulebook::read(super::files_with_parameters(&parameters)).unbound(Unbound::Echo).build().unwrap();
    let outputs = call(&engine, "it.post", &json!({ "b": null })).outputs().unwrap();
    assert_eq!(outputs, json!({ "args": { "a": null, "b": null } }));
}

#[test]
fn the_program_overrides_what_the_definition_says_about_unbound_methods() {
    let defined = |how: &str| {
        let mut files = shop();
        files.push((PathBuf::from("api/app.json"), json!({ "unbound": how }).to_string().into_bytes()));
        Rulebook::read(files)
    };
    assert!(defined("refuse").build().is_err());
    let response = |rulebook: Rulebook| -> Result<Json, ErrorCode> {
        let outcome = call(&rulebook.build().unwrap(), "article.get", &json!({})).outputs();
        outcome.map_err(|error| error.code())
    };
    assert_eq!(response(defined("501")), Err(ErrorCode::NotImplemented));
    assert_eq!(response(defined("echo")), Ok(json!({ "args": {} })));
    assert_eq!(response(defined("echo").unbound(Unbound::NotImplemented)), Err(ErrorCode::NotImplemented));
}

#[test]
fn errors_of_the_definition_are_reported_before_those_of_handlers() {
    let report = Rulebook::read(super::files_with_parameters(&json!({ "a": { "info": "One", "type": "itn" } })))
        .build()
        .unwrap_err();
    let codes: Vec<_> = report.diagnostics.iter().map(|diagnostic| diagnostic.code.to_string()).collect();
    assert_eq!(codes, ["unknown-type"], "the missing handler of POST /it is not reported");
}

#[test]
fn a_thousand_handlers_are_bound_quickly() {
    let mut uris = serde_json::Map::new();
    let mut module = Module::new("shop");
    for number in 0..3_000 {
        let method = json!({ "GET": { "info": "One of many" } });
        uris.insert(format!("s{number}"), method);
        module = module.get(&format!("/s{number}"), ok);
    }
    let started = std::time::Instant::now();
    build(files("shop", &json!({ "/": uris })), [module]);
    let taken = started.elapsed();
    assert!(taken.as_secs() < 30, "it took {taken:?}");
}
