//! Converts the parameters of operations.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value as Json};

use super::body::is_json_media_type;
use super::style::style_attributes;
use super::{OperationContext, body};
use crate::openapi::document::text;
use crate::openapi::losses::{LossKind, Place};
use crate::openapi::names::{slug, unique_name};
use crate::openapi::schema::{
    Converter, DefinitionName, ORIGIN_KEY, Type, any_schema, described, is_same_constraint, short,
};

/// The header fields whose parameters OpenAPI ignores.
const IGNORED_HEADERS: [&str; 3] = ["accept", "authorization", "content-type"];

/// The parameters of a method, and the constraints between them.
#[derive(Default)]
pub(super) struct Parameters {
    pub entries: Map<String, Json>,
    pub constraints: Vec<Json>,
    /// The names in code.
    names: HashSet<String>,
    by_request_name: HashMap<String, Named>,
    /// The names of the parameters of the path that are only parts of segments.
    parts_of_segments: HashSet<String>,
}

/// The parameter that a name denotes in requests.
struct Named {
    /// The name in code.
    name: String,
    /// `true` if every request has a value of the parameter.
    is_always_given: bool,
}

impl Parameters {
    /// Adds a parameter. `name` is its name in code if its key has no other meaning. A parameter whose name in code is
    /// used by another one gets a number.
    pub(super) fn insert(&mut self, key: String, request_name: &str, name: &str, mut parameter: Map<String, Json>) {
        let is_usable = name != "*" && !name.contains(|char: char| char.is_whitespace() || char.is_control());
        let plain = if is_usable { name.to_owned() } else { slug(name, '_') };
        let unique = unique_name(if plain.is_empty() { "parameter" } else { &plain }, &mut self.names);
        let term = parameter.get("type").and_then(Json::as_str).unwrap_or_default();
        let is_always_given = !term.starts_with('?') || parameter.contains_key("default");
        if unique != name {
            parameter.insert("name".to_owned(), unique.clone().into());
        }
        self.by_request_name.entry(request_name.to_owned()).or_insert(Named { name: unique, is_always_given });
        self.entries.insert(key, parameter.into());
    }

    /// Returns the names in code of parameters by their names in requests, for constraints. A constraint that only
    /// concerns which parameters are given cannot have those that always are.
    pub(super) fn definition_name(&self) -> Box<DefinitionName<'_>> {
        Box::new(|request_name, compares| {
            let named = self.by_request_name.get(request_name)?;
            (compares || !named.is_always_given).then(|| named.name.clone())
        })
    }

    /// Adds constraints, except for those that are known.
    pub(super) fn add_constraints(&mut self, constraints: Vec<Json>) {
        for constraint in constraints {
            if !self.constraints.iter().any(|known| is_same_constraint(known, &constraint)) {
                self.constraints.push(constraint);
            }
        }
    }
}

/// Converts the parameters and the request body of an operation.
pub(super) fn convert_parameters<'a>(
    converter: &mut Converter<'a>,
    operation: &'a Json,
    place: &Place,
    context: &OperationContext<'a, '_>,
) -> Parameters {
    let document = converter.document;
    let mut parameters = Parameters::default();
    let declared = document.read_items(operation, "parameters").iter().enumerate();
    let declared = declared.map(|(index, one)| (one, place.member("parameters").item(index)));
    let shared = context.shared.iter().enumerate();
    let shared = shared.map(|(index, one)| (one, context.item_place.member("parameters").item(index)));
    // A parameter of the operation replaces a parameter of the path with the same name.
    let all = declared.map(|(one, place)| (one, place, false)).chain(shared.map(|(one, place)| (one, place, true)));
    for (parameter, place, is_shared) in all {
        match document.find_target(parameter, &place) {
            Ok((target, target_place)) => {
                let target = (target, &target_place, is_shared);
                if convert_parameter(converter, target, context, &mut parameters) {
                    let _ = document.resolve(parameter, &place);
                }
            }
            Err(why) => {
                converter.losses.add(LossKind::REFERENCE, &place, format!("{why}: the parameter is omitted"));
            }
        }
    }
    let mut undescribed: Vec<String> = Vec::new();
    for capture in context.template.captures() {
        let key = format!("{{{}}}", capture.name);
        if !parameters.entries.contains_key(&key) {
            undescribed.extend(capture.pattern.is_none().then(|| format!("`{}`", capture.name)));
            let segment = Type::new("string").with_some("regex", capture.pattern.clone());
            parameters.insert(key, &capture.name, &capture.name, described(&capture.name, segment, false));
        }
    }
    if !undescribed.is_empty() {
        let message = format!("parameters of the path are not described: {}", undescribed.join(", "));
        converter.losses.add(LossKind::PARAMETER, place, message);
    }
    body::convert_body(converter, operation, place, context, &mut parameters);
    let of_body = std::mem::take(&mut parameters.constraints);
    let place = place.member("x-constraints");
    let declared = converter.declared_constraints(operation, &place, &parameters.definition_name());
    parameters.add_constraints(declared);
    parameters.add_constraints(of_body);
    parameters
}

