//! Tests that rules are compiled to the same model as the equivalent definition in the dialect `tree`.

use std::path::PathBuf;

use rulebook::{ApiError, Args, Context, Module, Rulebook};
use rulebook_model::definition::{LoadedDefinition, read};
use rulebook_model::describe::canonical_definition;
use rulebook_model::diagnostic::DiagnosticCode;
use rulebook_model::model::Api;
use serde_json::{Value as Json, json};
use support::WithoutSpans as _;

use super::definition_files;
use crate::client::{Request, TestServer};

/// Compiles a definition to its model, and fails if there are errors. The model has no spans, so that the models of
/// different texts can be compared.
fn compile_definition(files: Vec<(PathBuf, Vec<u8>)>) -> Api {
    let api = rulebook_model::read(files).unwrap_or_else(|report| panic!("{report}"));
    api.without_spans()
}

/// Compiles a definition in the dialect `rules` with a class `User`, whose only method is `get`.
fn compile_class(get: &Json) -> Api {
    compile_definition(definition_files(&Json::Null, &json!({ "User": { "get": get } })))
}

/// Compiles a definition in the dialect `tree` that is equivalent to one which [`compile_class`] compiles. Its methods
/// GET and POST have these parameters and these further members.
fn compile_tree(parameters: &Json, members: &Json) -> Api {
    let mut method = json!({ "info": "User.get", "in": parameters });
    for (key, value) in members.as_object().unwrap() {
        method[key] = value.clone();
    }
    let module = json!({ "module": "User", "envelope": "phalapi", "ignore_case": true, "repeated": "last",
        "/": { "user/get": { "GET": method, "POST": method } } });
    compile_definition(vec![(PathBuf::from("api/user.json"), module.to_string().into_bytes())])
}

#[test]
fn empty_php_arrays_are_empty_objects() {
    let compile = |common: &Json, nothing: &Json| {
        let app = json!({ "common": common });
        let user = json!({ "*": nothing, "index": nothing, "login": { "username": nothing } });
        compile_definition(definition_files(&app, &json!({ "User": user, "Site": nothing })))
    };
    assert_eq!(compile(&json!([]), &json!([])), compile(&json!({}), &json!({})));
    // A PHP array that is not empty is an error instead of an object.
    for wrong in [json!({ "User": { "index": [1] } }), json!({ "User": { "login": { "username": [[]] } } })] {
        let LoadedDefinition { diagnostics, .. } = read(definition_files(&Json::Null, &wrong));
        assert_eq!(
            diagnostics.iter().map(|error| error.code).collect::<Vec<_>>(),
            [DiagnosticCode::WrongKind],
            "{wrong}"
        );
    }
}

#[test]
fn items_of_an_enum_rule_are_compiled_unchanged() {
    let returned = json!({ "@return": { "list[]": { "type": "enum", "range": ["a", "b-c"] } } });
    let output = json!({ "list": { "type": "array<enum(a|b-c)>", "info": "list" } });
    assert_eq!(compile_class(&returned), compile_tree(&json!({}), &json!({ "out": output })));
    // An item with special characters cannot be written in the type, so that it becomes an attribute, at any depth.
    let returned = json!({ "@return": { "list[][]": { "type": "enum", "range": ["a|b"] } } });
    let items = json!({ "items": { "range": ["a|b"] } });
    let output = json!({ "list": { "type": "array<array<enum>>", "items": items, "info": "list" } });
    assert_eq!(compile_class(&returned), compile_tree(&json!({}), &json!({ "out": output })));
    // An error of an item is reported at its rule.
    let wrong = json!({ "@return": { "list[]": { "type": "enum", "range": [null] } } });
    let report =
        Rulebook::read(definition_files(&Json::Null, &json!({ "User": { "get": wrong } }))).check().unwrap_err();
    let [error] = &report.diagnostics[..] else { panic!("{report}") };
    assert_eq!(error.code, DiagnosticCode::BadTypeArgument);
    assert!(report.to_string().contains("\"range\": ["), "{report}");
}

