//! Compares the parameters of methods, and the constraints between them.

use std::borrow::Cow;

use rulebook_model::Value;
use rulebook_model::call::Source;
use rulebook_model::constraint::{Constraint, Given};
use rulebook_model::model::{Location, Method, Parameter, ParameterType, Segment, Service, UnknownParameters};
use rulebook_model::types::Check;
use serde_json::{Map, Value as Json, json};

use crate::change::{Change, ChangeKind};
use crate::includes::{Comparison, Inclusion, are_same, without_null};
use crate::single_values::reads_texts_alike;

/// A method of one of the definitions.
#[derive(Clone, Copy)]
pub(crate) struct MethodOf<'a> {
    pub(crate) service: &'a Service,
    pub(crate) method: &'a Method,
    /// What the server does with parameters that the method does not define.
    pub(crate) unknown: UnknownParameters,
}

/// The part of a request with a parameter, and its name there. In a path, only the position counts.
#[derive(Debug, PartialEq, Eq)]
struct ParameterKey {
    part: &'static str,
    name: String,
}

impl MethodOf<'_> {
    fn key(&self, parameter: &Parameter) -> ParameterKey {
        let (part, name) = match parameter.from {
            Location::Path => {
                let is_capture =
                    |segment: &Segment| matches!(segment, Segment::Capture(name) if *name == parameter.key);
                let position = self.service.path.iter().position(is_capture);
                ("path", position.unwrap_or_default().to_string())
            }
            Location::Position(position) => ("path", (self.service.path.len() + position).to_string()),
            Location::Query => ("query", parameter.key.clone()),
            Location::Body => ("body", parameter.key.clone()),
            Location::WholeBody => ("whole body", String::new()),
            Location::Any => ("query or body", parameter.key.clone()),
            Location::Header => ("header", parameter.key.to_ascii_lowercase()),
            Location::Cookie => ("cookie", parameter.key.clone()),
            _ => ("other", parameter.key.clone()),
        };
        ParameterKey { part, name }
    }

    /// Returns the parameter that reads what `key` names. A parameter of the query or the body reads both.
    fn find(&self, key: &ParameterKey) -> Option<&Parameter> {
        let find = |key: &ParameterKey| self.method.parameters.iter().find(|known| self.key(known) == *key);
        find(key).or_else(|| {
            let reads_both = matches!(key.part, "query" | "body");
            find(&ParameterKey { part: "query or body", name: key.name.clone() }).filter(|_| reads_both)
        })
    }
}

