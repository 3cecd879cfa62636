//! Tests outputs that are header fields, the status or the entity tag of responses, with handlers of each kind.

use std::fs;
use std::path::{Path, PathBuf};

use rulebook::{ApiError, Args, Context, Download, Module, Out, Rulebook};
use rulebook_test::{Client, TestResponse};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::files;

/// The kinds of handlers, each with the handlers of the methods `order.place`, `order.read` and `order.change`.
const KINDS: [&str; 3] = ["rust", "sql", "python"];
/// Kinds of handlers whose languages are not on every machine.
const OTHER_LANGUAGES: [&str; 2] = ["node", "php"];

/// The state of the orders is not kept: the order 7 exists, in the revision 3.
const PYTHON: &str = r#"
from rulebook import Failure, handler, serve

@handler("order.place")
def place(title, known):
    return {
        "id": title + "/7", "cookies": ["a=1", "b=2"], "changed": "2026-05-17T14:30:00Z", "status": 200 if known else 201
    }

@handler("order.read")
def read(id):
    if id != 7:
        raise Failure("no_order")
    return {"*": {"id": id, "revision": 3}, "cache": "max-age=5"}

@handler("order.change")
def change(id, revision):
    if revision != 3:
        raise Failure("version-mismatch")
    return {"revision": revision + 1}

serve()
"#;

const NODE: &str = r#"
import { Failure, handler, serve } from "./rulebook.mjs";

handler("order.place", ({ title, known }) => ({
    id: title + "/7", cookies: ["a=1", "b=2"], changed: "2026-05-17T14:30:00Z", status: known ? 200 : 201,
}));
handler("order.read", ({ id }) => {
    if (id !== 7) throw new Failure("no_order");
    return { "*": { id, revision: 3 }, cache: "max-age=5" };
});
handler("order.change", ({ id, revision }) => {
    if (revision !== 3) throw new Failure("version-mismatch");
    return { revision: revision + 1 };
});
serve();
"#;

const PHP: &str = r#"<?php
require __DIR__ . '/rulebook.php';
use Rulebook\Failure;
use function Rulebook\{handler, serve};

handler('order.place', fn (string $title, bool $known) => [
    'id' => $title . '/7', 'cookies' => ['a=1', 'b=2'], 'changed' => '2026-05-17T14:30:00Z',
    'status' => $known ? 200 : 201,
]);
handler('order.read', function (int $id) {
    if ($id !== 7) throw new Failure('no_order');
    return ['*' => ['id' => $id, 'revision' => 3], 'cache' => 'max-age=5'];
});
handler('order.change', function (int $id, int $revision) {
    if ($revision !== 3) throw new Failure('version-mismatch');
    return ['revision' => $revision + 1];
});
serve();
"#;

/// Returns the definition of the methods, whose handlers are statements if `is_sql` is `true`.
fn definition(is_sql: bool) -> Json {
    let id = json!({ "info": "The order", "type": "id" });
    let revision = json!({ "info": "The revision", "type": "int" });
    let mut module = json!({
        "envelope": "plain",
        "/": {
            "orders": {
                "POST": {
                    "id": "order.place",
                    "info": "Places an order",
                    "in": {
                        "title": { "info": "The title", "type": "string" },
                        "known": { "info": "Whether it exists", "type": "bool", "default": false }
                    },
                    "out": {
                        "id": { "info": "The order", "type": "string" },
                        "location": {
                            "info": "Its URL", "type": "string", "header": "Location", "value": "/orders/{id}?t={title}"
                        },
                        "cookies": { "info": "Cookies", "type": "?array<string>", "header": "Set-Cookie" },
                        "changed": { "info": "When", "type": "?datetime", "header": "Last-Modified" },
                        "note": { "info": "A note", "type": "?string", "header": "X-Note" }
                    },
                    "options": { "status": [201, 200] }
                }
            },
            "orders/{id}": {
                "GET": {
                    "id": "order.read",
                    "info": "Reads an order",
                    "in": { "{id}": id },
                    "out": {
                        "*": {
                            "info": "The order",
                            "type": "object",
                            "fields": { "id": id, "revision": revision }
                        },
                        "cache": { "info": "How long", "type": "string", "header": "Cache-Control" }
                    },
                    "options": { "version": "revision" },
                    "errors": { "no_order": { "info": "There is no such order", "status": 404 } }
                },
                "PUT": {
                    "id": "order.change",
                    "info": "Changes an order",
                    "in": {
                        "{id}": id,
                        "HEADER@If-Match": { "info": "The revision", "type": "int", "name": "revision" }
                    },
                    "out": { "revision": revision },
                    "options": { "version": "revision" }
                }
            }
        }
    });
    if is_sql {
        let paths = &mut module["/"];
        paths["orders"]["POST"]["handler"] = json!({
            "sql": "select :title || '/7' as id, json_array('a=1', 'b=2') as cookies, \
                    '2026-05-17T14:30:00Z' as changed, case when :known then 200 else 201 end as status, null as note"
        });
        paths["orders/{id}"]["GET"]["handler"] = json!({
            "sql": "select :id as id, 3 as revision, 'max-age=5' as cache where :id = 7", "missing": "no_order"
        });
        paths["orders/{id}"]["PUT"]["handler"] = json!({
            "sql": "select :revision + 1 as revision where :revision = 3 and :id = 7", "missing": "version-mismatch"
        });
    }
    module
}

