//! Generates the JSON Schemas of the parser's tables, which list the keys of objects in definition files.

use serde_json::{Map, Value as Json, json};

use super::{constraints, pattern};
use crate::byte_size;
use crate::definition::keys::{JsonKind, KeySpec, KeyTable, PARAMETER, rules};
use crate::types::datetime_pattern;

/// The schemas in `$defs`, where each schema has a name.
#[derive(Default)]
pub(super) struct SchemaTables {
    /// The tables of keys that already have a schema, with the name of each schema.
    names_by_table: Vec<(&'static KeyTable, String)>,
    /// The dialect of the schemas that are added next, which distinguishes schemas with the same name.
    pub(super) dialect: &'static str,
    pub(super) schemas_by_name: Map<String, Json>,
}

impl SchemaTables {
    /// Returns a reference to the schema of objects with these keys. If the table has no schema, adds its schema.
    pub(super) fn reference_to_table(&mut self, keys: &'static KeyTable) -> Json {
        if let Some((_, name)) = self.names_by_table.iter().find(|(table, _)| std::ptr::eq(*table, keys)) {
            return schema_reference(name);
        }
        let name = self.unused_schema_name(keys.subject);
        self.names_by_table.push((keys, name.clone()));
        // Tables can refer to each other, so the name is reserved before the schema of this table is generated.
        self.schemas_by_name.insert(name.clone(), Json::Null);
        let schema = self.object_schema(keys);
        let reference = schema_reference(&name);
        self.schemas_by_name.insert(name, schema);
        reference
    }

    /// Adds a schema without a table of keys, and returns a reference to it. Its name is made of `noun_phrase`.
    pub(super) fn add_schema(&mut self, noun_phrase: &str, schema: Json) -> Json {
        let name = self.unused_schema_name(noun_phrase);
        let reference = schema_reference(&name);
        self.schemas_by_name.insert(name, schema);
        reference
    }

    /// Returns a name that no schema has. It consists of the words of `noun_phrase` without the article.
    fn unused_schema_name(&self, noun_phrase: &str) -> String {
        let noun = noun_phrase.split_once(' ').map_or(noun_phrase, |(_, noun)| noun);
        let words = noun.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        let plain = words.collect::<Vec<_>>().join("_");
        let with_dialect = format!("{plain}_in_{}", self.dialect);
        let numbered = (2..).map(|n| format!("{with_dialect}_{n}"));
        let free = |name: &String| !self.schemas_by_name.contains_key(name);
        [plain.clone(), with_dialect.clone()].into_iter().chain(numbered).find(free).unwrap_or(plain)
    }

    pub(super) fn properties(&mut self, keys: &'static KeyTable) -> Json {
        keys.iter().map(|key| (key.name.to_owned(), self.value_schema(keys, key))).collect()
    }

    fn object_schema(&mut self, keys: &'static KeyTable) -> Json {
        let mut schema = json!({ "type": "object" });
        if keys.allows_empty_array {
            schema = json!({ "type": ["object", "array"], "maxItems": 0 });
        }
        schema["properties"] = self.properties(keys);
        let required: Vec<&str> = keys.iter().filter(|key| key.is_required).map(|key| key.name).collect();
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        let Some(names) = keys.named_member_table else {
            schema["patternProperties"] = json!({ pattern::ignored_key(): true });
            schema["additionalProperties"] = json!(false);
            return schema;
        };
        let known: Vec<_> = keys.iter().map(|key| key.name).filter(|name| name.starts_with('@')).collect();
        let name = json!({ "not": { "pattern": "^@" } });
        // Some JSON Schema validators reject an empty `enum`.
        let either = if known.is_empty() { name } else { json!({ "anyOf": [name, { "enum": known }] }) };
        schema["propertyNames"] = either;
        with_keywords(schema, named_members_schema(&self.reference_to_table(names)))
    }

    /// Returns the schema of a type: a term, or an object with these keys.
    fn type_schema(&mut self, keys: &'static KeyTable) -> Json {
        let object = self.reference_to_table(keys);
        let term = format!("{}/properties/type", object["$ref"].as_str().unwrap_or_default());
        json!({ "if": { "type": "string" }, "then": { "$ref": term }, "else": object })
    }

