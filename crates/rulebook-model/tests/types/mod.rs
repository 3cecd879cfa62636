//! Tests of the built-in types: which values each type accepts as text and as JSON, and whether the JSON Schema of the
//! type accepts the same values. A term is the text of a type in a definition, such as `array<int(1,5)>`.

mod argument_errors;
mod byte_sizes;
mod cases;
mod dates;
mod decimals;
mod equal_values;
mod examples;
mod file_names;
mod files;
pub mod generated;
mod grammar;
mod recorded;
mod regex;
mod repeated_members;
mod required_examples;
mod table;
mod words;

use jiff::tz::TimeZone;
use rulebook_model::definition::keys::is_comment_key;
use rulebook_model::types::{
    Check, CompiledTerm, NestedCheck, ObjectField, TermError, TypeExpr, Types, UncompiledTerm,
};
use serde_json::{Map, Value as Json};
use std::sync::Arc;

/// Compiles a term with its attributes, which can include `fields`. The time zone is UTC.
pub fn compile(term: &str, attributes: &Map<String, Json>) -> Result<Arc<dyn Check>, Vec<TermError>> {
    compile_in_timezone(&TimeZone::UTC, term, attributes).map(|(_, check)| check)
}

fn compile_in_timezone(
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
    let compiled = Types::builtin().compile(UncompiledTerm {
        term,
        attributes: &attributes,
        fields,
        aliases: &[],
        ignores_type_case: false,
        timezone,
        schemas: &|_| None,
        inherited_constraints: &[],
        has_missing_fields: false,
        nested_types: &compile_nested_types(timezone, "", &attributes)?,
    })?;
    Ok((compiled.is_optional, compiled.check))
}

/// Compiles a term that can contain the type aliases of a dialect. Each alias is a pair of the alias and the canonical
/// name.
pub fn compile_with_aliases(aliases: &[(&str, &str)], term: &str) -> Result<Arc<dyn Check>, Vec<TermError>> {
    let text = UncompiledTerm {
        term,
        attributes: &Map::new(),
        fields: None,
        aliases,
        ignores_type_case: false,
        timezone: &TimeZone::UTC,
        schemas: &|_| None,
        inherited_constraints: &[],
        has_missing_fields: false,
        nested_types: &[],
    };
    Types::builtin().compile(text).map(|compiled| compiled.check)
}

/// Compiles the types in the attributes `of` and `keys`, also in those of `items`. `prefix` precedes the names of the
/// attributes in the paths of the types.
fn compile_nested_types(
    timezone: &TimeZone,
    prefix: &str,
    attributes: &Map<String, Json>,
) -> Result<Vec<NestedCheck>, Vec<TermError>> {
    let mut nested = match attributes.get("items") {
        Some(Json::Object(items)) => compile_nested_types(timezone, &format!("{prefix}items."), items)?,
        _ => Vec::new(),
    };
    for attribute in ["of", "keys"] {
        let types: Vec<(Option<&String>, &Json)> = match attributes.get(attribute) {
            Some(Json::Array(types)) => types.iter().map(|r#type| (None, r#type)).collect(),
            Some(Json::Object(types)) if attribute == "of" => {
                let is_comment = |name: &str, r#type: &Json| is_comment_key(name) && !r#type.is_object();
                let named = types.iter().filter(|(name, r#type)| !is_comment(name, r#type));
                named.map(|(name, r#type)| (Some(name), r#type)).collect()
            }
            r#type => r#type.into_iter().map(|r#type| (None, r#type)).collect(),
        };
        for (name, r#type) in types {
            let (term, attributes) = match r#type {
                Json::Object(members) => {
                    let mut members = members.clone();
                    (members.remove("type").expect("a type has a term"), members)
                }
                term => (term.clone(), Map::new()),
            };
            let term = term.as_str().expect("a term is a string");
            let (is_optional, check) = compile_in_timezone(timezone, term, &attributes)?;
            let check = CompiledTerm { is_optional, check }.into_nested_check();
            nested.push(NestedCheck { attribute: format!("{prefix}{attribute}"), name: name.cloned(), check });
        }
    }
    Ok(nested)
}

fn compile_field(timezone: &TimeZone, name: &str, field: &Json) -> Result<ObjectField, Vec<TermError>> {
    let mut attributes = field.as_object().expect("a field is an object").clone();
    let mut text = |key: &str| attributes.remove(key).and_then(|text| text.as_str().map(str::to_owned));
    let (info, term) = (text("info"), text("type"));
    let example = attributes.remove("example");
    let (optional, check) = compile_in_timezone(timezone, &term.expect("a field has a type"), &attributes)?;
    Ok(ObjectField { name: name.to_owned(), info: info.unwrap_or_default(), optional, check, example })
}

/// Compiles a type expression that [`Check::type_expr`] has returned.
pub fn compile_type_expr(type_expr: &TypeExpr) -> Arc<dyn Check> {
    compile(&type_expr.term, &type_expr.attributes)
        .unwrap_or_else(|errors| panic!("{type_expr:?} does not compile: {errors:?}"))
}

pub use support::schema_validator::{plain_validator, validator};