/// Converts a parameter, of the operation or shared by all operations of the path. Returns `false` if it is omitted,
/// and reported as a whole.
fn convert_parameter<'a>(
    converter: &mut Converter<'a>,
    (parameter, place, is_shared): (&'a Json, &Place, bool),
    context: &OperationContext<'a, '_>,
    parameters: &mut Parameters,
) -> bool {
    let (Some(name), Some(location)) = (text(parameter, "name"), text(parameter, "in")) else {
        converter.losses.add(LossKind::PARAMETER, place, "the parameter has no name or no location");
        return false;
    };
    let document = converter.document;
    // Both `tags` and `tags[]` are names of an array in requests.
    let plain = name.strip_suffix("[]").unwrap_or(name);
    let capture = context.template.capture_of(name);
    let key = match (location, capture) {
        ("path", Some(capture)) => format!("{{{}}}", capture.name),
        ("path", None) => {
            converter.losses.add(LossKind::PARAMETER, place, "the path has no capture of this name");
            return false;
        }
        ("query", _) => format!("GET@{plain}"),
        ("header", _) if IGNORED_HEADERS.contains(&name.to_ascii_lowercase().as_str()) => {
            document.record_whole(parameter);
            return true;
        }
        ("header", _) => format!("HEADER@{name}"),
        ("cookie", _) => format!("COOKIE@{name}"),
        (other, _) => {
            let message = format!("parameters cannot be in `{}`: the parameter is omitted", other.escape_debug());
            converter.losses.add(LossKind::PARAMETER, place, message);
            return false;
        }
    };
    let is_part = location == "path" && capture.is_some_and(|capture| capture.pattern.is_some());
    if is_part && parameters.parts_of_segments.insert(name.to_owned()) {
        for key in ["in", "name", "required"] {
            document.read(parameter, key);
        }
        let (_, schema_place) = value_schema(converter, parameter, place);
        let message = "the segment is checked by a pattern instead";
        converter.losses.widen(LossKind::PARAMETER, &schema_place, message);
        // The first of these parameters describes the segment.
        if parameters.entries.contains_key(&key) {
            return true;
        }
    }
    if parameters.entries.contains_key(&key) {
        if is_shared {
            document.record_whole(parameter);
        } else {
            let message = "another parameter has the same place in requests: the parameter is omitted";
            converter.losses.add(LossKind::PARAMETER, place, message);
        }
        return is_shared;
    }
    if plain.contains(['[', ']']) {
        let message = "the name has brackets, which mean members of an object: the parameter is omitted";
        converter.losses.add(LossKind::PARAMETER, place, message);
        return false;
    }
    for key in ["in", "name"] {
        document.read(parameter, key);
    }
    let is_required = document.read_flag(parameter, "required") || location == "path";
    let (schema, schema_place) = value_schema(converter, parameter, place);
    let hint = format!("{}_{plain}", context.method.to_ascii_lowercase());
    let mut converted = match capture.and_then(|capture| capture.pattern.clone()) {
        Some(pattern) => Type::new("string").with("regex", pattern),
        None => converter.convert(schema, &schema_place, &hint),
    };
    if parameter.get("schema").is_some() {
        let attributes = style_attributes(converter, (parameter, place), location, converted.term(), schema);
        converted.attributes.extend(attributes);
    }
    if is_required && converted.is_nullable {
        let message = "the parameter can also be missing, or cannot be null in the path";
        converter.losses.widen(LossKind::NULL, place, message);
    }
    let is_optional = location != "path" && (!is_required || converted.is_nullable);
    let info = document.read_text(parameter, "description").or_else(|| document.read_description(schema));
    let example = converter.content_example(parameter, place);
    example.iter().for_each(|example| converter.read_same_example(schema, example));
    let example = example.or_else(|| converter.example(schema, &schema_place));
    let mut entry = described(info.unwrap_or(name), converted, is_optional);
    if location == "path" {
        if let Some((default, place)) = converter.find_default(schema, &schema_place) {
            let message = format!("the default `{}` of a capture is never used", short(default));
            converter.losses.add(LossKind::DEFAULT, &place, message);
        }
    } else {
        entry.extend(converter.default_entry(schema, is_required, place));
    }
    entry.extend(example.map(|example| ("example".to_owned(), example)));
    entry.insert(ORIGIN_KEY.to_owned(), place.as_str().into());
    let code_name = match location {
        "path" => key.trim_matches(['{', '}']).to_owned(),
        "header" => plain.to_ascii_lowercase(),
        _ => plain.to_owned(),
    };
    parameters.insert(key, name, &code_name, entry);
    true
}

fn value_schema<'a>(converter: &mut Converter<'a>, parameter: &'a Json, place: &Place) -> (&'a Json, Place) {
    if let Some(schema) = parameter.get("schema") {
        return (schema, place.member("schema"));
    }
    let document = converter.document;
    let Some((media_type, content)) = document.read_members(parameter, "content").iter().next() else {
        return (any_schema(), place.clone());
    };
    let place = place.member("content").member(media_type);
    if !content.is_object() {
        return (any_schema(), place);
    }
    document.record(content);
    let Some(schema) = content.get("schema") else { return (any_schema(), place) };
    let schema_place = place.member("schema");
    // Only arrays and objects are read as JSON. Numbers and booleans have the same text in JSON.
    if !is_json_media_type(media_type) || document.values(schema).kinds[2] || document.is_nullable(schema) {
        let message = "the value is read as JSON only if it is an array or an object";
        converter.losses.add(LossKind::STYLE, &place, message);
    }
    (schema, schema_place)
}