#[derive(Deserialize)]
struct PlaceArguments {
    title: String,
    known: bool,
}

#[derive(Serialize, Deserialize)]
struct PlaceOutputs {
    id: String,
    cookies: Option<Vec<String>>,
    changed: Option<String>,
    note: Option<String>,
    status: Option<u16>,
}

async fn place(Args(order): Args<PlaceArguments>, _: Context) -> Result<Out<PlaceOutputs>, ApiError> {
    Ok(Out(PlaceOutputs {
        id: order.title + "/7",
        cookies: Some(vec!["a=1".to_owned(), "b=2".to_owned()]),
        changed: Some("2026-05-17T14:30:00Z".to_owned()),
        note: None,
        status: order.known.then_some(200),
    }))
}

#[derive(Deserialize)]
struct OrderArguments {
    id: u32,
}

#[derive(Serialize, Deserialize)]
struct Order {
    id: u32,
    revision: i64,
}

#[derive(Serialize, Deserialize)]
struct ReadOutputs {
    #[serde(rename = "*")]
    order: Order,
    cache: String,
}

async fn read(Args(OrderArguments { id }): Args<OrderArguments>, _: Context) -> Result<Out<ReadOutputs>, ApiError> {
    match id {
        7 => Ok(Out(ReadOutputs { order: Order { id, revision: 3 }, cache: "max-age=5".to_owned() })),
        _ => Err(ApiError::declared("no_order")),
    }
}

#[derive(Serialize, Deserialize)]
struct Revision {
    revision: i64,
}

async fn change(Args(Revision { revision }): Args<Revision>, _: Context) -> Result<Out<Revision>, ApiError> {
    if revision != 3 {
        return Err(ApiError::declared("version-mismatch"));
    }
    Ok(Out(Revision { revision: revision + 1 }))
}

/// Serves the methods with handlers of a kind. The folder contains the programs of workers.
fn client(kind: &str) -> (Client, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let copy = |path: &str| {
        fs::copy(sdk.join(path), folder.path().join(Path::new(path).file_name().unwrap())).unwrap();
    };
    let command = match kind {
        "python" => {
            write("handlers.py", PYTHON);
            Some(["python3", "handlers.py"])
        }
        "node" => {
            write("handlers.mjs", NODE);
            copy("node/rulebook.mjs");
            Some(["node", "handlers.mjs"])
        }
        "php" => {
            write("handlers.php", PHP);
            copy("php/rulebook.php");
            Some(["php", "handlers.php"])
        }
        _ => None,
    };
    let mut all = files("orders", &definition(kind == "sql"));
    if let Some(command) = command {
        let environment = json!({ "PYTHONPATH": sdk.join("python") });
        let settings = json!({ "workers": 1, "directory": folder.path(), "environment": environment });
        let app = json!({ "handlers": { "default": { "process": command }, "process": settings } });
        all.push((PathBuf::from("api/app.json"), app.to_string().into_bytes()));
    }
    let rulebook = rulebook_cli::with_handler_kinds(Rulebook::read(all));
    let module = Module::new("orders").post("/orders", place).get("/orders/{id}", read).put("/orders/{id}", change);
    let rulebook = if kind == "rust" { rulebook.module(module) } else { rulebook };
    (Client::new(rulebook).unwrap_or_else(|error| panic!("{kind}: {error}")), folder)
}

fn fields(response: &TestResponse, names: &[&str]) -> Vec<Option<String>> {
    names.iter().map(|name| response.header(name).map(str::to_owned)).collect()
}

