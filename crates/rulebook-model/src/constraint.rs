//! Constraints between the parameters of a method, or between the fields of an object: for example, that exactly one of
//! two parameters is given, or that one date is before another.
//!
//! A parameter or field is *given* if it has a value other than null.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use crate::call::Value;
use crate::definition::keys::is_comment_key;
use crate::suggest::closest_word;
use crate::types::{AFTER_ATTRIBUTE, Arity, Check, TypeExpr, compare_numbers, is_failed_type};

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

/// The parameters or fields that constraints can name.
pub(crate) struct Subjects {
    /// The parameters or fields, also those with an error.
    pub list: Vec<Subject>,
    /// `false` if some are missing because of an error, so that an unknown name is not a further error.
    pub is_complete: bool,
    /// The help for an unknown name if there are no names.
    pub help_if_empty: &'static str,
}

pub(crate) struct Subject {
    /// The name of the parameter in code, or of the field.
    pub name: String,
    /// `true` if every request or object has a value, because the parameter or field is required or has a default.
    pub is_always_given: bool,
    /// The valid default of a parameter.
    pub default: Option<Value<'static>>,
    /// The check of the values; a [failed type](crate::types::failed_type) if the parameter or field has an error.
    pub check: Arc<dyn Check>,
}

#[derive(Debug)]
pub(crate) struct ConstraintError {
    /// What is wrong.
    pub message: String,
    /// How to fix it.
    pub help: String,
    /// The index of the entry in the list; `None` if the value is not a list.
    pub entry: Option<usize>,
    /// The key or the name in the entry that the error is about; `None` if it is about the whole entry.
    pub part: Option<String>,
}

impl ConstraintError {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into(), entry: None, part: None }
    }

    /// Says which key or name in the entry the error is about.
    fn about(mut self, part: &str) -> Self {
        self.part = Some(part.to_owned());
        self
    }
}

type Parsed<T> = Result<T, Vec<ConstraintError>>;

fn error<T>(message: impl Into<String>, help: impl Into<String>) -> Parsed<T> {
    Err(vec![ConstraintError::new(message, help)])
}

const FORM: &str = "write `[{\"exactly_one\": [\"id\", \"name\"]}]`";

const REQUIRES_FORM: &str = "write `{\"requires\": {\"until\": [\"since\"]}}`";

/// Reads the value of the key `constraints`. A constraint can name the parameters or fields `subjects`. Returns the
/// constraints of the valid entries, and the errors of the others.
pub(crate) fn parse_constraints(json: &Json, subjects: &Subjects) -> (Vec<Constraint>, Vec<ConstraintError>) {
    let Json::Array(entries) = json else {
        return (Vec::new(), vec![ConstraintError::new("`constraints` must be a list of objects", FORM)]);
    };
    let (mut constraints, mut errors) = (Vec::new(), Vec::new());
    for (index, entry) in entries.iter().enumerate() {
        match parse_entry(entry, subjects) {
            Ok(parsed) => constraints.extend(parsed),
            Err(more) => errors.extend(more.into_iter().map(|error| ConstraintError { entry: Some(index), ..error })),
        }
    }
    (constraints, errors)
}

fn parse_entry(entry: &Json, subjects: &Subjects) -> Parsed<Vec<Constraint>> {
    let Json::Object(members) = entry else { return error("a constraint must be an object", FORM) };
    let (message, mut errors) = match read_message(members) {
        Ok(message) => (message, Vec::new()),
        Err(errors) => (None, errors),
    };
    match read_kind_and_names(members) {
        Ok((kind, lists)) => {
            let mut constraints = Vec::with_capacity(lists.len());
            for names in lists {
                match new_constraint(kind, names, message.clone(), subjects) {
                    Ok(constraint) => constraints.push(constraint),
                    Err(more) => errors.extend(more),
                }
            }
            if errors.is_empty() { Ok(constraints) } else { Err(errors) }
        }
        Err(more) => {
            errors.extend(more);
            Err(errors)
        }
    }
}

fn read_message(members: &Map<String, Json>) -> Parsed<Option<String>> {
    match members.get("message") {
        None => Ok(None),
        Some(Json::String(message)) if message.trim().is_empty() => {
            let help = "write the text for clients, or remove `message`";
            Err(vec![ConstraintError::new("the `message` of a constraint is blank", help).about("message")])
        }
        Some(Json::String(message)) => Ok(Some(message.clone())),
        Some(_) => {
            let error =
                ConstraintError::new("the `message` of a constraint must be a string", "write the text for clients");
            Err(vec![error.about("message")])
        }
    }
}

