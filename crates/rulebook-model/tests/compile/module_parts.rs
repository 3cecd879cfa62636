//! Tests of API modules whose services are defined in several files.

use std::path::PathBuf;

use rulebook_model::definition::{LoadedDefinition, read};
use rulebook_model::model::{EnvelopeName, Repeated};
use serde_json::{Value as Json, json};

use super::{compile_definition, compile_valid_definition, diagnostic_codes};

fn load_files(files: &[(&str, Json)]) -> LoadedDefinition {
    read(files.iter().map(|(name, json)| (PathBuf::from(name), json.to_string().into_bytes())).collect())
}

fn service_with_output(path: &str, http: &str, out: &str) -> Json {
    let out = json!({ (out): { "info": "Something", "type": "string" } });
    json!({ (path): { (http): { "info": "Something", "out": out } } })
}

#[test]
fn a_setting_in_one_file_applies_to_the_whole_module() {
    let api = compile_valid_definition(load_files(&[
        ("a.json", json!({ "info": "Articles", "/": service_with_output("a", "GET", "x") })),
        // Another file sets the envelope (the format of responses) `plain`, which allows any name of an output.
        ("b.json", json!({ "module": "a", "ignore_case": true, "/": service_with_output("b", "GET", "error") })),
        ("c.json", json!({ "module": "c" })),
        (
            "d.json",
            json!({ "module": "a", "envelope": "plain", "info": "Articles", "/": service_with_output("B", "POST", "x") }),
        ),
        (
            "app.json",
            json!({ "modules": { "a": { "repeated": "last", "ignore_case": true, "GET": { "info": "i" } } } }),
        ),
    ]));
    let names: Vec<&str> = api.modules.iter().map(|module| module.name.as_str()).collect();
    assert_eq!(names, ["a", "c"]);
    let module = &api.modules[0];
    assert_eq!(module.info.as_deref(), Some("Articles"));
    assert_eq!((module.envelope.clone(), module.repeated), (Some(EnvelopeName::Plain), Repeated::Last));
    assert!(module.ignore_case);
    let uris: Vec<String> = module.services.iter().map(rulebook_model::model::Service::uri).collect();
    assert_eq!(uris, ["/", "/a", "/b"], "if case is ignored, one URI in two files is one service");
    assert_eq!(module.services[2].methods.len(), 2);
}

#[test]
fn different_settings_for_one_module_in_two_files_are_an_error() {
    let cases = [
        ("info", json!("One"), json!("Another")),
        ("envelope", json!("aicra"), json!("plain")),
        ("ignore_case", json!(true), json!(false)),
        ("repeated", json!("last"), json!("refuse")),
    ];
    for (key, one, other) in cases {
        let part = |value: Option<&Json>, path: &str| {
            let mut part = json!({ "module": "m", "/": service_with_output(path, "GET", "x") });
            part.as_object_mut().unwrap().extend(value.map(|value| (key.to_owned(), value.clone())));
            part
        };
        let parts = [part(None, "a"), part(Some(&one), "b"), part(Some(&one), "c"), part(Some(&other), "d")];
        let [a, b, c, d] = parts.map(|part| part.to_string().into_bytes());
        let named = |name: &str, text| (PathBuf::from(name), text);
        let (_, report) = compile_definition(read(vec![
            named("a.json", a),
            named("b.json", b),
            named("c.json", c),
            named("d.json", d),
        ]));
        assert_eq!(diagnostic_codes(&report), ["name-collision"], "{key}: {report}");
        let text = report.render(false);
        assert!(text.contains("d.json:1") && text.contains("b.json:1") && text.contains(key), "{text}");
        assert!(!text.contains("c.json"), "{text}");
    }
}

#[test]
fn a_method_in_two_files_is_reported_with_both_positions() {
    let (_, report) = compile_definition(load_files(&[
        ("a.json", json!({ "/": service_with_output("x/{one}", "PUT", "x") })),
        ("b.json", json!({ "module": "a", "/": service_with_output("x/{two}", "PUT", "x") })),
    ]));
    let codes = diagnostic_codes(&report);
    assert!(codes.contains(&"uri-collision".to_owned()), "{report}");
    let text = report.render(false);
    assert!(text.contains("a.json:1") && text.contains("b.json:1"), "{text}");
}
