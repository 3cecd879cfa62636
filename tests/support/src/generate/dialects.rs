//! Generates random API modules in the dialects `methods` and `rules`. Their methods are generated in the dialect
//! `tree` and then converted. A dialect is a syntax of definitions.

use rulebook_model::model::{WHOLE_BODY_KEY, default_parameter_name};
use serde_json::{Map, Value as Json, json};

use super::Choices;
use super::method::{self, ParameterKinds};

/// Returns a random API module in the dialect `methods` (api 3.0). `number` counts the methods of the definition.
pub fn methods_module(name: &str, number: &mut usize, choices: &mut Choices) -> Json {
    let mut module = Map::new();
    for service in ["read", "write", "x-y"].iter().take(choices.below(4)) {
        for http in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
            if choices.once_in(4) {
                *number += 1;
                let kinds = ParameterKinds { captures: &[], positions: true, whole_body: true };
                let own = method::random_method(http, kinds, *number, choices);
                module.insert(format!("{http}::{service}"), to_methods_dialect(own, choices));
            }
        }
    }
    json!({ "dialect": "methods", (name): module })
}

/// Converts a method from the dialect `tree` to the dialect `methods`.
fn to_methods_dialect(own: Json, choices: &mut Choices) -> Json {
    let Json::Object(own) = own else { return own };
    let words = own.into_iter().map(|(key, value)| match key.as_str() {
        "info" => ("description".to_owned(), value),
        "scope" => ("permissions".to_owned(), replace_variable_prefix(&value, "URL#", "URL_")),
        "in" => ("parameters".to_owned(), map_members(value, |key, own| to_methods_parameter(&key, own, choices))),
        "out" => ("output".to_owned(), map_members(value, |key, own| (key, rename_info(own)))),
        "errors" => ("errors".to_owned(), map_members(value, |key, own| (key, rename_info(own)))),
        _ => (key, value),
    });
    Json::Object(words.collect())
}

/// Replaces the prefix `from` of the variables in a scope by `to`.
fn replace_variable_prefix(scope: &Json, from: &str, to: &str) -> Json {
    match scope {
        Json::Array(items) => items.iter().map(|item| replace_variable_prefix(item, from, to)).collect(),
        Json::String(text) => text.replace(from, to).into(),
        other => other.clone(),
    }
}

/// Applies `change` to each member whose value is an object, and removes all other members.
fn map_members(named: Json, mut change: impl FnMut(String, Map<String, Json>) -> (String, Json)) -> Json {
    let Json::Object(named) = named else { return named };
    let changed = named.into_iter().filter_map(|(key, own)| match own {
        Json::Object(own) => Some(change(key, own)),
        _ => None,
    });
    Json::Object(changed.collect())
}

