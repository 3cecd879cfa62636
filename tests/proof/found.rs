//! What once disproved a claim, made as small as it goes: each is a case with a name.

use rulebook::describe::openapi;
use serde_json::{Value as Json, json};

use super::subject::rulebook;

/// What OpenAPI says of the only method of a definition with this parameter.
fn operation(http: &str, key: &str, parameter: &Json) -> Json {
    let text = json!({ "/": { "a": { http: { "info": "I", "in": { key: parameter } } } } });
    let api = rulebook(vec![("a.json".into(), text.to_string().into_bytes())]).check().unwrap();
    let document = openapi(&api);
    let item = document["paths"].as_object().unwrap().values().next().unwrap();
    item[http.to_ascii_lowercase()].clone()
}

/// In a path a list is JSON, and a text there is an item as it stands: in quotes a date is none.
#[test]
fn a_text_in_quotes_is_no_list_of_dates() {
    for (term, alone) in [("date", false), ("int", true), ("string", true), ("string(1,3)", false)] {
        let own = json!({ "info": "I", "type": format!("array<{term}>"), "name": "x" });
        let schema = operation("GET", "URL#0", &own)["parameters"][0]["content"]["application/json"]["schema"].clone();
        assert_eq!(schema.get("anyOf").is_some(), alone, "{term}: {schema}");
    }
}

/// The check of the only parameter of a method refuses null, and so does its schema.
#[test]
fn null_is_nothing_that_a_callable_takes() {
    let text = json!({ "/": { "a": { "POST": { "info": "I", "in": {
        "x": { "info": "I", "type": "callable", "callback": "Class::method" }
    } } } } });
    let api = rulebook(vec![("a.json".into(), text.to_string().into_bytes())]).check().unwrap();
    let check = &api.modules[0].services[0].methods[0].parameters[0].r#type.check;
    let judge = jsonschema::validator_for(&check.schema()).unwrap();
    for value in [json!(null), json!(1), json!("a"), json!([]), json!({})] {
        assert_eq!(check.check((&value).into()).is_ok(), judge.is_valid(&value), "{value}");
    }
    let form = openapi(&api)["paths"]["/a"]["post"]["requestBody"]["content"].clone();
    let written = &form["application/x-www-form-urlencoded"]["schema"]["properties"]["x"];
    assert_eq!(written["type"], "string", "{form}");
}

/// A file is in no envelope: its status is the method's, also where the envelope has another for its answers.
#[test]
fn a_file_has_its_status_whatever_the_envelope() {
    let text = json!({ "envelope": "phalapi", "/": { "a": { "GET": {
        "info": "I", "options": { "download": true, "status": 203 }
    } } } });
    let api = rulebook(vec![("a.json".into(), text.to_string().into_bytes())]).check().unwrap();
    let document = openapi(&api);
    let responses = &document["paths"]["/a"]["get"]["responses"];
    assert!(responses["203"]["content"].get("*/*").is_some(), "{responses:#}");
    assert!(responses["200"]["content"].get("*/*").is_none(), "{responses:#}");
}
