//! Tests requests that select a response with the header field `Prefer` (RFC 7240).

use rulebook::{Rulebook, Unbound};
use serde_json::{Value as Json, json};

use super::kinds::{note, title_and_size};
use super::over_http::serve;
use super::{build, files};

/// Sends a GET request with these fields `Prefer`. Returns the status, the field `Preference-Applied` and the body.
pub(super) fn get(url: &str, prefer: &[&str]) -> (u16, String, String) {
    let (status, fields, body) = get_fields(url, prefer);
    let applied = fields.iter().find(|(name, _)| name == "preference-applied");
    (status, applied.map(|(_, value)| value.clone()).unwrap_or_default(), body)
}

/// Sends a GET request with these fields `Prefer`. Returns the status, the header fields and the body.
fn get_fields(url: &str, prefer: &[&str]) -> (u16, Vec<(String, String)>, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let request = prefer.iter().fold(agent.get(url), |request, prefer| request.header("Prefer", *prefer));
    let mut response = request.call().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let fields = response.headers().iter().map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect();
    (response.status().as_u16(), fields, response.body_mut().read_to_string().unwrap())
}

#[test]
fn a_request_can_prefer_an_example() {
    let handler = json!({
        "value": { "title": "Milk" },
        "examples": {
            "empty": { "title": "-" }, "long": { "title": "Milk and bread", "size": 14 }, "a, \"b\"": { "title": "Bread" },
            "größe": { "title": "Butter" }
        }
    });
    let (running, at) = serve(&build(note(&handler, &title_and_size()), []));
    for (prefer, applied, title) in [
        (&[][..], "", "Milk"),
        (&[""], "", "Milk"),
        (&["example=empty"], "example=empty", "-"),
        (&["Example=\"long\""], "example=long", "Milk and bread"),
        (&["respond-async, example=empty; foo=bar, wait=5"], "example=empty", "-"),
        (&["wait=5", "example=empty", "example=long"], "example=empty", "-"),
        (&["foo=\"a, example=long\", example=empty"], "example=empty", "-"),
        (&[r#"example="a, \"b\"""#], r#"example="a, \"b\"""#, "Bread"),
        (&["example=\"größe\""], "example=\"größe\"", "Butter"),
        (&["example=other"], "", "Milk"),
        (&["example"], "", "Milk"),
        (&["example="], "", "Milk"),
        (&["example=\"empty\"x"], "", "Milk"),
        (&["example=\"empty"], "", "Milk"),
        (&["examples=empty, an-example=empty"], "", "Milk"),
        (&["foo; example=empty"], "", "Milk"),
        (&["code=404"], "", "Milk"),
    ] {
        let (status, header, body) = get(&format!("{at}/note"), prefer);
        assert_eq!((status, header.as_str()), (200, applied), "{prefer:?}");
        assert!(body.contains(&format!("\"title\":\"{title}\"")), "{prefer:?}: {body}");
    }
    running.stop().unwrap();
}

#[test]
fn with_mock_a_request_can_prefer_the_status_of_a_declared_error() {
    let errors = json!({
        "no_note": { "status": 404, "info": "There is no such note" }, "broken": { "status": 503, "info": "Broken" }
    });
    let method = json!({
        "info": "A note", "out": title_and_size(), "errors": errors, "options": { "status": 202 }
    });
    let all = files("notes", &json!({ "/": { "note": { "GET": method } } }));
    let engine = Rulebook::read(all).unbound(Unbound::Mock).build().unwrap();
    let (running, at) = serve(&engine);
    for (prefer, status, applied) in [
        (&[][..], 202, ""),
        (&["code=404"], 404, "code=404"),
        (&["wait=1", "code=\"503\""], 503, "code=503"),
        (&["code=202"], 202, "code=202"),
        (&["code=418"], 202, ""),
        (&["code=abc"], 202, ""),
    ] {
        let (got, header, body) = get(&format!("{at}/note"), prefer);
        assert_eq!((got, header.as_str()), (status, applied), "{prefer:?}: {body}");
    }
    running.stop().unwrap();
}

#[test]
fn responses_that_depend_on_preferences_have_the_field_vary() {
    let vary = |engine: &rulebook::Engine, path: &str, prefer: &[&str]| -> Vec<String> {
        let (running, at) = serve(engine);
        let (_, fields, _) = get_fields(&format!("{at}{path}"), prefer);
        running.stop().unwrap();
        let values = fields.iter().filter(|(name, _)| name == "vary").flat_map(|(_, value)| value.split(','));
        values.map(|value| value.trim().to_ascii_lowercase()).collect()
    };
    let with_formats = |mut all: Vec<_>| {
        all.push(("api/app.json".into(), json!({ "formats": ["xml"] }).to_string().into_bytes()));
        all
    };
    let value = |handler: Json| build(with_formats(note(&handler, &title_and_size())), []);
    let named = value(json!({ "value": { "title": "Milk" }, "examples": { "empty": { "title": "-" } } }));
    for prefer in [&[][..], &["example=empty"], &["example=other"]] {
        assert_eq!(vary(&named, "/note", prefer), ["prefer", "accept"], "{prefer:?}");
    }
    assert_eq!(vary(&value(json!({ "value": { "title": "Milk" } })), "/note", &["example=empty"]), ["accept"]);

    let errors = json!({ "no_note": { "status": 404, "info": "There is no such note" } });
    let note = json!({ "info": "A note", "out": title_and_size(), "errors": errors });
    let file = json!({ "info": "A file", "options": { "download": true } });
    let all = files("notes", &json!({ "/": { "note": { "GET": note }, "file": { "GET": file } } }));
    let mock = Rulebook::read(with_formats(all)).unbound(Unbound::Mock).build().unwrap();
    for prefer in [&[][..], &["code=404"]] {
        assert_eq!(vary(&mock, "/note", prefer), ["prefer", "accept"], "{prefer:?}");
    }
    assert!(vary(&mock, "/file", &[]).contains(&"prefer".to_owned()));
}
