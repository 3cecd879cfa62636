//! Converts objects, also those that `allOf` composes: first the keywords of all parts are collected.

use std::collections::HashSet;

use serde_json::{Map, Value as Json, json};

use super::constraints::is_constraint;
use super::{
    Converter, LossKind, ORIGIN_KEY, Place, Type, accepts_all, any_schema, is_true, items, members, reference_of,
    schema_key,
};
use crate::openapi::is_field_name;

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

pub(in crate::openapi) fn short(value: &Json) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

pub(in crate::openapi) fn is_binary(schema: &Json) -> bool {
    let is_string = schema.get("type").is_none_or(|name| name == "string");
    let has_media_type = schema.get("contentMediaType").is_some() && schema.get("contentEncoding").is_none();
    is_string && (schema.get("format").is_some_and(|format| format == "binary") || has_media_type)
}

/// The maximum number of schemas and references that lead from one part to the next.
const MAX_DEPTH: usize = 64;

const MAX_SEARCHED: usize = 500;

/// Why a part that leads back to the schema is not merged.
const LEADS_BACK: &str = "the part leads back to the schema, to which it adds nothing";

pub(in crate::openapi) struct Member<'a> {
    pub name: &'a str,
    pub schema: &'a Json,
    pub place: Place,
    pub is_required: bool,
}

