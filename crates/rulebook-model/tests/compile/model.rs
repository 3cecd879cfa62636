//! Tests of the model to which definitions are compiled.

use std::path::PathBuf;

use rulebook_model::definition::{load, read};
use rulebook_model::model::{Api, Location, Method, Parameter, Unbound, UnknownParameters};
use serde_json::{Value as Json, json};

use super::{compile_definition, compile_valid_definition, diagnostic_codes, load_one_file};

fn api_with_every_feature() -> Api {
    compile_valid_definition(load("tests/definitions/good/everything".as_ref()))
}

fn method_by_id<'a>(api: &'a Api, id: &str) -> &'a Method {
    let mut methods = api.modules.iter().flat_map(|module| &module.services).flat_map(|service| &service.methods);
    methods.find(|method| method.id == id).unwrap_or_else(|| panic!("no method {id}"))
}

/// Returns the first method of a definition that consists of one file with the text `text`.
fn compile_single_method(text: &str) -> Method {
    let api = compile_valid_definition(load_one_file(text));
    api.modules[0].services[0].methods[0].clone()
}

fn get_method_with_input(input: &Json) -> String {
    json!({ "GET": { "info": "i", "in": input } }).to_string()
}

fn compile_parameter(key: &str, rest: Json) -> Parameter {
    let mut parameter = json!({ "info": "i", "type": "string" });
    if let (Json::Object(parameter), Json::Object(rest)) = (&mut parameter, rest) {
        parameter.extend(rest);
    }
    let text = json!({ "/": { "a/{x}": { "POST": {
        "info": "i", "in": { "{x}": { "info": "i", "type": "int" }, (key): parameter }
    } } } });
    compile_single_method(&text.to_string()).parameters.pop().expect("a parameter")
}

#[test]
fn modules_are_sorted_by_name_and_services_are_in_the_order_of_the_text() {
    let api = api_with_every_feature();
    let modules: Vec<_> = api.modules.iter().map(|module| module.name.as_str()).collect();
    assert_eq!(modules, ["articles", "flat"]);
    let uris: Vec<_> = api.modules[0].services.iter().map(rulebook_model::model::Service::uri).collect();
    assert_eq!(uris, ["/", "/article", "/article/{id}", "/article/line"]);
}

#[test]
fn default_ids_of_methods_consist_of_path_and_http_method() {
    let api = api_with_every_feature();
    let ids: Vec<_> = api
        .modules
        .iter()
        .flat_map(|module| &module.services)
        .flat_map(|service| service.methods.iter().map(|method| method.id.as_str()))
        .collect();
    let expected = [
        "get",
        "articles",
        "article.post",
        "article.{id}.put",
        "article.line.get",
        "flat.{id}.get",
        "flat.{id}.delete",
        "flat.x-remark.$1.a%2Eb.patch",
    ];
    assert_eq!(ids, expected);
}

#[test]
fn settings_of_the_api_are_read_or_have_their_defaults() {
    let api = api_with_every_feature();
    assert_eq!((api.base.as_str(), api.timezone.as_str()), ("/api/v2", "Europe/Paris"));
    assert_eq!((api.unknown, api.unbound), (UnknownParameters::Warn, Unbound::Echo));
    assert_eq!((api.limits.head, api.limits.seconds, api.workers), (1000, 9, Some(2)));
    let bare = compile_valid_definition(load_one_file("{}"));
    assert_eq!((bare.base.as_str(), bare.timezone.as_str()), ("/", "UTC"));
    assert_eq!((bare.unknown, bare.unbound), (UnknownParameters::Ignore, Unbound::Refuse));
    assert_eq!(bare.limits, rulebook_model::model::Limits::default());
}

