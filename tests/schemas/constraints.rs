//! Tests constraints between parameters, and between the fields of objects.

use rulebook_build::{Purpose, rust_code};
use rulebook_model::describe::{openapi, python, typescript};
use serde_json::{Value as Json, json};

use super::{api_in, server_of};
use crate::client::{Request, TestServer};

const FOLDER: &str = "constraints";

#[test]
fn parameters_are_checked_together_and_errors_name_one_of_them() {
    let server = server_of(FOLDER);
    let any = "id=5";
    for (query, errors) in [
        (any, &[][..]),
        ("name=x&since=2026-01-01", &[]),
        ("name=x&since=2026-01-01&until=2026-01-02", &[]),
        ("", &["id is missing in the query, expected exactly one of id and name"]),
        ("id=5&name=x", &["name in the query: expected exactly one of id and name, got \"x\""]),
        ("id=x&name=x", &["id in the query: expected a whole number", "exactly one of id and name"]),
        ("name=x&until=2026-01-02", &["since is missing in the query, expected a value, because until is given"]),
        ("name=x&since=2026-01-02&until=2026-01-02", &["since must be before until"]),
        ("name=x&since=2026-01-02&until=x", &["until in the query: expected a date"]),
        ("id=5&since=2026-01-02", &["name is missing in the query, expected a value, because since is given"]),
    ] {
        let response = server.send(&Request::new("GET", format!("/events?{query}")));
        let text = String::from_utf8_lossy(&response.body).replace("\\\"", "\"");
        assert_eq!(response.status, if errors.is_empty() { 200 } else { 400 }, "{query}: {text}");
        for error in errors {
            assert!(text.contains(error), "{query}: {error}: {text}");
        }
    }
    let both = server.send(&Request::new("GET", "/events?id=5").field("x-trace", "t"));
    let text = String::from_utf8_lossy(&both.body).into_owned();
    assert!(both.status == 400 && text.contains("at most one of x-trace and id"), "{text}");
    // The second error is about a value that the first one rejects.
    let invalid = server.send(&Request::new("GET", "/events?id=wrong").field("x-trace", "t"));
    let text = String::from_utf8_lossy(&invalid.body).replace("\\\"", "\"");
    assert!(text.contains(r#""expected":"at most one of x-trace and id","got":""wrong"""#), "{text}");
}

#[test]
fn members_of_bodies_and_fields_of_objects_are_checked_together() {
    let server = server_of(FOLDER);
    let place = json!({ "name": "Here" });
    let body = |changes: Json| {
        let mut body = json!({ "place": place, "begin": "2026-01-01T10:00:00Z" });
        changes.as_object().unwrap().iter().for_each(|(name, value)| body[name] = value.clone());
        body
    };
    for (changes, error) in [
        (json!({}), None),
        (json!({ "place": null }), Some("place is missing in the body, expected at least one of place and room")),
        (json!({ "place": { "lat": 1, "lon": 2 } }), None),
        (json!({ "place": { "name": "x", "lat": 1 } }), Some("place.lon in the body: expected lat and lon together")),
        (json!({ "place": { "lat": null } }), Some("place.name in the body: expected at least one of name and lat")),
        (json!({ "room": { "name": "x", "min": 2, "max": 2 } }), None),
        (json!({ "room": { "name": "x", "min": 3, "max": 2 } }), Some("A room cannot have fewer seats than it needs")),
        (
            json!({ "room": { "min": 1, "max": 2 } }),
            Some("room.name in the body: expected at least one of name and lat"),
        ),
        (json!({ "change": { "lat": 1 } }), None),
        (json!({ "change": { "min": 3, "max": 2 } }), Some("A room cannot have fewer seats than it needs")),
        (json!({ "end": "2026-01-01T11:00:00+01:00" }), None),
        (json!({ "end": "2026-01-01T10:30:00+01:00" }), Some("begin in the body: expected at most end")),
        (json!({ "password": "a", "again": "a" }), None),
        (json!({ "password": "a" }), Some("again is missing in the body, expected password and again together")),
        (
            json!({ "password": "first", "again": "other" }),
            Some("again in the body: expected the same value as password"),
        ),
    ] {
        let body = body(changes);
        let response = server.send(&Request::new("POST", "/events").body("application/json", body.to_string()));
        let text = String::from_utf8_lossy(&response.body).replace("\\\"", "\"");
        assert_eq!(response.status, if error.is_none() { 200 } else { 400 }, "{body}: {text}");
        assert!(error.is_none_or(|error| text.contains(error)), "{body}: {text}");
        assert!(error.is_none() || !text.contains("other"), "secret values are not shown: {text}");
    }
}

#[test]
fn documents_describe_constraints() {
    let api = api_in(FOLDER);
    let document = openapi(&api);
    let get = &document["paths"]["/events"]["get"];
    let constraints = get["x-constraints"].as_array().unwrap();
    assert_eq!(constraints[0], json!({ "exactly_one": ["id", "name"] }));
    assert!(get["description"].as_str().unwrap().contains("- exactly one of id and name is given\n"), "{get}");
    let schemas = &document["components"]["schemas"];
    let valid = |schema: &Json, value: &Json| jsonschema::validator_for(schema).unwrap().is_valid(value);
    assert!(valid(&schemas["Place"], &json!({ "name": "x" })));
    assert!(!valid(&schemas["Place"], &json!({ "name": "x", "lat": 1, "lon": null })));
    assert_eq!(schemas["Room"]["x-constraints"][0]["at_most"], json!(["min", "max"]));
    let post = &document["paths"]["/events"]["post"]["requestBody"]["content"]["application/json"]["schema"];
    let post = post["$ref"].as_str().map_or(post, |reference| &schemas[reference.rsplit('/').next().unwrap()]);
    assert_eq!(post["x-constraints"], json!([{ "at_most": ["begin", "end"] }, { "equal": ["password", "again"] }]));
    assert_eq!(post["allOf"].as_array().map(Vec::len), Some(2), "{post}");
    assert!(typescript(&api).contains("exactly one of id and name is given"));
    let server = server_of(FOLDER);
    let text = |target: &str| String::from_utf8(server.send(&Request::new("GET", target)).body).unwrap();
    for target in ["/docs/methods/events.get.md", "/docs/methods/events.get"] {
        assert!(text(target).contains("since is less than until"), "{}", text(target));
    }
    assert!(text("/docs/schemas/Place.md").contains("lat and lon are given together, or not at all"));
    let options = server.send(&Request::new("OPTIONS", "/events")).json();
    assert_eq!(options["/"]["events"]["GET"]["constraints"].as_array().map(Vec::len), Some(5));
}

#[test]
fn every_description_of_a_schema_names_its_constraints() {
    let api = api_in(FOLDER);
    let component = openapi(&api)["components"]["schemas"]["Room"]["description"].to_string();
    let options = Request::new("OPTIONS", "/events").field("accept", "text/markdown");
    let markdown = String::from_utf8(server_of(FOLDER).send(&options).body).unwrap();
    for text in [component, markdown, typescript(&api), python(&api), rust_code(&api, Purpose::Types)] {
        for sentence in ["at least one of name and lat is given", "min is at most max"] {
            assert!(text.contains(sentence), "{sentence}: {text}");
        }
    }
}

/// The text `null` is the value null for some types, and then it is not given: in JSON for `numeric`, and in a form for
/// every type that accepts null.
#[test]
fn schemas_count_the_text_null_as_the_server_does() {
    let field = |r#type: &str| json!({ "info": "I", "type": r#type });
    let fields = json!({ "a": field("?numeric"), "b": field("?int"), "c": { "info": "I", "type": "?union", "of": ["int", "null"] } });
    let constraints = [
        json!({ "exactly_one": ["a", "b"] }),
        json!({ "at_least_one": ["a", "c"] }),
        json!({ "at_most_one": ["a", "b", "c"] }),
        json!({ "together": ["a", "b"] }),
        json!({ "requires": { "a": ["b"], "c": ["a"] } }),
    ];
    let names = ["exactly_one", "at_least_one", "at_most_one", "together", "requires"];
    let mut uris = json!({});
    for (name, constraint) in names.iter().zip(&constraints) {
        let object = json!({ "info": "I", "type": "object", "fields": fields, "constraints": [constraint] });
        uris[name] = json!({ "POST": { "info": "I", "in": fields, "constraints": [constraint] } });
        uris[format!("{name}/object")] = json!({ "POST": { "info": "I", "in": { "*": object } } });
    }
    let server = TestServer::echo(&[("a.json", json!({ "/": uris }))]);
    let document = server.send(&Request::new("GET", "/openapi.json")).json();
    let schema = |path: &str, media_type: &str| {
        let schema = &document["paths"][path]["post"]["requestBody"]["content"][media_type]["schema"];
        let complete = json!({ "allOf": [schema], "components": document["components"] });
        jsonschema::validator_for(&complete).unwrap()
    };
    let values: [&[Json]; 3] = [
        &[json!(null), json!("null"), json!("5"), json!(5), json!("x")],
        &[json!(null), json!(1)],
        &[json!(null), json!("null"), json!(1)],
    ];
    for name in names {
        let json = "application/json";
        let form = "application/x-www-form-urlencoded";
        let paths = [format!("/{name}"), format!("/{name}/object")];
        let validators = [schema(&paths[0], json), schema(&paths[1], json)];
        let form_validator = schema(&paths[0], form);
        for mut index in 0..values.iter().map(|values| values.len() + 1).product::<usize>() {
            let mut body = json!({});
            for (name, values) in ["a", "b", "c"].iter().zip(values) {
                let choice = index % (values.len() + 1);
                index /= values.len() + 1;
                values.get(choice).into_iter().for_each(|value| body[name] = value.clone());
            }
            for (path, validator) in paths.iter().zip(&validators) {
                let response = server.send(&Request::new("POST", path).body(json, body.to_string()));
                assert_eq!(response.status == 200, validator.is_valid(&body), "{path}: {body}: {response:?}");
            }
            let sent = body.as_object_mut().unwrap();
            sent.retain(|_, value| !value.is_null());
            let fields: Vec<_> =
                sent.iter().map(|(name, value)| format!("{name}={}", value.to_string().replace('"', ""))).collect();
            let response = server.send(&Request::new("POST", &paths[0]).body(form, fields.join("&")));
            assert_eq!(response.status == 200, form_validator.is_valid(&body), "form of {name}: {body}: {response:?}");
        }
    }
}
