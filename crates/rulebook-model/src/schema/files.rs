//! Generates the schemas of whole files, including the rules that detect the dialect of a file.

use serde_json::{Value as Json, json};

use super::pattern;
use super::tables::{Schema, Tables, http_method_names, named_members_schema};
use crate::definition::HTTP_METHOD_NAMES;
use crate::definition::dialect_spec::{METHODS, RULES, TREE};
use crate::definition::keys::{APP, METHOD_LIST_ENTRY, MODULE, methods, rules};

/// Returns the schema of a settings file.
pub(super) fn settings_file(tables: &mut Tables) -> Schema {
    into_members(tables.refer(&APP))
}

/// Returns the schema of a file in the dialect `tree`: a module, or a flat list of methods as in aicra.
pub(super) fn tree_file(tables: &mut Tables) -> Schema {
    tables.set_dialect(TREE.name);
    into_members(json!({
        "if": { "type": "array" },
        "then": { "items": tables.refer(&METHOD_LIST_ENTRY) },
        "else": tables.refer(&MODULE)
    }))
}

/// Returns the schema of a file in the dialect `methods`. The top level has no table of keys, because the author
/// chooses all names in it.
pub(super) fn methods_file(tables: &mut Tables) -> Schema {
    tables.set_dialect(METHODS.name);
    let segment = pattern::SEGMENT;
    let http = pattern::alternatives(http_method_names());
    let method = tables.refer(&methods::METHOD);
    let module = into_members(json!({
        "type": "object",
        "patternProperties": {
            format!("^({http}){}{segment}$", methods::SEPARATOR): method,
            pattern::ignored_key(): { "not": { "type": "object" } }
        },
        "additionalProperties": false
    }));
    let module = tables.add("a module of methods", module);
    let mut file = into_members(json!({
        "type": "object",
        "properties": { "dialect": { "enum": [METHODS.name], "description": "The dialect of the file." } },
        "propertyNames": { "anyOf": [{ "pattern": format!("^{segment}$") }, { "pattern": pattern::ignored_key() }] }
    }));
    file.extend(named_members_schema(module));
    into_members(tables.add("a file of methods", file))
}

/// Returns the schema of a file in the dialect `rules`.
pub(super) fn rules_file(tables: &mut Tables) -> Schema {
    tables.set_dialect(RULES.name);
    into_members(tables.refer(&rules::RULES_FILE))
}

/// Returns the schema of any definition file. It distinguishes settings from modules by their keys.
///
/// The parser recognizes `app.json` by its file name, which a schema cannot check. An object that could be a module or
/// settings is therefore valid if it is valid as either of them.
pub(super) fn any_file(tables: &mut Tables) -> Schema {
    let settings = tables.refer(&APP);
    let modules = modules_file(tables);
    let modules = tables.add("a file of modules", modules);
    let names: Vec<&str> = APP.iter().map(|key| key.name).collect();
    let settings_only = names.iter().copied().filter(|name| MODULE.keys.iter().all(|key| key.name != *name));
    let is_settings = json!({
        "type": "object",
        "not": { "required": ["dialect"] },
        "anyOf": [
            { "required": ["modules"] },
            has_member(&pattern::one_of(settings_only), &json!({ "not": { "type": "object" } }))
        ]
    });
    let settings_names = json!({ "anyOf": [{ "enum": names }, { "pattern": pattern::ignored_key() }] });
    let is_modules = json!({ "anyOf": [{ "type": "array" }, { "not": { "propertyNames": settings_names } }] });
    let either = json!({ "anyOf": [modules, settings] });
    if_then_else(&is_settings, &settings, &Json::Object(if_then_else(&is_modules, &modules, &either)))
}

/// Returns the schema of a file of modules. It detects the dialect.
fn modules_file(tables: &mut Tables) -> Schema {
    let tree = {
        let tree = tree_file(tables);
        tables.add("a tree", tree)
    };
    let methods = Json::Object(methods_file(tables));
    let rules = Json::Object(rules_file(tables));
    let has_dialect = |name: &str| json!({ "properties": { "dialect": { "const": name } } });
    let dialects = [(TREE.name, &tree), (METHODS.name, &methods), (RULES.name, &rules)];
    let names_dialect = json!({ "type": "object", "required": ["dialect"] });
    let by_name = json!({
        "properties": { "dialect": { "enum": dialects.map(|(name, _)| name) } },
        "allOf": dialects.map(|(name, schema)| json!({ "if": has_dialect(name), "then": schema }))
    });
    let is_certainly_tree = json!({ "anyOf": [{ "type": "array" }, has_tree_keys()] });
    let is_methods =
        has_named_member(&json!({ "allOf": [{ "type": "object" }, has_member(methods::SEPARATOR, &json!(true))] }));
    // A top-level URI, whose author forgot the enclosing "/", must not be mistaken for a class.
    let uri = pattern::one_of(HTTP_METHOD_NAMES.into_iter().chain(["/"]));
    let is_uri_without_slash =
        has_named_member(&json!({ "allOf": [{ "type": "object" }, has_member(&uri, &json!(true))] }));
    let has_no_object = json!({ "not": has_named_member(&json!({ "type": "object" })) });
    let is_tree = json!({ "anyOf": [is_uri_without_slash, has_no_object] });
    let other = if_then_else(&is_methods, &methods, &Json::Object(if_then_else(&is_tree, &tree, &rules)));
    if_then_else(&names_dialect, &by_name, &Json::Object(if_then_else(&is_certainly_tree, &tree, &Json::Object(other))))
}

/// Returns the schema of objects with keys that only files in the dialect `tree` have.
fn has_tree_keys() -> Json {
    let module_keys: Vec<&str> = MODULE.keys.iter().map(|key| key.name).collect();
    let text_info = json!({ "type": "object", "required": ["info"], "properties": { "info": { "type": "string" } } });
    json!({ "anyOf": [
        has_member("^/$", &json!(true)),
        has_member(&pattern::one_of_ignoring_case(HTTP_METHOD_NAMES), &json!(true)),
        has_member("^[A-Z]*$", &text_info),
        has_member(&pattern::one_of(module_keys), &json!({ "not": { "type": "object" } }))
    ] })
}

/// Returns the schema of objects that have a member whose name matches `pattern` and whose value matches `value`.
fn has_member(pattern: &str, value: &Json) -> Json {
    json!({ "not": { "patternProperties": { pattern: { "not": value } } } })
}

/// Returns the schema of objects that have a member whose key is not ignored and whose value matches `value`.
fn has_named_member(value: &Json) -> Json {
    json!({ "not": { "patternProperties": { pattern::ignored_key(): true }, "additionalProperties": { "not": value } } })
}

fn if_then_else(condition: &Json, then: &Json, otherwise: &Json) -> Schema {
    into_members(json!({ "if": condition, "then": then, "else": otherwise }))
}

/// Returns the members of a JSON value that is an object.
fn into_members(schema: Json) -> Schema {
    match schema {
        Json::Object(members) => members,
        _ => Schema::new(),
    }
}
