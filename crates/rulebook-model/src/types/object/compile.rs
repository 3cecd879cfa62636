//! Compiles the types of objects, and collects all errors in their attributes.

use std::sync::Arc;

use serde_json::Value as Json;

use super::{CLOSED_ATTRIBUTE, CONSTRAINTS_ATTRIBUTE, ObjectCheck};
use crate::constraint::{Constraint, ConstraintError, Subject, Subjects, entry_path, parse_constraints};
use crate::types::bounds::Bounds;
use crate::types::table::FIELDS_ATTRIBUTE;
use crate::types::{ArgumentError, ArgumentErrorKind, Arity, Check, ObjectField, ObjectShape, TypeArguments};

/// Compiles the type of an object, which has at least one member if `is_filled` is `true`.
pub(in crate::types) fn compile(
    is_filled: bool,
    arguments: &TypeArguments<'_>,
) -> Result<Arc<dyn Check>, ArgumentError> {
    arguments.expect_no_arguments()?;
    let mut errors: Vec<ArgumentError> = Vec::new();
    let is_file = |field: &&ObjectField| matches!(field.check.arity(), Arity::File | Arity::Files);
    for field in arguments.fields.unwrap_or_default().iter().filter(is_file) {
        let error = arguments.error(format!("the member `{}` cannot be a file", field.name));
        let error = error.at(&format!("{FIELDS_ATTRIBUTE}.{}", field.name));
        errors.push(error.help("make the file a parameter: files are sent as parts of a multipart body"));
    }
    let is_closed = is_closed(arguments).unwrap_or_else(|error| {
        errors.push(error);
        false
    });
    let member_count = Bounds::from_arguments(arguments, false);
    let member_count = if is_filled { member_count.and_then(Bounds::with_default_min_one) } else { member_count };
    let member_count = member_count.unwrap_or_else(|error| {
        errors.push(error);
        Bounds { min: None, max: None }
    });
    let mut constraints = arguments.inherited_constraints.to_vec();
    if let Some(json) = arguments.attributes.get(CONSTRAINTS_ATTRIBUTE) {
        let fields = arguments.fields.unwrap_or_default();
        let (declared, more) = parse_field_constraints(json, fields, arguments.has_missing_fields);
        constraints.extend(declared);
        errors.extend(more);
    }
    let fields = arguments.fields.map(<[ObjectField]>::to_vec);
    let object = ObjectCheck::new(fields, is_closed, member_count, constraints);
    let shape = object.object_shape();
    let shape = shape.map(|shape| ObjectShape { is_closed: is_closed && !arguments.has_missing_fields, ..shape });
    errors.extend(shape.and_then(|shape| shape.count_error()).map(|(attribute, message)| {
        let message = format!("no object is valid: {message}");
        ArgumentError::new(ArgumentErrorKind::Bounds, message).at(attribute).help("change the bounds, or the fields")
    }));
    match ArgumentError::join(errors) {
        Some(error) => Err(error),
        None => Ok(Arc::new(object)),
    }
}

fn is_closed(arguments: &TypeArguments<'_>) -> Result<bool, ArgumentError> {
    match arguments.attributes.get(CLOSED_ATTRIBUTE) {
        None => Ok(false),
        Some(Json::Bool(true)) if arguments.fields.is_none() && !arguments.has_missing_fields => {
            let error = arguments.error("a closed object has only the members in `fields`, which is missing");
            Err(error.at(CLOSED_ATTRIBUTE).help("add `fields`, or remove `closed`"))
        }
        Some(Json::Bool(is_closed)) => Ok(*is_closed),
        Some(_) => Err(arguments.error("`closed` must be true or false").at(CLOSED_ATTRIBUTE)),
    }
}

/// Reads the constraints between fields, of which some may be missing because of an error, and returns all errors.
fn parse_field_constraints(
    json: &Json,
    fields: &[ObjectField],
    has_missing_fields: bool,
) -> (Vec<Constraint>, Vec<ArgumentError>) {
    let subject = |field: &ObjectField| Subject {
        name: field.name.clone(),
        is_always_given: !field.optional,
        default: None,
        check: Arc::clone(&field.check),
    };
    let subjects = Subjects {
        list: fields.iter().map(subject).collect(),
        is_complete: !has_missing_fields,
        help_if_empty: "the object has no fields",
    };
    let (constraints, errors) = parse_constraints(json, &subjects);
    let to_argument_error = |error: ConstraintError| {
        let entry = error.entry.map(|index| entry_path(index, error.part.as_deref()));
        let attribute = entry.unwrap_or_else(|| CONSTRAINTS_ATTRIBUTE.to_owned());
        ArgumentError::new(ArgumentErrorKind::Constraint, error.message).at(&attribute).help(error.help)
    };
    (constraints, errors.into_iter().map(to_argument_error).collect())
}
