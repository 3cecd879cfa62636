//! Tests the table in `docs/types.md` of the values that the JSON Schema of a type accepts and the server rejects.

use std::path::Path;

use jsonschema::Validator;
use rulebook::{Rulebook, Unbound};
use rulebook_model::types::complete_schema;
use serde_json::{Value as Json, json};
use support::schema_validator::{plain_validator, validator};

use crate::client::{Request, TestServer};

/// A row of the table: its first column, types, and values that the server rejects. `ignores_formats` is `true` if
/// only a validator that ignores formats accepts the values.
struct Exception {
    row: &'static str,
    types: Vec<Json>,
    values: Vec<Json>,
    ignores_formats: bool,
}

fn exceptions() -> Vec<Exception> {
    let term = |term: &str| json!({ "type": term });
    let exception = |row, types: &[Json], values: &[Json], ignores_formats| Exception {
        row,
        types: types.to_vec(),
        values: values.to_vec(),
        ignores_formats,
    };
    let long = "é".repeat(128);
    vec![
        exception(
            "`filename`",
            &[term("filename"), json!({ "type": "filename", "range": ["?.txt", "**"] })],
            &[json!(long), json!("a".repeat(256)), json!("a/\u{e0001}"), json!("\u{378}")],
            false,
        ),
        exception("`filename`", &[json!({ "type": "filename", "range": ["?.txt"] })], &[json!("éé.txt")], false),
        exception("`datetime`", &[term("datetime")], &[json!("2016-12-31T12:00:60Z")], false),
        exception(
            "`datetime`",
            &[json!({ "type": "datetime", "min": "2014-03-01T12:00:00Z", "max": "2019-03-01T12:00:00Z" })],
            &[json!("2014-03-01T11:59:59Z"), json!("2019-03-02T12:00:00Z"), json!("2015-02-29")],
            false,
        ),
        exception("`loose_float`", &[term("loose_float(1,2)")], &[json!("2.5"), json!("0")], false),
        exception(
            "`decimal`",
            &[json!({ "type": "decimal(6,2)", "min": "0.01", "max": 10 })],
            &[json!("0.00"), json!("10.01")],
            false,
        ),
        exception("`url`", &[term("url")], &[json!("http://xn--a/"), json!("http://[:::]/")], true),
        exception("`ip`", &[term("ip")], &[json!("1.2.3"), json!("x:y")], true),
        exception("`date`", &[json!({ "type": "date", "min": "2014-03-01" })], &[json!("2015-02-29")], true),
        exception("`callable`", &[json!({ "type": "callable", "callback": "refuse" })], &[json!(1)], false),
        exception(
            "types of whole numbers, `loose_string`",
            &["int", "uint", "loose_int", "loose_string"].map(term),
            &[json!(9_007_199_254_740_992.0), json!(1e18)],
            false,
        ),
    ]
}

fn exception_rows() -> Vec<String> {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/types.md")).unwrap();
    let (_, table) = page.split_once("| type | values that the JSON Schema accepts and the server rejects |").unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.split('|').nth(1).unwrap().trim().to_owned()).collect()
}

#[test]
fn every_exception_of_the_documentation_is_one() {
    let exceptions = exceptions();
    let mut uris = json!({});
    let mut cases = Vec::new();
    for Exception { types, values, ignores_formats, .. } in &exceptions {
        for r#type in types {
            let path = format!("t{}", cases.len());
            let mut parameter = r#type.clone();
            parameter["info"] = json!("I");
            uris[&path] = json!({ "POST": { "info": "I", "in": { "*": parameter } } });
            cases.push((path, r#type, values, *ignores_formats));
        }
    }
    let files = vec![("a.json".into(), json!({ "/": uris }).to_string().into_bytes())];
    let refuse = |_: &Json, _: Option<&Json>| Err("no".into());
    let engine = Rulebook::read(files).callable("refuse", refuse).unbound(Unbound::Echo).build().unwrap();
    let server = TestServer::start(&engine);
    let document = server.send(&Request::new("GET", "/openapi.json")).json();
    for (path, r#type, values, ignores_formats) in cases {
        let services = &engine.api().modules[0].services;
        let service = services.iter().find(|service| service.uri() == format!("/{path}")).unwrap();
        let of_type = complete_schema(&*service.methods[0].parameters[0].r#type.check);
        let content = &document["paths"][format!("/{path}")]["post"]["requestBody"]["content"];
        let published =
            json!({ "allOf": [content["application/json"]["schema"]], "components": document["components"] });
        for value in values {
            let request = Request::new("POST", format!("/{path}")).body("application/json", value.to_string());
            assert_eq!(server.send(&request).status, 400, "{type}: {value}");
            for schema in [&of_type, &published] {
                let is_valid = |validator: Validator| validator.is_valid(value);
                assert!(is_valid(plain_validator(schema)), "{type}: {value}: {schema}");
                assert_eq!(is_valid(validator(schema)), !ignores_formats, "{type}: {value}: {schema}");
            }
        }
    }
    let mut rows: Vec<&str> = exceptions.iter().map(|exception| exception.row).collect();
    rows.dedup();
    assert_eq!(rows, exception_rows());
}