#[test]
fn rules_are_compiled_to_equivalent_tree_parameters() {
    let cases = [
        (json!({}), json!({ "ANY@x": { "name": "x", "info": "x", "type": "?loose_string" } })),
        (json!({ "name": "y" }), json!({ "ANY@y": { "name": "x", "info": "x", "type": "?loose_string" } })),
        (json!({ "require": true }), json!({ "ANY@x": { "name": "x", "info": "x", "type": "loose_string" } })),
        (json!({ "require": false }), json!({ "ANY@x": { "name": "x", "info": "x", "type": "?loose_string" } })),
        (
            json!({ "type": "INT", "default": "5", "require": true, "desc": "How many" }),
            json!({ "ANY@x": { "name": "x", "info": "How many", "type": "loose_int", "default": "5" } }),
        ),
        (
            json!({ "type": "float", "min": "0.5", "max": 2, "desc": " ", "message": "No", "example": 1 }),
            json!({ "ANY@x": { "name": "x", "info": "x", "type": "?loose_float(0.5,2)", "message": "No", "example": 1 } }),
        ),
        (json!({ "type": "Boolean" }), json!({ "ANY@x": { "name": "x", "info": "x", "type": "?truthy" } })),
        (
            json!({ "type": "date", "format": "Timestamp", "min": "2015-01-31" }),
            json!({ "ANY@x": { "name": "x", "info": "x", "type": "?datetime", "format": "timestamp", "min": "2015-01-31" } }),
        ),
        (
            json!({ "type": "array<array<int>>", "items": { "min": "1", "items": { "max": " 9 " } } }),
            json!({ "ANY@x": { "name": "x", "info": "x", "type": "?array<array<int>>", "items": { "min": 1, "items": { "max": 9 } } } }),
        ),
        (
            json!({ "type": "array", "format": "EXPLODE", "separator": "|", "min": "1" }),
            json!({ "ANY@x": { "name": "x", "info": "x", "type": "?loose_array", "format": "explode", "separator": "|", "min": 1 } }),
        ),
        (
            json!({ "type": "enum", "range": ["a"] }),
            json!({ "ANY@x": { "name": "x", "info": "x", "type": "?enum(a)" } }),
        ),
        (
            json!({ "type": "string", "format": "Utf-8", "min": "2" }),
            json!({ "ANY@x": { "name": "x", "info": "x", "type": "?loose_string", "min": 2 } }),
        ),
        (
            json!({ "type": "varchar(1,3,mail)" }),
            json!({ "ANY@x": { "name": "x", "info": "x", "type": "?varchar(1,3,mail)" } }),
        ),
        (json!({ "type": "?int(1,2)" }), json!({ "ANY@x": { "name": "x", "info": "x", "type": "?int(1,2)" } })),
        (
            json!({ "type": "object", "fields": { "a": { "info": "A", "type": "id" } } }),
            json!({ "ANY@x": { "name": "x", "info": "x", "type": "?object", "fields": { "a": { "info": "A", "type": "id" } } } }),
        ),
        (json!({ "source": "Get" }), json!({ "GET@x": { "name": "x", "info": "x", "type": "?loose_string" } })),
        (json!({ "source": "request" }), json!({ "ANY@x": { "name": "x", "info": "x", "type": "?loose_string" } })),
        (json!({ "source": "cookie" }), json!({ "COOKIE@x": { "name": "x", "info": "x", "type": "?loose_string" } })),
        (
            json!({ "source": "header", "name": "X-Token" }),
            json!({ "HEADER@X-Token": { "name": "x", "info": "x", "type": "?loose_string" } }),
        ),
    ];
    for (rule, parameters) in cases {
        assert_eq!(compile_class(&json!({ "x": rule })), compile_tree(&parameters, &json!({})), "{rule}");
    }
}

