//! Describes parameters, outputs and members of objects on documentation pages: their descriptions, their types and
//! values in words, and examples.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::document::{Branch, Field, Inline, Inlines, parse_blocks, to_lines};
use super::links::{LinkTarget, schema_page_path};
use super::phrases::location_name;
use crate::constraint::{CONSTRAINTS_KEY, Constraint};
use crate::describe::example;
use crate::describe::in_words::type_in_words;
use crate::describe::parameter_format::{bracket_name, describe_list_format};
use crate::invisible::escape_controls_in_json;
use crate::model::{Location, Method, Output, OutputPlace, Parameter};
use crate::types::{Check, ObjectField, Structure};

pub(super) fn parameter_field<'p>(method: &Method, parameter: &'p Parameter) -> Field<'p> {
    let is_optional = parameter.optional || parameter.default.is_some();
    let default = parameter.default.as_ref().map(|default| ("default", json_line(default)));
    let brackets = bracket_name(parameter).map(|name| (bracket_label(parameter.from), Cow::Owned(name)));
    let example = example::parameter_example(method, parameter);
    let name = Inline::code(parameter.request_name());
    let has_example = parameter.example.is_some();
    let field = value_field(name, &parameter.info, &*parameter.r#type.check, (example.as_ref(), has_example), false);
    // An example that is equal to the default is omitted.
    let is_default = example.is_some() && parameter.default == example;
    let examples = field.values.into_iter().filter(|_| !is_default);
    Field {
        id: fragment("parameter", &parameter.name),
        key: parameter.tree_key(),
        location: location_name(parameter.from),
        is_required: !is_optional,
        words: parameter_words(parameter),
        values: default.into_iter().chain(examples).chain(brackets).collect(),
        ..field
    }
}

/// The second item of `example` is `true` if the definition contains it. If `is_in_schema` is `true`, the members of
/// further schemas are omitted, because their number can grow exponentially with the number of schemas.
fn value_field<'a>(
    name: Inline<'a>,
    info: &str,
    check: &dyn Check,
    (example, is_defined): (Option<&Json>, bool),
    is_in_schema: bool,
) -> Field<'a> {
    let schemas = schema_links(check);
    let is_omitted = is_in_schema && !schemas.is_empty();
    let inner = if is_omitted { &[] } else { check.members() };
    let members = member_fields(inner, example, is_in_schema || !schemas.is_empty());
    let branches = if is_omitted { Vec::new() } else { branches_of_field(check, is_in_schema) };
    // The example of an object is omitted if its members, or the types of the union, have examples.
    let shown = example.filter(|_| is_defined || members.is_empty() && branches.is_empty() && !is_omitted);
    Field {
        id: String::new(),
        key: String::new(),
        name,
        location: "",
        is_required: false,
        info: to_lines(parse_blocks(info.trim())),
        words: type_in_words(check),
        values: shown.map(|example| ("example", json_line(example))).into_iter().collect(),
        schemas,
        members,
        branches,
    }
}

/// No types if no type has fields: then the words of the union describe them completely.
fn branches_of_field(check: &dyn Check, is_in_schema: bool) -> Vec<Branch<'static>> {
    let described = branches(check, is_in_schema);
    let has_more = |branch: &Branch<'_>| !branch.fields.is_empty() || !branch.schemas.is_empty();
    if described.iter().any(has_more) { described } else { Vec::new() }
}

/// Returns the branches of a union, also of one in a list or a map. If `is_in_schema` is `true`, the fields of other
/// schemas are omitted.
pub(super) fn branches(check: &dyn Check, is_in_schema: bool) -> Vec<Branch<'static>> {
    let mut structure = check.structure();
    // A schema can be a map of itself.
    let mut known = HashSet::new();
    loop {
        structure = match structure {
            Structure::Nullable(inner) | Structure::Array(inner) | Structure::Map(inner) => inner.structure(),
            Structure::Schema(schema) if known.insert(schema.key().to_owned()) => schema.check.structure(),
            Structure::Union(types) => {
                return types.iter().map(|branch| describe_branch(None, &**branch, is_in_schema)).collect();
            }
            Structure::TaggedUnion { tag, branches } => {
                let describe = |(value, branch): &(String, Arc<dyn Check>)| {
                    describe_branch(Some((&tag, value)), &**branch, is_in_schema)
                };
                return branches.iter().map(describe).collect();
            }
            Structure::Schema(_) | Structure::Scalar | Structure::Object(_) => return Vec::new(),
        }
    }
}

