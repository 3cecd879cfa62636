//! A check accepts the same values as its JSON Schema, for JSON and for values decoded from text.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::tz::TimeZone;
use rulebook::types::Value;
use rulebook_model::types::{Arity, Check};
use serde_json::Value as Json;

use super::case::methods;
use super::{Case, Counts, Property, boundary};
use support::generate::Choices;
use support::schema_validator::plain_validator;
use support::schema_validator::{complete_validator, is_exact};

/// A check accepts a value if and only if the schema does, with the formats of rulebook known to the validator. A
/// validator that ignores formats accepts every value that the check accepts, and no others if the schema has no
/// formats. Text is decoded by the type first. For file names, a schema accepts more than the check.
pub const PROPERTY: Property = Property { name: "checks", check };

/// The number of values for a type before another type is chosen.
const VALUES_PER_TYPE: usize = 5;

fn check(case: &mut Case, values: usize, counts: &mut Counts) -> Result<(), String> {
    let engine = case.echo()?;
    let api = engine.api();
    let timezone = TimeZone::get(&api.timezone).map_err(|error| error.to_string())?;
    let methods = methods(api);
    counts.methods += methods.len() as u64;
    let inputs = methods.iter().flat_map(|(_, _, method)| method.parameters.iter().map(|it| &it.r#type.check));
    let outputs = methods.iter().flat_map(|(_, _, method)| method.outputs.iter().map(|it| &it.r#type.check));
    // Files have no schema.
    let is_file = |check: &&Arc<dyn Check>| matches!(check.arity(), Arity::File | Arity::Files);
    let checks: Vec<_> = inputs.chain(outputs).filter(|check| !is_file(check)).collect();
    if checks.is_empty() {
        return Ok(());
    }
    let mut left = values;
    while left > 0 {
        let number = left.min(VALUES_PER_TYPE);
        compare(&**checks[case.choices.below(checks.len())], number, &timezone, &mut case.choices, counts)?;
        left -= number;
    }
    Ok(())
}

fn compare(
    check: &dyn Check,
    values: usize,
    timezone: &TimeZone,
    choices: &mut Choices,
    counts: &mut Counts,
) -> Result<(), String> {
    let schema = check.schema();
    let (with_formats, without_formats) = (complete_validator(&schema, timezone), plain_validator(&schema));
    let is_exact = is_exact(&schema);
    let is_approximate = has_approximate_schema(check);
    let boundary_values = check.boundary_values();
    for _ in 0..values {
        let json = boundary::value(&schema, &boundary_values, choices);
        let (source, value): (String, Value<'static>) = match choices.below(3) {
            0 => (format!("JSON {json}"), Value::from(&json)),
            1 => {
                let text = boundary::text(&json, choices);
                (format!("the text {text:?}"), check.decode(Cow::Borrowed(&text)).into_owned())
            }
            _ if check.arity() == Arity::Many => {
                let texts: Vec<_> = items(&json).iter().map(|item| boundary::text(item, choices)).collect();
                (format!("the texts {texts:?}"), check.decode_many(texts.into_iter().map(Cow::Owned).collect()))
            }
            _ => (format!("JSON {json}"), Value::from(&json)),
        };
        counts.values += 1;
        let read = value.to_json();
        let passes = check.check(value).is_ok();
        counts.add_kind(if passes { "accepted" } else { "rejected" });
        let is_valid = with_formats.is_valid(&read);
        if passes != is_valid && (passes || !is_approximate) {
            return Err(format!("{source}, read as {read}: check {passes}, schema {is_valid}: {schema}"));
        }
        let is_valid = without_formats.is_valid(&read);
        if passes != is_valid && (passes || is_exact && !is_approximate) {
            return Err(format!("{source}, read as {read}: check {passes}, without formats {is_valid}: {schema}"));
        }
    }
    Ok(())
}

/// Returns `true` if the schema accepts more than the check: that of file names does.
pub fn has_approximate_schema(check: &dyn Check) -> bool {
    let written = check.type_expr();
    let attributes = Json::Object(written.attributes).to_string();
    written.term.contains("filename") || attributes.contains("filename")
}

fn items(json: &Json) -> &[Json] {
    match json {
        Json::Array(items) => items,
        one => std::slice::from_ref(one),
    }
}
