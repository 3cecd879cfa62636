//! Tests the example calls (snippets) of methods: in every language, the server responds as the definition describes.
//!
//! Some tests need Node or Python. The script `tests/external/snippets` runs these tests.

mod demo;
mod in_forms;
mod passwords;
mod run_calls;

use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use rulebook::types::Value;
use rulebook::{Authenticate, Authentication, Engine, Head, Identity, Rulebook, Unbound};
use rulebook_model::describe::example;
use rulebook_model::describe::{API_KEY_PLACEHOLDER, Snippet, server_url, snippets, uris};
use rulebook_model::model::{Api, Location, Method};
use serde_json::{Value as Json, json};

use crate::client::TestServer;
use run_calls::Language;
use support::generate::{Generated, definitions};
use support::golden;

/// An authenticator that accepts any credential, and grants the permission `reader`.
struct AnyCredential;

impl Authenticate for AnyCredential {
    async fn authenticate(&self, head: &Head) -> Authentication {
        match head.header("Authorization") {
            Some(_) => Authentication::Identity(Identity::new("test", ["reader"])),
            None => Authentication::Anonymous,
        }
    }
}

fn echo_engine(files: Vec<(std::path::PathBuf, Vec<u8>)>) -> Engine {
    let rulebook = Rulebook::read(files).authenticator(AnyCredential).unbound(Unbound::Echo);
    rulebook.build().unwrap_or_else(|report| panic!("{report}"))
}

fn engine_with_uris(uris: &Json) -> Engine {
    echo_engine(vec![("app.json".into(), json!({ "modules": { "site": { "/": uris } } }).to_string().into_bytes())])
}

/// Returns the methods of an API, each with its example calls.
fn methods_with_calls(api: &Api) -> Vec<(&Method, Vec<Snippet>)> {
    let services = uris(api).services;
    let methods = services.iter().flat_map(|own| own.service.methods.iter().map(move |method| (own, method)));
    methods.map(|(own, method)| (method, snippets(api, &server_url(api, None), &own.uri, method))).collect()
}

/// Returns the example calls of an API in one language. They call the server at this address with this API key.
fn calls_to_server(api: &Api, language: Language, address: &str, key: &str) -> Vec<String> {
    // A call with `rulebook.js` also imports the client from the server.
    let urls = if language == Language::Client { 2 } else { 1 };
    let at = |text: &str| {
        text.replacen(&server_url(api, None), &format!("http://{address}"), urls).replace(API_KEY_PLACEHOLDER, key)
    };
    let own =
        |(_, all): &(&Method, Vec<Snippet>)| at(&all.iter().find(|own| own.title == language.title()).unwrap().text);
    methods_with_calls(api).iter().map(own).collect()
}

/// Checks that every example call of these definitions succeeds, and that the server receives the example values.
/// Returns the number of calls.
fn assert_calls_succeed(generated: &[Generated], language: Language) -> usize {
    let mut count = 0;
    for generated in generated {
        let mut generated = generated.clone();
        for (_, file) in &mut generated.files {
            let file = file.as_object_mut().unwrap();
            // Generated limits may be too small for the example values.
            file.remove("limits");
            // Example values can contain the URL of a generated server, which the calls must not.
            file.remove("servers");
        }
        let engine = echo_engine(generated.bytes());
        let server = TestServer::start(&engine);
        let texts = calls_to_server(engine.api(), language, &server.address().to_string(), "any");
        let folder = tempfile::tempdir().unwrap();
        let responses = run_calls::run_calls(language, &texts, folder.path());
        for (((method, _), text), (status, body)) in methods_with_calls(engine.api()).iter().zip(&texts).zip(responses)
        {
            let declared = method.options.status;
            assert!((200..300).contains(&status), "{}: {status} {body}, not {declared}\n{text}", method.id);
            assert_received(method, &body, text, language);
            count += 1;
        }
    }
    count
}

/// Checks that the echoed arguments equal the example values.
fn assert_received(method: &Method, echo: &str, text: &str, language: Language) {
    // The JavaScript class `FormData` sends line breaks as CR LF.
    let Ok(echo) = serde_json::from_str::<Json>(&echo.replace(r"\r\n", r"\n")) else { return };
    let Some(args) = ["/args", "/data/args", "/result/args"].iter().find_map(|path| echo.pointer(path)) else { return };
    for own in example::sent_parameters(method) {
        let check = &own.r#type.check;
        let Some(shown) = example::parameter_example(method, own) else { continue };
        let Ok(expected) = check.checked(Value::from(&shown)) else { continue };
        let printed = |value: &Json| if language.parses_responses() { with_doubles(value) } else { value.clone() };
        let expected = printed(&serde_json::to_value(expected).unwrap());
        let received = printed(&args[&own.name]);
        let any = [json!({}), json!({ "not": { "type": "null" } })];
        let is_json = matches!(own.from, Location::Body | Location::WholeBody);
        let is_any = any.contains(&check.schema()) && !is_json;
        assert!(received == expected || is_any, "{}: {} is {received}, not {expected}\n{text}", method.id, own.name);
    }
}

