//! Schemas of whole files: what may stand at the top, and which dialect that is.

use serde_json::{Value as Json, json};

use super::pattern;
use super::tables::{Schema, Tables, http_names, named};
use crate::definition::METHOD_NAMES;
use crate::definition::keys::{APP, FLAT, MODULE, methods, rules};
use crate::definition::manner::{METHODS, RULES, TREE};

/// A file of settings.
pub(super) fn settings(tables: &mut Tables) -> Schema {
    members(tables.refer(&APP))
}

/// A file of the dialect `tree`: a module, or aicra's flat list.
pub(super) fn tree(tables: &mut Tables) -> Schema {
    tables.within(TREE.dialect);
    members(json!({
        "if": { "type": "array" },
        "then": { "items": tables.refer(&FLAT) },
        "else": tables.refer(&MODULE)
    }))
}

/// A file of the dialect `methods`. What stands at its top has no table of keys: all names are the author's.
pub(super) fn methods(tables: &mut Tables) -> Schema {
    tables.within(METHODS.dialect);
    let segment = pattern::SEGMENT;
    let http = pattern::alternatives(http_names());
    let method = tables.refer(&methods::METHOD);
    let module = members(json!({
        "type": "object",
        "patternProperties": {
            format!("^({http}){}{segment}$", methods::BETWEEN): method,
            pattern::remark(): { "not": { "type": "object" } }
        },
        "additionalProperties": false
    }));
    let module = tables.add("a module of methods", module);
    let mut file = members(json!({
        "type": "object",
        "properties": { "dialect": { "enum": [METHODS.dialect], "description": "How the file is written." } },
        "propertyNames": { "anyOf": [{ "pattern": format!("^{segment}$") }, { "pattern": pattern::remark() }] }
    }));
    file.extend(named(module));
    members(tables.add("a file of methods", file))
}

/// A file of the dialect `rules`.
pub(super) fn rules(tables: &mut Tables) -> Schema {
    tables.within(RULES.dialect);
    members(tables.refer(&rules::FILE))
}

/// A file of a definition, which is one of settings where it cannot be anything else.
///
/// What `app.json` is by its name a schema cannot see; objects that may be either are held against both.
pub(super) fn any(tables: &mut Tables) -> Schema {
    let settings = tables.refer(&APP);
    let modules = modules(tables);
    let modules = tables.add("a file of modules", modules);
    let names: Vec<&str> = APP.iter().map(|key| key.name).collect();
    let own = names.iter().copied().filter(|name| MODULE.keys.iter().all(|key| key.name != *name));
    let is_settings = json!({
        "type": "object",
        "not": { "required": ["dialect"] },
        "anyOf": [
            { "required": ["modules"] },
            has(&pattern::one_of(own), &json!({ "not": { "type": "object" } }))
        ]
    });
    let other_names = json!({ "anyOf": [{ "enum": names }, { "pattern": pattern::remark() }] });
    let is_modules = json!({ "anyOf": [{ "type": "array" }, { "not": { "propertyNames": other_names } }] });
    let either = json!({ "anyOf": [modules, settings] });
    choice(&is_settings, &settings, &Json::Object(choice(&is_modules, &modules, &either)))
}

/// A file of modules in the dialect that it is recognised as.
fn modules(tables: &mut Tables) -> Schema {
    let tree = {
        let tree = tree(tables);
        tables.add("a tree", tree)
    };
    let methods = Json::Object(methods(tables));
    let rules = Json::Object(rules(tables));
    let called = |name: &str| json!({ "properties": { "dialect": { "const": name } } });
    let dialects = [(TREE.dialect, &tree), (METHODS.dialect, &methods), (RULES.dialect, &rules)];
    let says = json!({ "type": "object", "required": ["dialect"] });
    let said = json!({
        "properties": { "dialect": { "enum": dialects.map(|(name, _)| name) } },
        "allOf": dialects.map(|(name, schema)| json!({ "if": called(name), "then": schema }))
    });
    let marked = json!({ "anyOf": [{ "type": "array" }, marks_tree()] });
    let is_methods = has_named(&json!({ "allOf": [{ "type": "object" }, has(methods::BETWEEN, &json!(true))] }));
    // A URI that stands at the top, where "/" was forgotten, is not taken for a class.
    let uri = pattern::one_of(METHOD_NAMES.into_iter().chain(["/"]));
    let forgotten = has_named(&json!({ "allOf": [{ "type": "object" }, has(&uri, &json!(true))] }));
    let no_object = json!({ "not": has_named(&json!({ "type": "object" })) });
    let is_tree = json!({ "anyOf": [forgotten, no_object] });
    let unmarked = choice(&is_methods, &methods, &Json::Object(choice(&is_tree, &tree, &rules)));
    choice(&says, &said, &Json::Object(choice(&marked, &tree, &Json::Object(unmarked))))
}

/// What stands at the top of trees only.
fn marks_tree() -> Json {
    let own: Vec<&str> = MODULE.keys.iter().map(|key| key.name).collect();
    let text_info = json!({ "type": "object", "required": ["info"], "properties": { "info": { "type": "string" } } });
    json!({ "anyOf": [
        has("^/$", &json!(true)),
        has(&pattern::one_of_in_any_case(METHOD_NAMES), &json!(true)),
        has("^[A-Z]*$", &text_info),
        has(&pattern::one_of(own), &json!({ "not": { "type": "object" } }))
    ] })
}

/// An object that has a member whose name matches `pattern` and whose value is `holds`.
fn has(pattern: &str, holds: &Json) -> Json {
    json!({ "not": { "patternProperties": { pattern: { "not": holds } } } })
}

/// An object that has a member which is no remark and whose value is `holds`.
fn has_named(holds: &Json) -> Json {
    json!({ "not": { "patternProperties": { pattern::remark(): true }, "additionalProperties": { "not": holds } } })
}

fn choice(condition: &Json, then: &Json, otherwise: &Json) -> Schema {
    members(json!({ "if": condition, "then": then, "else": otherwise }))
}

/// The members of what is known to be an object.
fn members(schema: Json) -> Schema {
    match schema {
        Json::Object(members) => members,
        _ => Schema::new(),
    }
}
