//! Rules are compiled to the same model as the equivalent definition in the dialect `tree`.

use std::path::PathBuf;

use rulebook::{ApiError, Args, Context, Module, Report, Rulebook};
use rulebook_model::compile::{LoweredDefinition, ResponseRegistry, lower_definition, type_table};
use rulebook_model::definition::{LoadedDefinition, read};
use rulebook_model::describe::canonical_definition;
use rulebook_model::diagnostic::DiagnosticCode;
use rulebook_model::model::Api;
use serde_json::{Value as Json, json};

use super::files;
use crate::client::{Request, TestServer};

/// Compiles a valid definition to its model without spans, so that models of different texts can be compared.
fn model(files: Vec<(PathBuf, Vec<u8>)>) -> Api {
    let LoadedDefinition { sources, definition, mut diagnostics } = read(files);
    let LoweredDefinition { api, diagnostics: more, .. } =
        lower_definition(&definition, &type_table(&definition, []), &ResponseRegistry::default());
    diagnostics.extend(more);
    let report = Report::new(sources, diagnostics);
    assert!(report.is_empty(), "{report}");
    api.without_spans()
}

/// Compiles a class `User` with a method `get`.
fn class(get: &Json) -> Api {
    model(files(&Json::Null, &json!({ "User": { "get": get } })))
}

/// Compiles the equivalent definition in the dialect `tree`: GET and POST with these parameters and further members.
fn tree(parameters: &Json, members: &Json) -> Api {
    let mut method = json!({ "info": "User.get", "in": parameters });
    for (key, value) in members.as_object().unwrap() {
        method[key] = value.clone();
    }
    let module = json!({ "module": "User", "envelope": "phalapi", "ignore_case": true, "repeated": "last",
        "/": { "user/get": { "GET": method, "POST": method } } });
    model(vec![(PathBuf::from("api/user.json"), module.to_string().into_bytes())])
}

#[test]
fn empty_php_arrays_are_empty_objects() {
    let model = |common: &Json, nothing: &Json| {
        let app = json!({ "common": common });
        let user = json!({ "*": nothing, "index": nothing, "login": { "username": nothing } });
        model(files(&app, &json!({ "User": user, "Site": nothing })))
    };
    assert_eq!(model(&json!([]), &json!([])), model(&json!({}), &json!({})));
    // An array that is not empty is an error.
    for wrong in [json!({ "User": { "index": [1] } }), json!({ "User": { "login": { "username": [[]] } } })] {
        let LoadedDefinition { diagnostics, .. } = read(files(&Json::Null, &wrong));
        assert_eq!(
            diagnostics.iter().map(|error| error.code).collect::<Vec<_>>(),
            [DiagnosticCode::WrongKind],
            "{wrong}"
        );
    }
}

#[test]
fn enum_items_keep_their_words() {
    let returned = json!({ "@return": { "list[]": { "type": "enum", "range": ["a", "b-c"] } } });
    let output = json!({ "list": { "type": "array<enum(a|b-c)>", "info": "list" } });
    assert_eq!(class(&returned), tree(&json!({}), &json!({ "out": output })));
    // Words with special characters are attributes, at any depth.
    let returned = json!({ "@return": { "list[][]": { "type": "enum", "range": ["a|b"] } } });
    let items = json!({ "items": { "range": ["a|b"] } });
    let output = json!({ "list": { "type": "array<array<enum>>", "items": items, "info": "list" } });
    assert_eq!(class(&returned), tree(&json!({}), &json!({ "out": output })));
    // Errors are reported at the rule.
    let wrong = json!({ "@return": { "list[]": { "type": "enum", "range": [null] } } });
    let report = Rulebook::read(files(&Json::Null, &json!({ "User": { "get": wrong } }))).check().unwrap_err();
    let [error] = &report.diagnostics[..] else { panic!("{report}") };
    assert_eq!(error.code, DiagnosticCode::BadTypeArgument);
    assert!(report.to_string().contains("\"range\": ["), "{report}");
}

