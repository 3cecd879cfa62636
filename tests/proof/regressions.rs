//! Tests for counterexamples that the property tests found. Each was shrunk and is now a named test.

use rulebook_model::describe::openapi;
use serde_json::{Value as Json, json};

use super::case::rulebook_with_functions;
use super::schema_texts::SchemaCheck;
use crate::client::{Request, TestServer};

/// Returns the OpenAPI operation of a method that has one parameter.
fn operation_with_parameter(http: &str, key: &str, parameter: &Json) -> Json {
    let text = json!({ "/": { "a": { http: { "info": "I", "in": { key: parameter } } } } });
    let api = rulebook_with_functions(vec![("a.json".into(), text.to_string().into_bytes())]).check().unwrap();
    let document = openapi(&api);
    let item = document["paths"].as_object().unwrap().values().next().unwrap();
    item[http.to_ascii_lowercase()].clone()
}

/// In a path, an array is sent as JSON. Any other text is read as the only item of an array, including its quotes. So a
/// date in quotes is invalid.
#[test]
fn a_json_string_in_a_path_is_not_an_array_of_dates() {
    for (term, allows_item) in [("date", false), ("int", true), ("string", true), ("string(1,3)", false)] {
        let parameter = json!({ "info": "I", "type": format!("array<{term}>"), "name": "x" });
        let schema =
            operation_with_parameter("GET", "URL#0", &parameter)["parameters"][0]["content"]["application/json"]["schema"].clone();
        assert_eq!(schema.get("anyOf").is_some(), allows_item, "{term}: {schema}");
    }
}

#[test]
fn the_type_callable_and_its_schema_reject_null() {
    let text = json!({ "/": { "a": { "POST": { "info": "I", "in": {
        "x": { "info": "I", "type": "callable", "callback": "Class::method" }
    } } } } });
    let api = rulebook_with_functions(vec![("a.json".into(), text.to_string().into_bytes())]).check().unwrap();
    let check = &api.modules[0].services[0].methods[0].parameters[0].r#type.check;
    let validator = jsonschema::validator_for(&check.schema()).unwrap();
    for value in [json!(null), json!(1), json!("a"), json!([]), json!({})] {
        assert_eq!(check.checked((&value).into()).is_ok(), validator.is_valid(&value), "{value}");
    }
    let form = openapi(&api)["paths"]["/a"]["post"]["requestBody"]["content"].clone();
    let written = &form["application/x-www-form-urlencoded"]["schema"]["properties"]["x"];
    assert_eq!(written["type"], "string", "{form}");
}

/// A download has no envelope. So its response has the status of the method, even if the envelope uses 200 for all
/// responses.
#[test]
fn downloads_keep_their_status_in_every_envelope() {
    let text = json!({ "envelope": "phalapi", "/": { "a": { "GET": {
        "info": "I", "options": { "download": true, "status": 203 }
    } } } });
    let api = rulebook_with_functions(vec![("a.json".into(), text.to_string().into_bytes())]).check().unwrap();
    let document = openapi(&api);
    let responses = &document["paths"]["/a"]["get"]["responses"];
    assert!(responses["203"]["content"].get("*/*").is_some(), "{responses:#}");
    assert!(responses["200"]["content"].get("*/*").is_none(), "{responses:#}");
}

/// A body at the base path may name a method of any service. If such a body cannot be parsed, the response has the
/// envelope of the service that the OpenAPI document shows at the base path.
#[test]
fn unreadable_bodies_at_the_base_path_are_rejected_in_the_envelope_of_its_service() {
    let app = json!({ "dispatch": true, "limits": { "dispatch": 10 } });
    let service = json!({ "envelope": "iapi", "POST": { "info": "I" } });
    let server = TestServer::echo(&[("a.json", service), ("app.json", app)]);
    let large = Request::new("POST", "/").body("application/x-www-form-urlencoded", "a=1234567890");
    let malformed = Request::new("POST", "/").body("application/json", "{");
    for (request, status) in [(large, 413), (malformed, 400)] {
        let response = server.send(&request);
        assert_eq!((response.status, &response.json()["status"]), (status, &json!("error")), "{response:?}");
    }
}

