//! Converts the parameters of operations.

use std::collections::HashSet;

use serde_json::{Map, Value as Json};

use super::{OperationContext, body};
use crate::import::document::{is_true, items, members, text};
use crate::import::losses::{LossKind, Place};
use crate::import::names::{slug, unique_name};
use crate::import::schema::{Converter, ORIGIN_KEY, Type, described, description, short};

/// The header fields whose parameters OpenAPI ignores.
const IGNORED_HEADERS: [&str; 3] = ["accept", "authorization", "content-type"];

/// The keys of a parameter that are read, or reported, here.
const PARAMETER_KEYS: [&str; 15] = [
    "$ref",
    "allowEmptyValue",
    "allowReserved",
    "content",
    "deprecated",
    "description",
    "example",
    "examples",
    "explode",
    "in",
    "name",
    "required",
    "schema",
    "style",
    "summary",
];

/// The parameters of a method, and their names in code.
#[derive(Default)]
pub(super) struct Parameters {
    entries: Map<String, Json>,
    names: HashSet<String>,
}

impl Parameters {
    /// Adds a parameter. `name` is its name in code if its key has no other meaning. A parameter whose name in code is
    /// used by another one gets a number.
    pub(super) fn insert(&mut self, key: String, name: &str, mut parameter: Map<String, Json>) {
        let is_usable = name != "*" && !name.contains(|char: char| char.is_whitespace() || char.is_control());
        let plain = if is_usable { name.to_owned() } else { slug(name, '_') };
        let unique = unique_name(if plain.is_empty() { "parameter" } else { &plain }, &mut self.names);
        if unique != name {
            parameter.insert("name".to_owned(), unique.into());
        }
        self.entries.insert(key, parameter.into());
    }

    pub(super) fn contains(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }
}

/// Converts the parameters and the request body of an operation.
pub(super) fn convert_parameters<'a>(
    converter: &mut Converter<'a>,
    operation: &'a Json,
    place: &Place,
    context: &OperationContext<'a, '_>,
) -> Map<String, Json> {
    let mut parameters = Parameters::default();
    let declared = items(operation.get("parameters")).iter().enumerate();
    let declared = declared.map(|(index, one)| (one, place.member("parameters").item(index)));
    let shared = context.shared.iter().enumerate();
    let shared = shared.map(|(index, one)| (one, context.item_place.member("parameters").item(index)));
    // A parameter of the operation replaces a parameter of the path with the same name.
    for (parameter, place) in declared.chain(shared) {
        match converter.document.resolve(parameter, &place) {
            Ok((parameter, place)) => convert_parameter(converter, parameter, &place, context, &mut parameters),
            Err(reference) => {
                converter.losses.add(LossKind::Reference, &place, format!("`{reference}` leads nowhere"));
            }
        }
    }
    let mut undescribed: Vec<String> = Vec::new();
    for capture in context.template.captures() {
        let key = format!("{{{}}}", capture.name);
        if !parameters.contains(&key) {
            undescribed.extend(capture.pattern.is_none().then(|| format!("`{}`", capture.name)));
            let segment = capture
                .pattern
                .iter()
                .fold(Type::new("string"), |string, pattern| string.with("regex", pattern.clone()));
            parameters.insert(key, &capture.name, described(&capture.name, segment, false));
        }
    }
    if !undescribed.is_empty() {
        let message = format!("parameters of the path are not described: {}", undescribed.join(", "));
        converter.losses.add(LossKind::Parameter, place, message);
    }
    body::convert_body(converter, operation, place, context, &mut parameters);
    parameters.entries
}