/// Returns a value with its numbers as JavaScript's `JSON.parse` reads them: as floating-point numbers of 64 bits,
/// which represent integers exactly up to 2^53.
fn with_doubles(value: &Json) -> Json {
    match value {
        Json::Number(number) => number.as_f64().map_or_else(|| value.clone(), Json::from),
        Json::Array(items) => items.iter().map(with_doubles).collect(),
        Json::Object(members) => members.iter().map(|(name, value)| (name.clone(), with_doubles(value))).collect(),
        other => other.clone(),
    }
}

#[test]
fn only_numbers_that_javascript_cannot_distinguish_are_equal_as_doubles() {
    let parsed = |text: &str| with_doubles(&serde_json::from_str(text).unwrap());
    let of_javascript = r#"{"a":[1,{"b":18446744073709552000}],"c":9007199254740992}"#;
    assert_eq!(parsed(r#"{"a":[1,{"b":18446744073709551615}],"c":9007199254740993}"#), parsed(of_javascript));
    assert_ne!(parsed(r#"{"a":[2,{"b":18446744073709551615}],"c":9007199254740993}"#), parsed(of_javascript));
    assert_ne!(parsed("9007199254740991"), parsed("9007199254740992"));
    assert_ne!(parsed("1"), parsed("\"1\""));
}

#[test]
fn example_calls_of_the_demo_equal_the_golden_file() {
    let files = std::fs::read_dir("api").unwrap().map(|entry| entry.unwrap().path());
    let engine = echo_engine(files.map(|file| (file.clone(), std::fs::read(file).unwrap())).collect());
    let mut page = String::new();
    for (method, all) in methods_with_calls(engine.api()) {
        page.push_str(&format!("# {}\n", method.id));
        for Snippet { title, language, text } in all {
            page.push_str(&format!("\n{title}\n\n```{language}\n{text}\n```\n"));
        }
        page.push('\n');
    }
    golden::compare(Path::new("tests/data/describe/snippets.md"), &page);
}

#[test]
fn a_shell_passes_any_text_of_an_example_call_on_unchanged() {
    let awkward = "it's $HOME `id` \\ \"x\" !! \n* ; & ü";
    let engine = engine_with_uris(&json!({ "a b": { "/": { "{id}": { "POST": {
        "info": "I", "scope": [["reader"]],
        "in": {
            "{id}": { "info": "I", "type": "string", "example": awkward },
            "GET@q'": { "info": "I", "type": "string", "example": awkward },
            "HEADER@X-Head": { "info": "I", "type": "string", "example": "it's \"$x\" \\" },
            "HEADER@X-Empty": { "info": "I", "type": "string", "example": "" },
            "COOKIE@c": { "info": "I", "type": "string", "example": "it's" },
            "text": { "info": "I", "type": "string", "example": awkward }
        }
    } } } } }));
    let call = &methods_with_calls(engine.api())[0].1[0].text;
    let script = format!("curl() {{ printf '%s\\036' \"$@\"; }}\n{call}");
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert!(output.status.success());
    let output = String::from_utf8(output.stdout).unwrap();
    let words: Vec<_> = output.split_terminator('\u{1e}').collect();
    let encoded = "it%27s%20%24HOME%20%60id%60%20%5C%20%22x%22%20%21%21%20%0A%2A%20%3B%20%26%20%C3%BC";
    let url = format!("http://127.0.0.1:8080/a%20b/{encoded}?q%27={encoded}");
    let json = json!({ "text": awkward }).to_string();
    let expected = [
        &*url,
        "-H",
        "Authorization: Bearer YOUR_KEY",
        "-H",
        "x-head: it's \"$x\" \\",
        "-H",
        "x-empty;",
        "-H",
        "Cookie: c=it's",
        "-H",
        "Content-Type: application/json",
        "--data-raw",
        &*json,
    ];
    assert_eq!(words, expected);
}

/// Returns a definition that contains every way in which a value is serialized.
fn definition_with_every_serialization() -> Generated {
    let method = |beside: Json| {
        let mut method = json!({ "info": "I" });
        method.as_object_mut().unwrap().extend(beside.as_object().unwrap().clone());
        method
    };
    let own = |term: &str, beside: Json| {
        let mut own = json!({ "info": "I", "type": term });
        own.as_object_mut().unwrap().extend(beside.as_object().unwrap().clone());
        own
    };
    let lists = || {
        json!({
            "GET@plain": own("array<int>", json!({ "example": [1, 2] })),
            "GET@comma": own("array<string>", json!({ "format": "explode", "example": ["a", "b"] })),
            "GET@one": own("array<string>", json!({ "format": "explode", "example": ["a,b"] })),
            "GET@other": own("array<string>", json!({ "format": "explode", "separator": ";", "example": ["a;b", "c"] })),
            "GET@json": own("array<string>", json!({ "format": "json", "example": ["[a"] })),
            "GET@open": own("array<string>", json!({ "example": ["[a"] })),
            "GET@deep": own("array<object>", json!({ "fields": { "x": own("int", json!({})) } })),
            "GET@empty": own("array<int>", json!({ "example": [] })),
            "GET@object": own("object", json!({ "example": { "ü": "&=" } })),
            "GET@any": own("any", json!({ "example": { "a": [null] } })),
            "HEADER@X-List": own("array<string>", json!({ "format": "explode", "example": ["a", "b"] })),
            "HEADER@X-Json": own("array<string>", json!({ "example": ["é", "b"] })),
            "COOKIE@list": own("array<int>", json!({ "example": [1, 2] })),
            // A cookie cannot contain the space in the first pattern.
            "COOKIE@nested": own("[][]?filename", json!({ "items": { "items": { "range": ["a b/*", "{c,d}/**"] } } })),
            "COOKIE@names": own("[]?filename", json!({ "items": { "range": ["a b/*", "{c,d}/**"] } })),
        })
    };
    let big = json!({ "big": own("uint", json!({ "example": u64::MAX })), "other": own("?bool", json!({ "example": true })) });
    let of_every_type = json!({
        "id": own("text_id", json!({})), "flag": own("truthy", json!({})), "float": own("loose_float", json!({})),
        "date": own("datetime", json!({ "format": "timestamp" })), "name": own("filename(public/**)", json!({})),
        "words": own("string", json!({ "example": "\"quoted\" \\ 'single' ${x} `y`\n\t\u{7f}\u{2028}😀</script>" })),
        "none": own("?any", json!({ "example": null })), "callable": own("callable", json!({ "callback": "A::b" }))
    });
    let positions = |first: &str| json!({ "in": { "URL#0": own(first, json!({})), "URL#1": own("?int", json!({ "example": 3 })), "URL#2": own("?int", json!({})) } });
    let uris = json!({
        "lists": { "GET": method(json!({ "in": lists() })), "DELETE": method(json!({ "in": lists() })) },
        "big": { "POST": method(json!({ "in": big })), "PUT": method(json!({ "in": of_every_type })) },
        "positions": { "GET": method(positions("string")) },
        "left": { "GET": method(positions("?id")) },
        "captures": { "/": { "{a}": { "/": { "{b}": { "GET": method(json!({ "in": {
            "{a}": own("string", json!({ "example": "a/b c?d#e%2F" })), "{b}": own("mail", json!({}))
        } })) } } } } },
        "files": {
            "POST": method(json!({ "in": {
                "one": own("file", json!({ "range": ["text/plain"] })), "note": own("string", json!({ "example": "@file;type=x" })),
                "list": own("array<int>", json!({ "example": [1, 2] })), "object": own("object", json!({}))
            } })),
            "PUT": method(json!({ "in": { "many": own("array<file>", json!({ "min": 2, "items": { "ext": ["txt"] } })) } })),
            "PATCH": method(json!({ "in": { "perhaps": own("?file", json!({})), "note": own("string", json!({})) } })),
        },
        "raw": {
            "PUT": method(json!({ "in": { "*": own("file", json!({ "range": ["image/*"] })) } })),
            "POST": method(json!({
                "in": { "*": own("file", json!({ "name": "text", "range": ["text/plain"], "ext": ["txt"] })), "COOKIE@c": own("string", json!({})) },
                "options": { "idempotent": "required" }
            })),
            "PATCH": method(json!({ "in": { "*": own("?file", json!({})) } })),
        },
        "nothing": { "DELETE": method(json!({ "options": { "status": 204 } })), "POST": method(json!({})) },
        // The code creates the key of each request.
        "keys": {
            "POST": method(json!({ "in": { "text": own("string", json!({})) }, "options": { "idempotent": "required" } })),
            "PUT": method(json!({ "in": { "one": own("file", json!({})) }, "options": { "idempotent": "required" } })),
            "DELETE": method(json!({ "options": { "idempotent": "required" } })),
        },
        "it's & ü": { "GET": method(json!({})) }
    });
    Generated { files: vec![("site.json".to_owned(), json!({ "/": uris }))] }
}

#[test]
fn curl_sends_the_example_values() {
    assert!(assert_calls_succeed(&[definition_with_every_serialization()], Language::Curl) > 10);
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 100, ..support::random::cases(16) })]

    #[test]
    fn curl_calls_of_any_definition_succeed(generated in definitions()) {
        assert_calls_succeed(&[generated], Language::Curl);
    }
}

/// Returns some generated definitions, which are always the same and have more than a hundred methods.
fn fixed_definitions() -> Vec<Generated> {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let generated = (0..30).map(|_| definitions().new_tree(&mut runner).unwrap().current());
    [definition_with_every_serialization()].into_iter().chain(generated).collect()
}

#[test]
#[ignore = "needs Node 18"]
fn javascript_example_calls_succeed() {
    assert!(assert_calls_succeed(&fixed_definitions(), Language::JavaScript) > 100);
}

#[test]
#[ignore = "needs Python 3 with requests"]
fn python_example_calls_succeed() {
    assert!(assert_calls_succeed(&fixed_definitions(), Language::Python) > 100);
}

#[test]
#[ignore = "needs Node 20"]
fn client_example_calls_succeed() {
    assert!(assert_calls_succeed(&fixed_definitions(), Language::Client) > 100);
}

#[test]
#[ignore = "needs PHP with curl"]
fn php_example_calls_succeed() {
    assert!(assert_calls_succeed(&fixed_definitions()[..12], Language::Php) > 30);
}

#[test]
#[ignore = "needs Go"]
fn go_example_calls_succeed() {
    assert!(assert_calls_succeed(&fixed_definitions()[..6], Language::Go) > 20);
}

#[test]
fn example_calls_go_to_the_first_server_with_an_http_url() {
    let at = |urls: &[&str], listening: Option<&str>| {
        let servers: Vec<_> = urls.iter().map(|url| json!({ "url": url })).collect();
        let app = json!({ "servers": servers, "bind": "127.0.0.1:7000", "modules": {} });
        server_url(&Rulebook::read(vec![("app.json".into(), app.to_string().into_bytes())]).check().unwrap(), listening)
    };
    let listening = Some("http://127.0.0.1:9410");
    let urls = ["/behind", "wss://a.example/", "https://b.example/", "http://c.example"];
    assert_eq!(at(&urls, None), "https://b.example");
    assert_eq!(at(&urls, listening), "https://b.example");
    for urls in [&urls[..2], &[]] {
        assert_eq!(at(urls, listening), "http://127.0.0.1:9410");
        assert_eq!(at(urls, None), "http://127.0.0.1:7000");
    }
    let app = r#"{ "bind": "HTTPS://127.0.0.1:7000", "modules": {} }"#;
    let api = Rulebook::read(vec![("app.json".into(), app.into())]).check().unwrap();
    assert_eq!(server_url(&api, None), "https://127.0.0.1:7000");
}

/// A definition in which the examples of single parameters would break the constraints that compare them.
fn definition_with_compared_parameters() -> Json {
    let given = |term: &str| json!({ "info": "I", "type": term });
    let with_default = |term: &str, default: Json| json!({ "info": "I", "type": term, "default": default });
    let parameters = json!({
        "GET@from": given("date"), "GET@to": given("date"),
        "min": given("int"), "max": with_default("int", json!(-5)),
        "first": with_default("string", json!("x")), "again": given("string"), "third": given("string")
    });
    let constraints = json!([
        { "less": ["from", "to"] }, { "less": ["min", "max"] },
        { "equal": ["first", "again"] }, { "equal": ["again", "third"] }
    ]);
    json!({ "/": { "a": { "POST": { "info": "I", "in": parameters, "constraints": constraints } } } })
}

#[test]
fn example_calls_fulfill_the_constraints_that_compare_parameters() {
    let definition = definition_with_compared_parameters();
    let generated = Generated { files: vec![("a.json".to_owned(), definition)] };
    assert_eq!(assert_calls_succeed(&[generated], Language::Curl), 1);
}

#[test]
fn examples_in_openapi_fulfill_the_constraints_that_compare_parameters() {
    let text = definition_with_compared_parameters().to_string();
    let engine = echo_engine(vec![("a.json".into(), text.into_bytes())]);
    let document = rulebook_model::describe::openapi(engine.api());
    let operation = &document["paths"]["/a"]["post"];
    let example = |index: usize| operation["parameters"][index]["example"].as_str().unwrap().to_owned();
    assert!(example(0) < example(1), "{operation}");
    let body = &operation["requestBody"]["content"]["application/json"]["example"];
    // The server compares these members with the defaults of others, which the example does not contain.
    assert!(body["min"].as_i64() < Some(-5), "{body}");
    assert_eq!((body["again"].as_str(), body["third"].as_str()), (Some("x"), Some("x")), "{body}");
}
