//! Converts the constraints between the members of an object, or between the parameters of an operation.

use serde_json::{Map, Value as Json, json};

use super::constraint_keywords::{constraints_of, parse_declared, read_condition};
use super::parts::{Member, ObjectParts};
use super::{Converter, LossKind, ORIGIN_KEY, Place, members};
use rulebook_model::constraint::ConstraintKind;

/// The member with the constraints of a definition, which `rulebook openapi` writes.
const CONSTRAINTS_KEY: &str = "x-constraints";
/// The member with the message of the constraint that a schema expresses, which `rulebook openapi` writes.
const MESSAGE_KEY: &str = "x-message";

/// The keywords that can express a constraint, besides [`CONSTRAINTS_KEY`].
const KEYWORDS: [&str; 5] = ["anyOf", "dependentRequired", "dependentSchemas", "not", "oneOf"];

/// The name in a definition of a parameter or a field with a name in the description. The flag is `true` if the
/// constraint compares values; otherwise, there is only a name if the value can be missing.
pub(in crate::openapi) type DefinitionName<'n> = dyn Fn(&str, bool) -> Option<String> + 'n;

/// A constraint between the members of an object.
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
    /// Returns `true` if the object has constraints between its members.
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
