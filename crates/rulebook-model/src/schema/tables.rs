//! Generates the schemas of the tables of keys. Each table has one schema in `$defs`.

use serde_json::{Map, Value as Json, json};

use super::{constraints, pattern};
use crate::call::HttpMethod;
use crate::definition::keys::{KeySpec, KeyTable, PARAMETER, ValueKind, rules};

/// A JSON Schema, as the members of its JSON object.
pub(super) type Schema = Map<String, Json>;

/// The schemas in `$defs`, by name.
#[derive(Default)]
pub(super) struct Tables {
    /// The tables of keys that already have a schema, with the names of the schemas.
    known: Vec<(&'static KeyTable, String)>,
    /// The current dialect, which is added to the names of schemas that would otherwise be equal.
    dialect: &'static str,
    schemas: Map<String, Json>,
}

impl Tables {
    /// Sets the dialect of the schemas that are added next.
    pub(super) fn set_dialect(&mut self, dialect: &'static str) {
        self.dialect = dialect;
    }

    /// Returns the content of `$defs`.
    pub(super) fn definitions(self) -> Map<String, Json> {
        self.schemas
    }

    /// Returns a reference to the schema of objects with these keys. The schema is added if it does not exist.
    pub(super) fn refer(&mut self, keys: &'static KeyTable) -> Json {
        if let Some((_, name)) = self.known.iter().find(|(known, _)| std::ptr::eq(*known, keys)) {
            return reference(name);
        }
        let name = self.unused_name(keys.subject);
        self.known.push((keys, name.clone()));
        // Tables can refer to each other, so the name is reserved before the schema is generated.
        self.schemas.insert(name.clone(), Json::Null);
        let schema = self.object_schema(keys);
        let reference = reference(&name);
        self.schemas.insert(name, Json::Object(schema));
        reference
    }

    /// Adds a schema that does not belong to a table of keys, and returns a reference to it.
    pub(super) fn add(&mut self, what: &str, schema: Schema) -> Json {
        let name = self.unused_name(what);
        let reference = reference(&name);
        self.schemas.insert(name, Json::Object(schema));
        reference
    }

    /// Returns an unused name for the schema of `what`, which is a noun with an article.
    fn unused_name(&self, what: &str) -> String {
        let noun = what.split_once(' ').map_or(what, |(_, noun)| noun);
        let words = noun.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        let plain = words.collect::<Vec<_>>().join("_");
        let with_dialect = format!("{plain}_in_{}", self.dialect);
        let numbered = (2..).map(|n| format!("{with_dialect}_{n}"));
        let free = |name: &String| !self.schemas.contains_key(name);
        [plain.clone(), with_dialect.clone()].into_iter().chain(numbered).find(free).unwrap_or(plain)
    }

    /// Returns the schema of an object with these keys.
    fn object_schema(&mut self, keys: &'static KeyTable) -> Schema {
        let properties: Schema = keys.iter().map(|key| (key.name.to_owned(), self.value_schema(keys, key))).collect();
        let required: Vec<&str> = keys.iter().filter(|key| key.is_required).map(|key| key.name).collect();
        let mut schema = Schema::new();
        if keys.allows_empty_array {
            schema.insert("type".to_owned(), json!(["object", "array"]));
            schema.insert("maxItems".to_owned(), json!(0));
        } else {
            schema.insert("type".to_owned(), json!("object"));
        }
        schema.insert("properties".to_owned(), Json::Object(properties));
        if !required.is_empty() {
            schema.insert("required".to_owned(), json!(required));
        }
        match keys.named_member_table {
            Some(names) => {
                let known: Vec<_> = keys.iter().map(|key| key.name).filter(|name| name.starts_with('@')).collect();
                let name = json!({ "not": { "pattern": "^@" } });
                // Some validators reject an empty `enum`.
                let either = if known.is_empty() { name } else { json!({ "anyOf": [name, { "enum": known }] }) };
                schema.insert("propertyNames".to_owned(), either);
                schema.extend(named_members_schema(self.refer(names)));
            }
            None => {
                schema.insert("patternProperties".to_owned(), json!({ pattern::ignored_key(): true }));
                schema.insert("additionalProperties".to_owned(), json!(false));
            }
        }
        schema
    }

