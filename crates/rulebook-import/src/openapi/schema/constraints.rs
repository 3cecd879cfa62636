//! Recognizes and converts the constraints between the members of an object, or between the parameters of an operation.

use rulebook_model::constraint::ConstraintKind;
use serde_json::{Map, Value as Json, json};

use super::object::{Member, ObjectParts};
use super::union::is_null;
use super::{Converter, LossKind, ORIGIN_KEY, Place, items, members};
use crate::openapi::document::Document;
use crate::openapi::losses::is_extension;

/// The member with the constraints of a definition, which `rulebook openapi` writes.
const CONSTRAINTS_KEY: &str = "x-constraints";
/// The member with the message of the constraint that a schema expresses, which `rulebook openapi` writes.
const MESSAGE_KEY: &str = "x-message";

/// The keywords that can express a constraint, besides [`CONSTRAINTS_KEY`].
const KEYWORDS: [&str; 5] = ["anyOf", "dependentRequired", "dependentSchemas", "not", "oneOf"];

/// The name in a definition of a parameter or a field with a name in the description. The flag is `true` if the
/// constraint compares values; otherwise, there is only a name if the value can be missing.
pub(in crate::openapi) type DefinitionName<'n> = dyn Fn(&str, bool) -> Option<String> + 'n;

#[derive(Debug, PartialEq)]
pub(super) struct Constraint<'a> {
    pub kind: ConstraintKind,
    pub names: Vec<&'a str>,
    pub message: Option<&'a str>,
    /// `true` if a member that is null counts as missing, as in a definition.
    pub ignores_null: bool,
}

impl Constraint<'_> {
    /// Returns the constraint in the notation of a definition. Returns `None` if a name has no name in the definition.
    fn to_json(&self, place: &Place, definition_name: &DefinitionName<'_>) -> Option<Json> {
        let compares = self.kind.compares_values();
        let names = self.names.iter().map(|name| definition_name(name, compares)).collect::<Option<Vec<String>>>()?;
        let names = match (self.kind, names.as_slice()) {
            (ConstraintKind::Requires, [first, rest @ ..]) => json!({ (first.as_str()): rest }),
            _ => json!(names),
        };
        let mut constraint = Map::from_iter([(self.kind.key().to_owned(), names)]);
        constraint.extend(self.message.map(|message| ("message".to_owned(), json!(message))));
        constraint.insert(ORIGIN_KEY.to_owned(), place.as_str().into());
        Some(constraint.into())
    }
}

impl<'a> Converter<'a> {
    /// Returns the constraints that the parts of an object express. Reports those that a definition cannot have.
    pub(in crate::openapi) fn constraints(
        &mut self,
        (schemas, members): (&[(&'a Json, Place)], &[Member<'a>]),
        definition_name: &DefinitionName<'_>,
    ) -> Vec<Json> {
        let document = self.document;
        let can_be_null =
            |name: &str| members.iter().any(|member| member.name == name && document.accepts_null(member.schema));
        let mut converted = Vec::new();
        let mut lost = Vec::new();
        for (schema, place) in schemas {
            for keyword in KEYWORDS {
                for (entry, mut constraint) in constraints_of(schema, keyword) {
                    constraint.message = schema.get(MESSAGE_KEY).and_then(Json::as_str);
                    let is_exact = constraint.ignores_null || !constraint.names.iter().any(|name| can_be_null(name));
                    let place = place.member(keyword);
                    let place = entry.map_or_else(|| place.clone(), |entry| place.member(entry));
                    match constraint.to_json(&place, definition_name).filter(|_| is_exact) {
                        Some(constraint) => {
                            read_condition(document, &schema[keyword], entry);
                            converted.push(constraint);
                        }
                        None => {
                            // The other entries of the keyword are read one by one.
                            if entry.is_some() {
                                document.read(schema, keyword);
                            }
                            lost.push(place);
                        }
                    }
                }
            }
            let place = place.member(CONSTRAINTS_KEY);
            converted.extend(self.declared_constraints(schema, &place, definition_name));
        }
        for place in lost {
            let message = "it concerns a member that is required, that can be null, or that has no schema";
            self.losses.widen(LossKind::CONSTRAINT, &place, message);
        }
        converted
    }

    /// Returns the constraints in the notation of a definition that an object or an operation has.
    pub(in crate::openapi) fn declared_constraints(
        &mut self,
        object: &'a Json,
        place: &Place,
        definition_name: &DefinitionName<'_>,
    ) -> Vec<Json> {
        let Some(declared) = object.get(CONSTRAINTS_KEY) else { return Vec::new() };
        let Some(entries) = declared.as_array() else {
            self.losses.widen(LossKind::CONSTRAINT, place, "it is not a list of constraints");
            return Vec::new();
        };
        let mut converted = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            let place = place.item(index);
            let message = "it is not a constraint between optional parameters or fields";
            let parsed = parse_declared(entry).unwrap_or_default();
            if parsed.is_empty() {
                self.losses.widen(LossKind::CONSTRAINT, &place, message);
            }
            for (first, constraint) in parsed {
                let place =
                    first.map_or_else(|| place.clone(), |first| place.member(constraint.kind.key()).member(first));
                match constraint.to_json(&place, definition_name) {
                    Some(constraint) => converted.push(constraint),
                    None => self.losses.widen(LossKind::CONSTRAINT, &place, message),
                }
            }
        }
        converted
    }
}

