//! Tests of words that definitions for other frameworks contain: they are accepted, or the error names what to write
//! instead.

use serde_json::{Value as Json, json};

use super::compile_definition;
use rulebook_model::definition::read;
use rulebook_model::describe::canonical_definition;
use rulebook_model::diagnostic::{Diagnostic, Report};
use rulebook_model::model::{Api, Method, Parameter};

/// Compiles a definition that consists of these files.
fn compile(files: &[(&str, Json)]) -> (Api, Report) {
    compile_definition(read(files.iter().map(|(name, json)| (name.into(), json.to_string().into_bytes())).collect()))
}

/// Compiles one file that has no errors, and returns its first method.
fn valid_method(file: Json) -> Method {
    let (api, report) = compile(&[("api.json", file)]);
    assert!(report.is_empty(), "{report}");
    api.modules[0].services[0].methods[0].clone()
}

/// Returns the only error of a definition: its code and its help.
fn only_error(files: &[(&str, Json)]) -> (String, String) {
    let (_, report) = compile(files);
    let [Diagnostic { code, help, .. }] = &report.diagnostics[..] else { panic!("{report}") };
    (code.to_string(), help.clone().unwrap_or_default())
}

/// Returns a definition in the dialect `tree` with a parameter of this type.
fn tree_with_type(r#type: &str) -> Json {
    json!({ "GET": { "info": "A method", "in": { "GET@x": { "info": "A parameter", "type": r#type } } } })
}

#[test]
fn unknown_types_suggest_the_type_of_this_dialect_and_name_add_type() {
    for (r#type, help) in [
        ("number", "write `int` for integers, or `float` for all numbers"),
        ("?number", "write `int` for integers, or `float` for all numbers"),
        ("boolean", "write `bool`"),
        ("?boolean", "write `bool`"),
        ("array<boolean>", "write `bool`"),
        ("integer", "write `int`"),
        ("strin", "did you mean `string`? programs add custom types with `Rulebook::add_type`"),
        (
            "colour",
            "`rulebook explain unknown-type` lists the types; programs add custom types with `Rulebook::add_type`",
        ),
    ] {
        let (code, found) = only_error(&[("api.json", tree_with_type(r#type))]);
        assert_eq!((code.as_str(), found.as_str()), ("unknown-type", help), "{type}");
    }
}

#[test]
fn unknown_keys_of_other_frameworks_name_the_key_of_this_dialect() {
    let method = |key: &str, value: Json| json!({ "GET": { "info": "A method", key: value } });
    for (files, help) in [
        (vec![("app.json", json!({ "apiCommonRules": {} })), ("a.json", method("id", json!("a")))], "write `common`"),
        (
            vec![("app.json", json!({ "service_whitelist": ["Site.Index"] })), ("a.json", method("id", json!("a")))],
            "remove it",
        ),
        (vec![("a.json", method("permissions", json!(["a"])))], "write `scope`"),
        (vec![("a.json", method("parameters", json!({})))], "write `in`"),
        (vec![("a.json", method("output", json!({})))], "write `out`"),
        (
            vec![("a.json", method("in", json!({ "x": { "info": "X", "type": "int", "optional": true } })))],
            "write `\"type\": \"?int\"`",
        ),
        (
            vec![("a.json", json!({ "a": { "GET::b": { "description": "A method", "scope": [] } } }))],
            "write `permissions`",
        ),
    ] {
        let (code, found) = only_error(&files);
        assert_eq!(code, "unknown-key", "{help}");
        assert!(found.starts_with(help), "{found}");
    }
}

/// Returns the files of a definition with a word of OpenAPI or JSON Schema at a place.
fn definition_with_word(place: &str, word: &Json) -> Vec<(&'static str, Json)> {
    let with = |mut object: Json, more: &Json| {
        object.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        object
    };
    let method = |more: Json| json!({ "GET": with(json!({ "info": "A method" }), &more) });
    let info = || json!({ "info": "X" });
    let description = || json!({ "description": "X" });
    let methods = |more: Json| vec![("a.json", json!({ "a": { "GET::b": with(description(), &more) } }))];
    match place {
        "parameter" => vec![("a.json", method(json!({ "in": { "GET@x": with(info(), word) } })))],
        "parameter text" => vec![("a.json", method(json!({ "in": { "GET@x": word } })))],
        "output" => vec![("a.json", method(json!({ "out": { "x": with(info(), word) } })))],
        "output text" => vec![("a.json", method(json!({ "out": { "x": word } })))],
        "method" => vec![("a.json", method(word.clone()))],
        "module" => vec![("a.json", with(method(json!({})), word))],
        "settings" => vec![("app.json", word.clone()), ("a.json", method(json!({})))],
        "methods" => methods(word.clone()),
        "methods parameter" => methods(json!({ "parameters": { "x": with(description(), word) } })),
        "rules" => vec![("a.json", json!({ "User": { "index": { "x": word } } }))],
        _ => panic!("{place}"),
    }
}

#[test]
fn words_of_openapi_and_json_schema_name_what_to_write() {
    let rows: Vec<(String, Json, String)> = serde_json::from_str(include_str!("../data/foreign_words.json")).unwrap();
    for (place, word, help) in rows {
        let (_, report) = compile(&definition_with_word(&place, &word));
        let found: Vec<_> = report.diagnostics.iter().filter_map(|error| error.help.as_deref()).collect();
        assert!(found.iter().any(|found| found.starts_with(&help)), "{place} {word}: {help}\n{report}");
    }
}

/// Returns a definition for aicra with these outputs.
fn aicra_outputs(out: &Json) -> Json {
    json!({ "GET": { "info": "A method", "in": {}, "out": out } })
}

#[test]
fn outputs_of_aicra_may_have_a_default_and_a_unique_name() {
    let method = valid_method(aicra_outputs(&json!({
        "a": { "info": "A", "type": "?int", "default": 3, "name": "first" },
        "b": { "info": "B", "type": "?int", "default": null, "name": "a" }
    })));
    assert_eq!(method.outputs.len(), 2);
    let wrong = aicra_outputs(&json!({ "a": { "info": "A", "type": "?int", "default": "x" } }));
    assert_eq!(only_error(&[("api.json", wrong)]).0, "bad-default");
    let same = |second: &str| {
        aicra_outputs(&json!({
            "a": { "info": "A", "type": "int", "name": "value" },
            second: { "info": "B", "type": "int" },
            "c": { "info": "C", "type": "int", "name": "value" }
        }))
    };
    assert_eq!(only_error(&[("api.json", same("b"))]).0, "name-collision");
}

#[test]
fn an_output_named_error_is_ignored_in_definitions_for_api_3() {
    let output = json!({ "error": { "description": "The error", "type": "mixed" }, "x": { "description": "X", "type": "text" } });
    let method = valid_method(json!({ "a": { "GET::b": { "description": "A method", "output": output } } }));
    let names: Vec<_> = method.outputs.iter().map(|output| output.name.as_str()).collect();
    assert_eq!(names, ["x"]);
    // A method that returns a file may have the outputs that describe the file in api 3.0.
    let output = json!({
        "error": { "description": "The error", "type": "mixed" }, "body": { "description": "The file", "type": "mixed" }
    });
    let download = json!({ "description": "A file", "options": { "download": true }, "output": output });
    let method = valid_method(json!({ "a": { "GET::b": download } }));
    let names: Vec<_> = method.outputs.iter().map(|output| output.name.as_str()).collect();
    assert_eq!(names, ["body"]);
    // If the envelope has no member `error`, the output is kept.
    let output = json!({ "error": { "description": "The error", "type": "mixed" }, "x": { "description": "X", "type": "text" } });
    let method = json!({ "a": { "GET::b": { "description": "A method", "output": output } } });
    let (api, report) = compile(&[("app.json", json!({ "envelope": "plain" })), ("a.json", method)]);
    assert!(report.is_empty(), "{report}");
    assert_eq!(api.modules[0].services[0].methods[0].outputs.len(), 2);
    // In the dialect `tree`, the name is an error.
    let tree = aicra_outputs(&json!({ "error": { "info": "The error", "type": "any" } }));
    assert_eq!(only_error(&[("api.json", tree)]).0, "output-collision");
}

#[test]
fn the_default_null_means_no_default() {
    for rule in [
        json!({ "type": "int", "default": null }),
        json!({ "default": null }),
        json!({ "type": "date", "default": null, "require": false }),
    ] {
        let method = valid_method(json!({ "User": { "index": { "x": rule } } }));
        let Parameter { optional, default, .. } = &method.parameters[0];
        assert_eq!((*optional, default.as_ref()), (true, None), "{rule}");
    }
    let required = json!({ "User": { "index": { "x": { "type": "int", "default": null, "require": true } } } });
    assert!(!valid_method(required).parameters[0].optional);
    let parameter = json!({ "description": "X", "type": "id", "optional": true, "default": null });
    let method = json!({ "a": { "GET::b": { "description": "A method", "parameters": { "x": parameter } } } });
    assert_eq!(valid_method(method).parameters[0].default, None);
    let parameter = |r#type: &str| json!({ "GET@x": { "info": "X", "type": r#type, "default": null } });
    let method = |r#type: &str| json!({ "GET": { "info": "A method", "in": parameter(r#type) } });
    assert_eq!(valid_method(method("?int")).parameters[0].default, None);
    assert_eq!(valid_method(method("?any")).parameters[0].default, Some(Json::Null), "null is a value of this type");
    assert_eq!(only_error(&[("api.json", method("int"))]).0, "bad-default");
}

#[test]
fn numbers_are_words_of_an_enum_with_the_same_text() {
    let field = json!({ "range": [1, "b", 2.5], "default": 1, "example": 2.5 });
    let with = |more: Json| {
        let mut field = field.clone();
        field.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        field
    };
    let rules = json!({ "User": { "index": { "x": with(json!({ "type": "enum" })) } } });
    let x = with(json!({ "info": "X", "type": "?enum" }));
    let out = json!({ "x": with(json!({ "info": "X", "type": "enum" })) });
    let tree = json!({ "GET": { "info": "A method", "in": { "GET@x": x }, "out": out } });
    for definition in [rules, tree] {
        let method = valid_method(definition);
        let Parameter { default, example, .. } = &method.parameters[0];
        assert_eq!((default, example), (&Some(json!("1")), &Some(json!("2.5"))));
        assert!(method.outputs.iter().all(|output| output.example == Some(json!("2.5"))));
    }
    let mut schema = with(json!({ "info": "A size", "type": "enum" }));
    schema.as_object_mut().unwrap().remove("default");
    let schemas = json!({ "Size": schema, "Other": { "info": "A size", "type": "Size" } });
    let x = json!({ "info": "X", "type": "?Other", "default": 1, "example": 2.5 });
    let method = json!({ "info": "A method", "in": { "GET@x": x } });
    let (api, report) = compile(&[("api.json", json!({ "schemas": schemas, "GET": method }))]);
    assert!(report.is_empty(), "{report}");
    let Parameter { default, example, .. } = &api.modules[0].services[0].methods[0].parameters[0];
    assert_eq!((default, example), (&Some(json!("1")), &Some(json!("2.5"))));
    assert!(api.modules[0].schemas.iter().any(|schema| schema.example == Some(json!("2.5"))));
    for default in [json!(3), json!(1.0), json!(true)] {
        let rule = with(json!({ "type": "enum", "default": default }));
        let class = json!({ "User": { "index": { "x": rule } } });
        assert_eq!(only_error(&[("api.json", class)]).0, "bad-default", "{default}");
    }
}

#[test]
fn the_results_of_a_method_may_be_annotations_of_phalapi() {
    let class = |result: Json| json!({ "User": { "index": { "@return": result } } });
    let lines = json!([
        "int code The code,  0 for success",
        "@return object info The user",
        " string\tinfo.name ",
        "enum info.sex The sex",
        "date list[].born",
    ]);
    let fields = json!({
        "code": { "type": "int", "desc": "The code,  0 for success" },
        "info": { "type": "object", "desc": "The user" },
        "info.name": { "type": "string" },
        "info.sex": { "type": "string", "desc": "The sex" },
        "list[].born": { "type": "date" }
    });
    let print = |result: Json| {
        let (api, report) = compile(&[("api.json", class(result))]);
        assert!(report.is_empty(), "{report}");
        canonical_definition(&api)
    };
    assert_eq!(print(lines), print(fields));
    let enumeration = |range: Option<Json>| {
        let mut field = json!({ "type": "enum", "desc": "The sex" });
        field.as_object_mut().unwrap().extend(range.map(|range| ("range".to_owned(), range)));
        valid_method(class(json!({ "sex": field }))).outputs[0].r#type.written.term.clone()
    };
    assert_eq!(enumeration(None), "string", "an `enum` without values is any text");
    assert_eq!(enumeration(Some(json!(["f", "m"]))), "enum(f|m)");
    for wrong in [json!(["string"]), json!([""]), json!(["@return title"])] {
        let (code, help) = only_error(&[("api.json", class(wrong))]);
        assert_eq!(code, "wrong-kind");
        assert!(help.contains("string list[].name The name"), "{help}");
    }
}

#[test]
fn a_parameter_without_name_is_named_by_its_key_without_the_prefix() {
    let names = |keys: &[&str]| -> Vec<String> {
        let parameters: serde_json::Map<_, _> =
            keys.iter().map(|key| ((*key).to_owned(), json!({ "info": "X", "type": "?string" }))).collect();
        let method = valid_method(json!({ "POST": { "info": "A method", "in": parameters } }));
        method.parameters.into_iter().map(|parameter| parameter.name).collect()
    };
    let keys = ["GET@page", "HEADER@X-Token", "COOKIE@Session", "ANY@any", "body", "URL#0"];
    assert_eq!(names(&keys), ["page", "X-Token", "Session", "any", "body", "URL#0"]);
    let colliding = |one: &str, two: &str| {
        let parameter = || json!({ "info": "X", "type": "string" });
        json!({ "POST": { "info": "A method", "in": { one: parameter(), two: parameter() } } })
    };
    for (one, two) in [("GET@x", "x"), ("GET@x", "HEADER@x"), ("COOKIE@x", "x")] {
        let (code, help) = only_error(&[("api.json", colliding(one, two))]);
        assert_eq!((code.as_str(), help.as_str()), ("name-collision", "rename one of them with `name`"), "{one} {two}");
    }
}

#[test]
fn missing_settings_for_clients_of_phalapi_are_warnings() {
    let class = json!({ "User": { "login": {} } });
    let tree = json!({ "GET": { "info": "A method" } });
    let warnings = |app: Json, module: &Json| {
        let files = [("app.json", app), ("user.json", module.clone())];
        let files = files.map(|(name, json)| (std::path::PathBuf::from(name), json.to_string().into_bytes()));
        let loaded = read(files.into());
        let checked = rulebook_model::compile::check_definition(loaded, Default::default()).expect("no errors");
        let messages: Vec<_> = checked.warnings.iter().map(|warning| warning.message.clone()).collect();
        assert!(
            checked.warnings.iter().all(|warning| warning.is_warning && warning.code.to_string() == "missing-setting")
        );
        messages
    };
    let service = "clients cannot name the services of `User`, as they do in PhalApi";
    let envelope = "errors for paths that do not exist have the envelope `aicra`, not `phalapi`";
    assert_eq!(warnings(json!({}), &class), [service, envelope]);
    assert_eq!(warnings(json!({ "service": { "on": false } }), &class), [envelope]);
    assert_eq!(warnings(json!({ "envelope": "phalapi" }), &class), [service]);
    assert_eq!(warnings(json!({ "envelope": "plain", "service": { "on": true } }), &class), [""; 0]);
    assert_eq!(warnings(json!({}), &tree), [""; 0]);
}
