//! Tests of the dialect `methods`. Each definition in the dialect `methods` can also be written in the dialect `tree`,
//! and both definitions have the same model.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use rulebook_model::definition::dialect_spec::{METHODS, TREE};
use rulebook_model::definition::{load, read};
use rulebook_model::describe::canonical_definition;
use rulebook_model::model::{Api, WHOLE_BODY_KEY, default_parameter_name};
use rulebook_model::types::{Type, Types};
use serde_json::{Map, Value as Json, json};

use super::{compile_definition, compile_valid_definition};
use support::WithoutSpans as _;
use support::generate::{self, Choices, Generated};
use support::golden;

#[test]
fn a_definition_in_the_methods_dialect_is_printed_in_the_tree_dialect() {
    let api = compile_valid_definition(load("tests/definitions/good/methods".as_ref()));
    golden::compare(Path::new("tests/data/methods/printed.json"), &format!("{:#}\n", canonical_definition(&api)));
}

#[test]
fn each_type_alias_has_one_canonical_type() {
    let types = Types::builtin();
    let canonical: HashSet<&str> = types.iter().map(Type::name).collect();
    for dialect in [&TREE, &METHODS] {
        let mut words = HashSet::new();
        for (word, name) in dialect.type_aliases {
            assert!(words.insert(word), "{word} is a duplicate in {}", dialect.name);
            assert!(canonical.contains(name), "{word} in {} is an alias of the unknown type {name}", dialect.name);
        }
    }
    assert!(TREE.type_aliases.is_empty(), "the dialect `tree` has canonical names only");
}

#[test]
fn type_aliases_apply_at_every_level_of_a_type_and_in_their_own_dialect_only() {
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
        let api = compile_one_file(&json!({ "m": { "GET::x": { "output": { "value": output } } } }));
        let mut printed = canonical_definition(&api)["modules"]["m"]["/"]["m/x"]["GET"]["out"]["value"].take();
        printed.as_object_mut().unwrap().remove("info");
        assert_eq!(printed, meant, "{written}");
    }
    let tree = compile_one_file(
        &json!({ "/": { "x": { "GET": { "info": "X", "out": { "y": { "info": "Y", "type": "id" } } } } } }),
    );
    assert_eq!(tree.modules[0].services[0].methods[0].outputs[0].r#type.written.term, "id");
}

#[test]
fn a_method_without_a_description_has_its_id_as_description() {
    let api =
        compile_one_file(&json!({ "a.b": { "GET::read": {}, "POST::read": { "id": "write" }, "PUT::other": {} } }));
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
    #![proptest_config(support::random::cases(256))]

    #[test]
    fn the_same_definition_in_both_dialects_has_the_same_model(choices in generate::choices_up_to(300)) {
        let (tree, methods) = generate_in_both_dialects(choices);
        prop_assert_eq!(compile_one_file(&methods).without_spans(), compile_one_file(&tree).without_spans(), "{:#}\n{:#}", methods, tree);
    }
}

proptest! {
    #![proptest_config(support::random::cases(256))]

    /// A definition with random changes either has errors, or can be printed and loaded again with the same model. No
    /// step panics.
    #[test]
    fn mutated_definitions_are_rejected_or_load_unchanged_after_printing(
        choices in generate::choices_up_to(300),
        mut mistakes in generate::choices_up_to(30),
    ) {
        let (_, methods) = generate_in_both_dialects(choices);
        let mistaken = generate::mutate(Generated { files: vec![("m.json".to_owned(), methods)] }, &mut mistakes);
        let (api, report) = compile_definition(read(mistaken.bytes()));
        if report.is_empty() {
            prop_assert_eq!(compile_one_file(&canonical_definition(&api)).without_spans(), api.without_spans());
        } else {
            prop_assert!(!report.render(false).is_empty());
        }
    }
}

/// Returns the model of a definition that consists of one file without errors, `m.json`.
fn compile_one_file(definition: &Json) -> Api {
    compile_valid_definition(read(vec![(PathBuf::from("api/m.json"), definition.to_string().into_bytes())]))
}

/// Generates the same definition in the dialects `tree` and `methods`.
fn generate_in_both_dialects(mut choices: Choices) -> (Json, Json) {
    let (mut uris, mut methods) = (Map::new(), Map::new());
    for number in 0..=choices.below(4) {
        let http = choices.of(&["GET", "POST", "PUT", "DELETE", "PATCH"]);
        let common = restrict_to_methods_dialect(generate::method(http, number, &mut choices));
        methods.insert(format!("{http}::x{number}"), convert_to_methods_dialect(common.clone()));
        uris.insert(format!("m/x{number}"), json!({ (http): common }));
    }
    (json!({ "/": uris }), json!({ "m": methods }))
}

/// Changes a method in the dialect `tree` so that the dialect `methods` can express it. In the dialect `methods`,
/// parameters without a prefix are read from the query and the body. It has no names for the type `id`, and for arrays
/// and objects that may be empty. Positional parameters have other keys, so that their names in code must be set.
fn restrict_to_methods_dialect(mut method: Json) -> Json {
    const TERMS: &[(&str, &str)] = &[("id", "text_id"), ("array", "filled_array"), ("object", "filled_object")];
    rename_types(&mut method, TERMS);
    if let Some(Json::Object(parameters)) = method.get_mut("in") {
        for (key, mut parameter) in std::mem::take(parameters) {
            let prefixes = ["URL#", "GET@", "HEADER@", "COOKIE@", "ANY@"];
            let is_bare = key != WHOLE_BODY_KEY && !prefixes.iter().any(|prefix| key.starts_with(prefix));
            let members = parameter.as_object_mut().unwrap();
            let name = default_parameter_name(&key);
            members.entry("name").or_insert_with(|| json!(name));
            parameters.insert(if is_bare { format!("ANY@{key}") } else { key }, parameter);
        }
    }
    method
}

/// Converts a method from the dialect `tree` to the dialect `methods`.
fn convert_to_methods_dialect(mut method: Json) -> Json {
    const TERMS: &[(&str, &str)] = &[
        ("text_id", "id"),
        ("filled_array", "array"),
        ("filled_object", "object"),
        ("phone", "number"),
        ("bool", "boolean"),
        ("string", "text"),
        ("any", "mixed"),
    ];
    rename_types(&mut method, TERMS);
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
    rename_keys(method)
}

/// Renames the keys of the dialect `tree` to the keys of the dialect `methods`. The generator does not choose these
/// keys as names of parameters or outputs.
fn rename_keys(json: Json) -> Json {
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
                (key.to_owned(), rename_keys(value))
            });
            Json::Object(renamed.collect())
        }
        Json::Array(items) => items.into_iter().map(rename_keys).collect(),
        other => other,
    }
}

/// Renames the types in all type expressions of a JSON value. A type that is followed by `<…>` is not renamed.
fn rename_types(json: &mut Json, names: &[(&str, &str)]) {
    match json {
        Json::Object(members) => {
            for (key, value) in members {
                match value {
                    Json::String(term) if key == "type" => *term = rename_type(term, names),
                    value => rename_types(value, names),
                }
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| rename_types(item, names)),
        _ => {}
    }
}

fn rename_type(term: &str, names: &[(&str, &str)]) -> String {
    let mut changed = String::new();
    for part in term.split_inclusive(|c: char| !(c.is_ascii_alphanumeric() || c == '_')) {
        let name = part.trim_end_matches(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let new = names.iter().find(|(old, _)| *old == name && !part.ends_with('<'));
        changed.push_str(new.map_or(name, |(_, new)| new));
        changed.push_str(&part[name.len()..]);
    }
    changed
}
