//! The property that a type's check accepts the same values as its JSON Schema, for JSON values and for values decoded
//! from text.

use std::borrow::Cow;
use std::sync::Arc;

use rulebook::types::Value;
use rulebook_model::types::{Arity, Check, complete_schema};
use serde_json::Value as Json;

use super::case::methods;
use super::schema_texts::{may_accept_text, unfold_references};
use super::{Property, PropertyCase, PropertyCounts, boundary};
use support::generate::Choices;
use support::schema_validator::{is_beyond_schemas, is_exact, plain_validator, unusual_keyword, validator};

/// A check accepts a value if and only if the schema accepts it. This holds for a validator that knows the formats of
/// rulebook. For a validator that ignores formats, the schema accepts every value that the check accepts, and exactly
/// these values if the schema has no formats. Texts are decoded by the type before; if the value is accepted, the
/// schema also accepts the text, or the number, boolean or null of which it is the JSON. The exceptions are the values
/// that [`is_beyond_schemas`] names. Schemas have only keywords and formats that usual validators support.
pub const PROPERTY: Property = Property { name: "checks", check: check_types };

/// The number of values that are tried for a type before another type is chosen.
const VALUES_PER_TYPE: usize = 5;

fn check_types(case: &mut PropertyCase, values: usize, counts: &mut PropertyCounts) -> Result<(), String> {
    let engine = case.echo_engine()?;
    let api = engine.api();
    let methods = methods(api);
    counts.methods += methods.len() as u64;
    let inputs = methods.iter().flat_map(|(_, _, method)| method.parameters.iter().map(|it| &it.r#type.check));
    let outputs = methods.iter().flat_map(|(_, _, method)| method.outputs.iter().map(|it| &it.r#type.check));
    // Types of files have no schema.
    let is_file = |check: &&Arc<dyn Check>| matches!(check.arity(), Arity::File | Arity::Files);
    let checks: Vec<_> = inputs.chain(outputs).filter(|check| !is_file(check)).collect();
    if checks.is_empty() {
        return Ok(());
    }
    let mut left = values;
    while left > 0 {
        let number = left.min(VALUES_PER_TYPE);
        compare_check_with_schema(&**checks[case.choices.below(checks.len())], number, &mut case.choices, counts)?;
        left -= number;
    }
    Ok(())
}

fn compare_check_with_schema(
    check: &dyn Check,
    values: usize,
    choices: &mut Choices,
    counts: &mut PropertyCounts,
) -> Result<(), String> {
    let complete = complete_schema(check);
    let schema = unfold_references(&complete, &check.schema(), 3);
    let (with_formats, without_formats) = (validator(&complete), plain_validator(&complete));
    let is_exact = is_exact(&schema);
    if let Some(unusual) = unusual_keyword(&schema) {
        return Err(format!("usual validators do not support {unusual}: {schema}"));
    }
    let boundary_values = check.boundary_values();
    for _ in 0..values {
        let json = boundary::random_value(&schema, &boundary_values, choices);
        let mut text = None;
        let (source, value): (String, Value<'static>) = match choices.below(3) {
            0 => (format!("JSON {json}"), Value::from(&json)),
            1 => {
                let text: &String = text.insert(boundary::random_notation(&json, choices));
                (format!("the text {text:?}"), check.decode(Cow::Borrowed(text)).into_owned())
            }
            _ if check.arity() == Arity::Many => {
                let texts: Vec<_> =
                    items_or_single_value(&json).iter().map(|item| boundary::random_notation(item, choices)).collect();
                (format!("the texts {texts:?}"), check.decode_many(texts.into_iter().map(Cow::Owned).collect()))
            }
            _ => (format!("JSON {json}"), Value::from(&json)),
        };
        counts.values += 1;
        let read = value.to_json();
        let passes = check.checked(value).is_ok();
        counts.add_kind(if passes { "accepted" } else { "rejected" });
        if passes && text.is_some_and(|text| !may_accept_text(&schema, &with_formats, &text)) {
            return Err(format!("{source}, read as {read}, is accepted, but the schema accepts no reading: {schema}"));
        }
        let is_beyond = !passes && is_beyond_schemas(check, &read);
        let is_valid = with_formats.is_valid(&read);
        if passes != is_valid && !is_beyond {
            return Err(format!("{source}, read as {read}: check {passes}, schema {is_valid}: {schema}"));
        }
        let is_valid = without_formats.is_valid(&read);
        if passes != is_valid && (passes || is_exact && !is_beyond) {
            return Err(format!("{source}, read as {read}: check {passes}, without formats {is_valid}: {schema}"));
        }
    }
    Ok(())
}

/// Returns `true` if the schema accepts values near the valid ones that the check rejects, as the schemas of file names
/// and of texts with bounds do.
pub fn has_approximate_schema(check: &dyn Check) -> bool {
    let written = check.type_expr();
    let attributes = Json::Object(written.attributes).to_string();
    let has = |name: &str| written.term.contains(name) || attributes.contains(name);
    let has_bounds = has("\"min\"") || has("\"max\"");
    let is_bounded = ["datetime", "loose_float", "decimal("].into_iter().any(has);
    has("filename") || has("loose_float(") || has_bounds && is_bounded
}

fn items_or_single_value(json: &Json) -> &[Json] {
    match json {
        Json::Array(items) => items,
        one => std::slice::from_ref(one),
    }
}
