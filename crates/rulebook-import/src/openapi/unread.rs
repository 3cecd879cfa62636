//! Reports the members of the description that no code has read.

use serde_json::Value as Json;

use super::document::{Document, Extent, members};
use super::losses::{LossKind, Losses, Place};
use super::vocabulary::{NOT_EXPRESSED, has_names, has_no_effect, is_extension, report_member};

/// Reports each member of the description that was not read, except for those that say nothing, and those at whose
/// place a loss is known. Then sorts all losses by their places.
pub(super) fn report_unread(document: Document<'_>, losses: &mut Losses) {
    let mut visitor = Visitor { document, losses, position: 0 };
    visitor.visit(document.root, &Place::default(), true, false);
    losses.sort();
}

struct Visitor<'a, 'l> {
    document: Document<'a>,
    losses: &'l mut Losses,
    /// The number of values that were visited.
    position: usize,
}

impl Visitor<'_, '_> {
    /// Visits the members of a value. They are reported, unless they were read, if `is_open` is `true`. If `are_names`
    /// is `true`, the author of the description has chosen their names.
    fn visit(&mut self, value: &Json, place: &Place, is_open: bool, are_names: bool) {
        match value {
            Json::Object(members) => {
                for (key, member) in members {
                    let place = place.member(key);
                    if !are_names && matches!(key.as_str(), "$defs" | "definitions") {
                        self.visit_definitions(member, &place);
                        continue;
                    }
                    let is_expected = !are_names && (is_extension(key) || has_no_effect(value, key));
                    if is_open && !is_expected && self.is_lost(member, &place) {
                        if are_names {
                            self.losses.add(LossKind::UNKNOWN, &place, NOT_EXPRESSED);
                        } else {
                            report_member(self.losses, value, key, &place);
                        }
                    }
                    self.visit_inner(member, &place, is_open, !are_names && has_names(key));
                }
            }
            Json::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let place = place.item(index);
                    if is_open && self.is_lost(item, &place) {
                        self.losses.add(LossKind::UNKNOWN, &place, NOT_EXPRESSED);
                    }
                    self.visit_inner(item, &place, is_open, false);
                }
            }
            _ => {}
        }
    }

    /// Visits the definitions in a schema. A definition to which no reference leads means nothing.
    fn visit_definitions(&mut self, definitions: &Json, place: &Place) {
        self.position += 1;
        self.losses.set_position(place, self.position);
        for (name, definition) in members(Some(definitions)) {
            self.visit_inner(definition, &place.member(name), true, false);
        }
    }

    /// Returns `true` if a value was not read, and no loss names it.
    fn is_lost(&self, value: &Json, place: &Place) -> bool {
        self.document.extent(value) == Extent::None && !self.losses.has(place)
    }

    fn visit_inner(&mut self, value: &Json, place: &Place, is_open: bool, are_names: bool) {
        self.position += 1;
        self.losses.set_position(place, self.position);
        self.visit(value, place, is_open && self.document.extent(value) == Extent::Shallow, are_names);
    }
}
