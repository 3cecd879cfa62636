//! Converts the schemas of a description to types.
//!
//! Each Rust module converts one kind of schemas. All of them report what a type cannot express as losses.

mod array;
mod constant;
mod kinds;
mod map;
mod notes;
mod number;
mod object;
mod parts;
mod string;
mod union;

pub(super) use kinds::Values;
pub(super) use object::{described, is_binary, short};
pub(super) use parts::Member;

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value as Json};

use super::document::{Document, is_true, items, members, reference_of, schema_key, schema_place, text};
use super::losses::{LossKind, Losses, Place};
use super::names::{schema_name, unique_name};

/// The key under which a part of the definition has its place in the description, until the definition is written.
pub(super) const ORIGIN_KEY: &str = "$origin";

/// The maximum number of references that are replaced by their targets, one within the other.
const MAX_INLINE_DEPTH: usize = 24;

/// The maximum number of references that are replaced by their targets.
const MAX_INLINED: usize = 20_000;

/// A type of the definition.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Type {
    /// `true` if the value can be null.
    pub is_nullable: bool,
    /// The key `type`, without `?`, and the attributes next to it.
    pub attributes: Map<String, Json>,
}

impl Type {
    pub(super) fn new(term: impl Into<String>) -> Self {
        let attributes = Map::from_iter([("type".to_owned(), Json::String(term.into()))]);
        Self { is_nullable: false, attributes }
    }

    pub(super) fn with(mut self, attribute: &str, value: impl Into<Json>) -> Self {
        self.attributes.insert(attribute.to_owned(), value.into());
        self
    }

    pub(super) fn term(&self) -> &str {
        self.attributes.get("type").and_then(Json::as_str).unwrap_or_default()
    }

    /// Returns the type `name<T>` of which this type is the item, such as `array<T>`.
    pub(super) fn inside(mut self, name: &str) -> Self {
        let optional = if self.is_nullable && self.term() != "any" { "?" } else { "" };
        let mut outer = Self::new(format!("{name}<{optional}{}>", self.term()));
        self.attributes.shift_remove("type");
        let fields = self.attributes.shift_remove("fields");
        if !self.attributes.is_empty() {
            outer = outer.with("items", self.attributes);
        }
        if let Some(fields) = fields { outer.with("fields", fields) } else { outer }
    }
}

/// Converts schemas.
pub(super) struct Converter<'a> {
    pub document: Document<'a>,
    pub losses: Losses,
    /// The name in the definition of each schema of the description that has a name.
    names: HashMap<String, String>,
    used_names: HashSet<String>,
    /// The schemas of the definition.
    pub schemas: Map<String, Json>,
    /// The references that are being replaced by their targets.
    inlined: Vec<String>,
    inlined_count: usize,
}

impl<'a> Converter<'a> {
    pub(super) fn new(document: Document<'a>) -> Self {
        let mut used_names = HashSet::new();
        let names = document.schemas();
        let names = names.map(|(key, _)| (key.to_owned(), unique_name(&schema_name(key), &mut used_names))).collect();
        let (losses, schemas, inlined) = (Losses::default(), Map::new(), Vec::new());
        Self { document, losses, names, used_names, schemas, inlined, inlined_count: 0 }
    }

    /// Converts all schemas that have names.
    pub(super) fn convert_named_schemas(&mut self) {
        for (key, schema) in self.document.schemas() {
            let place = schema_place(key);
            let name = self.names.get(key).cloned().unwrap_or_default();
            if name != key {
                self.losses.add(LossKind::Name, &place, format!("the schema is called `{name}`"));
            }
            let converted = self.named_schema(schema, &place, &name);
            self.insert_schema(&name, converted, schema, &place);
        }
    }

    fn insert_schema(&mut self, name: &str, mut converted: Map<String, Json>, schema: &Json, place: &Place) {
        let mut entry = Map::new();
        entry.insert("info".to_owned(), description(schema).unwrap_or(name).into());
        if converted.get("type").is_some_and(|term| term == "object") {
            converted.shift_remove("type");
        }
        entry.append(&mut converted);
        if let Some(example) = self.example(schema, place) {
            entry.insert("example".to_owned(), example);
        }
        entry.insert(ORIGIN_KEY.to_owned(), place.as_str().into());
        self.schemas.insert(name.to_owned(), entry.into());
    }

    /// Converts a schema with a name. If it extends others, its type refers to them.
    fn named_schema(&mut self, schema: &'a Json, place: &Place, name: &str) -> Map<String, Json> {
        if self.leads_to_itself(schema) {
            self.losses.add(LossKind::Reference, place, "the schema refers only to itself: its type is `any`");
            return Type::new("any").attributes;
        }
        match self.extended_object(schema, place, name) {
            Some(extended) => extended,
            None => self.convert(schema, place, name).attributes,
        }
    }

    /// Returns `true` if a schema consists of a reference that leads back to it.
    fn leads_to_itself(&self, schema: &'a Json) -> bool {
        let (mut schema, mut seen) = (schema, HashSet::new());
        while let Some(reference) = reference_of(schema) {
            let Some((target, _)) = self.document.find(reference) else { return false };
            if !seen.insert(reference) {
                return true;
            }
            schema = target;
        }
        false
    }

