//! Converts the schemas that have names, and gives names to others.

use serde_json::{Map, Value as Json};

use super::{Converter, LossKind, ORIGIN_KEY, Place, Type, reference_of, text};
use crate::openapi::document::schema_place;
use crate::openapi::names::{schema_name, unique_name};

impl<'a> Converter<'a> {
    /// Converts all schemas that have names, after the operations. Omits those that are expressed as the parameters in
    /// bodies, unless a type refers to them. Returns all schemas of the definition.
    pub(in crate::openapi) fn convert_named_schemas(&mut self) -> Map<String, Json> {
        let mut waiting: Vec<(usize, &str, &Json)> =
            self.document.schemas().enumerate().map(|(index, (key, schema))| (index, key, schema)).collect();
        let mut converted = Vec::new();
        loop {
            let (needed, others) = waiting.into_iter().partition::<Vec<_>, _>(|(_, key, _)| {
                !self.bodies.contains(*key) || self.names.get(*key).is_some_and(|name| self.referenced.contains(name))
            });
            if needed.is_empty() {
                break;
            }
            for (index, key, schema) in needed {
                let (name, schema) = self.convert_named_schema(key, schema);
                converted.push((index, name, schema));
            }
            // The schemas that were converted can refer to others.
            waiting = others;
        }
        converted.sort_by_key(|(index, ..)| *index);
        let mut schemas: Map<String, Json> = converted.into_iter().map(|(_, name, schema)| (name, schema)).collect();
        schemas.append(&mut self.unnamed_schemas);
        schemas
    }

    fn convert_named_schema(&mut self, key: &str, schema: &'a Json) -> (String, Json) {
        let place = schema_place(key);
        let name = self.names.get(key).cloned().unwrap_or_default();
        if name != key {
            self.losses.add(LossKind::NAME, &place, format!("the schema is called `{name}`"));
        }
        let converted = self.named_schema(schema, &place, &name);
        let described = self.described_schema(&name, converted, schema, &place);
        (name, described)
    }

    fn described_schema(
        &mut self,
        name: &str,
        mut converted: Map<String, Json>,
        schema: &'a Json,
        place: &Place,
    ) -> Json {
        let mut entry = Map::new();
        entry.insert("info".to_owned(), self.document.read_description(schema).unwrap_or(name).into());
        if converted.get("type").is_some_and(|term| term == "object") {
            converted.shift_remove("type");
        }
        entry.append(&mut converted);
        if let Some(example) = self.example(schema, place) {
            entry.insert("example".to_owned(), example);
        }
        entry.insert(ORIGIN_KEY.to_owned(), place.as_str().into());
        entry.into()
    }

    /// Converts a schema with a name. If it extends others, its type refers to them.
    fn named_schema(&mut self, schema: &'a Json, place: &Place, name: &str) -> Map<String, Json> {
        if reference_of(schema).is_some() {
            return self.alias(schema, place, name);
        }
        if let Some(extended) = self.extended_object(schema, place, name) {
            return extended;
        }
        let converted = self.convert(schema, place, name);
        // An array whose items are, or lead back to, the array itself must be in a union.
        let is_endless = converted.term().starts_with("array<") && self.document.is_item_of_itself(schema);
        if is_endless {
            return Type::new("union").with("of", vec![converted.into_term()]).attributes;
        }
        converted.attributes
    }

    /// Converts a schema with a name that is a reference. References to references are followed, because a definition
    /// limits their number.
    fn alias(&mut self, schema: &'a Json, place: &Place, name: &str) -> Map<String, Json> {
        let converted = self.convert(schema, place, name);
        let Some(end) = self.document.end_of(schema) else {
            if converted.term() != "any" {
                let message = "the references lead nowhere, or only back to the schema: the type is `any`";
                self.losses.widen(LossKind::REFERENCE, place, message);
            }
            return Type::new("any").attributes;
        };
        match self.keys.get(&end).and_then(|key| self.names.get(key).cloned()) {
            Some(end) => {
                self.referenced.insert(end.clone());
                Type::new(end).attributes
            }
            None => converted.attributes,
        }
    }

    /// Converts a schema to a type that does not contain objects with fields, for places where a definition accepts
    /// only types without fields. Such objects become schemas with names that begin with `hint`.
    pub(super) fn convert_without_fields(&mut self, schema: &'a Json, place: &Place, hint: &str) -> Type {
        let converted = self.convert(schema, place, hint);
        self.without_fields(converted, schema, place, hint)
    }

    pub(super) fn without_fields(&mut self, converted: Type, schema: &'a Json, place: &Place, hint: &str) -> Type {
        if !converted.attributes.contains_key("fields") {
            return converted;
        }
        let name = unique_name(&schema_name(text(schema, "title").unwrap_or(hint)), &mut self.used_names);
        let described = self.described_schema(&name, converted.attributes, schema, place);
        self.unnamed_schemas.insert(name.clone(), described);
        Type { is_nullable: converted.is_nullable, ..Type::new(name) }
    }
}
