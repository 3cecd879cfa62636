//! Converts arrays, and objects whose members all have the same schema.

use serde_json::{Map, Value as Json};

use super::others::Others;
use super::parts::ObjectParts;
use super::{Converter, LossKind, Place, Type, items};

impl<'a> Converter<'a> {
    /// Converts an array, to `array` with the type of its items.
    pub(super) fn array(&mut self, schema: &'a Json, place: &Place, hint: &str) -> Type {
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
    pub(in crate::openapi) fn item_counts(&self, schema: &Json) -> Map<String, Json> {
        let bound = |keyword: &str| schema.get(keyword).filter(|bound| bound.is_u64());
        let bounds = [("minItems", "min"), ("maxItems", "max")].into_iter();
        let bounds = bounds.filter_map(|(keyword, attribute)| Some((attribute, bound(keyword)?)));
        bounds
            .inspect(|(_, bound)| self.document.record(bound))
            .map(|(name, bound)| (name.to_owned(), bound.clone()))
            .collect()
    }

    /// Converts an object without fields. `common` is the schema of all its members.
    pub(super) fn map(&mut self, parts: &ObjectParts<'a>, common: Option<&Others<'a>>, hint: &str) -> Type {
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
