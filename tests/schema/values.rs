//! Tests the values of single keys: the parser and the schema accept the same words, ranges and names.

use std::path::PathBuf;

use rulebook_model::definition::keys::{self, JsonKind, KeyTable};
use rulebook_model::schema::{SchemaKind, schema};
use serde_json::{Map, Value as Json, json};

use super::{is_valid_against_schema, report_of_files};

/// A place in a definition where a value is inserted: the name of the file, and a function that returns the content of
/// the file with a value at that place.
type ValuePlace = (&'static str, fn(Json) -> Json);

/// A function that returns a definition with this value at this key.
type DefinitionWithKey = fn(&str, Json) -> Json;

/// Returns three results for a file: whether the parser accepts it, whether the schema accepts it, and the diagnostics
/// of the parser.
fn parse_and_validate(name: &str, content: &Json) -> (bool, bool, String) {
    let files = vec![(PathBuf::from("api").join(name), content.to_string().into_bytes())];
    let report = report_of_files(files);
    (report.is_empty(), is_valid_against_schema(name, content), format!("{content}\n{report}"))
}

/// Returns the settings of an API with this key and value.
fn settings_with_key(key: &str, value: Json) -> Json {
    let mut app = Map::new();
    app.insert("modules".to_owned(), json!({}));
    app.insert(key.to_owned(), value);
    Json::Object(app)
}

fn tree_method_with_key(key: &str, value: Json) -> Json {
    let mut method = Map::new();
    method.insert("info".to_owned(), json!("i"));
    method.insert("in".to_owned(), json!({ "{x}": { "info": "i", "type": "int", "name": "user_id" } }));
    method.insert(key.to_owned(), value);
    json!({ "/": { "{x}": { "GET": method } } })
}

fn methods_file_with_key(key: &str, value: Json) -> Json {
    let mut method = Map::new();
    method.insert(key.to_owned(), value);
    json!({ "a": { "GET::b": method } })
}

/// Returns the parameters of a method: a parameter with this name in code, and the parameter for the capture in the
/// path.
fn parameters_with_name(info: &str, name: &Json) -> Json {
    let capture = json!({ (info): "i", "type": "int" });
    let all = json!({ "{x}": capture, "HEADER@X": { (info): "i", "type": "int", "name": name } });
    if info == "info" { all } else { json!({ "HEADER@X": all["HEADER@X"] }) }
}

const NUMBER_VALUES: [f64; 21] = [
    -1.0, 0.0, 0.5, 1.0, 2.0, 125.0, 126.0, 127.0, 199.0, 200.0, 250.0, 299.0, 300.0, 399.0, 400.0, 599.0, 600.0,
    511.0, 512.0, 513.0, 1e15,
];

const TEXT_VALUES: [&str; 36] = [
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
    let numbers: Vec<Json> = NUMBER_VALUES.map(|n| if n.fract() == 0.0 { json!(n as i64) } else { json!(n) }).to_vec();
    let texts: Vec<Json> = TEXT_VALUES.map(|text| json!(text)).to_vec();
    let lists: Vec<Json> = TEXT_VALUES.iter().map(|text| json!([text])).collect();
    let scopes = |inner: &[Json]| {
        let mut scopes = vec![json!([]), json!([[]]), json!([[], []]), json!([["a"], []]), json!([["a"], ["b", "c"]])];
        scopes.extend(inner.iter().map(|list| json!([list])));
        scopes
    };
    let mut permissions = scopes(&lists);
    permissions.extend(scopes(&texts));
    permissions.extend([json!(["a", []]), json!(["a", ["b"]])]);
    let cases: Vec<(ValuePlace, &[Json])> = vec![
        (("app.json", |v| settings_with_key("workers", v)), &numbers),
        (("app.json", |v| settings_with_key("limits", json!({ "nesting": v }))), &numbers),
        (("app.json", |v| settings_with_key("limits", json!({ "body": v }))), &numbers),
        (("app.json", |v| settings_with_key("data", v)), &texts),
        (("app.json", |v| settings_with_key("base", v)), &texts),
        (("app.json", |v| settings_with_key("bind", v)), &texts),
        (("app.json", |v| settings_with_key("license", json!({ "name": v }))), &texts),
        (("app.json", |v| settings_with_key("servers", json!([{ "url": v }]))), &texts),
        (
            ("app.json", |v| settings_with_key("cors", json!({ "origins": ["https://a.example"], "headers": v }))),
            &lists,
        ),
        (("app.json", |v| settings_with_key("cors", json!({ "origins": ["https://a.example"], "expose": v }))), &lists),
        (("a.json", |v| json!({ "module": v, "GET": { "info": "i" } })), &texts),
        (("a.json", |v| tree_method_with_key("options", json!({ "status": v }))), &numbers),
        (("a.json", |v| tree_method_with_key("errors", json!({ "a": { "info": "i", "status": v } }))), &numbers),
        (("a.json", |v| tree_method_with_key("id", v)), &texts),
        (("a.json", |v| tree_method_with_key("info", v)), &texts),
        (("a.json", |v| tree_method_with_key("scope", v)), &permissions),
        (("a.json", |v| methods_file_with_key("options", json!({ "status": v }))), &numbers),
        (
            ("a.json", |v| methods_file_with_key("errors", json!({ "a": { "description": "i", "status": v } }))),
            &numbers,
        ),
        (("a.json", |v| methods_file_with_key("description", v)), &texts),
        (("a.json", |v| methods_file_with_key("id", v)), &texts),
        (("a.json", |v| tree_method_with_key("in", parameters_with_name("info", &v))), &texts),
        (("a.json", |v| methods_file_with_key("parameters", parameters_with_name("description", &v))), &texts),
        (("a.json", |v| json!([{ "method": v, "path": "/a", "info": "i" }])), &texts),
        (("a.json", |v| json!({ "A": { "b": { "@method": v } } })), &texts),
        (("a.json", |v| json!({ "A": { "b": { "@method": v } } })), &lists),
        (("a.json", |v| json!({ "A": { "b": { "c": { "source": v } } } })), &texts),
    ];
    let mut failures = Vec::new();
    for ((name, with), values) in cases {
        for value in values {
            let (parser, schema, report) = parse_and_validate(name, &with(value.clone()));
            if parser != schema {
                failures.push(format!("the parser says {parser}, the schema {schema}: {report}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}: {}", failures.len(), failures.join("\n"));
}

#[test]
fn parser_and_schema_accept_the_same_names_of_parameters() {
    let names: [fn(&str) -> Json; 4] = [
        |name| tree_method_with_key("out", json!({ name: { "info": "i", "type": "int" } })),
        |name| tree_method_with_key("errors", json!({ name: { "info": "i" } })),
        |name| methods_file_with_key("output", json!({ name: { "description": "i", "type": "int" } })),
        |name| methods_file_with_key("errors", json!({ name: { "description": "i" } })),
    ];
    for with in names {
        for name in TEXT_VALUES {
            let (parser, schema, report) = parse_and_validate("a.json", &with(name));
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
        let (parser, schema, report) = parse_and_validate("a.json", &list);
        assert_eq!((parser, schema), (expected, expected), "{report}");
    }
}

/// If the parser accepts only certain words as the value of a key, the schema lists exactly these words.
#[test]
fn the_schema_lists_all_words_that_the_parser_accepts_for_a_key() {
    let described = schema(SchemaKind::Settings);
    let tables: [(&KeyTable, &str, DefinitionWithKey); 2] = [
        (&keys::APP, "settings", settings_with_key),
        (&keys::MODULE, "module", |key, value| settings_with_key("modules", json!({ "a": { (key): value } }))),
    ];
    let mut closed = Vec::new();
    for (table, name, with) in tables {
        for key in table.iter().filter(|key| matches!(key.kind, JsonKind::String)) {
            // A setting can be an environment variable instead.
            let property = &described["$defs"][name]["properties"][key.name];
            let words = property.get("enum").unwrap_or(&property["anyOf"][0]["enum"]);
            for word in words.as_array().into_iter().flatten() {
                let (parser, schema, report) = parse_and_validate("app.json", &with(key.name, word.clone()));
                assert!(parser && schema, "{report}");
            }
            let unknown = with(key.name, json!("no-such-word"));
            let report = report_of_files(vec![(PathBuf::from("api/app.json"), unknown.to_string().into_bytes())]);
            // The schema accepts other names of envelopes, because programs can add envelopes.
            let is_closed =
                report.diagnostics.iter().any(|error| error.label == "unknown value") && key.name != "envelope";
            assert!(!is_closed || words.is_array(), "the schema does not list the words of `{}`", key.name);
            closed.extend(is_closed.then_some(key.name));
        }
    }
    assert!(closed.len() > 4, "only {closed:?}");
}
