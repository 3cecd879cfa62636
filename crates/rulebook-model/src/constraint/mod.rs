//! Constraints between the parameters of a method, or between the fields of an object: for example, that exactly one of
//! two parameters is given, or that one date is before another.
//!
//! A parameter or field is *given* if it has a value other than null.

mod comparison;
mod evaluate;
mod parse;

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

pub use evaluate::{BrokenConstraint, Given};
pub(crate) use parse::{ConstraintError, Subject, Subjects, parse_constraints};

use crate::call::Value;
use crate::types::Check;

pub(crate) const CONSTRAINTS_KEY: &str = "constraints";

/// Returns the path by which diagnostics find the span of an entry, or of a key or a name in it.
pub(crate) fn entry_path(index: usize, part: Option<&str>) -> String {
    let part = part.map(|part| format!(".{part}")).unwrap_or_default();
    format!("{CONSTRAINTS_KEY}[{index}]{part}")
}

/// A constraint between parameters or fields.
#[derive(Debug, Clone)]
pub struct Constraint {
    /// What the constraint requires.
    pub kind: ConstraintKind,
    /// The names of the parameters in code, or of the fields, in the order of the definition.
    pub names: Vec<String>,
    /// The error message that the definition sets; `None` for a message that describes the constraint.
    pub message: Option<String>,
    /// The type of the first value, which compares the values; `None` if values are not compared by their order.
    order: Option<Arc<dyn Check>>,
}

/// What a [`Constraint`] requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConstraintKind {
    /// Exactly one of the names is given.
    ExactlyOne,
    /// At least one of the names is given.
    OneOrMore,
    /// At most one of the names is given.
    OneOrNone,
    /// All of the names are given, or none.
    Together,
    /// If the first name is given, the others are given, too.
    Requires,
    /// The first value is less than the second, if both are given.
    Less,
    /// The first value is at most the second, if both are given.
    LessOrEqual,
    /// All given values are equal.
    Equal,
}

impl ConstraintKind {
    /// All kinds with their keys in a definition.
    pub const KEYS: [(Self, &'static str); 8] = [
        (Self::ExactlyOne, "exactly_one"),
        (Self::OneOrMore, "at_least_one"),
        (Self::OneOrNone, "at_most_one"),
        (Self::Together, "together"),
        (Self::Requires, "requires"),
        (Self::Less, "less"),
        (Self::LessOrEqual, "at_most"),
        (Self::Equal, "equal"),
    ];

    /// Returns the key of the constraint in a definition.
    #[must_use]
    pub fn key(self) -> &'static str {
        Self::KEYS.iter().find(|(kind, _)| *kind == self).map_or("", |(_, key)| key)
    }

    /// Returns `true` if a part of an object that fulfills the constraint also fulfills it.
    #[must_use]
    pub fn holds_for_parts(self) -> bool {
        self.compares_values() || self == Self::OneOrNone
    }

    /// Returns `true` if the constraint compares values, and `false` if it only needs to know which are given.
    #[must_use]
    pub fn compares_values(self) -> bool {
        matches!(self, Self::Less | Self::LessOrEqual | Self::Equal)
    }
}

impl PartialEq for Constraint {
    fn eq(&self, other: &Self) -> bool {
        let Self { kind, names, message, order: _ } = self;
        (kind, names, message) == (&other.kind, &other.names, &other.message)
    }
}

impl Constraint {
    /// Returns the constraint as a definition contains it.
    #[must_use]
    pub fn to_json(&self) -> Json {
        self.to_json_with(&str::to_owned)
    }

    /// Returns the constraint as a definition contains it, with the names that `display` returns.
    pub(crate) fn to_json_with(&self, display: &dyn Fn(&str) -> String) -> Json {
        let mut object = Map::new();
        let names: Vec<String> = self.names.iter().map(|name| display(name)).collect();
        let names = match self.kind {
            ConstraintKind::Requires => json!({ (names[0].as_str()): names[1..] }),
            _ => json!(names),
        };
        object.insert(self.kind.key().to_owned(), names);
        object.extend(self.message.as_ref().map(|message| ("message".to_owned(), json!(message))));
        Json::Object(object)
    }

