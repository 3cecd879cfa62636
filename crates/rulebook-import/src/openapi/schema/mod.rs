//! Converts the schemas of a description to types.
//!
//! Each Rust module converts one kind of schemas; this file converts constants, arrays and maps, and gives names to
//! schemas. All of them report what a type cannot express as losses.

mod constraints;
mod object;
mod scalars;
mod union;

use std::collections::{HashMap, HashSet};

use indexmap::IndexSet;
use serde_json::{Map, Value as Json, json};

use super::document::{Document, is_true, items, members, reference_of, schema_key, schema_place, text, why_not_found};
use super::losses::{LossKind, Losses, Place};
use super::{schema_name, unique_name};
use constraints::is_constraint;
pub(super) use constraints::{DefinitionName, is_same_constraint};
use object::Others;
pub(super) use object::{Member, ObjectParts, described, is_binary, short};
use scalars::is_of_format;
pub(super) use union::Values;
use union::{allows_null, is_of_type};

/// The key under which a part of the definition has its place in the description, until the definition is written. No
/// name in a definition contains a control character, so that the key differs from all of them.
pub(super) const ORIGIN_KEY: &str = "\u{1}origin";

/// The maximum number of references that are replaced by their targets, one within the other.
const MAX_INLINE_DEPTH: usize = 24;

/// The maximum number of references that are replaced by their targets.
const MAX_INLINED: usize = 20_000;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Type {
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

    /// Returns the type `name<T>` whose item has this type, such as `array<T>`.
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

pub(super) fn any_schema() -> &'static Json {
    static ANY: std::sync::LazyLock<Json> = std::sync::LazyLock::new(|| Map::new().into());
    &ANY
}

pub(super) fn accepts_all(schema: &Json) -> bool {
    *schema == Json::Bool(true) || schema == any_schema()
}

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

impl<'a> Converter<'a> {
    /// Converts all schemas that have names, after the operations. Omits those that are expressed as the parameters in
    /// bodies, unless a type refers to them. Returns all schemas of the definition.
    pub(super) fn convert_named_schemas(&mut self) -> Map<String, Json> {
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
    fn convert_without_fields(&mut self, schema: &'a Json, place: &Place, hint: &str) -> Type {
        let converted = self.convert(schema, place, hint);
        self.without_fields(converted, schema, place, hint)
    }

    fn without_fields(&mut self, converted: Type, schema: &'a Json, place: &Place, hint: &str) -> Type {
        if !converted.attributes.contains_key("fields") {
            return converted;
        }
        let name = unique_name(&schema_name(text(schema, "title").unwrap_or(hint)), &mut self.used_names);
        let described = self.described_schema(&name, converted.attributes, schema, place);
        self.unnamed_schemas.insert(name.clone(), described);
        Type { is_nullable: converted.is_nullable, ..Type::new(name) }
    }
}

const MAX_CONSTANTS: usize = 200;

impl Converter<'_> {
    /// Converts a schema with a list of constants: to an `enum` if they are texts, or else to a union.
    fn constants(&mut self, schema: &Json, constants: &[Json], place: &Place) -> Type {
        let typed = typed_constants(schema, constants);
        for (index, (constant, typed)) in constants.iter().zip(&typed).enumerate() {
            let place = if schema.get("const").is_some() { place.clone() } else { place.item(index) };
            match typed {
                Some(typed) if typed != constant => {
                    let message = format!("`{}` becomes `{}`, which `type` allows", short(constant), short(typed));
                    self.losses.widen(LossKind::KEYWORD, &place, message);
                }
                None => self.losses.add(LossKind::KEYWORD, &place, "`type` excludes the constant: it is omitted"),
                Some(_) => {}
            }
        }
        let constants: &[Json] = &typed.into_iter().flatten().collect::<Vec<_>>();
        let different: IndexSet<&Json> = constants.iter().filter(|constant| !constant.is_null()).collect();
        let values = Values::of_constants(constants);
        self.read_type_of(schema, &values);
        if constants.iter().all(|constant| is_of_format(constant, schema)) {
            self.document.read(schema, "format");
        }
        let is_nullable = constants.iter().any(Json::is_null);
        if is_nullable && !allows_null(schema) {
            self.losses.widen(LossKind::KEYWORD, place, "null is accepted, although `type` excludes it");
        }
        if constants.is_empty() {
            self.losses.widen(LossKind::KEYWORD, place, "no value is valid: null is accepted");
        }
        let converted = match different.into_iter().collect::<Vec<_>>().as_slice() {
            [] => Type::new("null"),
            [Json::Array(items)] if items.is_empty() => Type::new("array<any>").with("max", 0),
            [Json::Object(members)] if members.is_empty() => Type::new("object").with("max", 0),
            [only] if !only.is_array() && !only.is_object() => Type::new("const").with("value", (*only).clone()),
            several if several.iter().all(|constant| constant.is_string()) => {
                let words: Vec<Json> = several.iter().map(|constant| (*constant).clone()).collect();
                Type::new("enum").with("range", words)
            }
            several
                if several.len() <= MAX_CONSTANTS
                    && !several.iter().any(|constant| constant.is_array() || constant.is_object()) =>
            {
                let types = several.iter().map(|constant| json!({ "type": "const", "value": constant }));
                Type::new("union").with("of", types.collect::<Vec<_>>())
            }
            _ => {
                self.losses.widen(LossKind::KEYWORD, place, "the constants are arrays or objects, or are too many");
                Self::join(values.loose_types())
            }
        };
        Type { is_nullable, ..converted }
    }