/// Renames the key `info` to `description`, also in the fields of an object and in the types of attributes.
fn rename_info(own: Map<String, Json>) -> Json {
    let rename = |r#type: Json| match r#type {
        Json::Object(own) => rename_info(own),
        term => term,
    };
    let words = own.into_iter().map(|(key, value)| match (key.as_str(), value) {
        ("info", value) => ("description".to_owned(), value),
        ("fields", value) => (key, map_members(value, |key, own| (key, rename_info(own)))),
        ("items", Json::Object(own)) => (key, rename_info(own)),
        ("of", Json::Array(types)) => (key, types.into_iter().map(rename).collect()),
        ("of", Json::Object(types)) => {
            (key, Json::Object(types.into_iter().map(|(name, r#type)| (name, rename(r#type))).collect()))
        }
        (_, value) => (key, value),
    });
    Json::Object(words.collect())
}

/// Converts schemas to the dialect `methods`.
pub fn to_methods_schemas(schemas: Json) -> Json {
    map_members(schemas, |name, schema| (name, rename_info(schema)))
}

/// Converts a parameter to the dialect `methods`: the key of a positional parameter has another prefix, and the key
/// `optional` replaces the `?` of the type.
fn to_methods_parameter(key: &str, mut own: Map<String, Json>, choices: &mut Choices) -> (String, Json) {
    let term = member_text(&own, "type");
    if let Some(bare) = term.strip_prefix('?') {
        own.insert("optional".to_owned(), json!(true));
        own.insert("type".to_owned(), json!(bare));
    } else if choices.once_in(4) {
        own.insert("optional".to_owned(), json!(false));
    }
    let plain = ["default", "example", "after"].iter().all(|key| !own.contains_key(*key)) && own.len() == 2;
    if plain && choices.once_in(2) {
        let word =
            choices.of(&["id", "number", "numeric", "boolean", "array", "object", "array<id>", "letters", "FILE"]);
        // The type `FILE` is used only if the original type is a file.
        let allowed = word != "FILE" || term.eq_ignore_ascii_case("file");
        own.insert("type".to_owned(), json!(if allowed { word } else { "mixed" }));
    }
    (key.replacen("URL#", "URL_", 1), rename_info(own))
}

fn member_text(own: &Map<String, Json>, key: &str) -> String {
    own.get(key).and_then(Json::as_str).unwrap_or_default().to_owned()
}

/// Returns a random API module in the dialect `rules` (PhalApi), where it is called a class. `number` counts the
/// methods of the definition.
pub fn rules_class(name: &str, number: &mut usize, choices: &mut Choices) -> Json {
    let mut class = Map::new();
    if choices.once_in(2) {
        class.insert("@info".to_owned(), json!("What the class is for"));
        class.insert("@desc".to_owned(), json!("And more of it"));
    }
    if choices.once_in(4) {
        class.insert("@envelope".to_owned(), json!("plain"));
    }
    let has_common_rules = choices.once_in(3);
    if has_common_rules {
        class.insert("*".to_owned(), json!({ "code": { "require": choices.once_in(2), "min": "4", "max": 4 } }));
    }
    for service in ["login", "search", "Logout"].iter().take(choices.below(4)) {
        *number += 1;
        // The common rule can be sent in the body.
        let kinds = ParameterKinds { captures: &[], positions: false, whole_body: !has_common_rules };
        let own = method::random_method(choices.of(&["POST", "GET"]), kinds, *number, choices);
        class.insert((*service).to_owned(), to_rules_dialect(&own, choices));
    }
    json!({ "dialect": "rules", (name): class })
}

/// Converts a method from the dialect `tree` to the dialect `rules`.
fn to_rules_dialect(own: &Json, choices: &mut Choices) -> Json {
    let mut method = Map::new();
    let mut in_body = false;
    for (key, own) in own["in"].as_object().into_iter().flatten() {
        if let Json::Object(own) = own {
            let (name, rule) = to_rule(key, own, choices);
            let source = member_text(rule.as_object().unwrap_or(own), "source").to_ascii_lowercase();
            in_body |=
                matches!(&*source, "post" | "body") || member_text(own, "type").to_ascii_lowercase().contains("file");
            method.insert(name, rule);
        }
    }
    if choices.once_in(2) {
        method.insert("@info".to_owned(), own["info"].clone());
    }
    if let Some(scope) = own.get("scope") {
        method.insert("@scope".to_owned(), replace_variable_prefix(scope, "HEADER@", ""));
    }
    if let Some(errors) = own.get("errors") {
        method.insert("@errors".to_owned(), errors.clone());
    }
    if !in_body {
        match choices.below(4) {
            0 => drop(method.insert("@method".to_owned(), json!("get"))),
            1 => drop(method.insert("@method".to_owned(), json!(["GET", "PUT", "DELETE"]))),
            2 if own.get("scope").is_none() => drop(method.insert("@jsonp".to_owned(), json!(true))),
            _ => {}
        }
    }
    if choices.once_in(2) {
        method.insert("@return".to_owned(), random_return(choices));
    }
    Json::Object(method)
}

fn random_return(choices: &mut Choices) -> Json {
    let kind = choices.of(&["int", "string", "float", "boolean", "date", "fixed"]);
    json!({
        "code": { "type": kind, "desc": "How it went" },
        "list": { "type": "array" },
        "list[].id": { "type": "int", "desc": "Of one" },
        "list[].tags[]": { "type": "string" },
        "more.sex": { "type": "enum", "range": ["female", "male"] },
        "more.at": { "type": "date", "format": "timestamp" }
    })
}

/// The prefixes of parameter keys in the dialect `tree`, each with the equivalent source.
const SOURCES: [(&str, &str); 4] = [("GET@", "get"), ("HEADER@", "header"), ("COOKIE@", "cookie"), ("ANY@", "request")];

/// Converts a parameter to a rule of the dialect `rules`. Returns the parameter's name in code, and the rule.
fn to_rule(key: &str, own: &Map<String, Json>, choices: &mut Choices) -> (String, Json) {
    let found = SOURCES.iter().find_map(|(prefix, source)| Some((key.strip_prefix(prefix)?, *source)));
    let (client, source) = found.unwrap_or((key, if key == WHOLE_BODY_KEY { "body" } else { "request" }));
    let name = own.get("name").and_then(Json::as_str).unwrap_or_else(|| default_parameter_name(key));
    let mut rule = Map::new();
    if key != WHOLE_BODY_KEY {
        rule.insert("name".to_owned(), json!(client));
    }
    rule.insert(
        "source".to_owned(),
        json!(if choices.once_in(4) { source.to_ascii_uppercase() } else { source.to_owned() }),
    );
    let term = member_text(own, "type");
    let bare = term.trim_start_matches('?');
    if bare == term {
        rule.insert("require".to_owned(), json!(true));
    }
    for (key, value) in own {
        match key.as_str() {
            "name" | "nullable" => {}
            "info" => drop(rule.insert("desc".to_owned(), value.clone())),
            "type" => drop(rule.insert("type".to_owned(), json!(bare))),
            "after" => drop(rule.insert("on_after_parse".to_owned(), join_function_names(value))),
            "min" | "max" if choices.once_in(2) && value.is_number() => {
                rule.insert(key.clone(), json!(value.to_string()));
            }
            _ => drop(rule.insert(key.clone(), value.clone())),
        }
    }
    let plain = ["default", "example", "on_after_parse", "min"].iter().all(|key| !rule.contains_key(*key));
    if plain && own.len() == 2 && choices.once_in(2) && !bare.to_ascii_lowercase().contains("file") {
        let all = [
            json!({ "type": "string", "min": 2, "max": "5", "format": "utf8" }),
            json!({ "type": "string", "regex": "/^[a-z]+$/i" }),
            json!({ "type": "Int", "min": "-1", "max": 100 }),
            json!({ "type": "float", "min": 0.5 }),
            json!({ "type": "boolean" }),
            json!({ "type": "date", "format": "timestamp", "min": "2015-01-31", "max": "2020-02-29" }),
            json!({ "type": "array", "format": "explode", "separator": ";", "max": 3 }),
            json!({ "type": "array", "format": "json" }),
            json!({ "type": "enum", "range": ["a", "b", "1"] }),
            json!({ "type": "callback", "callback": "Class::method", "params": 3 }),
        ];
        let written = &all[choices.below(all.len())];
        rule.extend(written.as_object().cloned().unwrap_or_default());
    }
    (name.to_owned(), Json::Object(rule))
}

/// Joins the names of functions with `|`, as PhalApi writes them.
fn join_function_names(names: &Json) -> Json {
    match names {
        Json::Array(names) => json!(names.iter().filter_map(Json::as_str).collect::<Vec<_>>().join("|")),
        other => other.clone(),
    }
}