    /// Reads a constraint in the form of [`to_json`](Self::to_json), without the type that compares its values.
    #[cfg(feature = "documents")]
    pub(crate) fn from_json(json: &Json) -> Option<Self> {
        let object = json.as_object()?;
        let (kind, names) = ConstraintKind::KEYS.iter().find_map(|(kind, key)| Some((*kind, object.get(*key)?)))?;
        let texts = |names: &Json| -> Vec<String> {
            names.as_array().into_iter().flatten().filter_map(|name| Some(name.as_str()?.to_owned())).collect()
        };
        let names = match names.as_object().and_then(|names| names.iter().next()) {
            Some((first, others)) => std::iter::once(first.clone()).chain(texts(others)).collect(),
            None => texts(names),
        };
        let message = object.get("message").and_then(Json::as_str).map(str::to_owned);
        (!names.is_empty()).then_some(Self { kind, names, message, order: None })
    }

    /// Describes the constraint in a sentence without a period. `display` returns the name that clients use for a name.
    #[must_use]
    pub fn in_words(&self, display: &dyn Fn(&str) -> String) -> String {
        let names: Vec<String> = self.names.iter().map(|name| display(name)).collect();
        let (first, rest) = (&names[0], join(&names[1..]));
        match self.kind {
            ConstraintKind::ExactlyOne => format!("exactly one of {} is given", join(&names)),
            ConstraintKind::OneOrMore => format!("at least one of {} is given", join(&names)),
            ConstraintKind::OneOrNone => format!("at most one of {} is given", join(&names)),
            ConstraintKind::Together => format!("{} are given together, or not at all", join(&names)),
            ConstraintKind::Requires => format!("{first} requires {rest}"),
            ConstraintKind::Less => format!("{first} is less than {rest}"),
            ConstraintKind::LessOrEqual => format!("{first} is at most {rest}"),
            ConstraintKind::Equal => format!("{} are equal", join(&names)),
        }
    }

    fn compare(&self, one: &Value<'_>, other: &Value<'_>) -> Option<Ordering> {
        self.order.as_ref()?.compare(one, other)
    }
}

fn join(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The keyword with the constraints that JSON Schema cannot describe.
const CONSTRAINTS_KEYWORD: &str = "x-constraints";
const MESSAGE_KEYWORD: &str = "x-message";

/// Adds constraints to the JSON Schema of an object. `member` returns the name of the object's member for a name, and
/// `reads_null_text` returns `true` if the text `null` is read as null.
pub(crate) fn add_to_object_schema<'c>(
    object: &mut Json,
    constraints: impl IntoIterator<Item = &'c Constraint>,
    member: &dyn Fn(&str) -> String,
    reads_null_text: &dyn Fn(&str) -> bool,
) {
    let (mut all_of, mut others) = (Vec::new(), Vec::new());
    for constraint in constraints {
        match schema(constraint, member, reads_null_text) {
            Some(mut schema) => {
                if let Some(message) = &constraint.message {
                    schema[MESSAGE_KEYWORD] = json!(message);
                }
                all_of.push(schema);
            }
            None => others.push(constraint.to_json_with(member)),
        }
    }
    for (keyword, schemas) in [("allOf", all_of), (CONSTRAINTS_KEYWORD, others)] {
        if !schemas.is_empty() {
            object[keyword] = Json::Array(schemas);
        }
    }
}

/// Returns the JSON Schema of the objects that fulfill a constraint; `None` if no JSON Schema describes it.
fn schema(
    constraint: &Constraint,
    name_in_object: &dyn Fn(&str) -> String,
    reads_null_text: &dyn Fn(&str) -> bool,
) -> Option<Json> {
    // A member that is null is not given.
    let given = |name: &String| {
        let not_given =
            if reads_null_text(name) { json!({ "enum": [null, "null"] }) } else { json!({ "type": "null" }) };
        let name = name_in_object(name);
        json!({ "required": [name], "properties": { (name.as_str()): { "not": not_given } } })
    };
    let all: Vec<Json> = constraint.names.iter().map(given).collect();
    let none = || json!({ "not": { "anyOf": all } });
    Some(match constraint.kind {
        ConstraintKind::ExactlyOne => json!({ "oneOf": all }),
        ConstraintKind::OneOrMore => json!({ "anyOf": all }),
        ConstraintKind::OneOrNone => json!({ "oneOf": all.iter().cloned().chain([none()]).collect::<Vec<_>>() }),
        ConstraintKind::Together => json!({ "anyOf": [{ "allOf": all }, none()] }),
        ConstraintKind::Requires => json!({ "anyOf": [{ "not": all[0] }, { "allOf": all[1..] }] }),
        ConstraintKind::Less | ConstraintKind::LessOrEqual | ConstraintKind::Equal => return None,
    })
}