fn convert_parameter<'a>(
    converter: &mut Converter<'a>,
    parameter: &'a Json,
    place: &Place,
    context: &OperationContext<'a, '_>,
    parameters: &mut Parameters,
) {
    let (Some(name), Some(location)) = (text(parameter, "name"), text(parameter, "in")) else {
        converter.losses.add(LossKind::Parameter, place, "the parameter has no name or no location");
        return;
    };
    // Both `tags` and `tags[]` are names of an array in requests.
    let plain = name.strip_suffix("[]").unwrap_or(name);
    let capture = context.template.capture_of(name);
    let key = match (location, capture) {
        ("path", Some(capture)) => format!("{{{}}}", capture.name),
        ("path", None) => {
            converter.losses.add(LossKind::Parameter, place, "the path has no capture of this name");
            return;
        }
        ("query", _) => format!("GET@{plain}"),
        ("header", _) if IGNORED_HEADERS.contains(&name.to_ascii_lowercase().as_str()) => return,
        ("header", _) => format!("HEADER@{name}"),
        ("cookie", _) => format!("COOKIE@{name}"),
        (other, _) => {
            let message = format!("parameters cannot be in `{other}`: the parameter is omitted");
            converter.losses.add(LossKind::Parameter, place, message);
            return;
        }
    };
    if parameters.contains(&key) {
        return;
    }
    if plain.contains(['[', ']']) {
        let message = "the name has brackets, which mean members of an object: the parameter is omitted";
        converter.losses.add(LossKind::Parameter, place, message);
        return;
    }
    report_parameter(converter, parameter, place);
    let schema_place = place.member("schema");
    let content = members(parameter.get("content")).iter().next();
    let (schema, schema_place) = match (parameter.get("schema"), content) {
        (Some(schema), _) => (Some(schema), schema_place),
        (None, Some((media_type, content))) => {
            let place = place.member("content").member(media_type);
            converter.losses.add(
                LossKind::Style,
                &place,
                "the value is read as JSON only if it is an array or an object",
            );
            (content.get("schema"), place.member("schema"))
        }
        (None, None) => (None, schema_place),
    };
    let hint = format!("{}_{plain}", context.method.to_ascii_lowercase());
    let mut converted = match (capture.and_then(|capture| capture.pattern.clone()), schema) {
        (Some(pattern), _) => Type::new("string").with("regex", pattern),
        (None, Some(schema)) => converter.convert(schema, &schema_place, &hint),
        (None, None) => Type::new("any"),
    };
    if parameter.get("schema").is_some() {
        converted = with_style(converter, converted, parameter, place, location);
    }
    let default = schema.and_then(|schema| schema.get("default")).filter(|default| !default.is_null());
    let is_required = location == "path" || is_true(parameter, "required");
    if is_required && converted.is_nullable {
        converter.losses.add(LossKind::Null, place, "the parameter can also be missing, or cannot be null in the path");
    }
    let is_optional = location != "path" && (!is_required || converted.is_nullable);
    let info = text(parameter, "description").or_else(|| schema.and_then(description)).unwrap_or(name);
    let example = example(converter, parameter, place).or_else(|| converter.example(schema?, &schema_place));
    let mut entry = described(info, converted, is_optional);
    match default {
        Some(default) if location != "path" => {
            entry.insert("default".to_owned(), default.clone());
        }
        Some(default) => {
            let message = format!("the default `{}` of a capture is never used", short(default));
            converter.losses.add(LossKind::Default, &schema_place.member("default"), message);
        }
        None => {}
    }
    entry.extend(example.map(|example| ("example".to_owned(), example)));
    entry.insert(ORIGIN_KEY.to_owned(), place.as_str().into());
    let name = if location == "path" { key.trim_matches(['{', '}']).to_owned() } else { plain.to_owned() };
    let name = if location == "header" { name.to_ascii_lowercase() } else { name };
    parameters.insert(key, &name, entry);
}

/// Sets how an array is sent as one text, and reports the serializations that a definition cannot express.
fn with_style(converter: &mut Converter<'_>, converted: Type, parameter: &Json, place: &Place, location: &str) -> Type {
    let is_form = matches!(location, "query" | "cookie");
    let style = text(parameter, "style").unwrap_or(if is_form { "form" } else { "simple" });
    let explode = parameter.get("explode").and_then(Json::as_bool).unwrap_or(style == "form");
    let is_array = converted.term().starts_with("array<");
    let is_object = ["object", "map<"].iter().any(|name| converted.term().starts_with(name));
    let separator = match style {
        "simple" => Some(","),
        "form" if !explode || location == "cookie" => Some(","),
        "spaceDelimited" if !explode => Some(" "),
        "pipeDelimited" if !explode => Some("|"),
        _ => None,
    };
    let is_expressible = match style {
        "form" | "simple" | "spaceDelimited" | "pipeDelimited" => !is_object,
        "deepObject" => true,
        _ => false,
    };
    if !is_expressible {
        let message = format!("the style `{style}` of this parameter cannot be expressed");
        converter.losses.add(LossKind::Style, place, message);
    }
    match separator {
        Some(",") if is_array => converted.with("format", "explode"),
        Some(separator) if is_array => converted.with("format", "explode").with("separator", separator),
        _ => converted,
    }
}

/// Returns the example of a parameter.
fn example(converter: &mut Converter<'_>, parameter: &Json, place: &Place) -> Option<Json> {
    let named = members(parameter.get("examples"));
    if named.len() > 1 {
        let message = "only the first example is imported";
        converter.losses.add(LossKind::Example, &place.member("examples"), message);
    }
    let named = named.values().next().and_then(|example| {
        let (example, _) = converter.document.resolve(example, place).ok()?;
        example.get("value").or_else(|| example.get("dataValue"))
    });
    parameter.get("example").or(named).filter(|example| !example.is_null()).cloned()
}

/// Reports the parts of a parameter that a definition does not have.
fn report_parameter(converter: &mut Converter<'_>, parameter: &Json, place: &Place) {
    for flag in ["allowEmptyValue", "allowReserved", "deprecated"] {
        if is_true(parameter, flag) {
            let kind = if flag == "deprecated" { LossKind::Annotation } else { LossKind::Style };
            converter.losses.add(kind, &place.member(flag), "a parameter has no such key");
        }
    }
    for key in members(Some(parameter)).keys().filter(|key| !key.starts_with("x-")) {
        if !PARAMETER_KEYS.contains(&key.as_str()) {
            converter.losses.add(LossKind::Annotation, &place.member(key), "the key is unknown");
        }
    }
}
