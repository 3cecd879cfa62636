//! Collects the keywords about the members of an object that have no schema in `properties`.

use std::collections::HashSet;

use serde_json::Value as Json;

use super::members;
use super::parts::ObjectParts;
use crate::openapi::losses::Place;

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
