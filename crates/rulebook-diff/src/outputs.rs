//! Compares the outputs, statuses and errors of methods.

use std::borrow::Cow;

use rulebook_model::error::ErrorStatus;
use rulebook_model::model::{DeclaredError, Method, Output, OutputPlace};
use serde_json::{Value as Json, json};

use crate::change::{Change, ChangeKind};
use crate::includes::{Comparison, Inclusion};
use crate::parameters::type_words;

/// Compares what successful responses of a method contain.
pub(crate) fn compare(old: &Method, new: &Method, types: &mut Comparison, changes: &mut Vec<Change>) {
    if old.options.download != new.options.download {
        let returns = |method: &Method| if method.options.download { "a file" } else { "outputs" };
        let message = format!("returns {} instead of {}", returns(new), returns(old));
        let witness = json!({ "response": { "returns": returns(new) } });
        changes.push(Change::new(ChangeKind::DownloadChanged, message).witness(witness).at(old.span, new.span));
    }
    compare_statuses(old, new, changes);
    // The status is no part of a response that documents list among the outputs.
    let is_listed = |output: &&Output| output.place != OutputPlace::Status;
    let [old_outputs, new_outputs] =
        [old, new].map(|method| method.outputs.iter().filter(is_listed).collect::<Vec<_>>());
    for output in &old_outputs {
        match new_outputs.iter().find(|known| key(known) == key(output)) {
            Some(known) => changes.extend(compare_output(output, known, types)),
            None => {
                let kind = match output.optional {
                    true => ChangeKind::OptionalOutputRemoved,
                    false => ChangeKind::OutputRemoved,
                };
                let message = format!("no longer returns {}", words(output));
                let witness = json!({ "response": { "without": name(output) } });
                changes.push(Change::new(kind, message).witness(witness).at(output.span, new.span));
            }
        }
    }
    for output in new_outputs.iter().filter(|output| old_outputs.iter().all(|known| key(known) != key(output))) {
        // A body that is one value has other members than a body with outputs.
        let kind = if output.is_whole() { ChangeKind::OutputChanged } else { ChangeKind::OutputAdded };
        changes.push(Change::new(kind, format!("returns {}", words(output))).at(old.span, output.span));
    }
    if let (Some(tag), None) = (&old.options.version, &new.options.version) {
        let message = format!("`{tag}` is no longer the entity tag of responses");
        changes.push(Change::new(ChangeKind::EntityTagRemoved, message).at(old.span, new.span));
    }
    compare_errors(old, new, changes);
}

/// Returns the place of an output in a response.
fn key(output: &Output) -> (bool, Cow<'_, str>) {
    match &output.place {
        OutputPlace::Header(field) => (true, field.name.to_ascii_lowercase().into()),
        _ => (false, Cow::from(&output.name)),
    }
}

fn name(output: &Output) -> &str {
    match &output.place {
        OutputPlace::Header(field) => &field.name,
        _ => &output.name,
    }
}

fn words(output: &Output) -> String {
    match &output.place {
        OutputPlace::Header(field) => format!("the header field `{}`", field.name),
        _ if output.is_whole() => "one value as the whole body".to_owned(),
        _ => format!("the output `{}`", output.name),
    }
}

fn compare_output(old: &Output, new: &Output, comparison: &mut Comparison) -> Vec<Change> {
    let mut changes = Vec::new();
    let subject = || words(old);
    let response = |value: Json| json!({ "response": { (name(new)): value } });
    if new.optional && !old.optional {
        let message = format!("may omit {}", subject());
        let witness = json!({ "response": { "without": name(new) } });
        changes.push(Change::new(ChangeKind::OutputOptional, message).witness(witness));
    } else if old.optional && !new.optional {
        changes.push(Change::new(ChangeKind::OutputRequired, format!("always returns {}", subject())));
    }
    let types = (&old.r#type, &new.r#type);
    let message = || format!("{} is {}, and was {}", subject(), type_words(types.1), type_words(types.0));
    match comparison.compare_types(&types.0.check, &types.1.check, old.optional) {
        None => {}
        Some(Inclusion::Included) => changes.push(Change::new(ChangeKind::OutputNarrowed, message())),
        Some(Inclusion::Excluded(value)) => {
            let witness = value.map(|value| response(value.to_json()));
            changes.push(Change::new(ChangeKind::OutputWidened, message()).witness(witness));
        }
        Some(Inclusion::Unknown) => changes.push(Change::new(ChangeKind::OutputChanged, message())),
    }
    changes.into_iter().map(|change| change.at(old.span, new.span)).collect()
}

fn compare_statuses(old: &Method, new: &Method, changes: &mut Vec<Change>) {
    let statuses = |method: &Method| -> Vec<u16> {
        let options = &method.options;
        std::iter::once(options.status).chain(options.other_statuses.iter().copied()).collect()
    };
    let (old_statuses, new_statuses) = (statuses(old), statuses(new));
    let list = |statuses: &[u16]| statuses.iter().map(u16::to_string).collect::<Vec<_>>().join(" or ");
    let message = || format!("has the status {}, and had {}", list(&new_statuses), list(&old_statuses));
    if let Some(added) = new_statuses.iter().find(|status| !old_statuses.contains(status)) {
        let witness = json!({ "response": { "status": added } });
        changes.push(Change::new(ChangeKind::StatusAdded, message()).witness(witness).at(old.span, new.span));
    } else if old_statuses.iter().any(|status| !new_statuses.contains(status)) {
        changes.push(Change::new(ChangeKind::StatusRemoved, message()).at(old.span, new.span));
    }
}

fn compare_errors(old: &Method, new: &Method, changes: &mut Vec<Change>) {
    fn find<'a>(method: &'a Method, name: &str) -> Option<&'a DeclaredError> {
        method.errors.iter().find(|error| error.name == name)
    }
    for error in &old.errors {
        let code = |status: ErrorStatus| status.get();
        match find(new, &error.name) {
            None => {
                let message = format!("no longer returns the error `{}`", error.name);
                changes.push(Change::new(ChangeKind::ErrorRemoved, message).at(error.span, new.span));
            }
            Some(known) if code(known.status) != code(error.status) => {
                let (status, previous) = (code(known.status), code(error.status));
                let message = format!("the error `{}` has the status {status}, and had {previous}", error.name);
                let witness = json!({ "response": { "error": error.name, "status": status } });
                let change = Change::new(ChangeKind::ErrorStatusChanged, message).witness(witness);
                changes.push(change.at(error.span, known.span));
            }
            Some(known) if known.number != error.number => {
                let number = |number: Option<u32>| number.map_or("none".to_owned(), |number| number.to_string());
                let (number, previous) = (number(known.number), number(error.number));
                let message = format!("the error `{}` has the number {number}, and had {previous}", error.name);
                let witness = json!({ "response": { "error": error.name, "number": known.number } });
                let change = Change::new(ChangeKind::ErrorNumberChanged, message).witness(witness);
                changes.push(change.at(error.span, known.span));
            }
            Some(_) => {}
        }
    }
    for error in new.errors.iter().filter(|error| find(old, &error.name).is_none()) {
        let message = format!("can return the error `{}` with the status {}", error.name, error.status.get());
        changes.push(Change::new(ChangeKind::ErrorAdded, message).at(old.span, error.span));
    }
}
