//! The values of single keys: words, ranges, names.

use std::path::PathBuf;

use rulebook::definition::keys::{self, Keys, Kind};
use rulebook::schema::{Of, schema};
use serde_json::{Map, Value as Json, json};

use super::{report, takes};

/// A place in a definition: the file, and what it holds with a value there.
type Place = (&'static str, fn(Json) -> Json);

/// A definition that holds a value under a key.
type Under = fn(&str, Json) -> Json;

/// Whether reader and schema take a file, and why the reader does not.
fn judged(name: &str, content: &Json) -> (bool, bool, String) {
    let files = vec![(PathBuf::from("api").join(name), content.to_string().into_bytes())];
    let report = report(files);
    (report.is_empty(), takes(name, content), format!("{content}\n{report}"))
}

/// An API with one setting.
fn setting(key: &str, value: Json) -> Json {
    let mut app = Map::new();
    app.insert("modules".to_owned(), json!({}));
    app.insert(key.to_owned(), value);
    Json::Object(app)
}

fn in_method(key: &str, value: Json) -> Json {
    let mut method = Map::new();
    method.insert("info".to_owned(), json!("i"));
    method.insert("in".to_owned(), json!({ "{x}": { "info": "i", "type": "int", "name": "user_id" } }));
    method.insert(key.to_owned(), value);
    json!({ "/": { "{x}": { "GET": method } } })
}

fn in_methods(key: &str, value: Json) -> Json {
    let mut method = Map::new();
    method.insert(key.to_owned(), value);
    json!({ "a": { "GET::b": method } })
}

/// A parameter with this name in code, beside the capture of the path.
fn parameter(info: &str, name: &Json) -> Json {
    let capture = json!({ (info): "i", "type": "int" });
    let all = json!({ "{x}": capture, "HEADER@X": { (info): "i", "type": "int", "name": name } });
    if info == "info" { all } else { json!({ "HEADER@X": all["HEADER@X"] }) }
}

const NUMBERS: [f64; 21] = [
    -1.0, 0.0, 0.5, 1.0, 2.0, 125.0, 126.0, 127.0, 199.0, 200.0, 250.0, 299.0, 300.0, 399.0, 400.0, 599.0, 600.0,
    511.0, 512.0, 513.0, 1e15,
];

const TEXTS: [&str; 36] = [
    "",
    " ",
    "\u{feff}",
    "\u{85}",
    "a",
    "a b",
    "a\u{0}b",
    "a\u{9f}b",
    "é",
    "GET",
    "get",
    "HEAD",
    "/",
    "//",
    "/a",
    "/a/",
    "/a//b",
    "a/b",
    "/a/{x}",
    "/{x}",
    "/{}",
    "/a{x}",
    "/{a b}",
    "/a\u{1}",
    "a:1",
    ":1",
    "a:",
    "a:+1",
    "a:b",
    "X-App",
    "a,b",
    "user[user_id]",
    "user[",
    "user]",
    "[]",
    "x[user_id]y",
];

#[test]
fn reader_and_schema_take_the_same_values() {
    let numbers: Vec<Json> = NUMBERS.map(|n| if n.fract() == 0.0 { json!(n as i64) } else { json!(n) }).to_vec();
    let texts: Vec<Json> = TEXTS.map(|text| json!(text)).to_vec();
    let lists: Vec<Json> = TEXTS.iter().map(|text| json!([text])).collect();
    let scopes = |inner: &[Json]| {
        let mut scopes = vec![json!([]), json!([[]]), json!([[], []]), json!([["a"], []]), json!([["a"], ["b", "c"]])];
        scopes.extend(inner.iter().map(|list| json!([list])));
        scopes
    };
    let mut lone = scopes(&lists);
    lone.extend(scopes(&texts));
    lone.extend([json!(["a", []]), json!(["a", ["b"]])]);
    let cases: Vec<(Place, &[Json])> = vec![
        (("app.json", |v| setting("workers", v)), &numbers),
        (("app.json", |v| setting("limits", json!({ "nesting": v }))), &numbers),
        (("app.json", |v| setting("limits", json!({ "body": v }))), &numbers),
        (("app.json", |v| setting("data", v)), &texts),
        (("app.json", |v| setting("base", v)), &texts),
        (("app.json", |v| setting("bind", v)), &texts),
        (("app.json", |v| setting("license", json!({ "name": v }))), &texts),
        (("app.json", |v| setting("servers", json!([{ "url": v }]))), &texts),
        (("app.json", |v| setting("cors", json!({ "origins": ["https://a.example"], "headers": v }))), &lists),
        (("app.json", |v| setting("cors", json!({ "origins": ["https://a.example"], "expose": v }))), &lists),
        (("a.json", |v| json!({ "module": v, "GET": { "info": "i" } })), &texts),
        (("a.json", |v| in_method("options", json!({ "status": v }))), &numbers),
        (("a.json", |v| in_method("errors", json!({ "a": { "info": "i", "status": v } }))), &numbers),
        (("a.json", |v| in_method("id", v)), &texts),
        (("a.json", |v| in_method("info", v)), &texts),
        (("a.json", |v| in_method("scope", v)), &lone),
        (("a.json", |v| in_methods("options", json!({ "status": v }))), &numbers),
        (("a.json", |v| in_methods("errors", json!({ "a": { "description": "i", "status": v } }))), &numbers),
        (("a.json", |v| in_methods("description", v)), &texts),
        (("a.json", |v| in_methods("id", v)), &texts),
        (("a.json", |v| in_method("in", parameter("info", &v))), &texts),
        (("a.json", |v| in_methods("parameters", parameter("description", &v))), &texts),
        (("a.json", |v| json!([{ "method": v, "path": "/a", "info": "i" }])), &texts),
        (("a.json", |v| json!({ "A": { "b": { "@method": v } } })), &texts),
        (("a.json", |v| json!({ "A": { "b": { "@method": v } } })), &lists),
        (("a.json", |v| json!({ "A": { "b": { "c": { "source": v } } } })), &texts),
    ];
    let mut failures = Vec::new();
    for ((name, with), values) in cases {
        for value in values {
            let (reader, schema, why) = judged(name, &with(value.clone()));
            if reader != schema {
                failures.push(format!("the reader says {reader}, the schema {schema}: {why}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}: {}", failures.len(), failures.join("\n"));
}

#[test]
fn names_that_are_none_are_refused() {
    let names: [fn(&str) -> Json; 4] = [
        |name| in_method("out", json!({ name: { "info": "i", "type": "int" } })),
        |name| in_method("errors", json!({ name: { "info": "i" } })),
        |name| in_methods("output", json!({ name: { "description": "i", "type": "int" } })),
        |name| in_methods("errors", json!({ name: { "description": "i" } })),
    ];
    for with in names {
        for name in TEXTS {
            let (reader, schema, why) = judged("a.json", &with(name));
            assert_eq!(reader, schema, "{why}");
        }
    }
}

#[test]
fn paths_of_a_list_are_paths() {
    let good = ["/", "/a", "/a b/é", "/a/b.c", "/{x}", "/a/{x}/b", "/{x}/{_y-1}"];
    let bad = ["", "a", "/a/", "//", "/a//b", "/a{x}", "/{}", "/{1}", "/{x", "/a\u{1}", "{x}"];
    for (path, expected) in good.map(|path| (path, true)).into_iter().chain(bad.map(|path| (path, false))) {
        let captures = path.split('/').filter(|segment| segment.starts_with('{') && segment.ends_with('}'));
        let parameters: Map<String, Json> =
            captures.map(|capture| (capture.to_owned(), json!({ "info": "i", "type": "int" }))).collect();
        let list = json!([{ "method": "GET", "path": path, "info": "i", "in": parameters }]);
        let (reader, schema, why) = judged("a.json", &list);
        assert_eq!((reader, schema), (expected, expected), "{why}");
    }
}

/// Where a key holds one of a few words, the schema knows them all and no others.
#[test]
fn closed_words_are_the_same_in_both() {
    let described = schema(Of::Settings);
    let tables: [(&Keys, &str, Under); 2] = [
        (&keys::APP, "settings", setting),
        (&keys::MODULE, "module", |key, value| setting("modules", json!({ "a": { (key): value } }))),
    ];
    let mut closed = Vec::new();
    for (table, name, with) in tables {
        for key in table.iter().filter(|key| matches!(key.kind, Kind::Text)) {
            let words = &described["$defs"][name]["properties"][key.name]["enum"];
            for word in words.as_array().into_iter().flatten() {
                let (reader, schema, why) = judged("app.json", &with(key.name, word.clone()));
                assert!(reader && schema, "{why}");
            }
            let unknown = with(key.name, json!("no-such-word"));
            let told = report(vec![(PathBuf::from("api/app.json"), unknown.to_string().into_bytes())]);
            // Envelopes may be a program's own.
            let is_closed =
                told.diagnostics.iter().any(|fault| fault.label == "unknown word") && key.name != "envelope";
            assert!(!is_closed || words.is_array(), "the schema does not know the words of `{}`", key.name);
            closed.extend(is_closed.then_some(key.name));
        }
    }
    assert!(closed.len() > 4, "{closed:?} only");
}
