//! Reads constraints from a definition.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::comparison::{comparison_error, error_of_defaults};
use super::{Constraint, ConstraintKind};
use crate::call::Value;
use crate::definition::keys::is_comment_key;
use crate::suggest::closest_word;
use crate::types::{Check, is_failed_type};

/// The parameters or fields that constraints can name.
pub(crate) struct Subjects {
    /// The parameters or fields, also those with an error.
    pub list: Vec<Subject>,
    /// `false` if some are missing because of an error, so that an unknown name is not a further error.
    pub is_complete: bool,
    /// The help for an unknown name if there are no names.
    pub help_if_empty: &'static str,
}

/// A parameter or a field that constraints can name.
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
    pub(super) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
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

/// Returns the names in a constraint. A `requires` has several lists, one for each name that requires others.
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