impl ObjectParts<'_> {
    pub(in crate::openapi) fn has_constraints(&self) -> bool {
        let has_any = |schema: &Json| KEYWORDS.iter().any(|keyword| is_constraint(schema, keyword));
        self.schemas.iter().any(|(schema, _)| has_any(schema) || schema.get(CONSTRAINTS_KEY).is_some())
    }
}

/// Returns `true` if a keyword of a schema expresses only constraints between the members of an object.
pub(super) fn is_constraint(schema: &Json, keyword: &str) -> bool {
    !constraints_of(schema, keyword).is_empty()
}

/// Returns `true` if two constraints in the notation of a definition are equal, apart from their messages and their
/// places.
pub(in crate::openapi) fn is_same_constraint(one: &Json, other: &Json) -> bool {
    let condition = |constraint: &Json| {
        let members = members(Some(constraint)).clone();
        members.into_iter().filter(|(key, _)| key != "message" && key != ORIGIN_KEY).collect::<Map<_, _>>()
    };
    condition(one) == condition(other)
}

/// The keywords of conditions about which members an object has.
const CONDITIONS: [&str; 7] = ["allOf", "anyOf", "not", "oneOf", "properties", "required", "type"];

/// Returns the constraints that a keyword expresses, each with the member of the keyword's value that expresses it if
/// there can be several.
pub(super) fn constraints_of<'a>(schema: &'a Json, keyword: &str) -> Vec<(Option<&'a str>, Constraint<'a>)> {
    let Some(value) = schema.get(keyword) else { return Vec::new() };
    match keyword {
        "anyOf" | "oneOf" => choice(keyword, items(Some(value))).map(|found| (None, found)).into_iter().collect(),
        // Not both of two members.
        "not" => {
            let both = required(value).filter(|both| both.names.len() == 2);
            both.map(|both| (None, both.into_constraint(ConstraintKind::OneOrNone))).into_iter().collect()
        }
        "dependentRequired" | "dependentSchemas" => {
            let dependency = |(name, value): (&'a String, &'a Json)| {
                let names = if keyword == "dependentRequired" { texts(value)? } else { required(value)?.names };
                let names = [name.as_str()].into_iter().chain(names).collect::<Vec<_>>();
                let constraint =
                    Constraint { kind: ConstraintKind::Requires, names, message: None, ignores_null: false };
                Some((Some(name.as_str()), constraint)).filter(|(_, constraint)| constraint.names.len() > 1)
            };
            members(Some(value)).iter().filter_map(dependency).collect()
        }
        _ => Vec::new(),
    }
}

fn choice<'a>(keyword: &str, branches: &'a [Json]) -> Option<Constraint<'a>> {
    let (negated, plain): (Vec<&Json>, Vec<&Json>) = branches.iter().partition(|branch| branch.get("not").is_some());
    let kind = match (keyword, negated.as_slice()) {
        ("oneOf", []) => ConstraintKind::ExactlyOne,
        (_, []) => ConstraintKind::OneOrMore,
        ("oneOf", [_]) => ConstraintKind::OneOrNone,
        ("anyOf", [negated]) => return implication(negated, &plain),
        _ => return None,
    };
    let alternatives = alternatives(plain.into_iter())?;
    let is_complete = match negated.as_slice() {
        [none] => is_none_of(none, &alternatives),
        _ => true,
    };
    (is_complete && alternatives.names.len() > 1).then(|| alternatives.into_constraint(kind))
}

/// Returns the constraint that `anyOf` with a negated and another branch expresses: no members or all of them, or that
/// one member requires others.
fn implication<'a>(negated: &'a Json, plain: &[&'a Json]) -> Option<Constraint<'a>> {
    let [all] = plain else { return None };
    let all = required(all)?;
    if all.names.len() > 1 && is_none_of(negated, &all) {
        return Some(all.into_constraint(ConstraintKind::Together));
    }
    let first = required(only(negated, "not")?).filter(|first| first.names.len() == 1)?;
    let ignores_null = first.ignores_null && all.ignores_null;
    let names = [first.names, all.names].concat();
    Some(Constraint { kind: ConstraintKind::Requires, names, message: None, ignores_null })
}

struct Required<'a> {
    names: Vec<&'a str>,
    /// `true` if a member that is null counts as missing.
    ignores_null: bool,
}