#[test]
fn rule_keys_with_at_are_compiled_to_keys_of_the_method() {
    let cases = [
        (json!({ "@info": "One" }), json!({ "info": "One" })),
        (json!({ "@desc": "More" }), json!({ "info": "More" })),
        (json!({ "@info": "One", "@desc": "More" }), json!({ "info": "One\n\nMore" })),
        (json!({ "@info": "" }), json!({ "info": "User.get" })),
        (json!({ "@scope": [["a", "b"], ["c"]] }), json!({ "scope": [["a", "b"], ["c"]] })),
        (json!({ "@jsonp": false }), json!({ "options": { "jsonp": false } })),
        (json!({ "@status": 201 }), json!({ "options": { "status": 201 } })),
        (json!({ "@status": [201, 202] }), json!({ "options": { "status": [201, 202] } })),
        (
            json!({ "@version": "tag", "@return": { "tag": { "type": "string", "desc": "Tag" } } }),
            json!({ "options": { "version": "tag" }, "out": { "tag": { "info": "Tag", "type": "string" } } }),
        ),
        (json!({ "@download": true }), json!({ "options": { "download": true } })),
        (json!({ "@deprecated": true }), json!({ "options": { "deprecated": true } })),
        (
            json!({ "@deprecated": "2026-12-01", "@sunset": "2999-01-01" }),
            json!({ "options": { "deprecated": "2026-12-01", "sunset": "2999-01-01" } }),
        ),
        (
            json!({ "@errors": { "gone": { "status": 410, "info": "It is gone" } } }),
            json!({ "errors": { "gone": { "status": 410, "info": "It is gone" } } }),
        ),
    ];
    for (method, members) in cases {
        assert_eq!(compile_class(&method), compile_tree(&json!({}), &members), "{method}");
    }
}

/// The cases are the examples in PhalApi's documentation, and fields with nested paths.
#[test]
fn returned_fields_of_rules_are_compiled_to_outputs() {
    let cases = [
        (
            json!({ "title": { "type": "string", "desc": "title" }, "content": { "type": "string", "desc": "content" },
                "version": { "type": "string", "desc": "versio with format: X.X.X" },
                "time": { "type": "int", "desc": "current timestamp" } }),
            json!({ "title": { "type": "string", "info": "title" }, "content": { "type": "string", "info": "content" },
                "version": { "type": "string", "info": "versio with format: X.X.X" },
                "time": { "type": "int", "info": "current timestamp" } }),
        ),
        (
            json!({ "list": { "type": "array", "desc": "user info list" },
                "list[].id": { "type": "int", "desc": "user ID" },
                "list[].name": { "type": "string", "desc": "username" },
                "list[].note": { "type": "string", "desc": "user note" } }),
            json!({ "list": { "type": "array<object>", "info": "user info list", "fields": {
                "id": { "type": "int", "info": "user ID" }, "name": { "type": "string", "info": "username" },
                "note": { "type": "string", "info": "user note" } } } }),
        ),
        (
            json!({ "string": { "type": "String" }, "int": { "type": "int" }, "float": { "type": "float" },
                "boolean": { "type": "boolean" }, "date": { "type": "date" }, "array": { "type": "array" },
                "fixed": { "type": "fixed" }, "enum": { "type": "enum", "range": ["a", "b"] }, "object": { "type": "object" } }),
            json!({ "string": { "type": "string", "info": "string" }, "int": { "type": "int", "info": "int" },
                "float": { "type": "float", "info": "float" }, "boolean": { "type": "bool", "info": "boolean" },
                "date": { "type": "datetime", "info": "date" }, "array": { "type": "array", "info": "array" },
                "fixed": { "type": "any", "info": "fixed" }, "enum": { "type": "enum(a|b)", "info": "enum" },
                "object": { "type": "object", "info": "object" } }),
        ),
        (
            json!({ "at": { "type": "?date", "format": "timestamp" }, "info.name": { "type": "string" },
                "info": { "type": "?object", "desc": "Who" }, "info.tags[]": { "type": "string" } }),
            json!({ "at": { "type": "?int", "info": "at" }, "info": { "type": "?object", "info": "Who", "fields": {
                "name": { "type": "string", "info": "name" }, "tags": { "type": "array<string>", "info": "tags" } } } }),
        ),
        (
            json!({ "rows[][].x": { "type": "int" }, "rows": { "type": "array", "desc": "Rows" } }),
            json!({ "rows": { "type": "array<array<object>>", "info": "Rows",
                "fields": { "x": { "type": "int", "info": "x" } } } }),
        ),
        (json!({ "*[]": { "type": "id" } }), json!({ "*": { "type": "array<id>", "info": "*" } })),
    ];
    for (returns, outputs) in cases {
        assert_eq!(
            compile_class(&json!({ "@return": returns })),
            compile_tree(&json!({}), &json!({ "out": outputs })),
            "{returns}"
        );
    }
}