fn read_kind_and_names(members: &Map<String, Json>) -> Parsed<(ConstraintKind, Vec<Vec<String>>)> {
    let keys: Vec<_> = members.keys().filter(|key| *key != "message" && !is_comment_key(key)).collect();
    let [key] = keys.as_slice() else { return error("a constraint has one key besides `message`", FORM) };
    let kinds = ConstraintKind::KEYS;
    let Some((kind, _)) = kinds.iter().find(|(_, name)| name == key) else {
        let names = kinds.map(|(_, name)| name);
        let similar = closest_word(key, names).map(|name| format!("did you mean `{name}`?"));
        let help = similar.unwrap_or_else(|| format!("the constraints are `{}`", names.join("`, `")));
        let error = ConstraintError::new(format!("unknown constraint `{}`", key.escape_debug()), help);
        return Err(vec![error.about(key)]);
    };
    Ok((*kind, read_names(*kind, &members[key.as_str()])?))
}

/// A `requires` has several lists, one for each name that requires others.
fn read_names(kind: ConstraintKind, json: &Json) -> Parsed<Vec<Vec<String>>> {
    let texts = |json: &Json| {
        let items = json.as_array()?.iter();
        items.map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<String>>>()
    };
    let lists = match (kind, json) {
        (ConstraintKind::Requires, Json::Object(members)) => members
            .iter()
            // A name may begin like a comment, and has a list then.
            .filter(|(name, required)| required.is_array() || !is_comment_key(name))
            .map(|(name, required)| Some([name.clone()].into_iter().chain(texts(required)?).collect()))
            .collect::<Option<Vec<Vec<String>>>>(),
        (ConstraintKind::Requires, _) => None,
        _ => texts(json).map(|names| vec![names]),
    };
    match lists {
        Some(lists) if lists.is_empty() => error("`requires` has no names", REQUIRES_FORM),
        Some(lists) => Ok(lists),
        None if kind == ConstraintKind::Requires => {
            error("`requires` must be an object with lists of names", REQUIRES_FORM)
        }
        None => {
            let key = kind.key();
            error(format!("`{key}` must be a list of names"), format!("write `{{\"{key}\": [\"a\", \"b\"]}}`"))
        }
    }
}

fn new_constraint(
    kind: ConstraintKind,
    names: Vec<String>,
    message: Option<String>,
    subjects: &Subjects,
) -> Parsed<Constraint> {
    let key = kind.key();
    let is_pair = matches!(kind, ConstraintKind::Less | ConstraintKind::LessOrEqual);
    if names.len() < 2 || is_pair && names.len() != 2 {
        let count = if is_pair { "two names" } else { "at least two names" };
        return error(format!("`{key}` needs {count}"), "name parameters of the method, or fields of the object");
    }
    if subjects.list.is_empty() && subjects.is_complete {
        let message = format!("`{key}` has the unknown name `{}`", names[0].escape_debug());
        return Err(vec![ConstraintError::new(message, subjects.help_if_empty).about(&names[0])]);
    }
    let mut errors = Vec::new();
    let mut checks = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        if names[..index].contains(name) {
            let message = format!("`{key}` has the name `{}` twice", name.escape_debug());
            errors.push(ConstraintError::new(message, "remove one of them").about(name));
            continue;
        }
        let Some(subject) = subjects.list.iter().find(|subject| subject.name == *name) else {
            errors.extend(unknown_name(key, name, subjects));
            continue;
        };
        if subject.is_always_given && !kind.compares_values() {
            let message = format!("`{name}` in `{key}` always has a value");
            let help = "make it optional with `?`, and without a default";
            errors.push(ConstraintError::new(message, help).about(name));
        }
        if !is_failed_type(&subject.check) {
            checks.push(&subject.check);
        }
    }
    if kind.compares_values() {
        errors.extend(comparison_error(kind, &checks).map(|error| error.about(key)));
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let order = checks.first().filter(|_| is_pair).map(|check| Arc::clone(check));
    let constraint = Constraint { kind, names, message, order };
    match error_of_defaults(&constraint, subjects) {
        Some(error) => Err(vec![error.about(key)]),
        None => Ok(constraint),
    }
}