/// Compares the parameters of a method, and the constraints between them.
pub(crate) fn compare(old: MethodOf<'_>, new: MethodOf<'_>, types: &mut Comparison, changes: &mut Vec<Change>) {
    for parameter in &old.method.parameters {
        match new.find(&old.key(parameter)) {
            Some(known) => compare_parameter(old, (parameter, known), types, changes),
            None => {
                let is_counted = matches!(parameter.from.source(), Source::Query | Source::Body | Source::Any);
                let is_refused = new.unknown == UnknownParameters::Refuse && is_counted;
                let kind = if is_refused { ChangeKind::ParameterRefused } else { ChangeKind::ParameterRemoved };
                let message = format!("no longer reads {}", words(parameter));
                let with_it = request(old.method, Some((parameter, parameter.r#type.check.example().as_ref())), None);
                let change = Change::new(kind, message).of_parameter(parameter.request_name());
                changes.push(change.witness(with_it).at(parameter.span, new.method.span));
            }
        }
    }
    for parameter in &new.method.parameters {
        let is_known = old.method.parameters.iter().any(|known| new.find(&old.key(known)) == Some(parameter));
        if is_known {
            continue;
        }
        let kind = if parameter.optional { ChangeKind::ParameterAdded } else { ChangeKind::RequiredParameterAdded };
        let message = format!("reads {}, which {}", words(parameter), presence(parameter));
        let change = Change::new(kind, message).of_parameter(parameter.request_name());
        changes.push(change.witness(request(old.method, None, None)).at(old.method.span, parameter.span));
    }
    compare_constraints(old.method, new.method, changes);
}

fn presence(parameter: &Parameter) -> &'static str {
    if parameter.optional { "is optional" } else { "is required" }
}

/// Returns the name of a parameter with its place in requests.
fn words(parameter: &Parameter) -> String {
    let name = parameter.request_name();
    match parameter.from {
        Location::WholeBody => "the whole body".to_owned(),
        _ => format!("`{name}` ({})", parameter.from.source().as_str()),
    }
}

fn compare_parameter(
    old: MethodOf<'_>,
    (before, after): (&Parameter, &Parameter),
    types: &mut Comparison,
    changes: &mut Vec<Change>,
) {
    let subject = words(after);
    let mut found = Vec::new();
    if before.optional && !after.optional {
        let message = format!("{subject} is required, and was optional");
        let without_it = request(old.method, None, Some(before));
        found.push(Change::new(ChangeKind::ParameterRequired, message).witness(without_it));
    } else if after.optional && !before.optional {
        found.push(Change::new(ChangeKind::ParameterOptional, format!("{subject} is optional, and was required")));
    }
    let message = || format!("{subject} is {}, and was {}", type_words(&after.r#type), type_words(&before.r#type));
    let (wide, old_type) = (&*after.r#type.check, &*before.r#type.check);
    let without_null = without_null(old_type).filter(|_| after.optional);
    let narrow = without_null.as_deref().unwrap_or(old_type);
    let is_same = are_same(wide, old_type) || are_same(wide, narrow);
    match (!is_same).then(|| compare_types(types, wide, narrow, before.from)) {
        None => {}
        Some(Inclusion::Included) => found.push(Change::new(ChangeKind::ParameterWidened, message())),
        // An optional parameter may be null.
        Some(Inclusion::Excluded(Some(Value::Null))) if after.optional => {}
        Some(Inclusion::Excluded(value)) => {
            let refused = value.and_then(|value| request(old.method, Some((before, Some(&value))), None));
            found.push(Change::new(ChangeKind::ParameterNarrowed, message()).witness(refused));
        }
        Some(Inclusion::Unknown) => found.push(Change::new(ChangeKind::ParameterChanged, message())),
    }
    if before.default != after.default {
        let default = |default: &Option<Json>| default.as_ref().map_or("none".to_owned(), Json::to_string);
        let message =
            format!("the default of {subject} is {}, and was {}", default(&after.default), default(&before.default));
        found.push(Change::new(ChangeKind::DefaultChanged, message));
    }
    let found = found.into_iter().map(|change| change.of_parameter(before.request_name()));
    changes.extend(found.map(|change| change.at(before.type_span, after.type_span)));
}

/// Returns whether the type `wide` accepts every value of `narrow` that the part `from` of a request can contain.
fn compare_types(types: &mut Comparison, wide: &dyn Check, narrow: &dyn Check, from: Location) -> Inclusion {
    let included = types.compare_types(wide, narrow);
    if from == Location::WholeBody {
        return included;
    }
    match included {
        Inclusion::Included if reads_texts_alike(wide, narrow) => Inclusion::Included,
        Inclusion::Excluded(Some(value)) if from != Location::Body => text_witness(wide, narrow, value),
        Inclusion::Included => {
            match narrow.boundary_values().into_iter().find_map(|value| match text_witness(wide, narrow, value) {
                Inclusion::Excluded(value) => value,
                _ => None,
            }) {
                Some(value) if from != Location::Body => Inclusion::Excluded(Some(value)),
                _ => Inclusion::Unknown,
            }
        }
        other => other,
    }
}

/// Returns whether the text of a value that only `narrow` accepts is also accepted by this type alone.
fn text_witness(wide: &dyn Check, narrow: &dyn Check, value: Value<'static>) -> Inclusion {
    let text = match &value {
        Value::Text(text) => text.clone().into_owned(),
        Value::Null | Value::File(_) => return Inclusion::Unknown,
        // Lists and objects are read from several fields, or from a field with JSON.
        other => other.to_json().to_string(),
    };
    let accepts = |check: &dyn Check| check.checked(check.decode(Cow::Borrowed(&text))).is_ok();
    if accepts(narrow) && !accepts(wide) { Inclusion::Excluded(Some(value)) } else { Inclusion::Unknown }
}

/// Returns the notation of a type in a definition.
pub(crate) fn type_words(r#type: &ParameterType) -> String {
    let written = &r#type.written;
    let attributes = match written.attributes.is_empty() {
        true => String::new(),
        false => format!(" with {}", Json::Object(written.attributes.clone())),
    };
    /// The maximum number of characters of a type in a message.
    const MAX_LEN: usize = 200;
    let words = format!("`{}`{attributes}", written.term);
    match words.char_indices().nth(MAX_LEN) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words,
    }
}

/// Returns an example of a request of the old definition, with another value of one parameter, or without one.
/// Parameters of which no valid value is known, such as files, are omitted. Returns `None` if the value of the one
/// parameter is not known.
fn request(
    method: &Method,
    with: Option<(&Parameter, Option<&Value<'static>>)>,
    without: Option<&Parameter>,
) -> Option<Json> {
    let mut parameters = Map::new();
    for parameter in &method.parameters {
        let is = |other: &Parameter| std::ptr::eq(other, parameter);
        let example = || parameter.example.clone().or_else(|| Some(parameter.r#type.check.example()?.to_json()));
        let value = match with {
            Some((other, value)) if is(other) => Some(value?.to_json()),
            _ if parameter.optional || without.is_some_and(is) => None,
            _ => example(),
        };
        parameters.extend(value.map(|value| (parameter.request_name().to_owned(), value)));
    }
    Some(json!({ "request": parameters }))
}

fn compare_constraints(old: &Method, new: &Method, changes: &mut Vec<Change>) {
    let in_words = |method: &Method, constraint: &Constraint| constraint.in_words(&|name| method.request_name(name));
    let (old_words, new_words) = (old.constraints_in_words(), new.constraints_in_words());
    for constraint in &old.constraints {
        let words = in_words(old, constraint);
        if !new_words.contains(&words) {
            let message = format!("no longer requires this: {words}");
            changes.push(Change::new(ChangeKind::ConstraintRemoved, message).at(old.span, new.span));
        }
    }
    for constraint in &new.constraints {
        let words = in_words(new, constraint);
        if old_words.contains(&words) {
            continue;
        }
        let witness = [false, true].into_iter().find_map(|is_complete| refused_request(old, constraint, is_complete));
        let kind = if witness.is_some() { ChangeKind::ConstraintAdded } else { ChangeKind::ConstraintChanged };
        let change = Change::new(kind, format!("requires this: {words}")).witness(witness).at(old.span, new.span);
        changes.push(change);
    }
}

/// Returns a request that fulfills the constraints of the old definition, and not this one: with all parameters, or
/// only with those that are required. Returns `None` if this request fulfills it.
fn refused_request(old: &Method, constraint: &Constraint, is_complete: bool) -> Option<Json> {
    let is_used = |parameter: &&Parameter| !parameter.optional || is_complete || parameter.default.is_some();
    let mut values = Vec::new();
    for parameter in old.parameters.iter().filter(is_used) {
        values.push((parameter, parameter.r#type.check.example()?));
    }
    let given = |name: &str| match values.iter().find(|(parameter, _)| parameter.name == name) {
        Some((_, value)) => Given::Value(value),
        None => Given::Absent,
    };
    let is_fulfilled = |constraint: &Constraint| constraint.check(&given, &str::to_owned).is_none();
    if is_fulfilled(constraint) || !old.constraints.iter().all(is_fulfilled) {
        return None;
    }
    let name = |parameter: &Parameter| parameter.request_name().to_owned();
    let members: Map<_, _> = values.iter().map(|(parameter, value)| (name(parameter), value.to_json())).collect();
    Some(json!({ "request": members }))
}
