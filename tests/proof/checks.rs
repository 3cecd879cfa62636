//! What a check lets pass is what its JSON Schema says, of JSON as of what a type makes of a text.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::tz::TimeZone;
use rulebook::Value;
use rulebook::types::{Check, Takes};
use serde_json::Value as Json;

use super::subject::methods;
use super::{Claim, Counts, Subject, borders};
use crate::generate::Choices;
use crate::types::generated::{is_exact, knowing_judge};
use crate::types::plain_judge;

/// A value passes exactly if it passes the schema with the formats of this program, and passes the plain schema where
/// it passes; exactly so where the schema has no formats. A text is read by the type first. Of names of files a schema
/// only says the most.
pub const CLAIM: Claim = Claim { name: "checks", judge };

/// How many values one type is tried with, before it is another's turn.
const EACH: usize = 5;

fn judge(subject: &mut Subject, values: usize, counts: &mut Counts) -> Result<(), String> {
    let engine = subject.echo()?;
    let api = engine.api();
    let timezone = TimeZone::get(&api.timezone).map_err(|error| error.to_string())?;
    let methods = methods(api);
    counts.methods += methods.len() as u64;
    let inputs = methods.iter().flat_map(|(_, _, own)| own.parameters.iter().map(|own| &own.r#type.check));
    let outputs = methods.iter().flat_map(|(_, _, own)| own.outputs.iter().map(|own| &own.r#type.check));
    // What a file is stands in no schema.
    let is_file = |check: &&Arc<dyn Check>| matches!(check.takes(), Takes::File | Takes::Files);
    let checks: Vec<_> = inputs.chain(outputs).filter(|check| !is_file(check)).collect();
    if checks.is_empty() {
        return Ok(());
    }
    let mut left = values;
    while left > 0 {
        let number = left.min(EACH);
        agree(&**checks[subject.choices.below(checks.len())], number, &timezone, &mut subject.choices, counts)?;
        left -= number;
    }
    Ok(())
}

fn agree(
    check: &dyn Check,
    values: usize,
    timezone: &TimeZone,
    choices: &mut Choices,
    counts: &mut Counts,
) -> Result<(), String> {
    let schema = check.schema();
    let (knowing, plain) = (knowing_judge(&schema, timezone), plain_judge(&schema));
    let exact = is_exact(&schema);
    let rough = is_rough(check);
    let extremes = check.extremes();
    for _ in 0..values {
        let json = borders::value(&schema, &extremes, choices);
        let (came, value): (String, Value<'static>) = match choices.below(3) {
            0 => (format!("JSON {json}"), Value::from(&json)),
            1 => {
                let text = borders::text(&json, choices);
                (format!("the text {text:?}"), check.decode(Cow::Borrowed(&text)).into_owned())
            }
            _ if check.takes() == Takes::Many => {
                let texts: Vec<_> = items(&json).iter().map(|item| borders::text(item, choices)).collect();
                (format!("the texts {texts:?}"), check.decode_many(texts.into_iter().map(Cow::Owned).collect()))
            }
            _ => (format!("JSON {json}"), Value::from(&json)),
        };
        counts.values += 1;
        let read = value.to_json();
        let passes = check.check(value).is_ok();
        counts.meet(if passes { "passed" } else { "refused" });
        let said = knowing.is_valid(&read);
        if passes != said && (passes || !rough) {
            return Err(format!("{came}, read as {read}, of {schema}: the check says {passes}, the schema {said}"));
        }
        let said = plain.is_valid(&read);
        if passes != said && (passes || exact && !rough) {
            return Err(format!("{came}, read as {read}, of {schema}: the check says {passes}, plainly it is {said}"));
        }
    }
    Ok(())
}

/// Whether a schema says only roughly what passes, as of the names of files.
pub fn is_rough(check: &dyn Check) -> bool {
    let written = check.written();
    let beside = Json::Object(written.attributes).to_string();
    written.term.contains("filename") || beside.contains("filename")
}

fn items(json: &Json) -> &[Json] {
    match json {
        Json::Array(items) => items,
        one => std::slice::from_ref(one),
    }
}
