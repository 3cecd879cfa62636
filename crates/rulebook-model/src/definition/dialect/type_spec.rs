//! Reads types: the key `type` of an object, and the attributes next to it.

use serde_json::{Map, Value as Json};

use super::super::checked_object::{CheckedObject, named_members, wrong_kind_error};
use super::super::dialect_spec::DialectSpec;
use super::super::jsonc::{JsonData, JsonMember, JsonNode};
use super::super::keys::{AFTER_ATTRIBUTE, JsonKind, KeySpec, NESTED_ATTRIBUTES, NULLABLE_ATTRIBUTE, TYPE_ATTRIBUTES};
use super::super::parsed::{Attribute, NestedType, TypeSpec};
use super::method::read_fields;
use crate::constraint::{CONSTRAINTS_KEY, entry_path};
use crate::diagnostic::Diagnostic;
use crate::span::{Span, Spanned};

pub(super) fn read_type(
    spec: &DialectSpec,
    object: &mut CheckedObject<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> TypeSpec {
    let mut r#type = TypeSpec { term: object.string("type"), ..TypeSpec::default() };
    let attributes = read_attributes("", spec, object, &mut r#type, diagnostics);
    let is_outermost = |member: &&JsonMember| {
        [&AFTER_ATTRIBUTE, &NULLABLE_ATTRIBUTE].iter().any(|it| it.find(&member.key.value).is_some())
    };
    let outermost = object.members().filter(is_outermost);
    let outermost = outermost.map(|member| (member.key.clone(), Spanned::new(member.value.json(), member.value.span)));
    r#type.attributes = attributes.into_iter().chain(outermost).collect();
    if let Some(span) = object.get("fields").map(|node| node.span) {
        r#type.fields = Some(Spanned::new(read_fields(spec, "fields", spec.field_keys, object, diagnostics), span));
    }
    r#type
}

/// Returns the attributes of a type, or those of an array's items. Adds the parts of their values to `type`, with paths
/// that begin with `prefix`, such as `items.`.
fn read_attributes(
    prefix: &str,
    spec: &DialectSpec,
    object: &mut CheckedObject<'_>,
    r#type: &mut TypeSpec,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Attribute> {
    // The attributes of items come before those of the array, and the most deeply nested ones first.
    let items = read_items(prefix, spec, object, r#type, diagnostics);
    r#type.parts.extend(constraint_entries(prefix, object));
    let nested: Vec<_> = NESTED_ATTRIBUTES
        .iter()
        .filter_map(|attribute| read_nested_types(prefix, attribute, spec, object, r#type, diagnostics))
        .collect();
    let is_plain = |member: &&JsonMember| TYPE_ATTRIBUTES.find(&member.key.value).is_some();
    let plain = object.members().filter(is_plain);
    let plain = plain.map(|member| (member.key.clone(), Spanned::new(member.value.json(), member.value.span)));
    plain.chain(nested).chain(items).collect()
}

/// Returns the attribute `items` of a type, and adds the attributes in it to the parts of the type.
fn read_items(
    prefix: &str,
    spec: &DialectSpec,
    object: &mut CheckedObject<'_>,
    r#type: &mut TypeSpec,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Attribute> {
    let member = object.members().find(|member| member.key.value == "items")?;
    let mut items = object.object("items", spec.item_keys, diagnostics)?;
    let prefix = format!("{prefix}items.");
    let attributes = read_attributes(&prefix, spec, &mut items, r#type, diagnostics);
    object.is_incomplete |= items.is_incomplete;
    let json: Map<_, _> = attributes.iter().map(|(key, value)| (key.value.clone(), value.value.clone())).collect();
    let with_path = |(key, value): Attribute| (key.map(|key| format!("{prefix}{key}")), value);
    r#type.parts.extend(attributes.into_iter().map(with_path));
    Some((member.key.clone(), Spanned::new(Json::Object(json), member.value.span)))
}

/// Returns an attribute whose value is a type or several types, and adds these types to `type`.
fn read_nested_types(
    prefix: &str,
    attribute: &KeySpec,
    spec: &DialectSpec,
    object: &mut CheckedObject<'_>,
    r#type: &mut TypeSpec,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Attribute> {
    let member = object.members().find(|member| member.key.value == attribute.name)?;
    let path = format!("{prefix}{}", attribute.name);
    let mut read = |name: Option<&str>, node: &JsonNode| {
        let nested = read_nested_type(&path, name, spec, node, diagnostics);
        object.is_incomplete |= nested.is_incomplete;
        r#type.nested.push(nested);
        node.json()
    };
    let json = match (attribute.kind, &member.value.data) {
        (JsonKind::Types(_), JsonData::Array(types)) => types.iter().map(|node| read(None, node)).collect(),
        (JsonKind::Types(_), JsonData::Object(types)) => {
            let read_member =
                |JsonMember { key, value }: &JsonMember| (key.value.clone(), read(Some(&key.value), value));
            Json::Object(named_members(types).map(read_member).collect())
        }
        (JsonKind::Type(_), _) => read(None, &member.value),
        _ => return None,
    };
    if let JsonData::Object(members) = &member.value.data {
        object.is_incomplete |= members.is_incomplete;
    }
    Some((member.key.clone(), Spanned::new(json, member.value.span)))
}

/// Reads a type in an attribute. A value that is neither a term nor an object is reported.
pub(crate) fn read_nested_type(
    attribute: &str,
    name: Option<&str>,
    spec: &DialectSpec,
    node: &JsonNode,
    diagnostics: &mut Vec<Diagnostic>,
) -> NestedType {
    let (r#type, is_incomplete) = match &node.data {
        JsonData::String(_) => (Some(TypeSpec { term: node.string(), ..TypeSpec::default() }), false),
        JsonData::Object(_) => match CheckedObject::new(node, spec.nested_type_keys, diagnostics) {
            Some(mut object) => {
                let r#type = read_type(spec, &mut object, diagnostics);
                (Some(r#type), object.is_incomplete)
            }
            None => (None, true),
        },
        _ => {
            let subject = format!("each type in `{attribute}`");
            diagnostics.push(wrong_kind_error(&subject, "a string or an object", node));
            (None, true)
        }
    };
    let (attribute, name) = (attribute.to_owned(), name.map(str::to_owned));
    NestedType { attribute, name, r#type, span: node.span, is_incomplete }
}

/// Returns the entries of the attribute `constraints`, and their keys and names, by their paths.
fn constraint_entries(prefix: &str, object: &CheckedObject<'_>) -> Vec<Attribute> {
    let Some(JsonNode { data: JsonData::Array(entries), .. }) = object.get(CONSTRAINTS_KEY) else { return Vec::new() };
    let part = |index: usize, part: Option<&str>, span: Span, json: Json| {
        (Spanned::new(format!("{prefix}{}", entry_path(index, part)), span), Spanned::new(json, span))
    };
    let parts = |(index, entry): (usize, &JsonNode)| {
        let texts = entry.texts().into_iter().map(|(text, span)| part(index, Some(text), span, Json::Null));
        [part(index, None, entry.span, entry.json())].into_iter().chain(texts).collect::<Vec<_>>()
    };
    entries.iter().enumerate().flat_map(parts).collect()
}