    /// Converts a schema to a type. `hint` is the beginning of names for schemas that the type needs.
    pub(super) fn convert(&mut self, schema: &'a Json, place: &Place, hint: &str) -> Type {
        if let Some(is_any) = schema.as_bool() {
            if !is_any {
                self.losses.add(LossKind::Keyword, place, "no value is valid: its type is `any`");
            }
            return Type::new("any");
        }
        if let Some(reference) = reference_of(schema) {
            return self.convert_reference(reference, schema, place, hint);
        }
        let mut converted = self.convert_by_kind(schema, place, hint);
        converted.is_nullable |= self.document.is_nullable(schema);
        self.report_notes(schema, place);
        converted
    }

    fn convert_by_kind(&mut self, schema: &'a Json, place: &Place, hint: &str) -> Type {
        if let Some(constant) = schema.get("const") {
            return self.constants(std::slice::from_ref(constant), &place.member("const"));
        }
        if let Some(constants) = schema.get("enum").and_then(Json::as_array) {
            let constants: Vec<Json> = constants.clone();
            return self.constants(&constants, &place.member("enum"));
        }
        if schema.get("allOf").is_some_and(|parts| !items(Some(parts)).is_empty()) {
            return self.all_of(schema, place, hint);
        }
        for keyword in ["oneOf", "anyOf"] {
            if let Some(branches) = schema.get(keyword).and_then(Json::as_array)
                && let Some(union) = self.union(schema, branches, &place.member(keyword), hint)
            {
                self.report_unsupported(schema, place, &[]);
                self.report_branches(schema, place, keyword);
                if schema.get("required").is_some() {
                    let message = "the members of the branches are not required here";
                    self.losses.add(LossKind::Constraint, &place.member("required"), message);
                }
                return union;
            }
        }
        let names = type_names(schema);
        match names.as_slice() {
            [] => match self.document.implied_type(schema) {
                Some(name) => self.simple_type(name, schema, place, hint),
                None => {
                    self.report_unsupported(schema, place, &[]);
                    Type::new("any")
                }
            },
            [name] => self.simple_type(name, schema, place, hint),
            several => {
                let types: Vec<Type> = several.iter().map(|name| self.simple_type(name, schema, place, hint)).collect();
                self.union_of_types(types, place, hint)
            }
        }
    }

    fn simple_type(&mut self, name: &str, schema: &'a Json, place: &Place, hint: &str) -> Type {
        match name {
            "string" => self.string(schema, place),
            "integer" => self.integer(schema, place),
            "number" => self.number(schema, place),
            "boolean" => {
                self.report_unsupported(schema, place, &[]);
                Type::new("bool")
            }
            "array" => self.array(schema, place, hint),
            "object" => self.object(schema, place, hint),
            "null" => Type { is_nullable: true, ..Type::new("null") },
            other => {
                self.losses.add(LossKind::Keyword, &place.member("type"), format!("`{other}` is not a type"));
                Type::new("any")
            }
        }
    }

    /// Converts a reference: to the name of a schema, or to the type of the schema to which it leads.
    fn convert_reference(&mut self, reference: &str, schema: &'a Json, place: &Place, hint: &str) -> Type {
        self.report_siblings(schema, place);
        let name = schema_key(reference).and_then(|key| self.names.get(&key).cloned());
        let Some((target, target_place)) = self.document.find(reference) else {
            let why = if reference.starts_with('#') { "leads nowhere" } else { "leads to another file" };
            self.losses.add(LossKind::Reference, place, format!("`{reference}` {why}: the type is `any`"));
            return Type::new("any");
        };
        let is_nullable = self.document.is_nullable(target) || is_true(schema, "nullable");
        if let Some(name) = name {
            return Type { is_nullable, ..Type::new(name) };
        }
        self.inlined_count += 1;
        let is_too_deep = self.inlined.len() >= MAX_INLINE_DEPTH || self.inlined_count > MAX_INLINED;
        if self.inlined.iter().any(|known| known == reference) || is_too_deep {
            self.losses.add(
                LossKind::Reference,
                place,
                format!("`{reference}` leads back to itself, or through too many others: the type is `any`"),
            );
            return Type::new("any");
        }
        self.inlined.push(reference.to_owned());
        let converted = self.convert(target, &target_place, hint);
        self.inlined.pop();
        converted
    }

    /// Converts a schema to a type that does not contain objects with fields, for places where a definition accepts
    /// only types without fields. Such objects become schemas with names that begin with `hint`.
    fn convert_without_fields(&mut self, schema: &'a Json, place: &Place, hint: &str) -> Type {
        let converted = self.convert(schema, place, hint);
        self.without_fields(converted, schema, place, hint)
    }

    fn without_fields(&mut self, converted: Type, schema: &Json, place: &Place, hint: &str) -> Type {
        if !converted.attributes.contains_key("fields") {
            return converted;
        }
        let name = unique_name(&schema_name(text(schema, "title").unwrap_or(hint)), &mut self.used_names);
        self.insert_schema(&name, converted.attributes, schema, place);
        Type { is_nullable: converted.is_nullable, ..Type::new(name) }
    }
}

/// Returns the description of a schema, or else its title.
pub(super) fn description(schema: &Json) -> Option<&str> {
    text(schema, "description").or_else(|| text(schema, "title"))
}

/// Returns the names in the keyword `type`, without `null`.
fn type_names(schema: &Json) -> Vec<&str> {
    let names = match schema.get("type") {
        Some(Json::String(name)) => vec![name.as_str()],
        names => items(names).iter().filter_map(Json::as_str).collect(),
    };
    if names.len() > 1 { names.into_iter().filter(|name| *name != "null").collect() } else { names }
}
