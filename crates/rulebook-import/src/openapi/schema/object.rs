//! Converts objects, also those that `allOf` composes.

use std::collections::HashSet;

use serde_json::{Map, Value as Json, json};

use super::parts::{Member, ObjectParts};
use super::{
    Converter, LossKind, ORIGIN_KEY, Place, Type, accepts_all, is_true, items, members, reference_of, schema_key,
};
use crate::openapi::names::is_field_name;

impl<'a> Converter<'a> {
    /// Converts an object, to `object` with its fields, or to `map`.
    pub(super) fn object(&mut self, schema: &'a Json, place: &Place, hint: &str) -> Type {
        match self.object_parts(schema, place) {
            Some(parts) => self.object_of_parts(&parts, hint),
            None => Type::new("object"),
        }
    }

    fn object_of_parts(&mut self, parts: &ObjectParts<'a>, hint: &str) -> Type {
        self.read_parts(parts);
        let has_keys = parts.members.is_empty() && !parts.keys.is_empty() && parts.closings.is_empty();
        let common = parts.common();
        let (object, max) = if parts.is_empty() {
            let unused =
                parts.others.iter().map(|others| others.schema).chain(parts.keys.iter().map(|(keys, _)| *keys));
            unused.for_each(|schema| self.document.record_whole(schema));
            (Type::new("object"), Some(json!(0)))
        } else if common.is_some() || has_keys {
            (self.map(parts, common, hint), parts.max.cloned())
        } else {
            (self.object_with_fields(parts, hint), parts.max.cloned())
        };
        let object = object.with_some("min", parts.min.cloned()).with_some("max", max);
        let constraints = self.constraints((&parts.schemas, &parts.members), &field_name(&parts.members));
        object.with_some("constraints", Some(constraints).filter(|constraints| !constraints.is_empty()))
    }

    fn object_with_fields(&mut self, parts: &ObjectParts<'a>, hint: &str) -> Type {
        self.report_others(parts);
        for (_, keys_place) in &parts.keys {
            self.losses.widen(LossKind::KEYWORD, keys_place, "the names of members are not checked");
        }
        let fields = self.fields(&parts.members, hint);
        let mut is_closed = parts.is_closed();
        if is_closed && fields.len() < parts.members.len() {
            // A closed object would refuse the members that cannot be fields.
            is_closed = false;
            for closing in &parts.closings {
                let message = "other members are accepted, too: a field cannot have the name of a member";
                self.losses.widen(LossKind::KEYWORD, &closing.place, message);
            }
        }
        let object = Type::new("object").with_some("closed", is_closed.then_some(true));
        object.with_some("fields", Some(fields).filter(|fields| !fields.is_empty()))
    }

    /// Reports the schemas of other members that are not converted.
    pub(super) fn report_others(&mut self, parts: &ObjectParts<'a>) {
        let message = match (parts.members.is_empty(), parts.is_closed()) {
            (true, _) => "the members can have any value",
            (false, false) => "other members of an object with fields can have any value",
            (false, true) => "fields of other parts are not checked by this schema",
        };
        for others in parts.others.iter().filter(|others| !accepts_all(others.schema)) {
            self.losses.widen(LossKind::KEYWORD, &others.place, message);
        }
    }