#[test]
fn the_key_of_a_parameter_determines_its_location() {
    let cases = [
        ("{x}", Location::Path, "x", "x"),
        ("URL#0", Location::Position(0), "", "URL#0"),
        ("GET@a", Location::Query, "a", "a"),
        ("HEADER@X-A", Location::Header, "x-a", "X-A"),
        ("COOKIE@A", Location::Cookie, "A", "A"),
        ("ANY@a", Location::Any, "a", "a"),
        ("ANY@GET@a", Location::Any, "GET@a", "GET@a"),
        ("a", Location::Body, "a", "a"),
        ("POST@a", Location::Body, "POST@a", "POST@a"),
        ("get@a", Location::Body, "get@a", "get@a"),
        ("_a-#", Location::Body, "_a-#", "_a-#"),
    ];
    for (key, location, request_name, name) in cases {
        let parameter = match key {
            "{x}" => compile_single_method(
                r#"{ "/": { "{x}": { "PUT": { "info": "i", "in": { "{x}": { "info": "i", "type": "id" } } } } } }"#,
            )
            .parameters
            .remove(0),
            key => compile_parameter(key, json!({})),
        };
        let actual = (parameter.from, parameter.key.as_str(), parameter.name.as_str());
        assert_eq!(actual, (location, request_name, name), "{key}");
    }
}

#[test]
fn parameters_without_a_prefix_are_read_from_the_body_or_from_the_query_if_the_method_has_no_body() {
    for (http, from) in [
        ("GET", Location::Any),
        ("DELETE", Location::Any),
        ("POST", Location::Body),
        ("PUT", Location::Body),
        ("PATCH", Location::Body),
    ] {
        let text = json!({ (http): { "info": "i", "in": { "a": { "info": "i", "type": "int" } } } });
        let parameter = compile_single_method(&text.to_string()).parameters.remove(0);
        assert_eq!((parameter.from, parameter.name.as_str()), (from, "a"), "{http}");
    }
}

#[test]
fn a_question_mark_or_a_default_makes_a_parameter_optional() {
    assert!(!compile_parameter("a", json!({})).optional);
    assert!(compile_parameter("a", json!({ "type": "?int" })).optional);
    let parameter = compile_parameter("a", json!({ "type": "int", "default": "7" }));
    assert!(parameter.optional);
    assert_eq!(parameter.default, Some(json!("7")), "as written");
}

#[test]
fn common_parameters_come_last_and_are_replaced_by_parameters_of_the_same_name() {
    let api = api_with_every_feature();
    let names = |id: &str| {
        let parameters = method_by_id(&api, id).parameters.iter();
        parameters.map(|parameter| (parameter.name.clone(), parameter.from)).collect::<Vec<_>>()
    };
    let entry = |name: &str, from| (name.to_owned(), from);
    assert_eq!(names("get"), [entry("trace", Location::Header), entry("lang", Location::Any)]);
    let post = names("article.post");
    assert_eq!(post[3], entry("lang", Location::Body));
    assert_eq!(post[5..], [entry("trace", Location::Header)]);
    assert!(
        !method_by_id(&api, "article.post").parameters[3].optional,
        "the parameter of the method replaces the whole common one"
    );
}