/// In a permission, a point in time is written in seconds. Many texts in a request have that value, and `$when` lists
/// one of these texts.
#[test]
fn permissions_with_timestamps_are_listed_with_a_matching_text() {
    for (zone, term, min, texts) in [
        ("Europe/Paris", "datetime", "", &["1970-01-01 00:00:00", "1969-12-31T23:00:00.5Z"][..]),
        ("UTC", "datetime", "", &["0000-01-01T00:00:00+23:59"]),
        ("UTC", "datetime", "", &["9999-12-31T23:59:59-23:59"]),
        ("UTC", "datetime", "", &["9999-12-31T23:59:59.999999999+00:00"]),
        ("UTC", "datetime", "1970-01-01T00:00:00.25Z", &["1970-01-01T00:00:00.5Z"]),
        ("Asia/Tokyo", "date", "", &["2026-11-20"]),
        ("America/New_York", "date", "", &["9999-12-31"]),
        // In this time zone, the first of these days did not begin at midnight, because clocks were changed then.
        ("America/Sao_Paulo", "date", "2018-11-04", &["2018-11-04"]),
        ("Pacific/Kiritimati", "date", "", &["0000-01-01"]),
    ] {
        let mut at = json!({ "info": "When", "type": term, "format": "timestamp" });
        if !min.is_empty() {
            at["min"] = json!(min);
        }
        let method = |scope: Json| json!({ "GET": { "info": "I", "scope": scope, "in": { "{at}": at } } });
        let uris = json!({ "open/{at}": method(json!([])), "at/{at}": method(json!([["at[at]"]])) });
        let app = json!({ "options": "own", "timezone": zone });
        let server = TestServer::echo(&[("app.json", app), ("a.json", json!({ "/": uris }))]);
        let get = |below: &str, text: &str, held: &str| {
            let path = format!("/{below}/{}", text.replace(' ', "%20").replace('+', "%2B"));
            server.send(&Request::new("GET", path).scope(&[held]))
        };
        let listed_entry = |held: &str| {
            let listed = server.send(&Request::new("OPTIONS", "/").scope(&[held])).json();
            listed["modules"]["a"]["/"]["at/{at}"]["GET"].clone()
        };
        for text in texts {
            let held = format!("at[{}]", get("open", text, "").json()["args"]["at"]);
            assert_eq!(get("at", text, &held).status, 200, "{text}: {held}");
            let entry = listed_entry(&held);
            let when = entry["$when"][0]["at"][0].as_str().unwrap_or_else(|| panic!("{text}: {held}: {entry}"));
            assert_eq!(get("at", when, &held).status, 200, "{text}: {held}: {when}");
        }
        assert_eq!(listed_entry("at[999999999999999]"), json!(null), "no text has such a late time");
    }
}

/// A bound of a date without a time zone is in the time zone of the API. The OpenAPI document names this time zone.
#[test]
fn bounds_of_dates_are_in_the_documented_time_zone() {
    let at = json!({ "info": "When", "type": "datetime", "max": "2020-02-29" });
    let definition = json!({ "/": { "a": { "GET": { "info": "I", "in": { "GET@at": at } } } } });
    for (zone, documented, last) in
        [("Europe/Paris", json!("Europe/Paris"), "2020-02-28T23:00:00Z"), ("UTC", json!(null), "2020-02-29T00:00:00Z")]
    {
        let server = TestServer::echo(&[("app.json", json!({ "timezone": zone })), ("a.json", definition.clone())]);
        let status = |at: &str| server.send(&Request::new("GET", format!("/a?at={at}"))).status;
        let beyond = last.replace("00Z", "00.5Z");
        assert_eq!((status(last), status(&beyond)), (200, 400), "{zone}");
        let document = server.send(&Request::new("GET", "/openapi.json")).json();
        assert_eq!(document["x-timezone"], documented);
        let parameter = &document["paths"]["/a"]["get"]["parameters"][0];
        assert_eq!(
            parameter["description"],
            "When\n\nA date and time (RFC 3339, YYYY-MM-DD hh:mm:ss, or a date), not after 2020-02-29."
        );
        // The pattern in the schema limits only the date, because of the offsets from UTC.
        let check = SchemaCheck::new(&document, &parameter["schema"]);
        let valid = [last, "2020-03-02T00:00:00Z"].map(|text| check.is_valid(&json!(text)));
        assert_eq!(valid, [true, false], "{zone}");
    }
}