impl<'a> Required<'a> {
    fn into_constraint(self, kind: ConstraintKind) -> Constraint<'a> {
        Constraint { kind, names: self.names, message: None, ignores_null: self.ignores_null }
    }
}

/// Returns the members that a schema requires, if it requires nothing else.
fn required(schema: &Json) -> Option<Required<'_>> {
    let conditions = members(Some(schema)).keys().filter(|key| !is_note(key));
    let is_simple = conditions.clone().all(|key| ["properties", "required", "type"].contains(&key.as_str()));
    if !is_simple {
        let parts = items(Some(only(schema, "allOf")?)).iter().map(required).collect::<Option<Vec<_>>>()?;
        let ignores_null = parts.iter().all(|part| part.ignores_null);
        let names: Vec<&str> = parts.into_iter().flat_map(|part| part.names).collect();
        return (!names.is_empty()).then_some(Required { names, ignores_null });
    }
    if schema.get("type").is_some_and(|name| name != "object") {
        return None;
    }
    let names = texts(schema.get("required")?).filter(|names| !names.is_empty())?;
    let properties = schema.get("properties");
    let is_not_null = |(name, property): (&String, &Json)| {
        names.contains(&name.as_str()) && only(property, "not").is_some_and(is_null)
    };
    if !members(properties).iter().all(is_not_null) {
        return None;
    }
    let ignores_null = members(properties).len() == names.len();
    (ignores_null || properties.is_none()).then_some(Required { names, ignores_null })
}

/// Returns a member for each branch: the only one that the branch requires.
fn alternatives<'a>(branches: impl Iterator<Item = &'a Json>) -> Option<Required<'a>> {
    let each = branches.map(|branch| required(branch).filter(|one| one.names.len() == 1));
    let each = each.collect::<Option<Vec<_>>>()?;
    let ignores_null = each.iter().all(|one| one.ignores_null);
    Some(Required { names: each.into_iter().flat_map(|one| one.names).collect(), ignores_null })
}

fn is_none_of(schema: &Json, required: &Required<'_>) -> bool {
    let branches = only(schema, "not").and_then(|negated| only(negated, "anyOf"));
    let none = branches.and_then(|branches| alternatives(items(Some(branches)).iter()));
    none.is_some_and(|none| none.names == required.names && none.ignores_null == required.ignores_null)
}

fn only<'a>(schema: &'a Json, keyword: &str) -> Option<&'a Json> {
    let mut keywords = members(Some(schema)).keys().filter(|key| !is_note(key));
    (keywords.next()? == keyword && keywords.next().is_none()).then(|| &schema[keyword])
}

/// Returns `true` if a keyword of a condition is for readers.
fn is_note(keyword: &str) -> bool {
    matches!(keyword, "$comment" | "description" | "title") || is_extension(keyword)
}

fn texts(value: &Json) -> Option<Vec<&str>> {
    value.as_array()?.iter().map(Json::as_str).collect()
}

pub(super) fn read_condition(document: Document<'_>, condition: &Json, entry: Option<&str>) {
    document.record(condition);
    if let Some(entry) = entry {
        return read_condition(document, &condition[entry], None);
    }
    for item in items(Some(condition)) {
        read_condition(document, item, None);
    }
    for keyword in CONDITIONS {
        match keyword {
            "properties" | "required" | "type" => drop(document.read_whole(condition, keyword)),
            _ => condition.get(keyword).into_iter().for_each(|inner| read_condition(document, inner, None)),
        }
    }
}

/// Parses a constraint in the notation of a definition. A `requires` contains several, each with the name of the member
/// that requires others.
pub(super) fn parse_declared(entry: &Json) -> Option<Vec<(Option<&str>, Constraint<'_>)>> {
    let message = entry.get("message");
    if message.is_some_and(|message| !message.is_string()) {
        return None;
    }
    let message = message.and_then(Json::as_str);
    let mut keys = members(Some(entry)).iter().filter(|(key, _)| *key != "message");
    let ((key, value), None) = (keys.next()?, keys.next()) else { return None };
    let (kind, _) = ConstraintKind::KEYS.into_iter().find(|(_, known)| known == key)?;
    let constraint = |names| Constraint { kind, names, message, ignores_null: true };
    if kind != ConstraintKind::Requires {
        return Some(vec![(None, constraint(texts(value)?))]);
    }
    let lists = value.as_object()?.iter().map(|(first, rest)| {
        let names = [vec![first.as_str()], texts(rest)?].concat();
        Some((Some(first.as_str()), constraint(names)))
    });
    lists.collect()
}