#[test]
fn a_scope_of_one_empty_group_is_public() {
    for scope in ["[]", "[[]]"] {
        let method = compile_single_method(&format!(r#"{{ "GET": {{ "info": "i", "scope": {scope} }} }}"#));
        assert!(method.scope.is_public(), "{scope}");
    }
}

#[test]
fn a_method_without_a_scope_has_the_nearest_default() {
    let file = |name: &str, text: &str| (format!("api/{name}.json").into(), text.as_bytes().to_vec());
    let loaded = rulebook_model::definition::read(vec![
        file("app", r#"{ "require_scope": true, "scope": [["api"]] }"#),
        file("a", r#"{ "/": { "a": { "GET": { "info": "i" }, "POST": { "info": "i", "scope": [] } } } }"#),
        file("b", r#"{ "scope": [["b", "c"]], "/": { "b": { "PUT": { "info": "i", "scope": [["d"]] } } } }"#),
        // Another file of the module.
        file("b2", r#"{ "module": "b", "/": { "b": { "PATCH": { "info": "i" } } } }"#),
        file(
            "c",
            r#"{ "c": { "permissions": ["one", "two"], "DELETE::c": {} }, "d": { "permissions": [], "POST::d": {} } }"#,
        ),
        file("E", r#"{ "E": { "@scope": [["rules"]], "own": { "@scope": [] }, "none": {} }, "F": { "f": {} } }"#),
        file("g", r#"[{ "method": "DELETE", "path": "/g", "info": "i" }]"#),
    ]);
    let api = compile_valid_definition(loaded);
    let printed = rulebook_model::describe::canonical_definition(&api);
    let again = compile_valid_definition(load_one_file(&printed.to_string()));
    for api in [&api, &again] {
        let scopes = |id: &str| {
            let scope = &method_by_id(api, id).scope;
            scope.groups.iter().map(|group| group.iter().map(|it| it.text.as_str()).collect()).collect::<Vec<Vec<_>>>()
        };
        let expected = [
            ("a.get", vec![vec!["api"]]),
            ("a.post", vec![]),
            ("b.put", vec![vec!["d"]]),
            ("b.patch", vec![vec!["b", "c"]]),
            ("c.c.delete", vec![vec!["one"], vec!["two"]]),
            ("d.d.post", vec![]),
            ("e.own.post", vec![]),
            ("e.none.get", vec![vec!["rules"]]),
            ("f.f.get", vec![vec!["api"]]),
            ("g.delete", vec![vec!["api"]]),
        ];
        for (id, expected) in expected {
            assert_eq!(scopes(id), expected, "{id}");
        }
    }
    assert_eq!(rulebook_model::describe::canonical_definition(&again), printed);
}

#[test]
fn definition_keys_with_the_same_path_are_merged_into_one_service() {
    let text = r#"{ "/": { "a": { "/": { "b": { "POST": { "info": "i" } } } }, "a/b": { "GET": { "info": "i" } } } }"#;
    let api = compile_valid_definition(load_one_file(text));
    let services = &api.modules[0].services;
    assert_eq!(services.len(), 1);
    let methods: Vec<_> = services[0].methods.iter().map(|method| method.http.as_str()).collect();
    assert_eq!(methods, ["GET", "POST"]);
}

#[test]
fn captures_of_equal_paths_may_have_different_names() {
    let text = r#"{ "/": {
        "a/{x}/b/{y}": { "GET": { "info": "i", "in": { "{x}": { "info": "i", "type": "int" }, "{y}": { "info": "i", "type": "id" } } } },
        "a/{y}/b/{x}": { "PUT": { "info": "i", "scope": [["of[y]"]], "in": { "{x}": { "info": "i", "type": "id" }, "{y}": { "info": "i", "type": "int" } } } }
    } }"#;
    let api = compile_valid_definition(load_one_file(text));
    let services = &api.modules[0].services;
    assert_eq!(services.len(), 1, "it is one service");
    assert_eq!(services[0].uri(), "/a/{x}/b/{y}");
    let put = &services[0].methods[1];
    assert_eq!(put.id, "a.{y}.b.{x}.put", "as written");
    let names: Vec<_> = put.parameters.iter().map(|it| (it.key.as_str(), it.name.as_str())).collect();
    assert_eq!(
        names,
        [("y", "x"), ("x", "y")],
        "captures have the names of the first path, parameters keep their names in code"
    );
}

#[test]
fn paths_that_differ_only_in_case_are_one_service_in_case_insensitive_modules() {
    let text =
        r#"{ "ignore_case": true, "/": { "Ab": { "GET": { "info": "i" } }, "aB": { "PUT": { "info": "i" } } } }"#;
    let api = compile_valid_definition(load_one_file(text));
    let uris: Vec<_> = api.modules[0].services.iter().map(rulebook_model::model::Service::uri).collect();
    assert_eq!(uris, ["/Ab"]);
}

#[test]
fn a_definition_can_switch_off_the_built_in_types() {
    let files = |default: bool| {
        let app = json!({ "types": { "default": default } }).to_string();
        let article = get_method_with_input(&json!({ "a": { "info": "i", "type": "int" } }));
        let file = |name: &str, text: String| (PathBuf::from("api").join(name), text.into_bytes());
        read(vec![file("app.json", app), file("article.json", article)])
    };
    assert_eq!(diagnostic_codes(&compile_definition(files(false)).1), ["unknown-type"]);
    assert!(compile_definition(files(true)).1.is_empty());
}

#[test]
fn unusual_but_valid_definitions_have_no_errors() {
    let cases = [
        get_method_with_input(&json!({ "URL#0": { "info": "i", "type": "?int" }, "URL#1": { "info": "i", "type": "int" } })),
        get_method_with_input(&json!({ "GET@a": { "info": "i", "type": "int" }, "a": { "info": "i", "type": "int", "name": "b" } })),
        r#"{ "/": { "a/b": { "GET": { "info": "i" } }, "a/{c}": { "GET": { "info": "i", "in": { "{c}": { "info": "i", "type": "int" } } } } } }"#
            .to_owned(),
        r#"{ "/": { "docs-of-ours": { "GET": { "info": "i" } }, "openapi.json": { "/": { "x": { "GET": { "info": "i" } } } } } }"#
            .to_owned(),
        r#"{ "/": { "a": {}, "b": { "/": {} } } }"#.to_owned(),
    ];
    for text in cases {
        let (_, report) = compile_definition(load_one_file(&text));
        assert!(report.is_empty(), "{text}\n{report}");
    }
}

#[test]
fn errors_that_only_follow_from_another_error_are_not_reported() {
    let cases = [
        // If the type of a capture is unknown, the variable of the scope is still known.
        (
            r#"{ "/": { "{x}": { "GET": { "info": "i", "scope": [["a[x]"]], "in": { "{x}": { "info": "i", "type": "nope" } } } } } }"#,
            vec!["unknown-type"],
        ),
        // If the type of a parameter is unknown, its default and its example are not checked.
        (
            r#"{ "GET": { "info": "i", "in": { "a": { "info": "i", "type": "nope", "default": {}, "example": [] } } } }"#,
            vec!["unknown-type"],
        ),
        // If a parameter has the name of an unknown capture, the capture in the path is not also reported as unused.
        (
            r#"{ "/": { "{id}": { "GET": { "info": "i", "in": { "{number}": { "info": "i", "type": "int" } } } } } }"#,
            vec!["undefined-capture"],
        ),
        // If a path has an error, its captures are not checked.
        (
            r#"{ "/": { "a{x}": { "GET": { "info": "i", "in": { "{x}": { "info": "i", "type": "int" } } } } } }"#,
            vec!["bad-uri"],
        ),
        // If the parser rejected a value, the value is not also reported as missing.
        (r#"{ "/": { "{x}": { "GET": { "info": 1, "in": 2 } } } }"#, vec!["wrong-kind", "wrong-kind"]),
        (r#"{ "GET": { "inof": "i" } }"#, vec!["unknown-key"]),
        (r#"{ "GET": { "info": "i", "in": { "a": { "info": "i", "tpye": "int" } } } }"#, vec!["unknown-key"]),
        // If the key of a positional parameter is invalid, no gap in the positions is reported.
        (
            r#"{ "GET": { "info": "i", "in": { "URL#O": { "info": "i", "type": "int" }, "URL#1": { "info": "i", "type": "int" } } } }"#,
            vec!["bad-position"],
        ),
        // If two methods have the same URI and HTTP method, their equal ids are not also reported.
        (
            r#"[{ "method": "GET", "path": "/a", "info": "i" }, { "method": "GET", "path": "/a", "info": "i" }]"#,
            vec!["uri-collision"],
        ),
    ];
    for (text, expected) in cases {
        let (_, report) = compile_definition(load_one_file(text));
        assert_eq!(diagnostic_codes(&report), expected, "{text}\n{report}");
    }
}
