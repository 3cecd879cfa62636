//! Converts arrays.

use serde_json::Value as Json;

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
        for (keyword, attribute) in [("minItems", "min"), ("maxItems", "max")] {
            if let Some(bound) = schema.get(keyword).filter(|bound| bound.is_u64()) {
                self.document.record(bound);
                array = array.with(attribute, bound.clone());
            }
        }
        array
    }
}