    /// Converts members to fields or outputs.
    pub(in crate::openapi) fn fields(&mut self, members: &[Member<'a>], hint: &str) -> Map<String, Json> {
        let field = |member: &Member<'a>| Some((member.name.to_owned(), self.field(member, hint)?.into()));
        members.iter().filter_map(field).collect()
    }

    /// Converts a member of an object to a field or an output. Returns `None` if its name cannot be that of a field.
    fn field(&mut self, member: &Member<'a>, hint: &str) -> Option<Map<String, Json>> {
        if !is_field_name(member.name) {
            self.report_name(member, "a field cannot have this name");
            return None;
        }
        if let Some((default, place)) = self.find_default(member.schema, &member.place) {
            let message = format!("the default `{}` is not applied to a field", short(default));
            self.losses.add(LossKind::DEFAULT, &place, message);
        }
        Some(self.described_member(member, hint))
    }

    /// Reports a member that is omitted because of its name. Its value is not checked.
    pub(in crate::openapi) fn report_name(&mut self, member: &Member<'a>, message: &str) {
        if accepts_all(member.schema) && !member.is_required {
            self.losses.add(LossKind::NAME, &member.place, message);
        } else {
            self.losses.widen(LossKind::NAME, &member.place, message);
        }
    }

    /// Converts a member of a request body to a parameter.
    pub(in crate::openapi) fn parameter_of_member(&mut self, member: &Member<'a>, hint: &str) -> Map<String, Json> {
        let mut parameter = self.described_member(member, hint);
        parameter.extend(self.default_entry(member.schema, member.is_required, &member.place));
        parameter
    }

    fn described_member(&mut self, member: &Member<'a>, hint: &str) -> Map<String, Json> {
        let converted = self.convert(member.schema, &member.place, &format!("{hint}_{}", member.name));
        if member.is_required && converted.is_nullable && converted.term() != "any" {
            self.losses.widen(LossKind::NULL, &member.place, "the field can also be missing");
        }
        if !member.is_required && !converted.is_nullable && converted.term() != "any" {
            self.losses.widen(LossKind::NULL, &member.place, "the field can also be null");
        }
        for (key, direction) in [("readOnly", "requests"), ("writeOnly", "responses")] {
            if member.is_required && is_true(member.schema, key) {
                let message = format!("{direction} must contain the field, too");
                self.losses.narrow(LossKind::ANNOTATION, &member.place.member(key), message);
            }
        }
        // The type `any` contains null.
        let is_optional = !member.is_required || (converted.is_nullable && converted.term() != "any");
        let example = self.example(member.schema, &member.place);
        let info = self.document.read_description(member.schema).unwrap_or(member.name);
        let mut field = described(info, converted, is_optional);
        field.extend(example.map(|example| ("example".to_owned(), example)));
        field.insert(ORIGIN_KEY.to_owned(), member.place.as_str().into());
        field
    }

    /// Converts a schema with `allOf`.
    pub(super) fn all_of(&mut self, schema: &'a Json, place: &Place, hint: &str) -> Type {
        let document = self.document;
        let parts = items(schema.get("allOf"));
        let has_members = ["properties", "required", "additionalProperties", "unevaluatedProperties"]
            .iter()
            .any(|key| schema.get(*key).is_some());
        if let ([only], false) = (parts, has_members) {
            document.read_items(schema, "allOf");
            self.read_type_of(schema, &document.values(only));
            return self.convert(only, &place.member("allOf").item(0), hint);
        }
        let object = self.object_parts(schema, place);
        if let Some(object) = &object
            && document.values(schema).kinds == [true; 5]
            && object.members.is_empty()
            && object.not_merged.is_empty()
        {
            self.read_keywords(object);
            return Type::new("any");
        }
        if let Some(object) = object
            && (!object.members.is_empty() || object.not_merged.is_empty())
        {
            return self.object_of_parts(&object, hint);
        }
        // The parts are not objects: the first that has a type is used.
        let has_type = |part: &&'a Json| !document.values(part).kinds.iter().all(|kind| *kind);
        let first = parts.iter().position(|part| has_type(&part)).unwrap_or(0);
        document.read_items(schema, "allOf");
        for (index, _) in parts.iter().enumerate().filter(|(index, _)| *index != first) {
            self.losses.widen(LossKind::ALL_OF, &place.member("allOf").item(index), "only one part is converted");
        }
        match parts.get(first) {
            Some(part) => {
                self.read_type_of(schema, &document.values(part));
                self.convert(part, &place.member("allOf").item(first), hint)
            }
            None => Type::new("any"),
        }
    }

    /// Converts a schema with a name whose `allOf` refers to schemas with names, so that it extends them. Returns
    /// `None` if it cannot extend them.
    pub(super) fn extended_object(&mut self, schema: &'a Json, place: &Place, hint: &str) -> Option<Map<String, Json>> {
        let parts = items(schema.get("allOf"));
        if parts.is_empty() || ["oneOf", "anyOf", "enum"].iter().any(|keyword| schema.get(*keyword).is_some()) {
            return None;
        }
        let merged = self.object_parts(schema, place)?;
        let is_simple = |parts: &ObjectParts<'_>| parts.has_only_members() && parts.conflicts.is_empty();
        if !is_simple(&merged) {
            return None;
        }
        let (mut extends, mut inherited, mut base_parts) = (Vec::new(), HashSet::new(), HashSet::new());
        for part in parts.iter().filter(|part| reference_of(part).is_some()) {
            let name = self.names.get(&schema_key(reference_of(part)?)?)?.clone();
            let base = self.object_parts(part, place).filter(|base| is_simple(base))?;
            let is_same = |member: &Member<'_>| {
                merged.members.iter().any(|known| known.name == member.name && known.is_required == member.is_required)
            };
            let is_nullable = self.document.is_nullable(part);
            // Members of two schemas, and members that become required here, cannot be inherited.
            let mut members = base.members.iter();
            let mut inherits = |member: &Member<'a>| is_same(member) && inherited.insert(member.name);
            if is_nullable || base.members.is_empty() || !members.all(&mut inherits) {
                return None;
            }
            base_parts.extend(base.schemas.iter().map(|(part, _)| std::ptr::from_ref(*part)));
            extends.push(name);
        }
        let declares = |part: &Json| {
            let declared = [schema.get("properties"), part.get("properties")];
            declared
                .into_iter()
                .flat_map(|properties| members(properties).keys())
                .any(|name| inherited.contains(name.as_str()))
        };
        if extends.is_empty() || parts.iter().any(declares) || self.is_recursive_base(schema) {
            return None;
        }
        self.read_parts(&merged);
        self.referenced.extend(extends.iter().cloned());
        let (local, members): (Vec<_>, Vec<_>) = (merged.schemas, merged.members);
        let local: Vec<_> =
            local.into_iter().filter(|(part, _)| !base_parts.contains(&std::ptr::from_ref(*part))).collect();
        let constraints = self.constraints((&local, &members), &field_name(&members));
        let declared: Vec<_> = members.into_iter().filter(|member| !inherited.contains(member.name)).collect();
        let fields = self.fields(&declared, hint);
        let mut extended = Map::from_iter([("extends".to_owned(), json!(extends))]);
        if !fields.is_empty() {
            extended.insert("fields".to_owned(), fields.into());
        }
        if !constraints.is_empty() {
            extended.insert("constraints".to_owned(), constraints.into());
        }
        Some(extended)
    }

