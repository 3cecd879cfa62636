//! Collects the keywords of objects, also of those that `allOf` composes.

use std::collections::HashSet;

use serde_json::Value as Json;

use super::constraints::is_constraint;
use super::others::{Closing, Others};
use super::{Converter, LossKind, Place, accepts_all, any_schema, items, members, reference_of};

/// The maximum number of schemas and references that lead from one part to the next.
const MAX_DEPTH: usize = 64;

/// The maximum number of parts of an object.
const MAX_SEARCHED: usize = 500;

/// Why a part that leads back to the schema is not merged.
const LEADS_BACK: &str = "the part leads back to the schema, to which it adds nothing";

/// A member of an object.
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
    /// The references that lead to parts.
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

    /// Adds the keywords of a schema to the parts of an object.
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
