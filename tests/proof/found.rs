//! What once disproved a claim, made as small as it goes: each is a case with a name.

use rulebook::describe::openapi;
use serde_json::{Value as Json, json};

use super::subject::rulebook;
use super::written::Judge;
use crate::client::{Request, Site};

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

/// At base a body may name any service. Where it cannot be read so far, the answer is in the envelope of the one that is
/// described there.
#[test]
fn a_body_at_base_is_refused_in_the_envelope_of_what_stands_there() {
    let app = json!({ "dispatch": true, "limits": { "dispatch": 10 } });
    let own = json!({ "envelope": "iapi", "POST": { "info": "I" } });
    let site = Site::echo(&[("a.json", own), ("app.json", app)]);
    let large = Request::new("POST", "/").body("application/x-www-form-urlencoded", "a=1234567890");
    let unread = Request::new("POST", "/").body("application/json", "{");
    for (request, status) in [(large, 413), (unread, 400)] {
        let answer = site.send(&request);
        assert_eq!((answer.status, &answer.json()["status"]), (status, &json!("error")), "{answer:?}");
    }
}

/// A permission holds the seconds of a point in time, of which there are many texts, and somebody is told of one.
#[test]
fn who_holds_the_seconds_of_a_point_in_time_is_told_so() {
    for (zone, term, least, texts) in [
        ("Europe/Paris", "datetime", "", &["1970-01-01 00:00:00", "1969-12-31T23:00:00.5Z"][..]),
        ("UTC", "datetime", "", &["0000-01-01T00:00:00+23:59"]),
        ("UTC", "datetime", "", &["9999-12-31T23:59:59-23:59"]),
        ("UTC", "datetime", "", &["9999-12-31T23:59:59.999999999+00:00"]),
        ("UTC", "datetime", "1970-01-01T00:00:00.25Z", &["1970-01-01T00:00:00.5Z"]),
        ("Asia/Tokyo", "date", "", &["2026-11-20"]),
        ("America/New_York", "date", "", &["9999-12-31"]),
        // The clocks of the first of these days had no midnight.
        ("America/Sao_Paulo", "date", "2018-11-04", &["2018-11-04"]),
        ("Pacific/Kiritimati", "date", "", &["0000-01-01"]),
    ] {
        let mut at = json!({ "info": "When", "type": term, "format": "timestamp" });
        if !least.is_empty() {
            at["min"] = json!(least);
        }
        let method = |scope: Json| json!({ "GET": { "info": "I", "scope": scope, "in": { "{at}": at } } });
        let uris = json!({ "open/{at}": method(json!([])), "at/{at}": method(json!([["at[at]"]])) });
        let app = json!({ "options": "own", "timezone": zone });
        let site = Site::echo(&[("app.json", app), ("a.json", json!({ "/": uris }))]);
        let get = |below: &str, text: &str, held: &str| {
            let path = format!("/{below}/{}", text.replace(' ', "%20").replace('+', "%2B"));
            site.send(&Request::new("GET", path).scope(&[held]))
        };
        let told = |held: &str| {
            let listed = site.send(&Request::new("OPTIONS", "/").scope(&[held])).json();
            listed["modules"]["a"]["/"]["at/{at}"]["GET"].clone()
        };
        for text in texts {
            let held = format!("at[{}]", get("open", text, "").json()["args"]["at"]);
            assert_eq!(get("at", text, &held).status, 200, "{text}: {held}");
            let listed = told(&held);
            let when = listed["$when"][0]["at"][0].as_str().unwrap_or_else(|| panic!("{text}: {held}: {listed}"));
            assert_eq!(get("at", when, &held).status, 200, "{text}: {held}: {when}");
        }
        assert_eq!(told("at[999999999999999]"), json!(null), "no text is so far");
    }
}

/// Bounds of dates that name no zone are of the API's, and so are those of its documents.
#[test]
fn bounds_of_dates_are_in_the_zone_that_documents_tell() {
    let at = json!({ "info": "When", "type": "datetime", "max": "2020-02-29" });
    let definition = json!({ "/": { "a": { "GET": { "info": "I", "in": { "GET@at": at } } } } });
    for (zone, told, last) in
        [("Europe/Paris", json!("Europe/Paris"), "2020-02-28T23:00:00Z"), ("UTC", json!(null), "2020-02-29T00:00:00Z")]
    {
        let site = Site::echo(&[("app.json", json!({ "timezone": zone })), ("a.json", definition.clone())]);
        let status = |at: &str| site.send(&Request::new("GET", format!("/a?at={at}"))).status;
        let beyond = last.replace("00Z", "00.5Z");
        assert_eq!((status(last), status(&beyond)), (200, 400), "{zone}");
        let document = site.send(&Request::new("GET", "/openapi.json")).json();
        assert_eq!(document["x-timezone"], told);
        let judge = Judge::new(&document, &document["paths"]["/a"]["get"]["parameters"][0]["schema"]);
        assert_eq!((judge.allows(&json!(last)), judge.allows(&json!(beyond))), (true, false), "{zone}");
    }
}

/// A path is the longest service's that it begins with, and documents say so of those whose positions it might be.
#[test]
fn what_begins_like_a_longer_service_is_its_own() {
    let position = |n: usize| (format!("URL#{n}"), json!({ "info": "I", "type": "string" }));
    let positions: serde_json::Map<_, _> = (0..2).map(position).collect();
    let uris = json!({
        "a": { "GET": { "info": "I", "in": positions } },
        "a/%41": { "PUT": { "info": "I" } }
    });
    let site = Site::echo(&[("a.json", json!({ "/": uris }))]);
    let get = |target: &str| site.send(&Request::new("GET", target)).status;
    assert_eq!((get("/a/b/c"), get("/a/%2541/c"), get("/a/%2541")), (200, 404, 405));
    let document = site.send(&Request::new("GET", "/openapi.json")).json();
    let said = &document["paths"]["/a/{URL_0}/{URL_1}"]["get"]["description"];
    assert_eq!(*said, json!("What begins with `/a/%2541` is of another service."));
}