    fn value_schema(&mut self, keys: &'static KeyTable, key: &KeySpec) -> Json {
        let text = || json!({ "type": "string" });
        let texts = || json!({ "type": "array", "items": text() });
        let moment = || json!({ "type": "string", "pattern": datetime_pattern() });
        let mut schema = match key.kind {
            JsonKind::String if key.is_required => json!({ "type": "string", "pattern": pattern::NOT_BLANK }),
            JsonKind::String => text(),
            JsonKind::Bool => json!({ "type": "boolean" }),
            JsonKind::BoolOrString => json!({ "enum": [true, false, "true", "false"] }),
            JsonKind::Integer => json!({ "type": "integer", "minimum": 0, "maximum": u64::MAX }),
            JsonKind::IntegerOrIntegers => json!({ "type": ["integer", "array"], "items": { "type": "integer" } }),
            JsonKind::ByteSize => json!({
                "type": ["integer", "string"], "minimum": 0, "maximum": u64::MAX, "pattern": byte_size::PATTERN
            }),
            JsonKind::Moment => moment(),
            JsonKind::BoolOrMoment => json!({ "anyOf": [{ "enum": [true, false, "true", "false"] }, moment()] }),
            JsonKind::Any => json!({}),
            JsonKind::AnyObject => json!({ "type": "object" }),
            JsonKind::Strings => texts(),
            JsonKind::StringOrStrings => json!({ "type": ["string", "array"], "items": text() }),
            JsonKind::Scope => permission_groups_schema(false),
            JsonKind::Permissions => permission_groups_schema(true),
            JsonKind::Object(inner) => self.reference_to_table(inner),
            JsonKind::Objects(inner) => json!({ "type": "array", "items": self.reference_to_table(inner) }),
            JsonKind::ObjectOrObjects(inner) => {
                let object = self.reference_to_table(inner);
                json!({ "anyOf": [object, { "type": "array", "items": object }] })
            }
            JsonKind::ObjectsByName(inner) => {
                let members = named_members_schema(&self.reference_to_table(inner));
                let members = with_keywords(json!({ "type": "object" }), members);
                with_keywords(members, constraints::member_name_constraint(inner))
            }
            JsonKind::ObjectsByNameOrStrings(inner) => {
                let mut schema = named_members_schema(&self.reference_to_table(inner));
                schema["type"] = json!(["object", "array"]);
                schema["items"] = json!({ "type": "string", "pattern": pattern::TWO_WORDS });
                schema
            }
            JsonKind::Type(inner) => self.type_schema(inner),
            JsonKind::Types(inner) => {
                let r#type = self.type_schema(inner);
                let mut schema = named_members_schema(&r#type);
                schema["type"] = json!(["array", "object"]);
                schema["items"] = r#type;
                schema
            }
            JsonKind::CommonParameters => {
                let rules = self.reference_to_table(&rules::COMMON_RULES);
                json!({
                    "type": ["object", "array"],
                    "maxItems": 0,
                    "if": { "anyOf": [
                        { "not": { "additionalProperties": { "not": { "type": "object", "required": ["info"] } } } },
                        { "not": { "propertyNames": { "not": { "pattern": pattern::prefixed_parameter_key() } } } }
                    ] },
                    "then": named_members_schema(&self.reference_to_table(&PARAMETER)),
                    "else": rules
                })
            }
        };
        schema["description"] = json!(key.description);
        let mut schema = with_keywords(schema, constraints::key_constraint(keys, key.name));
        constraints::allow_variables(keys, &mut schema);
        schema
    }
}

/// Returns the schema of a list of permission groups. If `allows_strings` is `true`, an item of the list can also be a
/// string, which means a group of one permission. An empty group, which requires no permission, must be the only group.
fn permission_groups_schema(allows_strings: bool) -> Json {
    let mut group = json!({ "type": "array", "items": permission_schema() });
    if allows_strings {
        group = json!({ "if": { "type": "string" }, "then": permission_schema(), "else": group });
    }
    json!({ "type": "array", "items": group, "anyOf": [{ "maxItems": 1 }, { "items": { "minItems": 1 } }] })
}

fn permission_schema() -> Json {
    json!({ "type": "string", "pattern": pattern::PERMISSION, "allOf": [{ "pattern": pattern::NOT_BLANK }] })
}

fn schema_reference(name: &str) -> Json {
    json!({ "$ref": format!("#/$defs/{name}") })
}

/// Returns the schema of objects whose author chooses the names of the members. A member whose name begins like a
/// comment must match `value` only if its value is an object; otherwise the parser ignores it.
pub(super) fn named_members_schema(value: &Json) -> Json {
    let ignored_or_value = json!({ "if": { "type": "object" }, "then": value });
    json!({ "patternProperties": { pattern::ignored_key(): ignored_or_value }, "additionalProperties": value })
}

/// Adds the keywords of another JSON Schema, if there is one, to a JSON Schema.
pub(super) fn with_keywords(mut schema: Json, other: Json) -> Json {
    if let (Json::Object(keywords), Json::Object(others)) = (&mut schema, other) {
        keywords.extend(others);
    }
    schema
}
