//! Removes from a definition what rulebook does not accept, so that the rest of the definition can be served.
//!
//! The definition is checked, and every error is fixed by a change to the text of its file: an unknown type is replaced
//! by a type that accepts every value, a missing description is added, and any other erroneous member is removed. If a
//! permission is erroneous, the whole method is removed, because it would be public without the permission. This is
//! repeated until the definition has no errors. Every change is reported as a warning.

use std::ops::Range;

use jsonc_parser::common::Ranged;
use rulebook_model::compile::CheckedDefinition;
use rulebook_model::definition::dialect_spec::DialectSpec;
use rulebook_model::definition::keys::ancestors::FOREIGN_TYPES;
use rulebook_model::diagnostic::{Diagnostic, DiagnosticCode, Report};

use super::{DefinitionFile, Warning};
use crate::definition::{HTTP_METHODS, Member, members_at, parse, repair_rounds};

struct Change {
    range: Range<usize>,
    replacement: String,
    /// What the change does, as the end of a warning.
    action: String,
}

/// Changes the files of a definition until the definition has no errors. Adds a warning for each change.
pub(super) fn repair(files: &mut [DefinitionFile], warnings: &mut Vec<Warning>) -> Result<CheckedDefinition, Report> {
    repair_rounds(
        files,
        |file| ((&file.name).into(), file.text.clone()),
        |file, text, errors, _| repair_file(file, text, errors, warnings),
    )
}

/// Changes a file so that as many of its errors as possible are fixed. Returns `true` if the file was changed.
fn repair_file(file: &mut DefinitionFile, text: &str, errors: &[&Diagnostic], warnings: &mut Vec<Warning>) -> bool {
    let Some(content) = parse(text) else { return false };
    let mut changes: Vec<Change> = Vec::new();
    let mut removed_items = Vec::new();
    for error in errors {
        let members = members_at(&content, error.span.start as usize);
        let Some((change, member_count)) = change_for(error, &members, text, file.dialect) else { continue };
        let overlaps = |other: &Change| change.range.start < other.range.end && other.range.start < change.range.end;
        // An error in a member that is removed anyway has disappeared in the next round, or is fixed then.
        if changes.iter().any(|other| overlaps(other) || other.range == change.range) {
            continue;
        }
        let path: Vec<String> = members[..member_count].iter().map(|member| member.key.clone()).collect();
        let (origin, line) = file.locate(&path);
        let place = path.iter().filter(|key| *key != "/").map(String::as_str).collect::<Vec<_>>().join(".");
        let message = format!("`{place}`: {}; {}", error.message, change.action);
        warnings.push(Warning { file: origin, line, message });
        if change.replacement.is_empty() {
            removed_items.push(path);
        }
        changes.push(change);
    }
    changes.sort_by_key(|change| std::cmp::Reverse(change.range.start));
    for change in &changes {
        file.text.replace_range(change.range.clone(), &change.replacement);
    }
    for path in removed_items.iter().rev() {
        file.shift_items_after(path);
    }
    !changes.is_empty()
}

/// Returns the change that fixes an error, and the number of members in the path of the changed member. Returns `None`
/// if no change can fix the error.
fn change_for(
    error: &Diagnostic,
    members: &[Member<'_>],
    text: &str,
    dialect: &DialectSpec,
) -> Option<(Change, usize)> {
    let (any, description) = match dialect.name {
        "rules" => ("string", "desc"),
        "methods" => ("mixed", "description"),
        _ => ("any", "info"),
    };
    let innermost = members.last()?;
    match error.code {
        DiagnosticCode::Syntax
        | DiagnosticCode::DuplicateKey
        | DiagnosticCode::UnknownDialect
        | DiagnosticCode::MissingDefinition => None,
        DiagnosticCode::UnknownType | DiagnosticCode::BadTypeArgument if innermost.key == "type" => {
            let range = innermost.value.start()..innermost.value.end();
            let term = text.get(range.clone())?;
            let optional = if term.starts_with("\"?") { "?" } else { "" };
            let (name, hint) = match similar_type(term, dialect) {
                Some(name) => (name, ""),
                None => (any, ": write the type with `Rulebook::add_type`"),
            };
            let change = Change {
                range,
                replacement: format!("\"{optional}{name}\""),
                action: format!("replaced by `{optional}{name}`{hint}"),
            };
            Some((change, members.len() - 1))
        }
        DiagnosticCode::MissingInfo | DiagnosticCode::MissingType => {
            let (key, value) = match error.code {
                DiagnosticCode::MissingInfo => (description, serde_json::Value::from(innermost.key.as_str())),
                _ => ("type", any.into()),
            };
            let after_brace = innermost.value.start() + 1;
            let is_empty = text.get(after_brace..)?.trim_start().starts_with('}');
            let comma = if is_empty { "" } else { "," };
            let replacement = format!(" \"{key}\": {value}{comma}");
            let action = format!("added `\"{key}\": {value}`");
            Some((Change { range: after_brace..after_brace, replacement, action }, members.len()))
        }
        _ => {
            let is_permission = |member: &Member<'_>| {
                let key = member.key.to_ascii_lowercase();
                key.contains("scope") || key.contains("permission")
            };
            let count = if members.iter().any(is_permission) { method_depth(members, dialect)? } else { members.len() };
            let range = members[count - 1].removal.clone();
            Some((Change { range, replacement: String::new(), action: "removed".to_owned() }, count))
        }
    }
}

/// Returns the type that means the same as a type of another framework. `term` is the JSON string with the type.
fn similar_type(term: &str, dialect: &DialectSpec) -> Option<&'static str> {
    let name = term.trim_matches('"').trim_start_matches('?');
    let (known, replacement, _) = FOREIGN_TYPES.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name))?;
    match *known {
        _ if dialect.name != "tree" => None,
        // In the documentation of aicra, `number` is not restricted to integers.
        "number" => Some("float"),
        _ => Some(replacement),
    }
}

/// Returns the number of members in the path of the method that contains a value.
fn method_depth(members: &[Member<'_>], dialect: &DialectSpec) -> Option<usize> {
    if dialect.name != "tree" {
        return (members.len() >= 2).then_some(2);
    }
    let is_method = |member: &Member<'_>| {
        HTTP_METHODS.contains(&member.key.as_str()) || member.key.bytes().all(|byte| byte.is_ascii_digit())
    };
    members.iter().position(is_method).map(|index| index + 1)
}
