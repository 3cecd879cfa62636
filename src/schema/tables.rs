//! Schemas of the tables of keys, each once.

use serde_json::{Map, Value as Json, json};

use super::{facts, pattern};
use crate::call::Http;
use crate::definition::keys::{Key, Keys, Kind, PARAMETER, rules};

/// The members of a schema.
pub(super) type Schema = Map<String, Json>;

/// The schemas that others refer to, by their names.
#[derive(Default)]
pub(super) struct Tables {
    known: Vec<(&'static Keys, String)>,
    /// The dialect that is described; dialects call some things alike.
    dialect: &'static str,
    schemas: Map<String, Json>,
}

impl Tables {
    /// Says in which dialect what comes next is written.
    pub(super) fn within(&mut self, dialect: &'static str) {
        self.dialect = dialect;
    }

    /// The schemas, as `$defs` holds them.
    pub(super) fn definitions(self) -> Map<String, Json> {
        self.schemas
    }

    /// A reference to the schema of objects of these keys.
    pub(super) fn refer(&mut self, keys: &'static Keys) -> Json {
        if let Some((_, name)) = self.known.iter().find(|(known, _)| std::ptr::eq(*known, keys)) {
            return reference(name);
        }
        let name = self.name(keys.what);
        self.known.push((keys, name.clone()));
        // Tables hold each other: the place is taken before others are described.
        self.schemas.insert(name.clone(), Json::Null);
        let schema = self.object(keys);
        let reference = reference(&name);
        self.schemas.insert(name, Json::Object(schema));
        reference
    }

    /// A reference to a schema that no table has.
    pub(super) fn add(&mut self, what: &str, schema: Schema) -> Json {
        let name = self.name(what);
        let reference = reference(&name);
        self.schemas.insert(name, Json::Object(schema));
        reference
    }

    /// A name for a schema of `what`, which stands with its article.
    fn name(&self, what: &str) -> String {
        let noun = what.split_once(' ').map_or(what, |(_, noun)| noun);
        let words = noun.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        let plain = words.collect::<Vec<_>>().join("_");
        let own = format!("{plain}_in_{}", self.dialect);
        let numbered = (2..).map(|n| format!("{own}_{n}"));
        let free = |name: &String| !self.schemas.contains_key(name);
        [plain.clone(), own.clone()].into_iter().chain(numbered).find(free).unwrap_or(plain)
    }

    /// The schema of an object of these keys.
    fn object(&mut self, keys: &'static Keys) -> Schema {
        let properties: Schema = keys.iter().map(|key| (key.name.to_owned(), self.value(keys, key))).collect();
        let required: Vec<&str> = keys.iter().filter(|key| key.required).map(|key| key.name).collect();
        let mut schema = Schema::new();
        if keys.empty_list {
            schema.insert("type".to_owned(), json!(["object", "array"]));
            schema.insert("maxItems".to_owned(), json!(0));
        } else {
            schema.insert("type".to_owned(), json!("object"));
        }
        schema.insert("properties".to_owned(), Json::Object(properties));
        if !required.is_empty() {
            schema.insert("required".to_owned(), json!(required));
        }
        match keys.names {
            Some(names) => {
                let known: Vec<_> = keys.iter().map(|key| key.name).filter(|name| name.starts_with('@')).collect();
                let name = json!({ "not": { "pattern": "^@" } });
                // Some validators refuse an `enum` of nothing.
                let either = if known.is_empty() { name } else { json!({ "anyOf": [name, { "enum": known }] }) };
                schema.insert("propertyNames".to_owned(), either);
                schema.extend(named(self.refer(names)));
            }
            None => {
                schema.insert("patternProperties".to_owned(), json!({ pattern::remark(): true }));
                schema.insert("additionalProperties".to_owned(), json!(false));
            }
        }
        schema
    }

    /// The schema of what a key holds.
    fn value(&mut self, keys: &'static Keys, key: &Key) -> Json {
        let text = || json!({ "type": "string" });
        let texts = || json!({ "type": "array", "items": text() });
        let mut schema = match key.kind {
            Kind::Text if key.required => json!({ "type": "string", "pattern": pattern::NOT_BLANK }),
            Kind::Text => text(),
            Kind::Bool => json!({ "type": "boolean" }),
            Kind::Flag => json!({ "enum": [true, false, "true", "false"] }),
            Kind::Whole => json!({ "type": "integer", "minimum": 0, "maximum": u64::MAX }),
            Kind::Any => json!({}),
            Kind::Texts => texts(),
            Kind::Words => json!({ "type": ["string", "array"], "items": text() }),
            Kind::Scope => groups(false),
            Kind::Permissions => groups(true),
            Kind::Object(inner) => self.refer(inner),
            Kind::List(inner) => json!({ "type": "array", "items": self.refer(inner) }),
            Kind::Named(inner) => {
                let mut schema = Schema::new();
                schema.insert("type".to_owned(), json!("object"));
                schema.extend(named(self.refer(inner)));
                schema.extend(facts::of_names(inner));
                Json::Object(schema)
            }
            Kind::Common => {
                let rules = self.refer(&rules::COMMON);
                json!({
                    "type": ["object", "array"],
                    "maxItems": 0,
                    "if": { "anyOf": [
                        { "not": { "additionalProperties": { "not": { "type": "object", "required": ["info"] } } } },
                        { "not": { "propertyNames": { "not": { "pattern": pattern::place() } } } }
                    ] },
                    "then": named(self.refer(&PARAMETER)),
                    "else": rules
                })
            }
        };
        if let Json::Object(schema) = &mut schema {
            schema.insert("description".to_owned(), json!(key.info));
            if let Json::Object(more) = facts::of(keys, key.name) {
                schema.extend(more);
            }
        }
        schema
    }
}

/// An OR of ANDs; a `lone` permission may be a group of its own. An empty group stands alone: everybody may.
fn groups(lone: bool) -> Json {
    let mut group = json!({ "type": "array", "items": permission() });
    if lone {
        group = json!({ "if": { "type": "string" }, "then": permission(), "else": group });
    }
    json!({ "type": "array", "items": group, "anyOf": [{ "maxItems": 1 }, { "items": { "minItems": 1 } }] })
}

fn permission() -> Json {
    json!({ "type": "string", "pattern": pattern::PERMISSION, "allOf": [{ "pattern": pattern::NOT_BLANK }] })
}

fn reference(name: &str) -> Json {
    json!({ "$ref": format!("#/$defs/{name}") })
}

/// Members of a schema of an object whose other names are the author's own, which hold what is referred to. One that
/// begins like a remark is one where it holds something else than an object.
pub(super) fn named(holds: Json) -> Schema {
    let remark = json!({ "if": { "type": "object" }, "then": holds });
    let mut schema = Schema::new();
    schema.insert("patternProperties".to_owned(), json!({ pattern::remark(): remark }));
    schema.insert("additionalProperties".to_owned(), holds);
    schema
}

/// The names of the HTTP methods that a service can have.
pub(super) fn http_names() -> [&'static str; 5] {
    Http::ALL.map(Http::as_str)
}