#[test]
fn rules_are_compiled_to_parameters() {
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
        assert_eq!(class(&json!({ "x": rule })), tree(&parameters, &json!({})), "{rule}");
    }
}

#[test]
fn keys_with_at_are_compiled_to_keys_of_the_method() {
    let cases = [
        (json!({ "@info": "One" }), json!({ "info": "One" })),
        (json!({ "@desc": "More" }), json!({ "info": "More" })),
        (json!({ "@info": "One", "@desc": "More" }), json!({ "info": "One\n\nMore" })),
        (json!({ "@info": "" }), json!({ "info": "User.get" })),
        (json!({ "@scope": [["a", "b"], ["c"]] }), json!({ "scope": [["a", "b"], ["c"]] })),
        (json!({ "@jsonp": false }), json!({ "options": { "jsonp": false } })),
        (
            json!({ "@errors": { "gone": { "status": 410, "info": "It is gone" } } }),
            json!({ "errors": { "gone": { "status": 410, "info": "It is gone" } } }),
        ),
    ];
    for (method, members) in cases {
        assert_eq!(class(&method), tree(&json!({}), &members), "{method}");
    }
}

/// The examples of PhalApi's documentation, and nested paths.
#[test]
fn returned_fields_are_compiled_to_outputs() {
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
        assert_eq!(class(&json!({ "@return": returns })), tree(&json!({}), &json!({ "out": outputs })), "{returns}");
    }
}

fn ids(rules: &Json) -> Vec<String> {
    let api = model(files(&Json::Null, rules));
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
        assert_eq!(ids(&json!({ "User": { "get": method } })), expected, "{method}");
    }
    let classes = json!({ "UserInfo": { "getAll": { "@method": "GET" } }, "User": { "*": { "f": { "type": "file" } }, "up": {} } });
    assert_eq!(ids(&classes), ["user.up.post", "userInfo.getAll.get"]);
}

#[test]
fn the_canonical_form_compiles_to_the_same_model() {
    let rules = json!({ "User": { "@info": "Users", "@envelope": "aicra", "*": { "x-a": {}, "$b": { "type": "int" } },
        "get": { "@info": "One", "x": { "type": "array", "format": "explode" }, "@return": { "a[].b": { "type": "date" } } } } });
    let api = model(files(&Json::Null, &rules));
    let names: Vec<_> = api.modules[0].services[0].methods[0].parameters.iter().map(|own| own.name.as_str()).collect();
    assert_eq!(names, ["x-a", "$b", "x"], "names can begin like ignored keys");
    let printed = canonical_definition(&api).to_string();
    let again = model(vec![(PathBuf::from("api/app.json"), printed.into_bytes())]);
    assert_eq!(again, api);
}

#[derive(serde::Deserialize, serde::Serialize)]
struct Login {
    username: String,
    password: String,
}

async fn login(Args(login): Args<Login>, _: Context) -> Result<Login, ApiError> {
    Ok(login)
}

#[test]
fn one_handler_serves_get_and_post() {
    let rules = json!({ "User": { "login": {
        "username": { "require": true }, "password": { "require": true },
        "@return": { "username": { "type": "string" }, "password": { "type": "string" } } } } });
    let module = Module::new("User").any("/user/login", login);
    let built = Rulebook::read(files(&Json::Null, &rules)).module(module).build();
    let server = TestServer::start(&built.unwrap_or_else(|report| panic!("{report}")));
    let expected = json!({ "ret": 200, "data": { "username": "test", "password": "123456" }, "msg": "" });
    assert_eq!(server.send(&Request::new("GET", "/user/login?username=test&password=123456")).json(), expected);
    let form = "username=test&password=123456";
    let post = Request::new("POST", "/User/Login").body("application/x-www-form-urlencoded", form);
    assert_eq!(server.send(&post).json(), expected);
}
