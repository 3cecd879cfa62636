//! The attributes that say something about the fields of an object.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::{CLOSED_ATTRIBUTE, CONSTRAINTS_ATTRIBUTE};
use crate::constraint::{Constraint, Subject, entry_path, parse_constraints};
use crate::types::table::ITEMS_ATTRIBUTE;
use crate::types::{ArgumentError, ArgumentErrorKind, ObjectField};

/// Removes the attributes of a type, and of its items, that are only valid with certain fields. If a field is missing
/// because of an error, they would give further errors.
pub(crate) fn remove_attributes_about_fields(attributes: &mut Map<String, Json>) {
    attributes.remove(CONSTRAINTS_ATTRIBUTE);
    if attributes.get(CLOSED_ATTRIBUTE) == Some(&Json::Bool(true)) {
        attributes.remove(CLOSED_ATTRIBUTE);
    }
    if let Some(Json::Object(items)) = attributes.get_mut(ITEMS_ATTRIBUTE) {
        remove_attributes_about_fields(items);
    }
}

/// Reads the constraints between the fields of an object.
pub(super) fn parse_field_constraints(json: &Json, fields: &[ObjectField]) -> Result<Vec<Constraint>, ArgumentError> {
    let subject = |field: &ObjectField| Subject {
        name: field.name.clone(),
        is_always_given: !field.optional,
        check: Arc::clone(&field.check),
    };
    let subjects: Vec<_> = fields.iter().map(subject).collect();
    let (constraints, errors) = parse_constraints(json, &subjects);
    match errors.into_iter().next() {
        None => Ok(constraints),
        Some(error) => {
            let attribute = error.entry.map_or_else(|| CONSTRAINTS_ATTRIBUTE.to_owned(), entry_path);
            Err(ArgumentError::new(ArgumentErrorKind::Constraint, error.message).at(&attribute).help(error.help))
        }
    }
}
