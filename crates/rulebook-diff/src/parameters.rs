//! Compares the parameters of methods, and the constraints between them.

use std::borrow::Cow;
use std::sync::Arc;

use rulebook_model::Value;
use rulebook_model::call::Source;
use rulebook_model::constraint::{Constraint, Given};
use rulebook_model::model::{Location, Method, Parameter, ParameterType, Segment, Service, UnknownParameters};
use rulebook_model::types::Check;
use serde_json::{Map, Value as Json, json};

use crate::change::{Change, ChangeKind};
use crate::includes::{Comparison, Inclusion, reads_texts_alike};

#[derive(Clone, Copy)]
pub(crate) struct MethodOf<'a> {
    pub(crate) service: &'a Service,
    pub(crate) method: &'a Method,
    /// What the server does with parameters that the method does not define.
    pub(crate) unknown: UnknownParameters,
}

/// The part of a request with a parameter, and its name there. In a path, only the position counts.
#[derive(Debug, PartialEq, Eq)]
struct ParameterKey<'a> {
    part: &'static str,
    name: Cow<'a, str>,
}

impl MethodOf<'_> {
    fn key<'a>(&self, parameter: &'a Parameter) -> ParameterKey<'a> {
        let name = Cow::from(&parameter.key);
        let (part, name) = match parameter.from {
            Location::Path => {
                let is_capture =
                    |segment: &Segment| matches!(segment, Segment::Capture(name) if *name == parameter.key);
                let position = self.service.path.iter().position(is_capture);
                ("path", position.unwrap_or_default().to_string().into())
            }
            Location::Position(position) => ("path", (self.service.path.len() + position).to_string().into()),
            Location::Query => ("query", name),
            Location::Body => ("body", name),
            Location::WholeBody => ("whole body", Cow::default()),
            Location::Any => ("query or body", name),
            Location::Header => ("header", parameter.key.to_ascii_lowercase().into()),
            Location::Cookie => ("cookie", name),
            _ => ("other", name),
        };
        ParameterKey { part, name }
    }

    /// Returns the parameter that reads what `key` names. A parameter of the query or the body reads both.
    fn find(&self, key: &ParameterKey<'_>) -> Option<&Parameter> {
        let find = |key: &ParameterKey<'_>| self.method.parameters.iter().find(|known| self.key(known) == *key);
        find(key).or_else(|| {
            let reads_both = matches!(key.part, "query" | "body");
            find(&ParameterKey { part: "query or body", name: key.name.clone() }).filter(|_| reads_both)
        })
    }
}

/// Returns the name in the old definition of a parameter of the new one. A new parameter has a name that no parameter
/// of the old definition has.
pub(crate) fn name_in_old(old: MethodOf<'_>, new: MethodOf<'_>, name: &str) -> String {
    let is_it = |before: &&Parameter| new.find(&old.key(before)).is_some_and(|after| after.name == name);
    let known = old.method.parameters.iter().find(is_it);
    known.map_or_else(|| format!("new {name}"), |before| before.name.clone())
}

