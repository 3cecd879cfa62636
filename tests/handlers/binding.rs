//! Tests how handlers are bound to the methods of a definition: methods without handlers, and handlers without methods,
//! are errors.

use std::path::{Path, PathBuf};

use rulebook::error::ErrorCode;
use rulebook::{ApiError, Args, Context, Module, Rulebook, Unbound};
use serde_json::{Value as Json, json};

use super::{build, call, files};
use support::golden;

async fn empty_handler(_: Args<()>, _: Context) -> Result<(), ApiError> {
    Ok(())
}

fn shop_definition() -> Vec<(PathBuf, Vec<u8>)> {
    let method = |info: &str| json!({ "info": info });
    let article = json!({ "GET": method("All articles"), "POST": method("A new one"), "/": { "{id}": {
        "GET": { "info": "One article", "in": { "{id}": { "info": "Which", "type": "id" } } }
    } } });
    let mut all = files("shop", &json!({ "/": { "article": article } }));
    all.extend(files("user", &json!({ "/": { "user": { "GET": method("Everybody") } } })));
    all
}

/// Removes the line and column numbers of Rust source files from a report, because these numbers change with every
/// edit.
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

/// Binds these modules to the definition, and returns the report of the errors; an empty text if there are no errors.
fn binding_report(modules: impl IntoIterator<Item = Module>, unbound: Unbound) -> String {
    let rulebook = modules.into_iter().fold(Rulebook::read(shop_definition()), Rulebook::module);
    match rulebook.unbound(unbound).build() {
        Ok(_) => String::new(),
        Err(report) => without_lines(&report.render(false)),
    }
}

fn shop_module() -> Module {
    Module::new("shop")
        .get("/article", empty_handler)
        .post("/article", empty_handler)
        .get("/article/{id}", empty_handler)
}

fn user_module() -> Module {
    Module::new("user").get("/user", empty_handler)
}

#[test]
fn handlers_of_all_methods_are_bound() {
    assert_eq!(binding_report([shop_module(), user_module()], Unbound::Refuse), "");
    let other_name = Module::new("shop")
        .get("/article", empty_handler)
        .post("/article", empty_handler)
        .get("/article/{article_id}", empty_handler);
    assert_eq!(binding_report([user_module(), other_name], Unbound::Refuse), "", "names of captures do not matter");
}

#[test]
fn disagreements_between_handlers_and_definition_are_reported() {
    let cases: Vec<(&str, Vec<Module>)> = vec![
        (
            "a method without handler",
            vec![Module::new("shop").get("/article", empty_handler).post("/article", empty_handler), user_module()],
        ),
        ("a module without handlers", vec![shop_module()]),
        ("a path that is not defined", vec![shop_module().get("/artcle", empty_handler), user_module()]),
        ("another HTTP method", vec![shop_module().delete("/article", empty_handler), user_module()]),
        ("a slash at the end", vec![shop_module().get("/article/", empty_handler), user_module()]),
        ("two slashes", vec![shop_module().get("//article", empty_handler), user_module()]),
        ("no slash", vec![shop_module().get("article", empty_handler), user_module()]),
        ("a position in the path", vec![shop_module().get("/article/{id}/{no}", empty_handler), user_module()]),
        ("the root", vec![shop_module().get("/", empty_handler), user_module()]),
        ("a method of another module", vec![shop_module().get("/user", empty_handler), user_module()]),
        (
            "a module that is not defined",
            vec![shop_module(), user_module(), Module::new("shpo").get("/article", empty_handler)],
        ),
        ("a module twice", vec![shop_module(), user_module(), Module::new("user").post("/user", empty_handler)]),
        ("a handler twice", vec![shop_module().get("/article", empty_handler), user_module()]),
        ("a handler twice under two names", vec![shop_module().get("/article/{no}", empty_handler), user_module()]),
    ];
    let mut text = String::new();
    for (name, modules) in cases {
        let report = binding_report(modules, Unbound::Refuse);
        assert!(!report.is_empty(), "{name} is not reported");
        text += &format!("# {name}\n{report}\n");
    }
    golden::compare(Path::new("tests/data/handlers/binding.txt"), &text);
}

#[test]
fn diagnostics_contain_the_source_line_of_the_handler() {
    let line = line!() + 1;
    let module = shop_module().put("/article", empty_handler);
    let report = Rulebook::read(shop_definition()).module(module).module(user_module()).build().unwrap_err();
    let place = format!("{}:{line}:", file!());
    assert!(report.render(false).contains(&place), "{}", report.render(false));
}

#[test]
fn unbound_methods_respond_with_501_if_the_program_chooses_not_implemented() {
    let rulebook = Rulebook::read(shop_definition()).module(user_module()).unbound(Unbound::NotImplemented);
    let engine = rulebook.build().unwrap();
    assert!(call(&engine, "user.get", &json!({})).error().is_none());
    let refused = call(&engine, "article.get", &json!({}));
    assert_eq!(refused.error().unwrap().code(), ErrorCode::NotImplemented);
    assert_eq!(refused.error().unwrap().status().get(), 501);
    // Even if unbound methods are permitted, a handler whose path is not in the definition is an error.
    assert_ne!(binding_report([Module::new("shop").get("/artcle", empty_handler)], Unbound::NotImplemented), "");
}

#[test]
fn with_echo_methods_return_their_arguments_and_no_handler_is_bound() {
    let unbound_module = Module::new("undefined").get("/nowhere", empty_handler);
    let rulebook =
        Rulebook::read(shop_definition()).module(unbound_module).module(shop_module()).unbound(Unbound::Echo);
    let engine = rulebook.build().unwrap();
    let outputs = call(&engine, "article.{id}.get", &json!({ "id": 5 })).outputs().unwrap();
    assert_eq!(outputs, json!({ "args": { "id": 5 } }));
    let parameters = json!({ "a": { "info": "One", "type": "?int" }, "b": { "info": "Two", "type": "?int" } });
    let engine = Rulebook::read(super::files_with_parameters(&parameters)).unbound(Unbound::Echo).build().unwrap();
    let outputs = call(&engine, "it.post", &json!({ "b": null })).outputs().unwrap();
    assert_eq!(outputs, json!({ "args": { "a": null, "b": null } }));
}

#[test]
fn the_program_overrides_the_setting_unbound_of_the_definition() {
    let defined = |how: &str| {
        let mut files = shop_definition();
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
fn errors_of_handlers_are_not_reported_if_the_definition_has_errors() {
    let report = Rulebook::read(super::files_with_parameters(&json!({ "a": { "info": "One", "type": "itn" } })))
        .build()
        .unwrap_err();
    let codes: Vec<_> = report.diagnostics.iter().map(|diagnostic| diagnostic.code.to_string()).collect();
    assert_eq!(codes, ["unknown-type"], "the missing handler of POST /it is not reported");
}

#[test]
fn three_thousand_handlers_are_bound_within_thirty_seconds() {
    let mut uris = serde_json::Map::new();
    let mut module = Module::new("shop");
    for number in 0..3_000 {
        let method = json!({ "GET": { "info": "One of many" } });
        uris.insert(format!("s{number}"), method);
        module = module.get(&format!("/s{number}"), empty_handler);
    }
    let started = std::time::Instant::now();
    build(files("shop", &json!({ "/": uris })), [module]);
    let taken = started.elapsed();
    assert!(taken.as_secs() < 30, "it took {taken:?}");
}
