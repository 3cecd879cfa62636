//! Collects the keywords of objects, also of those that `allOf` composes.

use std::collections::HashSet;

use serde_json::Value as Json;

use super::object::KEYWORDS;
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

/// The schema of the members without a schema in `properties`.
pub(in crate::import) struct Others<'a> {
    pub schema: &'a Json,
    pub place: Place,
    /// `true` if it is the schema only of names that match a pattern.
    pub is_pattern: bool,
}

/// The keyword that forbids other members than those of its part.
pub(in crate::import) struct Closing<'a> {
    pub place: Place,
    part: &'a Json,
}

/// The keywords of an object, from all parts of `allOf`.
#[derive(Default)]
pub(in crate::import) struct ObjectParts<'a> {
    pub members: Vec<Member<'a>>,
    /// The names that are required.
    pub required: HashSet<&'a str>,
    pub others: Vec<Others<'a>>,
    pub closings: Vec<Closing<'a>>,
    pub min: Option<&'a Json>,
    pub max: Option<&'a Json>,
    /// The places of the bounds of the number of members.
    pub bounds: Vec<Place>,
    /// The parts that are not objects.
    pub not_merged: Vec<Place>,
    /// The parts that have another schema for a member of an earlier part.
    pub conflicts: Vec<Place>,
    /// The schemas of the names of members.
    pub keys: Vec<(&'a Json, Place)>,
    /// All parts.
    schemas: Vec<(&'a Json, Place)>,
    /// The references that lead to parts.
    references: Vec<(&'a Json, Place)>,
    /// The number of schemas that were searched.
    searched: usize,
}

impl ObjectParts<'_> {
    /// Returns `true` if the object has no members besides those with a schema.
    pub(in crate::import) fn is_closed(&self) -> bool {
        !self.closings.is_empty() && self.others.is_empty()
    }
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
            let Some((target, target_place)) = self.document.find(reference).filter(|_| !followed.contains(&reference))
            else {
                return false;
            };
            followed.push(reference);
            let is_object = self.collect_parts(target, &target_place, parts, followed);
            followed.pop();
            if is_object {
                parts.references.push((schema, place.clone()));
            }
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
        // A part without a type, such as a condition, does not change the fields.
        let is_plain = values.kinds == [true; 5] && !is_choice;
        if values.constants.is_some() || !(is_object || is_plain) || (is_choice && schema.get("properties").is_none()) {
            return false;
        }
        parts.schemas.push((schema, place.clone()));
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
        for (pattern, others) in members(schema.get("patternProperties")) {
            let place = place.member("patternProperties").member(pattern);
            parts.others.push(Others { schema: others, place, is_pattern: true });
        }
        let keyword = ["additionalProperties", "unevaluatedProperties"].into_iter();
        let keyword = keyword.filter_map(|keyword| Some((place.member(keyword), schema.get(keyword)?))).next();
        match keyword {
            Some((place, Json::Bool(false))) => parts.closings.push(Closing { place, part: schema }),
            Some((place, others)) if !others.is_boolean() => {
                parts.others.push(Others { schema: others, place, is_pattern: false });
            }
            _ => {}
        }
        parts.keys.extend(schema.get("propertyNames").map(|keys| (keys, place.member("propertyNames"))));
        let bound = |keyword: &str| schema.get(keyword).filter(|bound| bound.is_u64());
        parts.min = parts.min.into_iter().chain(bound("minProperties")).max_by_key(|bound| bound.as_u64());
        parts.max = parts.max.into_iter().chain(bound("maxProperties")).min_by_key(|bound| bound.as_u64());
        let keywords = ["minProperties", "maxProperties"].into_iter();
        parts.bounds.extend(keywords.filter(|keyword| bound(keyword).is_some()).map(|keyword| place.member(keyword)));
        true
    }

    /// Reports what could not be merged, and the keywords of the parts that no field expresses.
    pub(in crate::import) fn report_parts(&mut self, parts: &ObjectParts<'a>) {
        for place in &parts.not_merged {
            self.losses.add(LossKind::AllOf, place, "the part is not an object with fields");
        }
        for place in &parts.conflicts {
            self.losses.add(LossKind::AllOf, place, "the schema replaces that of another part");
        }
        self.report_keywords(parts);
        let Some((_, place)) = parts.schemas.first() else { return };
        if parts.schemas.iter().all(|(schema, _)| schema.get("type").is_none()) {
            self.losses.add(LossKind::Keyword, place, "there is no `type`: values that are not objects are refused");
        }
        if let Some(required) =
            parts.required.iter().filter(|name| !parts.members.iter().any(|m| m.name == **name)).min()
        {
            let message = format!("the required member `{}` has no schema", required.escape_debug());
            self.losses.add(LossKind::Constraint, place, message);
        }
        for Closing { place, part } in &parts.closings {
            let known = members(part.get("properties"));
            if !place.as_str().ends_with("/unevaluatedProperties")
                && !parts.members.iter().all(|member| known.contains_key(member.name))
            {
                self.losses.add(LossKind::Keyword, place, "fields of other parts are accepted, too");
            } else if !parts.others.is_empty() && !parts.members.is_empty() {
                self.losses.add(LossKind::Keyword, place, "other members are accepted, too");
            }
        }
    }

    /// Reports the keywords of the parts, and those next to references to parts, that no field expresses.
    pub(super) fn report_keywords(&mut self, parts: &ObjectParts<'a>) {
        for (schema, place) in &parts.references {
            self.report_siblings(schema, place);
        }
        for (schema, place) in &parts.schemas {
            self.report_unsupported(schema, place, &KEYWORDS);
            self.report_branches(schema, place, "");
        }
    }
}