/// The keywords of an object, from all parts of `allOf`.
#[derive(Default)]
pub(in crate::openapi) struct ObjectParts<'a> {
    pub members: Vec<Member<'a>>,
    /// The names in `properties`, of all parts.
    pub(super) names: Vec<&'a str>,
    /// The number of parts that accept all other members.
    pub(super) open_count: usize,
    required: Vec<(&'a str, Place)>,
    pub others: Vec<Others<'a>>,
    pub closings: Vec<Closing<'a>>,
    pub min: Option<&'a Json>,
    pub max: Option<&'a Json>,
    /// The places of the bounds of the number of members.
    pub bounds: Vec<Place>,
    /// The parts that are not objects, and why.
    pub not_merged: Vec<(Place, &'static str)>,
    /// The parts that have another schema for a member of an earlier part.
    pub conflicts: Vec<Place>,
    /// The schemas of members that are equal to those of earlier parts.
    repeated: Vec<&'a Json>,
    /// The schemas of the names of members.
    pub keys: Vec<(&'a Json, Place)>,
    pub schemas: Vec<(&'a Json, Place)>,
    references: Vec<&'a Json>,
    /// The number of schemas that were searched.
    searched: usize,
}

impl<'a> Converter<'a> {
    /// Collects the keywords of an object and of the objects in its `allOf`. Returns `None` if the schema is not an
    /// object.
    pub(in crate::openapi) fn object_parts(&self, schema: &'a Json, place: &Place) -> Option<ObjectParts<'a>> {
        let mut parts = ObjectParts::default();
        self.collect_parts(schema, place, &mut parts, &mut Vec::new()).ok()?;
        let required: HashSet<&str> = parts.required.iter().map(|(name, _)| *name).collect();
        for member in &mut parts.members {
            member.is_required = required.contains(member.name);
        }
        // A member that is required and has no schema can have any value.
        if parts.others.is_empty() {
            for (name, place) in &parts.required {
                if !parts.members.iter().any(|member| member.name == *name) {
                    let member = Member { name, schema: any_schema(), place: place.clone(), is_required: true };
                    parts.members.push(member);
                }
            }
        }
        Some(parts)
    }

    fn collect_parts(
        &self,
        schema: &'a Json,
        place: &Place,
        parts: &mut ObjectParts<'a>,
        followed: &mut Vec<&'a Json>,
    ) -> Result<(), &'static str> {
        parts.searched += 1;
        if followed.len() > MAX_DEPTH || parts.searched > MAX_SEARCHED {
            return Err("the part has too many parts itself");
        }
        if followed.iter().any(|known| std::ptr::eq(*known, schema)) {
            return Err(LEADS_BACK);
        }
        if let Some(reference) = reference_of(schema) {
            let (target, target_place) = self.document.find(reference).ok_or("the reference leads nowhere")?;
            followed.push(schema);
            let found = self.collect_parts(target, &target_place, parts, followed);
            followed.pop();
            if found.is_ok() {
                parts.references.push(schema);
            }
            return found;
        }
        let values = self.document.values(schema);
        let is_object = values.kinds[4] && (values.kinds.iter().filter(|kind| **kind).count() == 1);
        let is_choice = ["oneOf", "anyOf"].iter().any(|keyword| {
            let branches = items(schema.get(*keyword)).iter();
            let has_members = |branch: &Json| branch.get("properties").is_some() || branch.get("$ref").is_some();
            !is_constraint(schema, keyword) && branches.clone().any(has_members)
        });
        // A part without a type, such as a condition, does not change the fields.
        let is_plain = values.kinds == [true; 5] && !is_choice;
        if values.constants.is_some() || !(is_object || is_plain) || (is_choice && schema.get("properties").is_none()) {
            return Err("the part is not an object with fields");
        }
        parts.schemas.push((schema, place.clone()));
        let before = parts.counts();
        followed.push(schema);
        for (index, part) in items(schema.get("allOf")).iter().enumerate() {
            let place = place.member("allOf").item(index);
            if let Err(why) = self.collect_parts(part, &place, parts, followed) {
                parts.not_merged.push((place, why));
            }
        }
        followed.pop();
        parts.add_keywords(schema, place);
        parts.add_others(schema, place, before);
        Ok(())
    }
}

impl<'a> ObjectParts<'a> {
    /// Adds the keywords of a schema itself.
    /// Returns `true` if nothing but its members says which values the object can have, besides constraints.
    pub(in crate::openapi) fn has_only_members(&self) -> bool {
        self.others.is_empty()
            && self.closings.is_empty()
            && self.keys.is_empty()
            && self.bounds.is_empty()
            && self.not_merged.is_empty()
    }

    fn add_keywords(&mut self, schema: &'a Json, place: &Place) {
        for (name, member) in members(schema.get("properties")) {
            self.names.push(name);
            let place = place.member("properties").member(name);
            match self.members.iter_mut().find(|known| known.name == name) {
                Some(known) if known.schema == member => self.repeated.push(member),
                Some(known) => {
                    self.conflicts.push(known.place.clone());
                    (known.schema, known.place) = (member, place);
                }
                None => self.members.push(Member { name, schema: member, place, is_required: false }),
            }
        }
        let required = items(schema.get("required")).iter().enumerate();
        let required = required.filter_map(|(index, name)| Some((index, name.as_str()?)));
        self.required.extend(required.map(|(index, name)| (name, place.member("required").item(index))));
        self.keys.extend(schema.get("propertyNames").map(|keys| (keys, place.member("propertyNames"))));
        let bound = |keyword: &str| schema.get(keyword).filter(|bound| bound.is_u64());
        self.min = self.min.into_iter().chain(bound("minProperties")).max_by_key(|bound| bound.as_u64());
        self.max = self.max.into_iter().chain(bound("maxProperties")).min_by_key(|bound| bound.as_u64());
        let keywords = ["minProperties", "maxProperties"].into_iter();
        self.bounds.extend(keywords.filter(|keyword| bound(keyword).is_some()).map(|keyword| place.member(keyword)));
    }
}

impl<'a> Converter<'a> {
    /// Reads the parts of an object that become fields, and reports what could not be merged.
    pub(in crate::openapi) fn read_parts(&mut self, parts: &ObjectParts<'a>) {
        self.read_keywords(parts);
        for (place, why) in &parts.not_merged {
            match *why {
                LEADS_BACK => self.losses.add(LossKind::REFERENCE, place, LEADS_BACK),
                why => self.losses.widen(LossKind::ALL_OF, place, why),
            }
        }
        for place in &parts.conflicts {
            self.losses.widen(LossKind::ALL_OF, place, "the schema is replaced by that of another part");
        }
        let Some((_, place)) = parts.schemas.first() else { return };
        if parts.schemas.iter().all(|(schema, _)| schema.get("type").is_none()) {
            let message = "there is no `type`: values that are not objects are refused";
            self.losses.narrow(LossKind::KEYWORD, place, message);
        }
        for (name, place) in &parts.required {
            if !parts.members.iter().any(|member| member.name == *name) {
                self.losses.widen(LossKind::CONSTRAINT, place, "the required member has no schema");
            }
        }
        for closing in &parts.closings {
            if !parts.members.iter().all(|member| closing.names.contains(member.name)) {
                self.losses.widen(LossKind::KEYWORD, &closing.place, "fields of other parts are accepted, too");
            } else if !parts.is_closed() && parts.common().is_none() {
                self.losses.widen(LossKind::KEYWORD, &closing.place, "other members are accepted, too");
            }
        }
    }

    /// Reads the keywords of the parts of an object that code expresses which converts all parts together.
    pub(super) fn read_keywords(&self, parts: &ObjectParts<'a>) {
        let document = self.document;
        for schema in &parts.references {
            document.record(schema);
            document.read(schema, "$ref");
        }
        for schema in &parts.repeated {
            document.record_repeated(schema);
        }
        // The schemas of other members that accept every value require nothing.
        for others in parts.others.iter().filter(|others| accepts_all(others.schema)) {
            document.record_whole(others.schema);
        }
        for (schema, _) in &parts.schemas {
            document.record(schema);
            document.read_items(schema, "allOf");
            document.read_members(schema, "properties");
            document.read_members(schema, "patternProperties");
            document.read_flag(schema, "nullable");
            for keyword in ["required", "type"] {
                document.read_whole(schema, keyword);
            }
            for keyword in ["additionalProperties", "unevaluatedProperties"] {
                if schema.get(keyword).is_some_and(|others| *others == false) {
                    document.read(schema, keyword);
                    break;
                }
            }
            for keyword in ["minProperties", "maxProperties"] {
                if schema.get(keyword).is_some_and(Json::is_u64) {
                    document.read(schema, keyword);
                }
            }
        }
    }
}

/// The schema of the members without a schema in `properties`.
pub(in crate::openapi) struct Others<'a> {
    pub schema: &'a Json,
    pub place: Place,
    /// `true` if it is the schema only of names that match a pattern.
    pub is_pattern: bool,
}

/// A keyword that forbids members that have no schema.
pub(in crate::openapi) struct Closing<'a> {
    pub place: Place,
    /// The names with a schema: those of its part, and for `unevaluatedProperties` also those of the parts in it.
    pub names: HashSet<&'a str>,
    /// `true` if it also allows names that match a pattern, or those of parts that are not converted.
    allows_others: bool,
}

impl<'a> ObjectParts<'a> {
    /// Returns the numbers of names, of schemas of other members, and of parts that are not merged, and the open count.
    pub(super) fn counts(&self) -> [usize; 4] {
        [self.names.len(), self.others.len(), self.not_merged.len(), self.open_count]
    }

    /// Adds the keywords of a part about its other members. `before` are the counts before the part was collected.
    pub(super) fn add_others(&mut self, schema: &'a Json, place: &Place, before: [usize; 4]) {
        let [names_before, others_before, not_merged_before, open_before] = before;
        let patterns = members(schema.get("patternProperties"));
        for (pattern, others) in patterns {
            let place = place.member("patternProperties").member(pattern);
            self.others.push(Others { schema: others, place, is_pattern: true });
        }
        let keywords = ["additionalProperties", "unevaluatedProperties"].into_iter();
        let Some((keyword, others)) = keywords.filter_map(|keyword| Some((keyword, schema.get(keyword)?))).next()
        else {
            return;
        };
        let place = place.member(keyword);
        match others {
            Json::Bool(false) if keyword == "additionalProperties" => {
                let names = members(schema.get("properties")).keys().map(String::as_str).collect();
                self.closings.push(Closing { place, names, allows_others: !patterns.is_empty() });
            }
            // Members that another keyword of the part allows are evaluated.
            Json::Bool(false) if self.open_count == open_before => {
                let names = self.names[names_before..].iter().copied().collect();
                let allows_others = self.others.len() > others_before || self.not_merged.len() > not_merged_before;
                self.closings.push(Closing { place, names, allows_others });
            }
            Json::Bool(is_open) => self.open_count += usize::from(*is_open),
            _ => self.others.push(Others { schema: others, place, is_pattern: false }),
        }
    }

    /// Returns `true` if the object has no members besides those with a schema.
    pub(in crate::openapi) fn is_closed(&self) -> bool {
        self.closings.iter().any(|closing| !closing.allows_others)
    }

    /// Returns `true` if the object cannot have members.
    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty() && self.is_closed()
    }

    /// Returns the schema of all members, if it is the only one.
    pub(super) fn common(&self) -> Option<&Others<'a>> {
        match self.others.as_slice() {
            // Names that do not match a pattern can have any value, unless the object is closed.
            [others] if self.members.is_empty() && !self.is_closed() => {
                (!others.is_pattern || !self.closings.is_empty()).then_some(others)
            }
            _ => None,
        }
    }
}
