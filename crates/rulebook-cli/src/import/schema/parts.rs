//! Collects the keywords of objects, also of those that `allOf` composes.

use std::collections::HashSet;

use serde_json::Value as Json;

use super::{Converter, LossKind, Place, items, members, reference_of};

/// The maximum number of references that lead from one part to the next.
const MAX_DEPTH: usize = 32;

/// The maximum number of parts of an object.
const MAX_SEARCHED: usize = 500;

/// A member of an object.
pub(in crate::import) struct Member<'a> {
    pub name: &'a str,
    pub schema: &'a Json,
    pub place: Place,
    pub is_required: bool,
}

/// The keywords of an object, from all parts of `allOf`.
#[derive(Default)]
pub(in crate::import) struct ObjectParts<'a> {
    pub members: Vec<Member<'a>>,
    /// The names that are required.
    pub required: HashSet<&'a str>,
    /// The schema of all other members.
    pub others: Option<(&'a Json, Place)>,
    pub is_closed: bool,
    pub min: Option<&'a Json>,
    pub max: Option<&'a Json>,
    /// The parts that are not objects.
    pub not_merged: Vec<Place>,
    /// The parts that have another schema for a member of an earlier part.
    pub conflicts: Vec<Place>,
    pub keys: Option<(&'a Json, Place)>,
    /// The number of schemas that were searched.
    searched: usize,
}

impl<'a> Converter<'a> {
    /// Collects the keywords of an object and of the objects in its `allOf`. Returns `None` if the schema is not an
    /// object.
    pub(in crate::import) fn object_parts(&self, schema: &'a Json, place: &Place) -> Option<ObjectParts<'a>> {
        let mut parts = ObjectParts::default();
        if !self.collect_parts(schema, place, &mut parts, &mut Vec::new()) {
            return None;
        }
        for member in &mut parts.members {
            member.is_required = parts.required.contains(member.name);
        }
        Some(parts)
    }

    fn collect_parts(
        &self,
        schema: &'a Json,
        place: &Place,
        parts: &mut ObjectParts<'a>,
        followed: &mut Vec<&'a str>,
    ) -> bool {
        parts.searched += 1;
        if followed.len() > MAX_DEPTH || parts.searched > MAX_SEARCHED {
            return false;
        }
        if let Some(reference) = reference_of(schema) {
            let Some((target, place)) = self.document.find(reference).filter(|_| !followed.contains(&reference)) else {
                return false;
            };
            followed.push(reference);
            let is_object = self.collect_parts(target, &place, parts, followed);
            followed.pop();
            return is_object;
        }
        let values = self.document.values(schema);
        let is_object = values.kinds[4] && (values.kinds.iter().filter(|kind| **kind).count() == 1);
        let composed = items(schema.get("allOf"));
        let is_choice = ["oneOf", "anyOf"].iter().any(|keyword| {
            items(schema.get(*keyword))
                .iter()
                .any(|branch| branch.get("properties").is_some() || branch.get("$ref").is_some())
        });
        // A part without keywords, or only with notes, changes nothing.
        let is_plain = values.kinds == [true; 5] && !is_choice;
        if values.constants.is_some() || !(is_object || is_plain) || (is_choice && schema.get("properties").is_none()) {
            return false;
        }
        for (index, part) in composed.iter().enumerate() {
            let place = place.member("allOf").item(index);
            if !self.collect_parts(part, &place, parts, followed) {
                parts.not_merged.push(place);
            }
        }
        for (name, member) in members(schema.get("properties")) {
            let place = place.member("properties").member(name);
            match parts.members.iter_mut().find(|known| known.name == name) {
                Some(known) if known.schema == member => {}
                Some(known) => {
                    parts.conflicts.push(place.clone());
                    (known.schema, known.place) = (member, place);
                }
                None => parts.members.push(Member { name, schema: member, place, is_required: false }),
            }
        }
        parts.required.extend(items(schema.get("required")).iter().filter_map(Json::as_str));
        let pattern = members(schema.get("patternProperties")).iter().next();
        if let Some((pattern, others)) = pattern {
            parts.others = Some((others, place.member("patternProperties").member(pattern)));
        }
        match schema.get("additionalProperties").or_else(|| schema.get("unevaluatedProperties")) {
            Some(Json::Bool(false)) => parts.is_closed = parts.others.is_none(),
            Some(others) if !others.is_boolean() => {
                parts.others = Some((others, place.member("additionalProperties")));
            }
            _ => {}
        }
        if let Some(keys) = schema.get("propertyNames") {
            parts.keys = Some((keys, place.member("propertyNames")));
        }
        parts.min = schema.get("minProperties").filter(|bound| bound.is_u64()).or(parts.min);
        parts.max = schema.get("maxProperties").filter(|bound| bound.is_u64()).or(parts.max);
        true
    }

    /// Reports what could not be merged.
    pub(in crate::import) fn report_parts(&mut self, parts: &ObjectParts<'a>) {
        for place in &parts.not_merged {
            self.losses.add(LossKind::AllOf, place, "the part is not an object with fields");
        }
        for place in &parts.conflicts {
            self.losses.add(LossKind::AllOf, place, "the schema replaces that of another part");
        }
    }
}