fn method_ids(rules: &Json) -> Vec<String> {
    let api = compile_definition(definition_files(&Json::Null, rules));
    let services = api.modules.iter().flat_map(|module| &module.services);
    services.flat_map(|service| &service.methods).map(|method| method.id.clone()).collect()
}

#[test]
fn methods_support_the_http_methods_that_their_parameters_allow() {
    let cases = [
        (json!({}), vec!["user.get.get", "user.get.post"]),
        (json!({ "@method": "post" }), vec!["user.get.post"]),
        (json!({ "@method": ["PUT", "GET"] }), vec!["user.get.get", "user.get.put"]),
        (json!({ "@method": [] }), vec!["user.get.get", "user.get.post"]),
        (json!({ "x": { "type": "File" } }), vec!["user.get.post"]),
        (json!({ "x": { "type": "?array<file>" } }), vec!["user.get.post"]),
        (json!({ "x": { "type": "file" }, "@method": "PUT" }), vec!["user.get.put"]),
        (json!({ "x": { "source": "post" } }), vec!["user.get.post"]),
    ];
    for (method, expected) in cases {
        assert_eq!(method_ids(&json!({ "User": { "get": method } })), expected, "{method}");
    }
    let classes = json!({ "UserInfo": { "getAll": { "@method": "GET" } }, "User": { "*": { "f": { "type": "file" } }, "up": {} } });
    assert_eq!(method_ids(&classes), ["user.up.post", "userInfo.getAll.get"]);
}

#[test]
fn the_canonical_form_of_rules_compiles_to_the_same_model() {
    let rules = json!({ "User": { "@info": "Users", "@envelope": "aicra", "*": { "x-a": {}, "$b": { "type": "int" } },
        "get": { "@info": "One", "x": { "type": "array", "format": "explode" }, "@return": { "a[].b": { "type": "date" } } } } });
    let api = compile_definition(definition_files(&Json::Null, &rules));
    let names: Vec<_> = api.modules[0].services[0].methods[0].parameters.iter().map(|own| own.name.as_str()).collect();
    assert_eq!(names, ["x-a", "$b", "x"], "names can begin like ignored keys");
    let printed = canonical_definition(&api).to_string();
    assert_eq!(compile_definition(vec![(PathBuf::from("api/app.json"), printed.into_bytes())]), api);
}

#[derive(serde::Deserialize, serde::Serialize)]
struct LoginArgs {
    username: String,
    password: String,
}

async fn return_login(Args(return_login): Args<LoginArgs>, _: Context) -> Result<LoginArgs, ApiError> {
    Ok(return_login)
}

#[test]
fn one_handler_of_a_rules_method_serves_get_and_post() {
    let rules = json!({ "User": { "login": {
        "username": { "require": true }, "password": { "require": true },
        "@return": { "username": { "type": "string" }, "password": { "type": "string" } } } } });
    let module = Module::new("User").any("/user/login", return_login);
    let built = Rulebook::read(definition_files(&Json::Null, &rules)).module(module).build();
    let server = TestServer::start(&built.unwrap_or_else(|report| panic!("{report}")));
    let expected = json!({ "ret": 200, "data": { "username": "test", "password": "123456" }, "msg": "" });
    assert_eq!(server.send(&Request::new("GET", "/user/login?username=test&password=123456")).json(), expected);
    let form = "username=test&password=123456";
    let post = Request::new("POST", "/User/Login").body("application/x-www-form-urlencoded", form);
    assert_eq!(server.send(&post).json(), expected);
}
