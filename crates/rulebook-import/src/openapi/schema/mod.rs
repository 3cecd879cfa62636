//! Converts the schemas of a description to types.
//!
//! Each Rust module converts one kind of schemas. All of them report what a type cannot express as losses.

mod constant;
mod constraint_keywords;
mod constraints;
mod containers;
mod default_and_example;
mod kinds;
mod named;
mod object;
mod others;
mod parts;
mod scalars;
mod union;

pub(super) use constraints::{DefinitionName, is_same_constraint};
pub(super) use kinds::Values;
pub(super) use object::{described, is_binary, short};
pub(super) use parts::{Member, ObjectParts};

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value as Json};

use super::document::{Document, is_true, items, members, reference_of, schema_key, text, why_not_found};
use super::losses::{LossKind, Losses, Place};
use super::names::{schema_name, unique_name};
use constraints::is_constraint;
use kinds::allows_null;

/// The key under which a part of the definition has its place in the description, until the definition is written. No
/// name in a definition contains a control character, so that the key differs from all of them.
pub(super) const ORIGIN_KEY: &str = "\u{1}origin";

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

    /// Adds an attribute, if it has a value.
    pub(super) fn with_some(self, attribute: &str, value: Option<impl Into<Json>>) -> Self {
        match value {
            Some(value) => self.with(attribute, value),
            None => self,
        }
    }

    pub(super) fn term(&self) -> &str {
        self.attributes.get("type").and_then(Json::as_str).unwrap_or_default()
    }

    /// Returns the notation of the type in lists of types: its term, or an object with the term and the attributes.
    fn into_term(mut self) -> Json {
        match self.attributes.len() {
            1 => self.attributes.shift_remove("type").unwrap_or_default(),
            _ => self.attributes.into(),
        }
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
        outer.with_some("fields", fields)
    }
}

/// Converts schemas.
pub(super) struct Converter<'a> {
    pub document: Document<'a>,
    pub losses: Losses,
    /// The name in the definition of each schema of the description that has a name.
    names: HashMap<String, String>,
    /// The keys of these schemas by their addresses.
    keys: HashMap<*const Json, String>,
    used_names: HashSet<String>,
    /// The schemas of the definition that have no name in the description.
    unnamed_schemas: Map<String, Json>,
    /// The names in the definition of the schemas to which types refer.
    referenced: HashSet<String>,
    /// The keys of the schemas whose members have become parameters in a body.
    pub bodies: HashSet<String>,
    /// The references that are being replaced by their targets.
    inlined: Vec<String>,
    inlined_count: usize,
}

impl<'a> Converter<'a> {
    pub(super) fn new(document: Document<'a>) -> Self {
        let mut used_names = HashSet::new();
        let names = document.schemas();
        let names = names.map(|(key, _)| (key.to_owned(), unique_name(&schema_name(key), &mut used_names))).collect();
        Self {
            document,
            losses: Losses::default(),
            names,
            keys: document.schemas().map(|(key, schema)| (std::ptr::from_ref(schema), key.to_owned())).collect(),
            used_names,
            unnamed_schemas: Map::new(),
            referenced: HashSet::new(),
            bodies: HashSet::new(),
            inlined: Vec::new(),
            inlined_count: 0,
        }
    }

    /// Reads a value that is not a schema, and its references, but not its members. If a reference cannot be followed,
    /// reports that something is omitted.
    pub(super) fn resolve(&mut self, value: &'a Json, place: &Place, omitted: &str) -> Option<(&'a Json, Place)> {
        let resolved = self.document.resolve(value, place);
        resolved.map_err(|why| self.losses.add(LossKind::REFERENCE, place, format!("{why}: {omitted} omitted"))).ok()
    }

    /// Converts a schema to a type. `hint` is the beginning of names for schemas that the type needs.
    pub(super) fn convert(&mut self, schema: &'a Json, place: &Place, hint: &str) -> Type {
        self.document.record(schema);
        if schema.as_bool() != Some(true) && !schema.is_object() {
            let why = if schema.is_boolean() { "no value is valid" } else { "the schema is not an object" };
            self.losses.widen(LossKind::KEYWORD, place, format!("{why}: the type is `any`"));
            return Type::new("any");
        }
        if let Some(reference) = reference_of(schema) {
            return self.convert_reference(reference, schema, place, hint);
        }
        let mut converted = self.convert_by_kind(schema, place, hint);
        converted.is_nullable |= self.document.is_nullable(schema);
        self.document.read_flag(schema, "nullable");
        // The branches or parts of the schema accept null, but its own type does not. Constants have their own losses.
        let has_constants = schema.get("const").is_some() || schema.get("enum").is_some();
        let excludes_null = !allows_null(schema) && !is_true(schema, "nullable");
        if converted.is_nullable && !has_constants && excludes_null {
            converted.is_nullable = false;
            if converted.term() == "null" {
                self.losses.widen(LossKind::KEYWORD, place, "no value is valid: null is accepted");
            }
        }
        converted
    }