fn test_kind(kind: &str) {
    let (client, _folder) = client(kind);
    let text = |text: &str| Some(text.to_owned());

    let placed = client.call("order.place").arg("title", "tea & cake").send();
    assert_eq!((placed.status(), placed.json()), (201, json!({ "id": "tea & cake/7" })), "{kind}");
    let location = text("/orders/tea%20%26%20cake%2F7?t=tea%20%26%20cake");
    let expected = [location, text("a=1"), text("Sun, 17 May 2026 14:30:00 GMT"), None];
    assert_eq!(fields(&placed, &["Location", "Set-Cookie", "Last-Modified", "X-Note"]), expected, "{kind}");
    assert_eq!(client.call("order.place").arg("title", "tea").arg("known", true).send().status(), 200, "{kind}");

    let read = client.get("/orders/7").send();
    assert_eq!((read.status(), read.json()), (200, json!({ "id": 7, "revision": 3 })), "{kind}");
    let expected = [text("\"3\""), text("max-age=5")];
    assert_eq!(fields(&read, &["ETag", "Cache-Control"]), expected, "{kind}");
    let missing = client.get("/orders/8").header("If-None-Match", "*").send();
    assert_eq!((missing.status(), missing.header("ETag")), (404, None), "{kind}");
    for (condition, status) in
        [("\"3\"", 304), ("\"2\", W/\"3\"", 304), ("\"3;gzip\"", 304), ("*", 304), ("\"4\"", 200), ("3", 200)]
    {
        let response = client.get("/orders/7").header("If-None-Match", condition).send();
        assert_eq!(response.status(), status, "{kind}: {condition}");
        assert_eq!(response.body().is_empty(), status == 304, "{kind}: {condition}");
        assert_eq!(response.header("Cache-Control"), Some("max-age=5"), "{kind}: {condition}");
    }

    let changed = client.put("/orders/7").header("If-Match", "\"3\"").send();
    assert_eq!((changed.json(), changed.header("ETag")), (json!({ "revision": 4 }), Some("\"4\"")), "{kind}");
    for (condition, status, code) in [
        (Some("3"), 200, None),
        (Some("\"3;br\""), 200, None),
        (Some("\"2\""), 412, Some("version-mismatch")),
        (Some("W/\"3\""), 200, None),
        (Some("W/\"2\""), 412, Some("version-mismatch")),
        (Some("\"3\", \"4\""), 400, Some("invalid-parameter")),
        (Some("\"three\""), 400, Some("invalid-parameter")),
        (Some("*"), 428, Some("version-required")),
        (None, 428, Some("version-required")),
    ] {
        let request = client.put("/orders/7");
        let request = condition.into_iter().fold(request, |request, condition| request.header("If-Match", condition));
        let response = request.send();
        assert_eq!((response.status(), response.code()), (status, code), "{kind}: {condition:?}");
    }
}

#[test]
fn outputs_are_header_fields_statuses_and_entity_tags_for_each_kind_of_handler() {
    KINDS.into_iter().for_each(test_kind);
}

#[test]
#[ignore = "tests/external/sdk runs it, because it needs Node and PHP"]
fn outputs_are_header_fields_statuses_and_entity_tags_in_other_languages() {
    OTHER_LANGUAGES.into_iter().for_each(test_kind);
}

/// Returns the response of a method with these outputs and options, whose handler returns `value`.
fn response_of(outputs: &Json, options: &Json, value: &Json) -> TestResponse {
    let method = json!({
        "id": "it", "info": "Returns it", "in": { "GET@lang": { "info": "The language", "type": "?string", "name": "lang" } },
        "out": outputs, "options": options, "handler": { "value": value }
    });
    let files = files("site", &json!({ "envelope": "plain", "/": { "it": { "GET": method } } }));
    Client::new(Rulebook::read(files)).unwrap().call("it").send()
}