/// Describes a type of a union. `tag` is the name and the value of the member that selects the type.
fn describe_branch(tag: Option<(&str, &str)>, check: &dyn Check, is_in_schema: bool) -> Branch<'static> {
    let schemas = schema_links(check);
    let words = type_in_words(check);
    let name = match (tag, &schemas[..]) {
        (Some((_, value)), _) => Inline::code(value.to_owned()),
        (None, [(_, schema)]) => Inline::code(schema.clone()),
        (None, _) => Inline::quoted(words.clone()),
    };
    let mut example = example::type_example(check);
    if let (Some((tag, value)), Some(Json::Object(members))) = (tag, &mut example) {
        let other = std::mem::take(members).into_iter().filter(|(name, _)| name != tag);
        *members = [(tag.to_owned(), Json::from(value))].into_iter().chain(other).collect();
    }
    let is_omitted = is_in_schema && !schemas.is_empty();
    let inner = if is_omitted { &[] } else { check.members() };
    let mut fields = member_fields(inner, example.as_ref(), true);
    if let Some((tag, value)) = tag.filter(|_| !is_omitted) {
        fields.retain(|field| !matches!(&field.name, Inline::Code(name) if name == tag));
        fields.insert(0, tag_field(tag, value));
    }
    let example = example.filter(|example| !example.is_null() && !is_omitted).map(|example| pretty_json(&example));
    Branch { name, words, schemas, fields, example }
}

fn tag_field(tag: &str, value: &str) -> Field<'static> {
    Field {
        id: String::new(),
        key: String::new(),
        name: Inline::code(tag.to_owned()),
        location: "",
        is_required: true,
        info: Vec::new(),
        words: "text".into(),
        values: vec![("always", json_line(&Json::from(value)))],
        schemas: Vec::new(),
        members: Vec::new(),
        branches: Vec::new(),
    }
}

fn parameter_words(parameter: &Parameter) -> Cow<'static, str> {
    let words = type_in_words(&*parameter.r#type.check);
    match describe_list_format(parameter) {
        Some(format) => format!("{words}; {format}").into(),
        None => words,
    }
}

fn bracket_label(from: Location) -> &'static str {
    match from {
        Location::Query => "in the query also",
        Location::Any => "in the query or a form also",
        _ => "in a form also",
    }
}

/// Returns the name of an output in responses: of its member in the body, or of its header field.
pub(super) fn output_name(output: &Output) -> &str {
    match &output.place {
        OutputPlace::Header(field) => &field.name,
        _ if output.is_whole() => "body",
        _ => &output.name,
    }
}

pub(super) fn output_field(output: &Output) -> Field<'_> {
    let name = if output.is_whole() { Inline::text("the whole body") } else { Inline::code(output_name(output)) };
    let example = example::output_example(output);
    let example = (example.as_ref(), output.example.is_some());
    Field {
        id: fragment("output", &output.name),
        location: if output.place == OutputPlace::Body { "" } else { "header" },
        is_required: !output.optional,
        ..value_field(name, &output.info, &*output.r#type.check, example, false)
    }
}

pub(super) fn schema_fields(check: &dyn Check, example: Option<&Json>) -> Vec<Field<'static>> {
    member_fields(check.members(), example, true)
}

pub(super) fn schema_link(key: &str) -> LinkTarget {
    LinkTarget::Page(schema_page_path(key), None)
}