/// A path that begins with the paths of several services belongs to the service with the longest path. The OpenAPI
/// document says so in the descriptions of shorter services with positions.
#[test]
fn paths_that_begin_like_a_longer_service_belong_to_it() {
    let position = |n: usize| (format!("URL#{n}"), json!({ "info": "I", "type": "string" }));
    let positions: serde_json::Map<_, _> = (0..2).map(position).collect();
    let uris = json!({
        "a": { "GET": { "info": "I", "in": positions } },
        "a/%41": { "PUT": { "info": "I" } }
    });
    let server = TestServer::echo(&[("a.json", json!({ "/": uris }))]);
    let get = |target: &str| server.send(&Request::new("GET", target)).status;
    assert_eq!((get("/a/b/c"), get("/a/%2541/c"), get("/a/%2541")), (200, 404, 405));
    let document = server.send(&Request::new("GET", "/openapi.json")).json();
    let description = &document["paths"]["/a/{URL_0}/{URL_1}"]["get"]["description"];
    assert_eq!(*description, json!("Paths that begin with `/a/%2541` belong to another service."));
}

/// In a header field, a list is sent as JSON. A word without quotes is read as the only item of the list, also if the
/// items are texts.
#[test]
fn words_that_are_the_only_item_of_a_list_are_in_the_schema_of_the_list() {
    let list = |term: &str| json!({ "info": "I", "type": format!("array<{term}>"), "name": "x" });
    let split = |term: &str| json!({ "info": "I", "type": format!("array<{term}>"), "format": "list", "separator": ";", "name": "x" });
    for (parameter, valid, invalid) in [
        (list("letters"), &["true", "false", "null"][..], &[][..]),
        (list("enum(a|1|true)"), &["1", "true"], &["2", "false", "null"]),
        (list("int"), &["1", "-5"], &["true", "null"]),
        (list("bool"), &["true", "false"], &["null"]),
        (list("string(5,9)"), &["false"], &["true", "null"]),
        (split("int"), &["1", "-5"], &["true", "null"]),
        (split("letters"), &["true", "null"], &[]),
    ] {
        let operation = operation_with_parameter("GET", "HEADER@x", &parameter);
        let schema = &operation["parameters"][0]["content"]["application/json"]["schema"];
        let check = SchemaCheck::new(&json!({}), schema);
        let text = json!({ "/": { "a": { "GET": { "info": "I", "in": { "HEADER@x": parameter } } } } });
        let server = TestServer::echo(&[("a.json", text)]);
        for (words, is_valid) in [(valid, true), (invalid, false)] {
            for word in words {
                let response = server.send(&Request::new("GET", "/a").field("x", word));
                assert_eq!(response.status == 200, is_valid, "{parameter} {word}: {response:?}");
                assert_eq!(check.is_valid(&serde_json::from_str(word).unwrap()), is_valid, "{schema} {word}");
            }
        }
    }
}

#[test]
fn wildcards_at_the_beginning_of_a_pattern_do_not_match_a_dot_and_a_slash() {
    for (pattern, valid, invalid) in [
        ("?", &["x", "./x"][..], &[".", "./"][..]),
        ("?/?", &["a/x", "./a/x"], &["./x", "x"]),
        ("*/x", &["a/x", "./a/x"], &["./x", "x"]),
        ("{a,?}/x", &["a/x", "b/x"], &["./x"]),
        ("[!a]/x", &["b/x"], &["./x", "a/x"]),
        ("**/x", &["x", "./x", "a/x"], &["./"]),
    ] {
        let text = json!({ "/": { "a": { "POST": { "info": "I", "in": {
            "x": { "info": "I", "type": "filename", "range": [pattern] }
        } } } } });
        let api = rulebook_with_functions(vec![("a.json".into(), text.to_string().into_bytes())]).check().unwrap();
        let check = &api.modules[0].services[0].methods[0].parameters[0].r#type.check;
        let validator = jsonschema::validator_for(&check.schema()).unwrap();
        for (names, is_valid) in [(valid, true), (invalid, false)] {
            for name in names {
                assert_eq!(check.checked((&json!(name)).into()).is_ok(), is_valid, "{pattern} {name}");
                assert_eq!(validator.is_valid(&json!(name)), is_valid, "{pattern} {name}: {}", check.schema());
            }
        }
    }
}

