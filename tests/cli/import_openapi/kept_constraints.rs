//! Tests that each constraint is imported or omitted by itself.

use std::fs;

use serde_json::{Value as Json, json};

use super::super::run_program;
use super::losses::import;
use super::{files_in, special_losses};

#[test]
fn each_constraint_is_kept_or_omitted_by_itself() {
    let text = json!({ "type": "string" });
    let parameter = |name: &str| json!({ "name": name, "in": "query", "schema": text });
    let less = json!({ "less": ["a", "b"] });
    let (exactly_one, together) = (json!({ "exactly_one": ["id", "name"] }), json!({ "together": ["a", "b"] }));
    let requires = json!({ "requires": { "id": ["a"], "b": ["c"], "c": ["missing"] }, "message": "Too few" });
    let parameters = ["id", "name", "a", "b", "c"].map(parameter);
    let get = json!({
        "parameters": parameters, "responses": {},
        "x-constraints": [exactly_one, less, { "at_most": 1 }, { "less": ["b", "a"] }, requires, together]
    });
    let schema = json!({
        "type": "object",
        "properties": { "a": text, "b": text, "c": text, "d": { "pattern": "(?=a)", "type": "string" } },
        "oneOf": [{ "required": ["c"] }, { "required": ["d"] }], "dependentRequired": { "a": ["b"] },
        "x-constraints": [less, together, less]
    });
    let (app, module, losses) = import(&json!({ "/p": { "get": get } }), &json!({ "S": schema }));
    assert_eq!(
        module["/"]["p"]["GET"]["constraints"],
        json!([
            exactly_one,
            { "requires": { "id": ["a"] }, "message": "Too few" }, { "requires": { "b": ["c"] }, "message": "Too few" },
            together
        ])
    );
    assert_eq!(
        app["schemas"]["S"]["constraints"],
        json!([{ "requires": { "a": ["b"] } }, { "exactly_one": ["c", "d"] }, together])
    );
    assert_eq!(
        losses,
        [
            "constraint, accepts more /paths/~1p/get/x-constraints/1",
            "constraint, accepts more /paths/~1p/get/x-constraints/2",
            "constraint, accepts more /paths/~1p/get/x-constraints/3",
            "constraint, accepts more /paths/~1p/get/x-constraints/4/requires/c",
            "pattern, accepts more /components/schemas/S/properties/d/pattern",
            "constraint, accepts more /components/schemas/S/x-constraints/0",
            "constraint, accepts more /components/schemas/S/x-constraints/2",
        ]
    );
}

#[test]
fn constraints_stay_when_a_field_that_they_name_is_replaced() {
    let schema = json!({
        "type": "object",
        "properties": { "a": { "type": "string", "minLength": 2, "maxLength": 1 }, "b": { "type": "string" } },
        "dependentRequired": { "a": ["b"] }
    });
    let paths = json!({ "/p": { "get": {
        "parameters": [
            { "name": "a", "in": "query", "schema": { "type": "string", "minLength": 2, "maxLength": 1 } },
            { "name": "b", "in": "query", "schema": { "type": "string" } }
        ],
        "responses": {}, "x-constraints": [{ "exactly_one": ["a", "b"] }]
    } } });
    let (app, module, losses) = import(&paths, &json!({ "S": schema }));
    assert_eq!(app["schemas"]["S"]["constraints"], json!([{ "requires": { "a": ["b"] } }]));
    assert_eq!(module["/"]["p"]["GET"]["constraints"], json!([{ "exactly_one": ["a", "b"] }]));
    assert_eq!(
        losses,
        ["type, accepts more /paths/~1p/get/parameters/0", "type, accepts more /components/schemas/S/properties/a"]
    );
}

#[test]
fn many_constraints_that_are_not_valid_are_omitted() {
    let less: Vec<Json> = (0..150).map(|_| json!({ "less": ["a", "b"] })).collect();
    let text = json!({ "type": "string" });
    let schema = json!({ "type": "object", "properties": { "a": text, "b": text }, "x-constraints": less });
    let (app, _, losses) = import(&json!({}), &json!({ "S": schema }));
    assert_eq!((&app["schemas"]["S"]["constraints"], losses.len()), (&Json::Null, 150));
}

#[test]
fn constraints_between_dates_survive_an_export_and_an_import() {
    let folder = tempfile::TempDir::new().unwrap();
    let field = |of_type: &str| json!({ "info": "A time", "type": of_type });
    let constraints = json!([{ "less": ["from", "until"] }, { "at_most": ["first", "last"] }]);
    let fields = json!({
        "from": field("?datetime"), "until": field("?datetime"), "first": field("?date"), "last": field("?date")
    });
    let schema = json!({ "info": "A span", "fields": fields, "constraints": constraints });
    let method = json!({
        "info": "Search", "in": { "GET@from": field("?datetime"), "GET@until": field("?datetime") },
        "constraints": [constraints[0]], "out": { "span": { "info": "A span", "type": "Span" } }
    });
    fs::create_dir(folder.path().join("one")).unwrap();
    let write = |name: &str, content: Json| fs::write(folder.path().join(name), content.to_string()).unwrap();
    write("one/app.json", json!({ "schemas": { "Span": schema } }));
    write("one/spans.json", json!({ "info": "Spans", "/": { "spans": { "GET": method } } }));
    let run = |arguments: &[&str]| {
        let result = run_program(folder.path(), arguments);
        assert_eq!((result.exit_code, result.stderr.as_str()), (Some(0), ""), "{arguments:?}: {}", result.stdout);
    };
    run(&["openapi", "--api", "one", "--output", "openapi.json"]);
    run(&["import", "openapi.json", "two", "--losses", "losses.txt"]);
    let files = files_in(&folder.path().join("two"));
    let parse = |name: &str| serde_json::from_str::<Json>(&files[name]).unwrap();
    let span = &parse("app.json")["schemas"]["Span"];
    assert_eq!(span["constraints"], constraints);
    for (name, of_type) in [("from", "?datetime"), ("last", "?date")] {
        assert_eq!(span["fields"][name]["type"], of_type);
    }
    assert_eq!(parse("spans.json")["/"]["spans"]["GET"]["constraints"], json!([constraints[0]]));
    let losses = special_losses(folder.path());
    let is_about_spans = |loss: &&str| loss.contains("Span") || loss.contains("parameters");
    assert_eq!(losses.lines().find(is_about_spans), None);
}
