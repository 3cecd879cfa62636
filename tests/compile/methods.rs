//! The dialect `methods`: what it means is what a tree can say too.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use rulebook::definition::manner::{METHODS, TREE};
use rulebook::definition::{load, read};
use rulebook::describe::canonical;
use rulebook::model::Api;
use rulebook::types::{Type, Types};
use serde_json::{Map, Value as Json, json};

use super::{judge, model};
use crate::generate::{self, Choices, Generated};
use crate::golden;

#[test]
fn it_is_printed_as_a_tree() {
    let api = model(load("tests/definitions/good/methods".as_ref()));
    golden::compare(Path::new("tests/data/methods/printed.json"), &format!("{:#}\n", canonical(&api)));
}

#[test]
fn each_word_for_a_type_stands_for_one_canonical_type() {
    let types = Types::builtin();
    let canonical: HashSet<&str> = types.iter().map(Type::name).collect();
    for dialect in [&TREE, &METHODS] {
        let mut words = HashSet::new();
        for (word, name) in dialect.types {
            assert!(words.insert(word), "{word} of {} stands twice", dialect.dialect);
            assert!(canonical.contains(name), "{word} of {} stands for {name}", dialect.dialect);
        }
    }
    assert!(TREE.types.is_empty(), "the words of a tree are the canonical ones");
}