pub(crate) fn compare(old: MethodOf<'_>, new: MethodOf<'_>, types: &mut Comparison, changes: &mut Vec<Change>) {
    for parameter in &old.method.parameters {
        match new.find(&old.key(parameter)) {
            Some(known) => compare_parameter(old, (parameter, known), types, changes),
            None => {
                let is_counted = matches!(parameter.from.source(), Source::Query | Source::Body | Source::Any);
                let is_refused = (new.unknown == UnknownParameters::Refuse && is_counted)
                    || matches!(parameter.from, Location::Position(_));
                let kind = if is_refused { ChangeKind::ParameterRefused } else { ChangeKind::ParameterRemoved };
                let message = format!("no longer reads {}", words(parameter));
                let with_it = request_with(old.method, parameter, parameter.r#type.check.example());
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
        let (kind, presence) = match parameter.optional {
            true => (ChangeKind::ParameterAdded, "is optional"),
            false => (ChangeKind::RequiredParameterAdded, "is required"),
        };
        let message = format!("reads {}, which {presence}", words(parameter));
        let change = Change::new(kind, message).of_parameter(parameter.request_name());
        changes.push(change.witness(request(old.method, None, None)).at(old.method.span, parameter.span));
    }
    compare_constraints(old, new, changes);
}

/// Compares the names of positions, by which requests that name a service in the query or the body contain them.
pub(crate) fn compare_names_of_positions(old: MethodOf<'_>, new: MethodOf<'_>) -> Vec<Change> {
    let positions = old.method.parameters.iter().filter(|parameter| matches!(parameter.from, Location::Position(_)));
    let renamed = positions.filter_map(|before| {
        let after = new.find(&old.key(before)).filter(|after| after.name != before.name)?;
        let message = format!("`{}` is called `{}` in requests that name the service", before.name, after.name);
        let kind = if after.optional { ChangeKind::ParameterRemoved } else { ChangeKind::RequiredParameterAdded };
        let value = before.r#type.check.example().map(|value| value.to_json());
        let change = Change::new(kind, message).witness(json!({ "request": { (before.name.as_str()): value } }));
        Some(change.at(before.span, after.span))
    });
    renamed.collect()
}

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
    let subject = || words(after);
    let mut found = Vec::new();
    if after.is_entity_tag != before.is_entity_tag {
        let meaning = if after.is_entity_tag { "is read as entity tags" } else { "is no longer read as entity tags" };
        found.push(Change::new(ChangeKind::ParameterChanged, format!("{} {meaning}", subject())));
    }
    if before.optional && !after.optional {
        let message = format!("{} is required, and was optional", subject());
        let without_it = request(old.method, None, Some(before));
        found.push(Change::new(ChangeKind::ParameterRequired, message).witness(without_it));
    } else if after.optional && !before.optional {
        let message = format!("{} is optional, and was required", subject());
        found.push(Change::new(ChangeKind::ParameterOptional, message));
    }
    let message = || format!("{} is {}, and was {}", subject(), type_words(&after.r#type), type_words(&before.r#type));
    let checks = (&after.r#type.check, &before.r#type.check);
    let may_be_null = |it: &Parameter| it.optional && !it.r#type.check.refuses_null();
    let compared = match before.from {
        Location::Body | Location::WholeBody if may_be_null(before) && checks.0.refuses_null() => {
            Some(Inclusion::Excluded(Some(Value::Null)))
        }
        _ => compare_types(types, checks, may_be_null(after), before.from),
    };
    match compared.map(|it| sendable(it, (&**checks.0, &**checks.1), before.from)) {
        None => {}
        Some(Inclusion::Included) => found.push(Change::new(ChangeKind::ParameterWidened, message())),
        Some(Inclusion::Excluded(value)) => {
            let refused = request_with(old.method, before, value);
            found.push(Change::new(ChangeKind::ParameterNarrowed, message()).witness(refused));
        }
        Some(Inclusion::Unknown) => found.push(Change::new(ChangeKind::ParameterChanged, message())),
    }
    if before.default != after.default {
        let default = |default: &Option<Json>| default.as_ref().map_or("none".to_owned(), |json| format!("`{json}`"));
        let message = format!(
            "the default of {} is {}, and was {}",
            subject(),
            default(&after.default),
            default(&before.default)
        );
        found.push(Change::new(ChangeKind::DefaultChanged, message));
    }
    let found = found.into_iter().map(|change| change.of_parameter(before.request_name()));
    changes.extend(found.map(|change| change.at(before.type_span, after.type_span)));
}

/// Returns whether the type `wide` accepts every value of `narrow` that the part `from` of a request can contain,
/// except null if the parameter is optional; `None` if both are the same type.
fn compare_types(
    types: &mut Comparison,
    (wide, narrow): (&Arc<dyn Check>, &Arc<dyn Check>),
    is_optional: bool,
    from: Location,
) -> Option<Inclusion> {
    let included = types.compare_types(wide, narrow, is_optional)?;
    if from == Location::WholeBody {
        return Some(included);
    }
    Some(match included {
        Inclusion::Included if reads_texts_alike(types, wide, narrow) => Inclusion::Included,
        Inclusion::Excluded(Some(value)) if from != Location::Body => text_witness(&**wide, &**narrow, value),
        Inclusion::Included => {
            let values = narrow.boundary_values().into_iter().chain([Value::from("null")]);
            match values.into_iter().find_map(|value| match text_witness(&**wide, &**narrow, value) {
                Inclusion::Excluded(value) => value,
                _ => None,
            }) {
                Some(value) if from != Location::Body => Inclusion::Excluded(Some(value)),
                _ => Inclusion::Unknown,
            }
        }
        other => other,
    })
}

/// Replaces a value that only `narrow` accepts, but that no request can contain at this place, by another one.
fn sendable(included: Inclusion, (wide, narrow): (&dyn Check, &dyn Check), from: Location) -> Inclusion {
    let can_be_sent = |value: &Value<'_>| match value {
        Value::Text(text) => match from {
            // Paths have no empty segments.
            Location::Path | Location::Position(_) => !text.is_empty(),
            // RFC 9110 section 5.5, and RFC 6265 section 4.1.1.
            Location::Header => !text.contains(['\0', '\r', '\n']) && text.trim_matches([' ', '\t']) == *text,
            Location::Cookie => !text.contains(|char: char| char.is_ascii_control() || " \",;\\".contains(char)),
            _ => true,
        },
        _ => true,
    };
    match included {
        Inclusion::Excluded(Some(value)) if !can_be_sent(&value) => {
            let is_witness = |value: &Value<'static>| {
                can_be_sent(value) && narrow.checked(value.clone()).is_ok() && wide.checked(value.clone()).is_err()
            };
            let others = narrow.boundary_values().into_iter().chain(narrow.example());
            others
                .chain(wide.boundary_values())
                .find(is_witness)
                .map_or(Inclusion::Unknown, |value| Inclusion::Excluded(Some(value)))
        }
        included => included,
    }
}

/// Returns whether the text of a value that only `narrow` accepts is also accepted by `wide`.
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

pub(crate) fn type_words(r#type: &ParameterType) -> String {
    let written = &r#type.written;
    let attributes = match written.attributes.is_empty() {
        true => String::new(),
        // The number of a backtick in JSON: the attributes are in backticks.
        false => format!(" with `{}`", Json::Object(written.attributes.clone()).to_string().replace('`', "\\u0060")),
    };
    const MAX_LEN: usize = 200;
    let words = format!("`{}`{attributes}", written.term);
    match words.char_indices().nth(MAX_LEN) {
        Some((end, _)) if words[..end].matches('`').count() % 2 == 1 => format!("{}…`", &words[..end]),
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words,
    }
}

/// Returns an example of a request of the old definition, with this value of one parameter. Without a value, it is a
/// file, which JSON cannot contain.
fn request_with(method: &Method, parameter: &Parameter, value: Option<Value<'static>>) -> Json {
    let value = value.map_or_else(|| json!({ "file": type_words(&parameter.r#type) }), |value| value.to_json());
    request(method, Some((parameter, &value)), None)
}

/// Returns an example of a request of the old definition, with another value of one parameter, or without one.
/// Parameters without a known valid value, such as files, are omitted.
fn request(method: &Method, with: Option<(&Parameter, &Json)>, without: Option<&Parameter>) -> Json {
    let mut parameters = Map::new();
    for parameter in &method.parameters {
        let is = |other: &Parameter| std::ptr::eq(other, parameter);
        let example = || parameter.example.clone().or_else(|| Some(parameter.r#type.check.example()?.to_json()));
        let value = match with {
            Some((other, value)) if is(other) => Some(value.clone()),
            _ if parameter.optional || without.is_some_and(is) => None,
            _ => example(),
        };
        parameters.extend(value.map(|value| (parameter.request_name().to_owned(), value)));
    }
    json!({ "request": parameters })
}

/// Compares the constraints of a method. Their parameters are the same if they have the same place in requests.
fn compare_constraints(before: MethodOf<'_>, after: MethodOf<'_>, changes: &mut Vec<Change>) {
    let (old, new) = (before.method, after.method);
    let key = |constraint: &Constraint| constraint.in_words(&|name| name_in_old(before, after, name));
    let old_keys: Vec<String> = old.constraints.iter().map(|it| it.in_words(&str::to_owned)).collect();
    let new_keys: Vec<String> = new.constraints.iter().map(key).collect();
    for (constraint, key) in old.constraints.iter().zip(&old_keys) {
        if !new_keys.contains(key) {
            let words = constraint.in_words(&|name| old.request_name(name));
            let message = format!("no longer requires this: {words}");
            changes.push(Change::new(ChangeKind::ConstraintRemoved, message));
        }
    }
    for (constraint, key) in new.constraints.iter().zip(&new_keys) {
        let words = constraint.in_words(&|name| new.request_name(name));
        let name_in_old = |name: &str| name_in_old(before, after, name);
        if old_keys.contains(key) {
            let is_changed = |name: &&String| changes_values(new, name) != changes_values(old, &name_in_old(name));
            if let Some(name) = constraint.names.iter().find(is_changed).filter(|_| constraint.kind.compares_values()) {
                let message = format!("`after` of `{}` has changed, and so this: {words}", new.request_name(name));
                changes.push(Change::new(ChangeKind::ConstraintChanged, message));
            }
            continue;
        }
        let witness =
            combinations(old).iter().find_map(|given| refused_request(old, (constraint, &name_in_old), given));
        let kind = if witness.is_some() { ChangeKind::ConstraintAdded } else { ChangeKind::ConstraintChanged };
        changes.push(Change::new(kind, format!("requires this: {words}")).witness(witness));
    }
}

/// Returns the functions that change the values of a parameter before they are compared.
fn changes_values(method: &Method, name: &str) -> Option<Json> {
    let parameter = method.parameters.iter().find(|parameter| parameter.name == name)?;
    parameter.r#type.written.attributes.get("after").cloned()
}

/// Returns the combinations of optional parameters with which constraints are tried: none, all, each of them alone, and
/// all but one.
fn combinations(method: &Method) -> Vec<Vec<&Parameter>> {
    let all: Vec<&Parameter> = method.parameters.iter().filter(|parameter| parameter.optional).collect();
    let without = |index: usize| all.iter().enumerate().filter(move |(other, _)| *other != index).map(|(_, it)| *it);
    let each = || 0..all.len();
    let alone = each().map(|index| vec![all[index]]);
    [Vec::new(), all.clone()].into_iter().chain(alone).chain(each().map(|index| without(index).collect())).collect()
}

/// Returns a request with the required and these optional parameters that fulfills the constraints of the old
/// definition, and not this one of the new definition. Returns `None` if this request fulfills it.
fn refused_request(
    old: &Method,
    (constraint, name_in_old): (&Constraint, &dyn Fn(&str) -> String),
    given: &[&Parameter],
) -> Option<Json> {
    let is_given = |parameter: &&Parameter| {
        !parameter.optional || parameter.default.is_some() || given.iter().any(|it| std::ptr::eq(*it, *parameter))
    };
    let mut values = Vec::new();
    for parameter in old.parameters.iter().filter(is_given) {
        values.push((parameter, parameter.r#type.check.example()?));
    }
    let given = |name: &str| match values.iter().find(|(parameter, _)| parameter.name == name) {
        Some((_, value)) => Given::Value(value),
        None => Given::Absent,
    };
    let is_fulfilled = |constraint: &Constraint| constraint.check(&given, &str::to_owned).is_none();
    let is_new_fulfilled = constraint.check(&|name| given(&name_in_old(name)), &str::to_owned).is_none();
    if is_new_fulfilled || !old.constraints.iter().all(is_fulfilled) {
        return None;
    }
    let name = |parameter: &Parameter| parameter.request_name().to_owned();
    let members: Map<_, _> = values.iter().map(|(parameter, value)| (name(parameter), value.to_json())).collect();
    Some(json!({ "request": members }))
}