#[test]
fn values_of_header_fields_are_checked_before_they_are_sent() {
    let header = |r#type: &str| json!({ "x": { "info": "A field", "type": r#type, "header": "X-Value" } });
    for (r#type, value, expected) in [
        ("int", json!(-7), Some("-7")),
        ("bool", json!(true), Some("true")),
        ("date", json!("2026-05-17"), Some("2026-05-17")),
        ("array<int>", json!([1, 2]), Some("1")),
        ("array<int>", json!([]), None),
        ("string", json!("two\r\nSet-Cookie: a=1"), None),
        ("any", json!({ "a": 1 }), None),
    ] {
        let response = response_of(&header(r#type), &json!({}), &json!({ "x": value }));
        assert_eq!(response.header("X-Value"), expected, "{value}");
        assert_eq!(response.header("Set-Cookie"), None, "{value}");
        assert_eq!(response.status(), if expected.is_some() { 200 } else { 500 }, "{value}");
    }
    let template = json!({
        "cache": { "info": "Caching", "type": "string", "header": "Cache-Control", "value": "no-store" },
        "lang": { "info": "The language", "type": "string", "header": "Content-Language", "value": "{lang}" }
    });
    let response = response_of(&template, &json!({}), &json!({}));
    assert_eq!(fields(&response, &["Cache-Control", "Content-Language"]), [Some("no-store".to_owned()), None]);
}

#[test]
fn versions_with_any_characters_are_entity_tags() {
    let outputs = json!({ "v": { "info": "The version", "type": "any" } });
    for (value, expected) in [
        (json!("2026-05-17T14:30:00Z"), Some("\"2026-05-17T14:30:00Z\"")),
        (json!("a \"b\";c%"), Some("\"a%20%22b%22%3Bc%25\"")),
        (json!("é\n"), Some("\"%C3%A9%0A\"")),
        (json!(1.5), Some("\"1.5\"")),
        (json!(null), None),
    ] {
        let response = response_of(&outputs, &json!({ "version": "v" }), &json!({ "v": value }));
        assert_eq!(response.header("ETag"), expected, "{value}");
    }
}

/// A client that protects a resource by a condition must not lose an update because the condition is not read.
#[test]
fn a_condition_on_a_path_with_versions_is_compared_or_refused() {
    let revision = json!({ "revision": { "info": "The revision", "type": "int" } });
    let get = json!({
        "info": "Reads", "out": revision, "options": { "version": "revision" }, "handler": { "value": { "revision": 3 } }
    });
    let write = json!({ "info": "Writes", "handler": { "value": {} } });
    let compares = json!({ "info": "Writes", "in": {
        "HEADER@If-Match": { "info": "The revision", "type": "int", "name": "revision" }
    }, "handler": { "value": {} }});
    let definition = json!({ "/": {
        "note": { "GET": get, "PUT": write, "DELETE": write, "POST": write, "PATCH": compares },
        "other": { "GET": { "info": "Reads", "handler": { "value": {} } }, "PUT": write },
    } });
    let client = Client::new(Rulebook::read(vec![("note.json".into(), definition.to_string().into())])).unwrap();
    let status = |method: &str, path: &str, field: &str, tag: &str| {
        client.request(method, path).header(field, tag).send().status()
    };
    for method in ["PUT", "DELETE", "POST"] {
        for (field, tag) in [("If-Match", "\"2\""), ("If-Match", "\"3\""), ("If-None-Match", "*")] {
            let response = client.request(method, "/note").header(field, tag).send();
            assert_eq!(response.status(), 400, "{method} {field}");
            assert!(response.text().to_lowercase().contains(&field.to_lowercase()), "{}", response.text());
        }
        assert_eq!(client.request(method, "/note").send().status(), 200, "{method}");
    }
    assert_eq!(status("PATCH", "/note", "If-Match", "\"3\""), 200);
    assert_eq!(status("PATCH", "/note", "If-None-Match", "*"), 400);
    // Without tags, there is nothing to protect.
    assert_eq!(status("PUT", "/other", "If-Match", "\"3\""), 200);
    for (field, tag, expected) in [
        ("If-Match", "\"3\"", 200),
        ("If-Match", "*", 200),
        ("If-Match", "\"2\", \"3\"", 200),
        ("If-Match", "\"2\"", 412),
        ("If-Match", "W/\"3\"", 200),
        ("If-Match", "W/\"2\"", 412),
        ("If-None-Match", "\"3\"", 304),
        ("If-None-Match", "\"2\"", 200),
    ] {
        assert_eq!(status("GET", "/note", field, tag), expected, "{field}: {tag}");
    }
}

#[test]
fn other_statuses_than_those_of_the_definition_are_internal_errors() {
    async fn create(_: Args<()>, context: Context) -> Result<(), ApiError> {
        context.set_status(203)?;
        Ok(())
    }
    for (options, value, expected) in [
        (json!({ "status": [200, 202, 204] }), json!({}), 200),
        (json!({ "status": [200, 202, 204] }), json!({ "status": 204 }), 204),
        (json!({ "status": [200, 202, 204] }), json!({ "status": 203 }), 500),
    ] {
        let response = response_of(&json!({}), &options, &value);
        assert_eq!(response.status(), expected, "{value}");
    }
    let method = json!({ "info": "Creates", "options": { "status": [200, 201] } });
    let files = files("site", &json!({ "/": { "it": { "GET": method } } }));
    let client = Client::new(Rulebook::read(files).module(Module::new("site").get("/it", create))).unwrap();
    assert_eq!(client.get("/it").send().status(), 500);
}

#[test]
fn downloads_have_header_fields_with_templates() {
    async fn export(_: Args<()>, _: Context) -> Result<Download, ApiError> {
        Ok(Download::bytes("a,b\n"))
    }
    let link = json!({ "info": "The page", "type": "string", "header": "Link", "value": "</it>; rel=canonical" });
    let method = json!({ "info": "Exports", "out": { "link": link }, "options": { "download": true } });
    let files = files("site", &json!({ "/": { "it": { "GET": method } } }));
    let client = Client::new(Rulebook::read(files).module(Module::new("site").get("/it", export))).unwrap();
    let response = client.get("/it").send();
    assert_eq!((response.text(), response.header("Link")), ("a,b\n", Some("</it>; rel=canonical")));
}
