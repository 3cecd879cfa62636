//! The values of single keys: the parser and the schema accept the same words, ranges and names.

use std::path::PathBuf;

use rulebook_model::definition::keys::{self, KeyTable, ValueKind};
use rulebook_model::schema::{SchemaKind, schema};
use serde_json::{Map, Value as Json, json};

use super::{is_valid, report};

/// A place in a definition: the file name, and a function that returns the file with a value at that place.
type ValuePlace = (&'static str, fn(Json) -> Json);

/// A function that returns a definition with a value at a key.
type WithKey = fn(&str, Json) -> Json;

/// Returns whether the parser and the schema accept a file, and the diagnostics of the parser.
fn accepted(name: &str, content: &Json) -> (bool, bool, String) {
    let files = vec![(PathBuf::from("api").join(name), content.to_string().into_bytes())];
    let report = report(files);
    (report.is_empty(), is_valid(name, content), format!("{content}\n{report}"))
}

/// Returns an API with one setting.
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

/// Returns a parameter with this name in code, and the parameter of the capture in the path.
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
fn parser_and_schema_accept_the_same_values() {
    let numbers: Vec<Json> = NUMBERS.map(|n| if n.fract() == 0.0 { json!(n as i64) } else { json!(n) }).to_vec();
    let texts: Vec<Json> = TEXTS.map(|text| json!(text)).to_vec();
    let lists: Vec<Json> = TEXTS.iter().map(|text| json!([text])).collect();
    let scopes = |inner: &[Json]| {
        let mut scopes = vec![json!([]), json!([[]]), json!([[], []]), json!([["a"], []]), json!([["a"], ["b", "c"]])];
        scopes.extend(inner.iter().map(|list| json!([list])));
        scopes
    };
    let mut permissions = scopes(&lists);
    permissions.extend(scopes(&texts));
    permissions.extend([json!(["a", []]), json!(["a", ["b"]])]);
    let cases: Vec<(ValuePlace, &[Json])> = vec![
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
        (("a.json", |v| in_method("scope", v)), &permissions),
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
            let (parser, schema, report) = accepted(name, &with(value.clone()));
            if parser != schema {
                failures.push(format!("the parser says {parser}, the schema {schema}: {report}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}: {}", failures.len(), failures.join("\n"));
}

#[test]
fn parser_and_schema_accept_the_same_names() {
    let names: [fn(&str) -> Json; 4] = [
        |name| in_method("out", json!({ name: { "info": "i", "type": "int" } })),
        |name| in_method("errors", json!({ name: { "info": "i" } })),
        |name| in_methods("output", json!({ name: { "description": "i", "type": "int" } })),
        |name| in_methods("errors", json!({ name: { "description": "i" } })),
    ];
    for with in names {
        for name in TEXTS {
            let (parser, schema, report) = accepted("a.json", &with(name));
            assert_eq!(parser, schema, "{report}");
        }
    }
}

#[test]
fn parser_and_schema_accept_the_same_paths_in_a_flat_list() {
    let good = ["/", "/a", "/a b/é", "/a/b.c", "/{x}", "/a/{x}/b", "/{x}/{_y-1}"];
    let bad = ["", "a", "/a/", "//", "/a//b", "/a{x}", "/{}", "/{1}", "/{x", "/a\u{1}", "{x}"];
    for (path, expected) in good.map(|path| (path, true)).into_iter().chain(bad.map(|path| (path, false))) {
        let captures = path.split('/').filter(|segment| segment.starts_with('{') && segment.ends_with('}'));
        let parameters: Map<String, Json> =
            captures.map(|capture| (capture.to_owned(), json!({ "info": "i", "type": "int" }))).collect();
        let list = json!([{ "method": "GET", "path": path, "info": "i", "in": parameters }]);
        let (parser, schema, report) = accepted("a.json", &list);
        assert_eq!((parser, schema), (expected, expected), "{report}");
    }
}

/// If the parser accepts only certain words for a key, the schema lists exactly these words.
#[test]
fn the_schema_lists_the_allowed_words() {
    let described = schema(SchemaKind::Settings);
    let tables: [(&KeyTable, &str, WithKey); 2] = [
        (&keys::APP, "settings", setting),
        (&keys::MODULE, "module", |key, value| setting("modules", json!({ "a": { (key): value } }))),
    ];
    let mut closed = Vec::new();
    for (table, name, with) in tables {
        for key in table.iter().filter(|key| matches!(key.kind, ValueKind::String)) {
            let words = &described["$defs"][name]["properties"][key.name]["enum"];
            for word in words.as_array().into_iter().flatten() {
                let (parser, schema, report) = accepted("app.json", &with(key.name, word.clone()));
                assert!(parser && schema, "{report}");
            }
            let unknown = with(key.name, json!("no-such-word"));
            let report = report(vec![(PathBuf::from("api/app.json"), unknown.to_string().into_bytes())]);
            // Programs can add envelopes.
            let is_closed =
                report.diagnostics.iter().any(|error| error.label == "unknown value") && key.name != "envelope";
            assert!(!is_closed || words.is_array(), "the schema does not list the words of `{}`", key.name);
            closed.extend(is_closed.then_some(key.name));
        }
    }
    assert!(closed.len() > 4, "only {closed:?}");
}
