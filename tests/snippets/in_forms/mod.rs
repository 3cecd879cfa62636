//! Tests the example calls that the pages show for the values in a form. Scripts in the browser generate them; they are
//! run in Node here.

mod hard_values;

use std::collections::HashMap;
use std::fs;
use std::process::Command;

use rulebook::{AuthScheme, Authenticate, Authentication, Engine, Head, Rulebook, Unbound};
use rulebook_model::describe::{API_KEY_PLACEHOLDER, Snippet, example, server_url};
use rulebook_model::model::{Api, Location, Method, Parameter};
use rulebook_model::types::Arity;
use serde_json::{Value as Json, json};

use super::passwords::{assert_calls_are_permitted, engine_for_credential};
use super::run_calls::Language;
use super::{echo_engine, engine_with_uris, fixed_definitions, methods_with_calls};
use crate::client::TestServer;

/// The example calls of one method, by their titles.
type Calls = HashMap<String, String>;

/// Returns what the pages of a server show for these calls. Returns `None` for a call if an input cannot have one of
/// its values.
fn calls_of_forms(server: &TestServer, calls: &[Json]) -> Vec<Option<Calls>> {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir("crates/rulebook/static").unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    fs::write(folder.path().join("package.json"), r#"{ "type": "module" }"#).unwrap();
    let file = folder.path().join("calls.json");
    fs::write(&file, json!({ "url": format!("http://{}/", server.address()), "calls": calls }).to_string()).unwrap();
    let mut node = Command::new("node");
    let output = node.arg("tests/snippets/form_calls.mjs").arg(folder.path()).arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Returns the header field with the placeholder of the credential, if a curl command has a credential.
fn credential_in(curl: &str) -> Option<String> {
    if curl.contains("--user 'NAME:PASSWORD'") {
        return Some(format!("Authorization: Basic {API_KEY_PLACEHOLDER}"));
    }
    let (start, _) = curl.split_once(API_KEY_PLACEHOLDER)?;
    let (_, field) = start.rsplit_once("-H '")?;
    Some(format!("{field}{API_KEY_PLACEHOLDER}"))
}

/// Returns the values that the example calls of a method send, in the order of its parameters. Returns `None` if a form
/// sends other fields: if several parameters are read from the same field, of which an example call sends only the
/// first, and for lists with items of any type, which forms send as JSON.
fn example_values(method: &Method, curl: &str) -> Option<Vec<Json>> {
    let fields: Vec<_> = method.parameters.iter().map(|parameter| (parameter.from, &parameter.key)).collect();
    let is_repeated = |index: usize| !fields[index].1.is_empty() && fields[..index].contains(&fields[index]);
    let has_any_items = |parameter: &Parameter| {
        let schema = parameter.r#type.check.schema();
        !matches!(parameter.from, Location::Body | Location::WholeBody)
            && schema["type"] == "array"
            && schema["items"].get("type").is_none()
    };
    // Constraints can require optional parameters, which the example calls then send.
    if !method.constraints.is_empty()
        || (0..fields.len()).any(is_repeated)
        || method.parameters.iter().any(has_any_items)
    {
        return None;
    }
    let value = |parameter: &Parameter| {
        if parameter.optional && parameter.example.is_none() {
            return Json::Null;
        }
        if matches!(parameter.r#type.check.arity(), Arity::File | Arity::Files) {
            let start = match parameter.is_raw_body() {
                true => "--data-binary '@".to_owned(),
                false => format!("-F '{}=@", parameter.key.replace('\'', r"'\''")),
            };
            let names = curl.split(&start).skip(1).map(|rest| rest.split('\'').next().unwrap());
            return json!(names.collect::<Vec<_>>());
        }
        let value = example::parameter_example(method, parameter).unwrap_or_else(|| "value".into());
        Json::from(value.to_string())
    };
    Some(method.parameters.iter().map(value).collect())
}

/// Checks that the form of each method shows the example calls of the server for the example values. Returns the number
/// of methods that were compared.
fn assert_forms_show_the_calls_of_the_server(engine: &Engine) -> usize {
    let server = TestServer::start(engine);
    let address = format!("http://{}", server.address());
    let all = methods_with_calls(engine.api()).into_iter().filter_map(|(method, snippets)| {
        let curl = &snippets[0].text;
        let values = example_values(method, curl)?;
        let call = json!({ "id": method.id, "credential": credential_in(curl), "token": "", "values": values });
        Some((method, snippets, call))
    });
    let all: Vec<_> = all.collect();
    let calls: Vec<_> = all.iter().map(|(_, _, call)| call.clone()).collect();
    let mut count = 0;
    for ((method, snippets, call), shown) in all.iter().zip(calls_of_forms(&server, &calls)) {
        let Some(shown) = shown else { continue };
        assert_eq!(shown.len(), snippets.len(), "{shown:?}");
        for Snippet { title, text, .. } in snippets {
            let expected = at_address(engine.api(), text, title, &address);
            let types: Vec<_> = method.parameters.iter().map(|parameter| &parameter.r#type.written).collect();
            assert_eq!(shown[*title], expected, "{}: {call}: {types:?}", method.id);
        }
        count += 1;
    }
    count
}

/// Returns an example call with the URL of another server.
fn at_address(api: &Api, text: &str, title: &str, address: &str) -> String {
    // A call with `rulebook.js` also imports the client from the server.
    text.replacen(&server_url(api, None), address, if title == Language::Client.title() { 2 } else { 1 })
}

#[test]
#[ignore = "needs Node 20"]
fn forms_show_the_calls_of_the_server_for_the_example_values() {
    let generated = fixed_definitions().into_iter().map(|definition| echo_engine(definition.public().bytes()));
    let count: usize = generated.map(|engine| assert_forms_show_the_calls_of_the_server(&engine)).sum();
    assert!(count > 60, "{count} methods");
    let engine = engine_with_uris(&json!({
        "text": { "POST": { "info": "I", "scope": [["reader"]], "in": { "text": parameter("string", "ü") } } },
        "head": { "GET": { "info": "I", "scope": [["reader"]], "in": {
            "HEADER@X-Text": parameter("string", "it's"), "COOKIE@c": parameter("string", "it's")
        } } },
        "numbers": { "POST": { "info": "I", "in": {
            "integer": parameter("any", 9_007_199_254_740_993_u64), "zero": parameter("any", -0.0),
            "large": parameter("any", vec![1e18, 1e22]), "fraction": parameter("any", vec![0.1, 2.0])
        } } },
        "file": { "GET": { "info": "I", "options": { "download": true }, "in": { "(a)*'!": parameter("string", "(b)*'!") } } }
    }));
    assert_eq!(assert_forms_show_the_calls_of_the_server(&engine), 4);
}

/// An authenticator with this scheme.
struct WithScheme(AuthScheme);

impl Authenticate for WithScheme {
    async fn authenticate(&self, _: &Head) -> Authentication {
        Authentication::Anonymous
    }

    fn schemes(&self) -> Vec<AuthScheme> {
        vec![self.0.clone()]
    }
}

/// Returns an API with one method, which requires a permission.
fn engine_with_scheme(scheme: AuthScheme) -> Engine {
    let method = json!({ "info": "I", "scope": [["reader"]], "in": { "COOKIE@c": parameter("string", "x") } });
    let app = json!({ "modules": { "site": { "GET": method } } }).to_string().into_bytes();
    let rulebook = Rulebook::read(vec![("app.json".into(), app)]).authenticator(WithScheme(scheme));
    rulebook.unbound(Unbound::Echo).build().unwrap()
}

#[test]
#[ignore = "needs Node 20"]
fn forms_show_calls_with_the_credential_of_the_scheme() {
    let quoted = [r"se'cr\u0022et", r#"se'cr\"et"#, r#"se\'cr"et"#, r#"se'\''cr"et"#];
    for (scheme, typed, field, sent) in [
        (AuthScheme::Header("X-Key".to_owned()), "se'cr\"et", "X-Key: se'cr\"et", &quoted[..]),
        (AuthScheme::Cookie("session".to_owned()), "se'cr\"et", "session=se'cr\"et; c=x", &quoted),
        (AuthScheme::basic("staff"), "se'cr\"et", "Authorization: Basic se'cr\"et", &quoted),
    ] {
        let engine = engine_with_scheme(scheme);
        assert_eq!(assert_forms_show_the_calls_of_the_server(&engine), 1);
        let (method, snippets) = methods_with_calls(engine.api()).remove(0);
        let credential = credential_in(&snippets[0].text);
        let call = json!({ "id": method.id, "credential": credential, "token": typed, "values": [r#""x""#] });
        let shown = calls_of_forms(&TestServer::start(&engine), &[call]).remove(0).unwrap();
        assert!(shown["curl"].contains(&field.replace('\'', r"'\''")), "{}", shown["curl"]);
        for (title, text) in shown {
            assert!(sent.iter().any(|secret| text.contains(secret)), "{title}: {text}");
        }
    }
}

#[test]
#[ignore = "needs Node 20 and Python 3 with requests"]
fn forms_show_calls_that_send_the_typed_name_and_password() {
    for (typed, credential) in [
        ("ada:p:ä\"'s", "Basic YWRhOnA6w6QiJ3M="),
        ("ädä:secret", "Basic w6Rkw6Q6c2VjcmV0"),
        // The credential as it is sent.
        ("YWRhOng=", "Basic YWRhOng="),
    ] {
        let engine = engine_for_credential(credential);
        assert_eq!(assert_forms_show_the_calls_of_the_server(&engine), 3);
        let server = TestServer::start(&engine);
        let values = [json!([r#""x""#]), json!([r#""x""#]), json!([["file.txt"]])];
        let calls = methods_with_calls(engine.api()).into_iter().zip(values).map(|((method, snippets), values)| {
            let credential = credential_in(&snippets[0].text);
            json!({ "id": method.id, "credential": credential, "token": typed, "values": values })
        });
        let shown: Vec<_> = calls_of_forms(&server, &calls.collect::<Vec<_>>()).into_iter().flatten().collect();
        assert_eq!(shown.len(), 3);
        for language in [Language::Curl, Language::Client, Language::JavaScript, Language::Python] {
            let calls: Vec<_> = shown.iter().map(|calls| calls[language.title()].clone()).collect();
            assert_calls_are_permitted(&calls, language);
        }
    }
}

/// Returns a parameter with an example.
fn parameter(r#type: &str, example: impl Into<Json>) -> Json {
    json!({ "info": "I", "type": r#type, "example": example.into() })
}
