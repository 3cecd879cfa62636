//! Adds to a JSON Schema what only a program knows: the names of its types, and its kinds of handlers with their
//! settings. With these names, an editor marks a misspelt type or setting.

use serde_json::{Map, Value as Json, json};

use super::{SchemaKind, pattern, schema};
use crate::model::DEFAULT_HANDLER;

/// The name of the schema of a handler in `$defs`.
const HANDLER: &str = "handler";
const HANDLER_REFERENCE: &str = "#/$defs/handler";

/// The names that definitions of a program can contain, besides the built-in ones.
#[derive(Debug, Clone, Default)]
pub struct KnownNames {
    /// The types that the program adds, and the schemas of the definition.
    pub types: Vec<String>,
    /// The kinds of handlers, each with the names of its other settings.
    pub handler_kinds: Vec<(String, Vec<String>)>,
}

/// Returns the JSON Schema of a kind of definition file for a program with these names.
///
/// Unlike [`schema`], it rejects other types, unless their names begin with an uppercase letter, as those of schemas
/// do; other kinds of handlers; and settings that no kind has.
///
/// ```
/// use rulebook_model::schema::{KnownNames, SchemaKind, schema_with_names};
///
/// let names = KnownNames { types: vec!["colour".to_owned()], ..KnownNames::default() };
/// assert!(schema_with_names(SchemaKind::Tree, &names).to_string().contains("|colour|"));
/// ```
#[must_use]
pub fn schema_with_names(kind: SchemaKind, names: &KnownNames) -> Json {
    let mut schema = schema(kind);
    restrict(&mut schema, names);
    let keys = names.handler_kinds.iter().flat_map(|(kind, settings)| std::iter::once(kind).chain(settings));
    let mut handler = json!({ "type": "object" });
    add_members(&mut handler, keys.map(|key| (key.clone(), json!(true))).collect());
    schema["$defs"][HANDLER] = handler;
    schema
}

fn restrict(schema: &mut Json, names: &KnownNames) {
    match schema {
        Json::Array(items) => items.iter_mut().for_each(|item| restrict(item, names)),
        Json::Object(members) => {
            restrict_type(members, names);
            if let Some(Json::Object(properties)) = members.get_mut("properties") {
                for (key, value) in properties {
                    match key.as_str() {
                        "handler" | "@handler" => {
                            *value = json!({ "$ref": HANDLER_REFERENCE, "description": value["description"] });
                        }
                        "handlers" => add_members(value, shared_members(names)),
                        _ => {}
                    }
                }
            }
            members.values_mut().for_each(|member| restrict(member, names));
        }
        _ => {}
    }
}

/// Lists the names of types in the pattern of a type.
fn restrict_type(members: &mut Map<String, Json>, names: &KnownNames) {
    let Some(prefix) = members.get("pattern").and_then(Json::as_str).and_then(pattern::term_prefix) else { return };
    let examples = members.get("examples").and_then(Json::as_array).into_iter().flatten();
    let builtin = examples.filter_map(Json::as_str);
    let known = pattern::alternatives(builtin.chain(names.types.iter().map(String::as_str)));
    members.insert("pattern".to_owned(), json!(pattern::known_term(prefix, &known)));
}

/// Adds the members to the schema of an object with any keys.
fn add_members(schema: &mut Json, properties: Map<String, Json>) {
    if schema["type"] == "object" && schema.get("properties").is_none() {
        schema["properties"] = properties.into();
        schema["patternProperties"] = json!({ pattern::ignored_key(): true });
        schema["additionalProperties"] = json!(false);
    }
}

fn shared_members(names: &KnownNames) -> Map<String, Json> {
    let mut members: Map<String, Json> =
        names.handler_kinds.iter().map(|(kind, _)| (kind.clone(), json!({ "type": "object" }))).collect();
    members.insert(DEFAULT_HANDLER.to_owned(), json!({ "$ref": HANDLER_REFERENCE }));
    members
}