    /// Returns `true` if a schema extends itself.
    fn is_recursive_base(&self, schema: &'a Json) -> bool {
        let (mut waiting, mut seen) = (vec![schema], HashSet::new());
        while let Some(next) = waiting.pop() {
            let references = items(next.get("allOf")).iter().chain([next]).filter_map(reference_of);
            for (target, _) in references.filter(|one| seen.insert(*one)).filter_map(|one| self.document.find(one)) {
                if std::ptr::eq(target, schema) {
                    return true;
                }
                waiting.push(target);
            }
        }
        false
    }
}

/// Returns the names of fields for constraints.
fn field_name<'m>(members: &'m [Member<'_>]) -> impl Fn(&str, bool) -> Option<String> + 'm {
    |name, compares| {
        let member = members.iter().find(|member| member.name == name && is_field_name(name))?;
        (compares || !member.is_required).then(|| name.to_owned())
    }
}

/// Returns the keys `info` and `type`, and the attributes, of a parameter, an output or a field.
pub(in crate::openapi) fn described(info: &str, mut converted: Type, is_optional: bool) -> Map<String, Json> {
    let mut described = Map::from_iter([("info".to_owned(), Json::String(info.to_owned()))]);
    if is_optional {
        let term = format!("?{}", converted.term());
        converted = converted.with("type", term);
    }
    described.append(&mut converted.attributes);
    described
}

/// Returns the beginning of a value as JSON.
pub(in crate::openapi) fn short(value: &Json) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Returns `true` if a schema is the content of a file.
pub(in crate::openapi) fn is_binary(schema: &Json) -> bool {
    let is_string = schema.get("type").is_none_or(|name| name == "string");
    let has_media_type = schema.get("contentMediaType").is_some() && schema.get("contentEncoding").is_none();
    is_string && (schema.get("format").is_some_and(|format| format == "binary") || has_media_type)
}
