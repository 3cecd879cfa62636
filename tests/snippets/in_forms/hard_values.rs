//! Tests that the example calls that forms show for values with special characters send exactly these values.

use std::fs;

use rulebook_model::describe::API_KEY_PLACEHOLDER;
use serde_json::{Value as Json, json};

use super::calls_of_forms;
use crate::client::TestServer;
use crate::snippets::run_calls::{self, Language};
use crate::snippets::{engine_with_uris, with_doubles};

/// Texts with characters that are special in one of the languages.
const HARD_TEXTS: [&str; 8] = [
    "it's \"quoted\" \\ \\\\ \\n $HOME ${x} {$x} `id` $(id) %s #{x} \\u{41} \\x41 <?php ?> <<<'JSON'",
    "a\nb\tc\n\n\"\"\"\n'''\nJSON\nJSON;\n",
    "\u{1}\u{7f}\u{85}\u{2028}\u{feff}\u{202e}",
    "ü 你 😀 !! *?[a]{b,c} ~ && | ; < >",
    "@file.txt;type=text/html",
    "--boundary42\nboundary42x",
    "`raw` \\",
    "'",
];

/// Returns a definition that has each kind of method, and its methods with hard values, as the forms have them: the id,
/// and the values in the order of the parameters.
fn methods_with_hard_values() -> (Json, Vec<(&'static str, Vec<Json>)>) {
    let written = |value: Json| Json::from(value.to_string());
    let texts = |names: &[&str]| -> Json {
        let all = names.iter().map(|name| ((*name).to_owned(), json!({ "info": "I", "type": "?string" })));
        Json::Object(all.collect())
    };
    let keys = ["t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7"];
    let hard: Vec<_> = HARD_TEXTS.iter().map(|text| written(json!(text))).collect();
    let members = json!({
        "text": { "info": "I", "type": "string" }, "object": { "info": "I", "type": "object" },
        "list": { "info": "I", "type": "array<any>" }, "big": { "info": "I", "type": "uint" },
        "flag": { "info": "I", "type": "bool" }, "number": { "info": "I", "type": "any" },
        "numbers": { "info": "I", "type": "any" }
    });
    let object = json!({ "1": HARD_TEXTS, "it's $x": { "": null, "\"\\": [true, 0.5, [], {}] } });
    let members_of_json = vec![
        written(json!(HARD_TEXTS[0])),
        written(object.clone()),
        written(json!(["a`b", 1, null, object])),
        Json::from("18446744073709551615"),
        Json::from("true"),
        Json::from("-0"),
        Json::from("[1e+18,9007199254740993,-0.0,1.5,2.0,1e+22,0.1234567890123456789,{\"a\":[9007199254740993.0]}]"),
    ];
    let head = json!({
        "HEADER@X-Text": { "info": "I", "type": "string" }, "HEADER@X-Letters": { "info": "I", "type": "string" },
        "COOKIE@c": { "info": "I", "type": "string" }, "{id}": { "info": "I", "type": "string" },
        "GET@l": { "info": "I", "type": "array<string>" }
    });
    let in_head = vec![
        written(json!("it's \"$x\" ${y} `z` \\")),
        written(json!("ü 你 😀")),
        written(json!("it's $x `y` \\ 'z'")),
        written(json!("a/b c?d#e%2F'\"$x\\")),
        written(json!(["it's", "$x", "ü&="])),
    ];
    let mut form = texts(&keys);
    form.as_object_mut().unwrap().insert("file".to_owned(), json!({ "info": "I", "type": "file" }));
    let with_file = |names: &[&str]| hard.iter().cloned().chain([json!(names)]).collect::<Vec<_>>();
    let mut files = form.clone();
    files["file"] = json!({ "info": "I", "type": "array<file>" });
    let method = |parameters: &Json| json!({ "info": "I", "scope": [["reader"]], "in": parameters });
    let definition = json!({
        "query": { "GET": method(&texts(&keys)), "DELETE": method(&texts(&keys)) },
        "head": { "/": { "{id}": { "GET": method(&head), "POST": method(&head) } } },
        "json": { "POST": method(&members), "PUT": method(&texts(&keys)) },
        "form": { "POST": method(&form), "PUT": method(&files) },
        "nothing": { "POST": { "info": "I" } },
    });
    let methods = vec![
        ("query.get", hard.clone()),
        ("query.delete", hard.clone()),
        ("head.{id}.get", in_head.clone()),
        ("head.{id}.post", in_head),
        ("json.post", members_of_json),
        ("json.put", hard.clone()),
        ("form.post", with_file(&[HARD_FILE_NAME])),
        ("form.put", with_file(&["file1.txt", HARD_FILE_NAME])),
        ("nothing.post", vec![]),
    ];
    (definition, methods)
}

/// The name of a file that must be quoted in each language.
const HARD_FILE_NAME: &str = "it's ü; $x, `y` \"z\".txt";

/// Checks that the calls in this language, which forms show for hard values, send these values.
fn assert_hard_values_are_sent(language: Language) {
    let (definition, methods) = methods_with_hard_values();
    let engine = engine_with_uris(&definition);
    let server = TestServer::start(&engine);
    let calls = methods.iter().map(|(id, values)| {
        let credential = (*id != "nothing.post").then(|| format!("Authorization: Bearer {API_KEY_PLACEHOLDER}"));
        json!({ "id": id, "credential": credential, "token": "it's \"$x\"", "values": values })
    });
    let calls: Vec<_> = calls.collect();
    let texts: Vec<_> = calls_of_forms(&server, &calls)
        .into_iter()
        .zip(&methods)
        .map(|(all, (id, _))| all.unwrap_or_else(|| panic!("{id}")).remove(language.title()).unwrap())
        .collect();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(HARD_FILE_NAME), "some text").unwrap();
    let responses = run_calls::run_calls(language, &texts, folder.path());
    for (((id, values), text), (status, body)) in methods.iter().zip(&texts).zip(responses) {
        assert_eq!(status, 200, "{id}: {body}\n{text}");
        // The JavaScript class `FormData` sends line breaks as CR LF.
        let echo: Json = serde_json::from_str(&body.replace(r"\r\n", r"\n")).unwrap();
        let args = echo.pointer("/args").or(echo.pointer("/data/args")).unwrap_or(&echo["args"]);
        for (value, (name, arg)) in values.iter().zip(args.as_object().unwrap()) {
            let Some(expected) = value.as_str() else { continue };
            let expected: Json = serde_json::from_str(expected).unwrap();
            let [arg_text, expected_text] = [arg, &expected].map(Json::to_string);
            let is_same = match language.parses_responses() {
                true => with_doubles(arg) == with_doubles(&expected),
                // As values, 0 and -0 would be equal.
                false if name.starts_with("number") => arg_text == expected_text,
                false => *arg == expected,
            };
            assert!(is_same, "{id}: {name} is {arg}, not {expected}\n{text}");
        }
    }
}

#[test]
#[ignore = "needs Node 20"]
fn curl_calls_of_forms_send_hard_values() {
    assert_hard_values_are_sent(Language::Curl);
}

#[test]
#[ignore = "needs Node 20"]
fn client_calls_of_forms_send_hard_values() {
    assert_hard_values_are_sent(Language::Client);
}

#[test]
#[ignore = "needs Node 20"]
fn javascript_calls_of_forms_send_hard_values() {
    assert_hard_values_are_sent(Language::JavaScript);
}

#[test]
#[ignore = "needs Node 20, and Python 3 with requests"]
fn python_calls_of_forms_send_hard_values() {
    assert_hard_values_are_sent(Language::Python);
}

#[test]
#[ignore = "needs Node 20, and PHP with curl"]
fn php_calls_of_forms_send_hard_values() {
    assert_hard_values_are_sent(Language::Php);
}

#[test]
#[ignore = "needs Node 20 and Go"]
fn go_calls_of_forms_send_hard_values() {
    assert_hard_values_are_sent(Language::Go);
}