/// Returns the error of an unknown name, unless the parameter or field can be missing because of another error.
fn unknown_name(key: &str, name: &str, subjects: &Subjects) -> Option<ConstraintError> {
    if !subjects.is_complete {
        return None;
    }
    let known = || subjects.list.iter().map(|subject| subject.name.as_str());
    let help = match closest_word(name, known()) {
        Some(similar) => format!("did you mean `{similar}`?"),
        None => format!("the names are `{}`", known().collect::<Vec<_>>().join("`, `")),
    };
    let message = format!("`{key}` has the unknown name `{}`", name.escape_debug());
    Some(ConstraintError::new(message, help).about(name))
}

/// Failed types are not among `checks`.
fn comparison_error(kind: ConstraintKind, checks: &[&Arc<dyn Check>]) -> Option<ConstraintError> {
    let key = kind.key();
    if checks.iter().any(|check| matches!(check.arity(), Arity::File | Arity::Files)) {
        return Some(ConstraintError::new(format!("`{key}` cannot compare files"), "compare other values"));
    }
    let (first, others) = checks.split_first()?;
    if kind != ConstraintKind::Equal {
        let other = others.first()?;
        return (!are_comparable(&***first, &***other)).then(|| incomparable(key, first, other));
    }
    let other = others.iter().find(|other| are_always_different(&***first, &****other))?;
    let [one, other] = [first, other].map(|check| check.type_expr().term);
    let message = format!("`{key}` cannot compare `{one}` with `{other}`, because their values always differ");
    Some(ConstraintError::new(message, "give both the same type"))
}

fn incomparable(key: &str, one: &Arc<dyn Check>, other: &Arc<dyn Check>) -> ConstraintError {
    let [one, other] = [one, other].map(|check| check.type_expr());
    let format_of = |expr: &TypeExpr| expr.attributes.get("format").cloned();
    let (message, help) = if one.term == other.term && format_of(&one) != format_of(&other) {
        let message = format!("`{key}` cannot compare two values of the type `{}` with different formats", one.term);
        (message, "give both the same `format`, or give none to both")
    } else {
        let message = format!("`{key}` cannot compare `{}` with `{}`", one.term, other.term);
        (message, "name two numbers, or two values of the type `decimal`, `date` or `datetime`")
    };
    ConstraintError::new(message, help)
}

/// Returns `true` if no value of one type equals a value of the other, because each type has values of one other kind.
fn are_always_different(one: &dyn Check, other: &dyn Check) -> bool {
    let kinds = [one, other].map(|check| -> Vec<&'static str> {
        // Functions after a check can return values of any kind.
        let is_converted = check.type_expr().attributes.contains_key(AFTER_ATTRIBUTE);
        let has_one_kind = check.schema().get("type").is_some_and(Json::is_string);
        let values = if is_converted || !has_one_kind { Vec::new() } else { check.boundary_values() };
        values.into_iter().filter_map(|value| check.checked(value).ok()).map(|value| value.kind()).collect()
    });
    let [ones, others] = kinds;
    !ones.is_empty() && !others.is_empty() && ones.iter().all(|kind| !others.contains(kind))
}

fn are_comparable(one: &dyn Check, other: &dyn Check) -> bool {
    let values = |check: &dyn Check| -> Vec<_> {
        check.boundary_values().into_iter().filter_map(|value| check.checked(value).ok()).collect()
    };
    let (firsts, seconds) = (values(one), values(other));
    // Null is not compared.
    let has_order = |check: &dyn Check, a: &Value<'_>, b: &Value<'_>| {
        matches!((a, b), (Value::Null, _) | (_, Value::Null)) || check.compare(a, b).is_some()
    };
    let are_ordered = |first: &Value<'_>| {
        seconds.iter().all(|second| has_order(one, first, second) && has_order(other, second, first))
    };
    !firsts.is_empty() && !seconds.is_empty() && firsts.iter().all(are_ordered)
}

/// Returns the error of a constraint that compares defaults, and that a request without these parameters breaks.
fn error_of_defaults(constraint: &Constraint, subjects: &Subjects) -> Option<ConstraintError> {
    let default = |name: &str| subjects.list.iter().find(|subject| subject.name == name)?.default.as_ref();
    let given = |name: &str| default(name).map_or(Given::Absent, Given::Value);
    let broken = constraint.check(&given, &str::to_owned).filter(|_| constraint.kind.compares_values())?;
    let message = format!("the default of `{}` is not {}", broken.name, broken.expected);
    Some(ConstraintError::new(message, "change a default: the server refuses requests without these parameters"))
}

