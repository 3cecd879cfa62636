//! What each type takes, from every source, and that its schema says the same.

mod cases;
mod examples;
mod faults;
mod filenames;
pub mod generated;
mod grammar;
mod recorded;
mod regex;
mod table;

use jiff::tz::TimeZone;
use jsonschema::{Draft, Validator};
use rulebook::types::{Check, FORMATS, Field, TermError, TermText, Types, Written};
use serde_json::{Map, Value as Json};
use std::sync::Arc;

/// Compiles a term of the built-in types with all attributes beside it, `fields` too, in UTC.
pub fn compile(term: &str, attributes: &Map<String, Json>) -> Result<Arc<dyn Check>, Vec<TermError>> {
    compile_in(&TimeZone::UTC, term, attributes).map(|(_, check)| check)
}

fn compile_in(
    timezone: &TimeZone,
    term: &str,
    attributes: &Map<String, Json>,
) -> Result<(bool, Arc<dyn Check>), Vec<TermError>> {
    let mut attributes = attributes.clone();
    let fields = match attributes.remove("fields") {
        None => None,
        Some(fields) => {
            let written = fields.as_object().expect("fields are an object");
            Some(written.iter().map(|(name, field)| compile_field(timezone, name, field)).collect::<Result<_, _>>()?)
        }
    };
    let compiled = Types::builtin().compile(TermText {
        term,
        attributes: &attributes,
        fields,
        words: &[],
        any_case: false,
        timezone,
    })?;
    Ok((compiled.optional, compiled.check))
}

/// Compiles a term in the words of a dialect.
pub fn compile_in_words(words: &[(&str, &str)], term: &str) -> Result<Arc<dyn Check>, Vec<TermError>> {
    let text =
        TermText { term, attributes: &Map::new(), fields: None, words, any_case: false, timezone: &TimeZone::UTC };
    Types::builtin().compile(text).map(|compiled| compiled.check)
}

fn compile_field(timezone: &TimeZone, name: &str, field: &Json) -> Result<Field, Vec<TermError>> {
    let mut attributes = field.as_object().expect("a field is an object").clone();
    let mut text = |key: &str| attributes.remove(key).and_then(|text| text.as_str().map(str::to_owned));
    let (info, term) = (text("info"), text("type"));
    let example = attributes.remove("example");
    let (optional, check) = compile_in(timezone, &term.expect("a field has a type"), &attributes)?;
    Ok(Field { name: name.to_owned(), info: info.unwrap_or_default(), optional, check, example })
}

/// Compiles what [`Check::written`] gave.
pub fn compile_written(written: &Written) -> Arc<dyn Check> {
    compile(&written.term, &written.attributes)
        .unwrap_or_else(|errors| panic!("{written:?} does not compile: {errors:?}"))
}

/// A validator with nothing of ours in it: formats say nothing.
pub fn plain_judge(schema: &Json) -> Validator {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(false)
        .build(schema)
        .unwrap_or_else(|error| panic!("{schema} is no schema: {error}"))
}

/// A validator that knows our formats.
pub fn judge(schema: &Json) -> Validator {
    let mut options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
    for format in FORMATS {
        options = options.with_format(format.name, format.test);
    }
    options.build(schema).unwrap_or_else(|error| panic!("{schema} is no schema: {error}"))
}