/// Returns links to the schemas that a type names outside of its fields.
pub(super) fn schema_links(check: &dyn Check) -> Vec<(LinkTarget, String)> {
    let mut referenced = check.referenced_schemas();
    if !referenced.is_empty() {
        let names = check.type_expr().names();
        referenced.retain(|schema| names.contains(&schema.name));
    }
    referenced.iter().map(|schema| (schema_link(schema.key()), schema.name.clone())).collect()
}

fn member_fields(members: &[ObjectField], example: Option<&Json>, is_in_schema: bool) -> Vec<Field<'static>> {
    let describe = |member: &ObjectField| {
        let example = member.example.as_ref().or_else(|| example::member_example(example?, &member.name));
        let (name, example) = (Inline::code(member.name.clone()), (example, member.example.is_some()));
        let field = value_field(name, &member.info, &*member.check, example, is_in_schema);
        Field { is_required: !member.optional, ..field }
    };
    members.iter().map(describe).collect()
}

/// `name` can contain any characters; those that an id in HTML should not contain become their code points.
pub(super) fn fragment(kind: &str, name: &str) -> String {
    let escape = |c: char| match c {
        _ if c.is_ascii_alphanumeric() || "-_".contains(c) => c.to_string(),
        _ => format!("-{:X}-", u32::from(c)),
    };
    format!("{kind}-{}", name.chars().map(escape).collect::<String>())
}

// Types with their attributes, and values in JSON.

const ITEMS_KEY: &str = "items";

/// Describes a type: its term, which is its text in the definition without attributes, and its attributes, without
/// those that have another description: members and constraints.
pub(super) fn describe_type<'a>(term: &'a str, attributes: &'a Map<String, Json>) -> Inlines<'a> {
    let mut inlines = vec![Inline::code(term)];
    let has_other_text = |name: &str| matches!(name, "fields" | "info" | "type" | "example") || name == CONSTRAINTS_KEY;
    for (name, attribute) in attributes.iter().filter(|(name, _)| !has_other_text(name)) {
        let value = match attribute {
            Json::String(text) => Inline::code(text),
            Json::Object(inner) if name == ITEMS_KEY => {
                let described: Map<_, _> =
                    inner.clone().into_iter().filter(|(name, _)| !has_other_text(name)).collect();
                if described.is_empty() {
                    continue;
                }
                Inline::code(json_line(&Json::Object(described)))
            }
            other => Inline::code(json_line(other)),
        };
        inlines.extend([Inline::text(", "), Inline::quoted(name), Inline::text(" "), value]);
    }
    inlines
}

/// Describes the constraints between the members of a type's objects, each after a semicolon.
pub(super) fn describe_constraints(attributes: &Map<String, Json>) -> Inlines<'static> {
    let sentences = constraints_in_words(attributes);
    sentences.into_iter().flat_map(|sentence| [Inline::text("; "), Inline::quoted(sentence)]).collect()
}

/// Describes the constraints between the members of a type's objects, or of the objects in a list or a map.
fn constraints_in_words(attributes: &Map<String, Json>) -> Vec<String> {
    let constraints = attributes.get(CONSTRAINTS_KEY).and_then(Json::as_array).into_iter().flatten();
    let mut sentences: Vec<String> =
        constraints.filter_map(Constraint::from_json).map(|constraint| constraint.in_words(&str::to_owned)).collect();
    sentences.extend(attributes.get(ITEMS_KEY).and_then(Json::as_object).into_iter().flat_map(constraints_in_words));
    sentences
}

fn json_line<'a>(json: &Json) -> Cow<'a, str> {
    json.to_string().into()
}

/// Formats a JSON value on several lines, with indentation. Characters that would change the direction of the text
/// around them are escaped; they occur only in JSON strings.
pub(super) fn pretty_json(json: &Json) -> String {
    // Serializing a JSON value cannot fail.
    escape_controls_in_json(&serde_json::to_string_pretty(json).unwrap_or_default())
}