#[test]
fn words_hold_at_every_level_of_a_term_and_for_their_own_dialect_alone() {
    for (written, meant) in [
        ("number", json!({ "type": "phone" })),
        ("?number", json!({ "type": "?phone" })),
        ("id", json!({ "type": "text_id" })),
        ("id(1,5)", json!({ "type": "text_id(1,5)" })),
        ("array", json!({ "type": "array", "min": 1 })),
        ("array<id>", json!({ "type": "array<text_id>" })),
        ("array<array<id>>", json!({ "type": "array<array<text_id>>" })),
        ("array<array<array>>", json!({ "type": "array<array<filled_array>>" })),
        ("[]?object", json!({ "type": "array<?filled_object>" })),
        ("varchar(3,10,number)", json!({ "type": "varchar(3,10,phone)" })),
        ("enum(id|number)", json!({ "type": "enum(id|number)" })),
        ("phone", json!({ "type": "phone" })),
        ("filled_object", json!({ "type": "object", "min": 1 })),
    ] {
        let output = json!({ "description": "A value", "type": written });
        let api = one(&json!({ "m": { "GET::x": { "output": { "value": output } } } }));
        let mut printed = canonical(&api)["modules"]["m"]["/"]["m/x"]["GET"]["out"]["value"].take();
        printed.as_object_mut().unwrap().remove("info");
        assert_eq!(printed, meant, "{written}");
    }
    let tree = one(&json!({ "/": { "x": { "GET": { "info": "X", "out": { "y": { "info": "Y", "type": "id" } } } } } }));
    assert_eq!(tree.modules[0].services[0].methods[0].outputs[0].r#type.written.term, "id");
}

#[test]
fn a_method_that_says_nothing_is_called_by_its_id() {
    let api = one(&json!({ "a.b": { "GET::read": {}, "POST::read": { "id": "write" }, "PUT::other": {} } }));
    let module = &api.modules[0];
    let found: Vec<_> = module
        .services
        .iter()
        .flat_map(|service| service.methods.iter().map(|method| (service.uri(), &*method.id, &*method.info)))
        .collect();
    let read = "/a.b/read".to_owned();
    assert_eq!(
        found,
        [
            (read.clone(), "a%2Eb.read.get", "a%2Eb.read.get"),
            (read, "write", "write"),
            ("/a.b/other".to_owned(), "a%2Eb.other.put", "a%2Eb.other.put"),
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// What both dialects can say means the same in both.
    #[test]
    fn what_is_said_in_both_dialects_is_one_model(choices in generate::choices_up_to(300)) {
        let (tree, methods) = twins(choices);
        prop_assert_eq!(one(&methods), one(&tree), "{:#}\n{:#}", methods, tree);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// With mistakes in it, it is told as faulty or means what its print means. Nothing panics.
    #[test]
    fn mistakes_are_told_or_mean_what_is_printed(
        choices in generate::choices_up_to(300),
        mut mistakes in generate::choices_up_to(30),
    ) {
        let (_, methods) = twins(choices);
        let mistaken = generate::mutate(Generated { files: vec![("m.json".to_owned(), methods)] }, &mut mistakes);
        let (api, report) = judge(read(mistaken.bytes()));
        if report.is_empty() {
            prop_assert_eq!(one(&canonical(&api)), api);
        } else {
            prop_assert!(!report.render(false).is_empty());
        }
    }
}

/// The model of a file `m.json` without faults.
fn one(definition: &Json) -> Api {
    model(read(vec![(PathBuf::from("api/m.json"), definition.to_string().into_bytes())]))
}

/// One random definition, written as a tree and in the dialect `methods`.
fn twins(mut choices: Choices) -> (Json, Json) {
    let (mut uris, mut methods) = (Map::new(), Map::new());
    for number in 0..=choices.below(4) {
        let http = choices.of(&["GET", "POST", "PUT", "DELETE", "PATCH"]);
        let common = common(generate::method(http, number, &mut choices));
        methods.insert(format!("{http}::x{number}"), in_methods(common.clone()));
        uris.insert(format!("m/x{number}"), json!({ (http): common }));
    }
    (json!({ "/": uris }), json!({ "m": methods }))
}

/// A method of a tree, with what `methods` cannot say written otherwise: its bare parameters come from query and
/// body, it has no word for `id` and for lists and objects that may be empty, and its positions have other keys,
/// from which no names are derived here.
fn common(mut method: Json) -> Json {
    const TERMS: &[(&str, &str)] = &[("id", "text_id"), ("array", "filled_array"), ("object", "filled_object")];
    change_terms(&mut method, TERMS);
    if let Some(Json::Object(parameters)) = method.get_mut("in") {
        for (key, mut parameter) in std::mem::take(parameters) {
            let prefixes = ["URL#", "GET@", "HEADER@", "COOKIE@", "ANY@"];
            let is_bare = !prefixes.iter().any(|prefix| key.starts_with(prefix));
            let members = parameter.as_object_mut().unwrap();
            members.entry("name").or_insert_with(|| json!(key));
            parameters.insert(if is_bare { format!("ANY@{key}") } else { key }, parameter);
        }
    }
    method
}

/// A method of a tree in the dialect `methods`.
fn in_methods(mut method: Json) -> Json {
    const TERMS: &[(&str, &str)] = &[
        ("text_id", "id"),
        ("filled_array", "array"),
        ("filled_object", "object"),
        ("phone", "number"),
        ("bool", "boolean"),
        ("string", "text"),
        ("any", "mixed"),
    ];
    change_terms(&mut method, TERMS);
    if let Some(Json::Object(parameters)) = method.get_mut("in") {
        for (key, mut parameter) in std::mem::take(parameters) {
            let members = parameter.as_object_mut().unwrap();
            let term = members["type"].as_str().unwrap().to_owned();
            if let Some(term) = term.strip_prefix('?') {
                members.insert("type".to_owned(), json!(term));
                members.insert("optional".to_owned(), json!("true"));
            }
            let bare = key.strip_prefix("ANY@").filter(|bare| members["name"] == *bare).map(str::to_owned);
            if bare.is_some() {
                members.remove("name");
            }
            parameters.insert(bare.unwrap_or(key.replace("URL#", "URL_")), parameter);
        }
    }
    for group in method.get_mut("scope").and_then(Json::as_array_mut).into_iter().flatten() {
        if let [Json::String(lone)] = &group.as_array().unwrap()[..] {
            *group = json!(lone);
        }
    }
    rename(method)
}

/// The keys of a tree as `methods` calls them. Names of the author's are none of them.
fn rename(json: Json) -> Json {
    match json {
        Json::Object(members) => {
            let renamed = members.into_iter().map(|(key, value)| {
                let key = match key.as_str() {
                    "info" => "description",
                    "scope" => "permissions",
                    "in" => "parameters",
                    "out" => "output",
                    other => other,
                };
                (key.to_owned(), rename(value))
            });
            Json::Object(renamed.collect())
        }
        other => other,
    }
}

/// Changes the names in all terms, but for those with `<…>` behind them.
fn change_terms(json: &mut Json, names: &[(&str, &str)]) {
    match json {
        Json::Object(members) => {
            for (key, value) in members {
                match value {
                    Json::String(term) if key == "type" => *term = change_term(term, names),
                    value => change_terms(value, names),
                }
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| change_terms(item, names)),
        _ => {}
    }
}

fn change_term(term: &str, names: &[(&str, &str)]) -> String {
    let mut changed = String::new();
    for part in term.split_inclusive(|c: char| !(c.is_ascii_alphanumeric() || c == '_')) {
        let name = part.trim_end_matches(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let new = names.iter().find(|(old, _)| *old == name && !part.ends_with('<'));
        changed.push_str(new.map_or(name, |(_, new)| new));
        changed.push_str(&part[name.len()..]);
    }
    changed
}
