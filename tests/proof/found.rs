//! What once disproved a claim, made as small as it goes: each is a case with a name.

use rulebook::describe::openapi;
use serde_json::json;

use super::subject::rulebook;

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