    /// Reads the keyword `type` of a schema that can only have these values, unless the keyword excludes some.
    fn read_type_of(&self, schema: &Json, values: &Values) {
        let mut allowed = Values { is_whole: true, ..Values::default() };
        type_names(schema).into_iter().for_each(|name| allowed.add_type(name));
        let are_kinds_allowed =
            values.kinds.iter().zip(allowed.kinds).all(|(is_possible, is_allowed)| !is_possible || is_allowed);
        let has_fractions = values.kinds[1] && !values.is_whole;
        if are_kinds_allowed && !(has_fractions && allowed.is_whole) {
            self.document.read_whole(schema, "type");
        }
    }
}

/// Returns each constant, or `None` for one that the keyword `type` of the schema excludes. A constant that is written
/// as a value of another kind, such as 1 instead of "1" in YAML, becomes a value that the type allows. If the type
/// excludes every constant, it excludes none here, so that the type is reported instead.
fn typed_constants(schema: &Json, constants: &[Json]) -> Vec<Option<Json>> {
    let names = type_names(schema);
    let is_allowed =
        |constant: &Json| constant.is_null() || names.is_empty() || names.iter().any(|name| is_of_type(constant, name));
    let typed = |constant: &Json| match constant {
        constant if is_allowed(constant) => Some(constant.clone()),
        Json::String(text) => {
            serde_json::from_str(text).ok().filter(|value: &Json| !value.is_null() && is_allowed(value))
        }
        Json::Bool(_) | Json::Number(_) => Some(Json::String(constant.to_string())).filter(is_allowed),
        _ => None,
    };
    let typed: Vec<_> = constants.iter().map(typed).collect();
    let is_possible = typed.iter().flatten().any(|constant| !constant.is_null()) || constants.contains(&Json::Null);
    if is_possible { typed } else { constants.iter().cloned().map(Some).collect() }
}

impl<'a> Converter<'a> {
    fn array(&mut self, schema: &'a Json, place: &Place, hint: &str) -> Type {
        if schema.get("type").is_none() {
            self.losses.narrow(LossKind::KEYWORD, place, "there is no `type`: values that are not arrays are refused");
        }
        // The first items have other schemas than the rest.
        let has_first_items = !items(schema.get("prefixItems")).is_empty();
        if has_first_items && schema.get("items").is_some() {
            self.losses.widen(LossKind::KEYWORD, &place.member("items"), "the first items have other schemas");
        }
        let item = schema.get("items").filter(|_| !has_first_items);
        let item = item.map(|item| self.convert(item, &place.member("items"), &format!("{hint}_item")));
        let mut array = item.unwrap_or_else(|| Type::new("any")).inside("array");
        array.attributes.extend(self.item_counts(schema));
        array
    }

    /// Returns the attributes for the bounds of the number of items.
    pub(super) fn item_counts(&self, schema: &Json) -> Map<String, Json> {
        let bound = |keyword: &str| schema.get(keyword).filter(|bound| bound.is_u64());
        let bounds = [("minItems", "min"), ("maxItems", "max")].into_iter();
        let bounds = bounds.filter_map(|(keyword, attribute)| Some((attribute, bound(keyword)?)));
        bounds
            .inspect(|(_, bound)| self.document.record(bound))
            .map(|(name, bound)| (name.to_owned(), bound.clone()))
            .collect()
    }

    /// Converts an object without fields. `common` is the schema of all its members.
    fn map(&mut self, parts: &ObjectParts<'a>, common: Option<&Others<'a>>, hint: &str) -> Type {
        let mut map = match common {
            Some(others) => {
                if others.is_pattern {
                    let message = "names that do not match the pattern are accepted, too";
                    self.losses.widen(LossKind::KEYWORD, &others.place, message);
                    for closing in &parts.closings {
                        self.losses.widen(LossKind::KEYWORD, &closing.place, message);
                    }
                }
                self.convert(others.schema, &others.place, &format!("{hint}_value")).inside("map")
            }
            None => {
                self.report_others(parts);
                Type::new("map<any>")
            }
        };
        for (index, (keys, place)) in parts.keys.iter().enumerate() {
            let converted = if index == 0 { self.keys(keys, place, hint) } else { None };
            match converted {
                Some(keys) => map = map.with("keys", keys.attributes),
                None => self.losses.widen(LossKind::KEYWORD, place, "the names of members are not checked"),
            }
        }
        map
    }