    fn convert_by_kind(&mut self, schema: &'a Json, place: &Place, hint: &str) -> Type {
        if let Some(constant) = self.document.read_whole(schema, "const") {
            return self.constants(schema, std::slice::from_ref(constant), &place.member("const"));
        }
        if let Some(constants) = schema.get("enum").and_then(Json::as_array) {
            self.document.read_whole(schema, "enum");
            return self.constants(schema, constants, &place.member("enum"));
        }
        if !items(schema.get("allOf")).is_empty() {
            return self.all_of(schema, place, hint);
        }
        for keyword in ["oneOf", "anyOf"] {
            if !is_constraint(schema, keyword)
                && let Some(union) = self.union(schema, keyword, place, hint)
            {
                return union;
            }
        }
        let names = type_names(schema);
        if !names.is_empty() {
            self.document.read_whole(schema, "type");
        }
        match names.as_slice() {
            [] => match self.document.implied_type(schema) {
                Some(name) => self.simple_type(name, schema, place, hint),
                None => Type::new("any"),
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
            "boolean" => Type::new("bool"),
            "array" => self.array(schema, place, hint),
            "object" => self.object(schema, place, hint),
            "null" => Type { is_nullable: true, ..Type::new("null") },
            other => {
                let message = format!("`{}` is not a type", other.escape_debug());
                self.losses.widen(LossKind::KEYWORD, &place.member("type"), message);
                Type::new("any")
            }
        }
    }

    /// Converts a reference: to the name of a schema, or to the type of the schema to which it leads.
    fn convert_reference(&mut self, reference: &str, schema: &'a Json, place: &Place, hint: &str) -> Type {
        self.document.read(schema, "$ref");
        self.document.read_flag(schema, "nullable");
        let name = schema_key(reference).and_then(|key| self.names.get(&key).cloned());
        let Some((target, target_place)) = self.document.find(reference) else {
            let why = why_not_found(reference);
            self.losses.widen(LossKind::REFERENCE, place, format!("{why}: the type is `any`"));
            return Type::new("any");
        };
        if let Some(name) = name {
            self.referenced.insert(name.clone());
            self.read_type_of(schema, &self.document.values(schema));
            return Type { is_nullable: self.document.is_nullable(schema), ..Type::new(name) };
        }
        self.inlined_count += 1;
        let is_too_deep = self.inlined.len() >= MAX_INLINE_DEPTH || self.inlined_count > MAX_INLINED;
        if self.inlined.iter().any(|known| known == reference) || is_too_deep {
            let reference = reference.escape_debug();
            let message = format!("`{reference}` leads back to itself, or through too many others: the type is `any`");
            self.losses.widen(LossKind::REFERENCE, place, message);
            return Type::new("any");
        }
        self.inlined.push(reference.to_owned());
        let mut converted = self.convert(target, &target_place, hint);
        self.inlined.pop();
        converted.is_nullable |= is_true(schema, "nullable");
        converted
    }
}

/// Returns the schema that accepts every value.
pub(super) fn any_schema() -> &'static Json {
    static ANY: std::sync::LazyLock<Json> = std::sync::LazyLock::new(|| Map::new().into());
    &ANY
}

/// Returns `true` if a schema requires nothing.
pub(super) fn accepts_all(schema: &Json) -> bool {
    *schema == Json::Bool(true) || schema == any_schema()
}

/// Returns the key of the schema with a name to which a schema refers.
pub(super) fn schema_key_of(schema: &Json) -> Option<String> {
    schema_key(reference_of(schema)?)
}

/// Returns the names in the keyword `type`, without `null`.
fn type_names(schema: &Json) -> Vec<&str> {
    let names = match schema.get("type") {
        Some(Json::String(name)) => vec![name.as_str()],
        names => items(names).iter().filter_map(Json::as_str).collect(),
    };
    if names.len() > 1 { names.into_iter().filter(|name| *name != "null").collect() } else { names }
}