/// A list of objects can be sent as one object. The type of a branch does not always contain the tag of its union.
#[test]
fn the_only_item_of_a_list_can_be_of_every_branch_of_a_union() {
    let field = |term: &str| json!({ "info": "I", "type": term });
    let schemas = json!({
        "A": { "info": "I", "fields": { "x": field("int") } },
        "B": { "info": "I", "fields": { "k": field("const(b)") } },
        "U": { "info": "I", "type": "union", "tag": "k", "of": { "a": "A", "b": "B" } },
        "V": { "info": "I", "type": "union", "tag": "k", "of": { "a": "A" } }
    });
    let parameters = json!({ "GET@us": field("?array<U>"), "GET@v": field("?V"), "form": field("?array<U>") });
    let text = json!({ "schemas": schemas, "/": { "a": { "POST": { "info": "I", "in": parameters } } } });
    let server = TestServer::echo(&[("a.json", text.clone())]);
    let api = rulebook_with_functions(vec![("a.json".into(), text.to_string().into_bytes())]).check().unwrap();
    let document = openapi(&api);
    let operation = &document["paths"]["/a"]["post"];
    let form = &operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"];
    let form = super::schema_texts::resolve_references(&document, form);
    let in_query = |index: usize| &operation["parameters"][index]["content"]["application/json"]["schema"];
    for (name, schema) in [("us", in_query(0)), ("v", in_query(1)), ("form", &form["properties"]["form"])] {
        let check = SchemaCheck::new(&document, schema);
        for (value, is_valid) in [
            (json!({ "k": "a", "x": 1 }), true),
            (json!({ "k": "b" }), name != "v"),
            (json!({ "k": "c", "x": 1 }), false),
            (json!({ "x": 1 }), false),
        ] {
            assert_eq!(check.is_valid(&value), is_valid, "{name}: {value}, {}", check.schema);
            let pair = format!(
                "{name}={}",
                percent_encoding::utf8_percent_encode(&value.to_string(), percent_encoding::NON_ALPHANUMERIC)
            );
            let request = match name {
                "form" => Request::new("POST", "/a").body("application/x-www-form-urlencoded", pair),
                _ => Request::new("POST", format!("/a?{pair}")),
            };
            assert_eq!(server.send(&request).status == 200, is_valid, "{name}: {value}");
        }
    }
}

/// Clients send such a list without items as an empty text.
#[test]
fn an_empty_text_is_a_list_without_items_if_commas_separate_the_items() {
    let parameter = json!({ "info": "I", "type": "array<int>", "format": "explode", "name": "x" });
    let keys = ["GET@x", "HEADER@x", "COOKIE@x", "x"];
    let of_key = |key: &str| json!({ "POST": { "info": "I", "in": { key: parameter } } });
    let uris: serde_json::Map<_, _> =
        keys.iter().enumerate().map(|(number, key)| (format!("u{number}"), of_key(key))).collect();
    let server = TestServer::echo(&[("a.json", json!({ "/": uris }))]);
    let document = server.send(&Request::new("GET", "/openapi.json")).json();
    for (number, key) in keys.into_iter().enumerate() {
        let path = format!("/u{number}");
        let empty = match key {
            "GET@x" => Request::new("POST", format!("{path}?x=")),
            "HEADER@x" => Request::new("POST", path.as_str()).field("x", ""),
            "COOKIE@x" => Request::new("POST", path.as_str()).field("cookie", "x="),
            _ => Request::new("POST", path.as_str()).body("application/x-www-form-urlencoded", "x="),
        };
        assert_eq!(server.send(&empty).status, 200, "{key}");
        assert_eq!(server.send(&Request::new("POST", path.as_str())).status, 400, "{key}");
        let operation = &document["paths"][path]["post"];
        let form = &operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"];
        let form = super::schema_texts::resolve_references(&document, form);
        let schema = operation.pointer("/parameters/0/schema").unwrap_or(&form["properties"]["x"]);
        let check = SchemaCheck::new(&document, schema);
        assert!(check.is_valid(&json!([])) && !check.is_valid(&json!([""])), "{key}: {schema}");
    }
}