    /// Converts the schema of the names of members to a type of strings. Returns `None` if there is no such type.
    fn keys(&mut self, schema: &'a Json, place: &Place, hint: &str) -> Option<Type> {
        let values = self.document.values(schema);
        let is_text = |constants: Vec<Json>| !constants.is_empty() && constants.iter().all(Json::is_string);
        if values.kinds == [false, false, true, false, false] {
            return values.constants.is_none_or(is_text).then(|| self.convert(schema, place, &format!("{hint}_name")));
        }
        // The schema of names can omit `type`, because names are always strings.
        let is_composed = ["$ref", "allOf", "anyOf", "oneOf"].iter().any(|keyword| schema.get(*keyword).is_some());
        (values.kinds == [true; 5] && schema.is_object() && !is_composed).then(|| {
            self.document.record(schema);
            self.string(schema, place)
        })
    }
}

const MAX_EXAMPLE_BYTES: usize = 300;

/// The maximum number of schemas through which a default is found.
const MAX_CHAIN: usize = 32;

impl<'a> Converter<'a> {
    /// Returns the key `default` for a parameter at `place`, also if its schema refers to the schema that has the
    /// default.
    pub(super) fn default_entry(
        &mut self,
        schema: &'a Json,
        is_required: bool,
        place: &Place,
    ) -> Option<(String, Json)> {
        let (default, _) = self.find_default(schema, &Place::default())?;
        self.document.record_whole(default);
        if is_required {
            self.losses.widen(LossKind::DEFAULT, place, "the value can also be missing, because it has a default");
        }
        Some(("default".to_owned(), default.clone()))
    }

    /// Returns the default of a schema that is not null, and its place.
    pub(super) fn find_default(&self, schema: &'a Json, place: &Place) -> Option<(&'a Json, Place)> {
        let (mut schema, mut place) = (schema, place.clone());
        for _ in 0..MAX_CHAIN {
            if let Some(default) = schema.get("default").filter(|default| !default.is_null()) {
                return Some((default, place.member("default")));
            }
            (schema, place) = match (reference_of(schema), items(schema.get("allOf"))) {
                (Some(reference), _) => self.document.find(reference)?,
                (None, [only]) => (only, place.member("allOf").item(0)),
                _ => return None,
            };
        }
        None
    }

    pub(super) fn example(&mut self, schema: &'a Json, place: &Place) -> Option<Json> {
        if let Some(example) = schema.get("example") {
            return self.read_example(example, &place.member("example"));
        }
        let examples = schema.get("examples").filter(|examples| examples.is_array())?;
        let place = place.member("examples");
        let example = self.read_example(items(Some(examples)).first()?, &place)?;
        self.document.record_whole(examples);
        if items(Some(examples)).len() > 1 {
            self.losses.add(LossKind::EXAMPLE, &place, "only the first example is imported");
        }
        Some(example)
    }

    /// Returns the example of a parameter, or of the content of a body, if it is short.
    pub(super) fn content_example(&mut self, content: &'a Json, place: &Place) -> Option<Json> {
        let document = self.document;
        if let Some(example) = content.get("example") {
            return self.read_example(example, &place.member("example"));
        }
        let named = content.get("examples")?;
        let place = place.member("examples");
        let (name, first) = members(Some(named)).iter().next()?;
        let (target, _) = document.find_target(first, &place).ok()?;
        let key = ["value", "dataValue"].into_iter().find(|key| target.get(*key).is_some())?;
        let example = self.read_example(&target[key], &place)?;
        let _ = document.resolve(first, &place);
        document.record(named);
        if members(Some(named)).len() > 1 {
            self.losses.add(LossKind::EXAMPLE, &place, "only the first example is imported");
            let others = members(Some(named)).iter().filter(|(other, _)| *other != name);
            others.for_each(|(_, other)| document.record_whole(other));
        }
        Some(example)
    }

    /// Reads the examples of a schema if they are equal to an example that the definition has.
    pub(super) fn read_same_example(&self, schema: &'a Json, example: &Json) {
        let is_same = |known: &Json| known == example;
        if let Some(known) = schema.get("example").filter(|known| is_same(known)) {
            self.document.record_whole(known);
        }
        if let Some(known) = schema.get("examples").filter(|known| items(Some(known)).iter().all(is_same)) {
            self.document.record_whole(known);
        }
    }

    fn read_example(&mut self, example: &Json, place: &Place) -> Option<Json> {
        if example.is_null() {
            return None;
        }
        if example.to_string().len() > MAX_EXAMPLE_BYTES {
            self.losses.add(LossKind::EXAMPLE, place, "the example is too long");
            return None;
        }
        self.document.record_whole(example);
        Some(example.clone())
    }
}