    /// Returns the schema of the value of a key.
    fn value_schema(&mut self, keys: &'static KeyTable, key: &KeySpec) -> Json {
        let text = || json!({ "type": "string" });
        let texts = || json!({ "type": "array", "items": text() });
        let mut schema = match key.kind {
            ValueKind::String if key.is_required => json!({ "type": "string", "pattern": pattern::NOT_BLANK }),
            ValueKind::String => text(),
            ValueKind::Bool => json!({ "type": "boolean" }),
            ValueKind::BoolOrString => json!({ "enum": [true, false, "true", "false"] }),
            ValueKind::Integer => json!({ "type": "integer", "minimum": 0, "maximum": u64::MAX }),
            ValueKind::Any => json!({}),
            ValueKind::Strings => texts(),
            ValueKind::StringOrStrings => json!({ "type": ["string", "array"], "items": text() }),
            ValueKind::Scope => permission_groups(false),
            ValueKind::Permissions => permission_groups(true),
            ValueKind::Object(inner) => self.refer(inner),
            ValueKind::Objects(inner) => json!({ "type": "array", "items": self.refer(inner) }),
            ValueKind::ObjectsByName(inner) => {
                let mut schema = Schema::new();
                schema.insert("type".to_owned(), json!("object"));
                schema.extend(named_members_schema(self.refer(inner)));
                schema.extend(constraints::constraint_of_names(inner));
                Json::Object(schema)
            }
            ValueKind::CommonParameters => {
                let rules = self.refer(&rules::COMMON_RULES);
                json!({
                    "type": ["object", "array"],
                    "maxItems": 0,
                    "if": { "anyOf": [
                        { "not": { "additionalProperties": { "not": { "type": "object", "required": ["info"] } } } },
                        { "not": { "propertyNames": { "not": { "pattern": pattern::source_key() } } } }
                    ] },
                    "then": named_members_schema(self.refer(&PARAMETER)),
                    "else": rules
                })
            }
        };
        if let Json::Object(schema) = &mut schema {
            schema.insert("description".to_owned(), json!(key.description));
            if let Json::Object(constraint) = constraints::constraint_of_key(keys, key.name) {
                schema.extend(constraint);
            }
        }
        schema
    }
}

/// Returns the schema of a list of permission groups. If `single` is `true`, a string stands for a group of one
/// permission. An empty group, which requires no permission, must be the only group.
fn permission_groups(single: bool) -> Json {
    let mut group = json!({ "type": "array", "items": permission_schema() });
    if single {
        group = json!({ "if": { "type": "string" }, "then": permission_schema(), "else": group });
    }
    json!({ "type": "array", "items": group, "anyOf": [{ "maxItems": 1 }, { "items": { "minItems": 1 } }] })
}

fn permission_schema() -> Json {
    json!({ "type": "string", "pattern": pattern::PERMISSION, "allOf": [{ "pattern": pattern::NOT_BLANK }] })
}

fn reference(name: &str) -> Json {
    json!({ "$ref": format!("#/$defs/{name}") })
}

/// Returns the members of the schema of an object whose member names the author chooses and whose values match `value`.
/// A name that begins with an ignored prefix belongs to such a member only if its value is an object.
pub(super) fn named_members_schema(value: Json) -> Schema {
    let ignored_or_value = json!({ "if": { "type": "object" }, "then": value });
    let mut schema = Schema::new();
    schema.insert("patternProperties".to_owned(), json!({ pattern::ignored_key(): ignored_or_value }));
    schema.insert("additionalProperties".to_owned(), value);
    schema
}

/// Returns the names of the HTTP methods that a service can have.
pub(super) fn http_method_names() -> [&'static str; 5] {
    HttpMethod::ALL.map(HttpMethod::as_str)
}