/// Whether a parameter or a field has a value.
#[derive(Debug, Clone, Copy)]
pub enum Given<'v> {
    /// It has no value, or the value null.
    Absent,
    /// It has this value.
    Value(&'v Value<'v>),
    /// It has a value that is invalid, so that it is not compared with others.
    Invalid,
}

/// The error of values that do not fulfill a constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenConstraint<'c> {
    /// The name of the parameter or field that the error is about.
    pub name: &'c str,
    /// What the constraint requires of it, which can follow the word "expected".
    pub expected: String,
    /// `true` if the parameter or field should have a value and has none.
    pub is_missing: bool,
}

impl Constraint {
    /// Returns the error if the values do not fulfill the constraint. `display` returns the name that clients use.
    pub fn check<'c, 'v>(
        &'c self,
        given: &dyn Fn(&str) -> Given<'v>,
        display: &dyn Fn(&str) -> String,
    ) -> Option<BrokenConstraint<'c>> {
        // A check can convert a value to null, such as the text `null` of a `numeric`.
        let given = |name: &str| match given(name) {
            Given::Value(Value::Null) => Given::Absent,
            given => given,
        };
        let is_given = |name: &&String| !matches!(given(name), Given::Absent);
        let count = self.names.iter().filter(is_given).count();
        let (first, rest) = (&self.names[0], &self.names[1..]);
        let display_all = |names: &[String]| join(&names.iter().map(|name| display(name)).collect::<Vec<_>>());
        let blame = |name: Option<&'c String>, expected: String| {
            let name = name.unwrap_or(first);
            Some(BrokenConstraint { name, expected, is_missing: !is_given(&name) })
        };
        let second_given = || self.names.iter().filter(is_given).nth(1);
        let first_absent = |names: &'c [String]| names.iter().find(|name| !is_given(name));
        match self.kind {
            ConstraintKind::ExactlyOne if count == 1 => None,
            ConstraintKind::ExactlyOne => {
                let expected = format!("exactly one of {}", display_all(&self.names));
                blame(if count == 0 { Some(first) } else { second_given() }, expected)
            }
            ConstraintKind::OneOrMore if count > 0 => None,
            ConstraintKind::OneOrMore => blame(Some(first), format!("at least one of {}", display_all(&self.names))),
            ConstraintKind::OneOrNone if count <= 1 => None,
            ConstraintKind::OneOrNone => blame(second_given(), format!("at most one of {}", display_all(&self.names))),
            ConstraintKind::Together if count == 0 || count == self.names.len() => None,
            ConstraintKind::Together => {
                let expected = format!("{} together, or none of them", display_all(&self.names));
                blame(first_absent(&self.names), expected)
            }
            ConstraintKind::Requires => {
                let missing = first_absent(rest).filter(|_| is_given(&first))?;
                blame(Some(missing), format!("a value, because {} is given", display(first)))
            }
            ConstraintKind::Less | ConstraintKind::LessOrEqual => {
                let (Given::Value(one), Given::Value(other)) = (given(first), given(&rest[0])) else { return None };
                let order = self.compare(one, other)?;
                let is_less = self.kind == ConstraintKind::Less;
                let is_fulfilled = order == Ordering::Less || !is_less && order == Ordering::Equal;
                let relation = if is_less { "less than" } else { "at most" };
                if is_fulfilled { None } else { blame(Some(first), format!("{relation} {}", display(&rest[0]))) }
            }
            ConstraintKind::Equal => {
                let mut values = self.names.iter().filter_map(|name| match given(name) {
                    Given::Value(value) => Some((name, value)),
                    Given::Absent | Given::Invalid => None,
                });
                let (other, expected) = values.next()?;
                let (name, _) = values.find(|(_, value)| !are_equal(value, expected))?;
                blame(Some(name), format!("the same value as {}", display(other)))
            }
        }
    }
}

/// Returns `true` if two values are equal in JSON Schema (section 4.2.2 of its core): the notation of numbers and the
/// order of members make no difference. The last member with a name counts.
fn are_equal(one: &Value<'_>, other: &Value<'_>) -> bool {
    match (one, other) {
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| are_equal(one, other))
        }
        (Value::Map(one), Value::Map(other)) => {
            let [one, other] = [one, other].map(|members| {
                members.iter().map(|(name, value)| (&**name, value)).collect::<BTreeMap<&str, &Value<'_>>>()
            });
            one.len() == other.len()
                && one.iter().all(|(name, one)| other.get(name).is_some_and(|other| are_equal(one, other)))
        }
        _ => one == other || compare_numbers(one, other) == Some(Ordering::Equal),
    }
}
