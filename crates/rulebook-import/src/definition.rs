//! Fixes the errors of a definition, one round after the other, and finds the members of objects in its text.

use std::ops::Range;
use std::path::PathBuf;

use jsonc_parser::ast::Value;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use rulebook_model::compile::{CheckedDefinition, ProgramExtensions, check_definition};
use rulebook_model::definition;
use rulebook_model::diagnostic::{Diagnostic, Report};

/// The maximum number of times that a definition is checked. One check finds most errors of a definition.
const MAX_ROUNDS: usize = 200;

/// The HTTP methods, which are the keys of methods in the dialect `tree`.
pub(crate) const HTTP_METHODS: [&str; 5] = ["GET", "POST", "PUT", "DELETE", "PATCH"];

/// Checks a definition, and lets `fix` change its files, until the definition has no errors. `source` returns the name
/// and the text of a file. `fix` gets a file, its text, its errors, and those of all files; it returns `true` if it has
/// changed the file.
pub(crate) fn repair_rounds<F>(
    files: &mut [F],
    source: impl Fn(&F) -> (PathBuf, String),
    mut fix: impl FnMut(&mut F, &str, &[&Diagnostic], &Report) -> bool,
) -> Result<CheckedDefinition, Report> {
    let mut report = Report::default();
    for _ in 0..MAX_ROUNDS {
        let sources: Vec<(PathBuf, String)> = files.iter().map(&source).collect();
        let bytes = sources.iter().map(|(path, text)| (path.clone(), text.clone().into_bytes())).collect();
        report = match check_definition(definition::read(bytes), ProgramExtensions::default()) {
            Ok(checked) => return Ok(checked),
            Err(report) => report,
        };
        let mut is_changed = false;
        for (index, (file, (_, text))) in files.iter_mut().zip(&sources).enumerate() {
            let of_file = report.diagnostics.iter().filter(|error| error.span.file as usize == index);
            is_changed |= fix(file, text, &of_file.collect::<Vec<_>>(), &report);
        }
        if !is_changed {
            break;
        }
    }
    Err(report)
}

/// The keys and the indexes that lead to a member.
pub(crate) type MemberPath = Vec<String>;

pub(crate) struct Member<'t> {
    /// The key, or the index of an item.
    pub key: String,
    pub value: &'t Value<'t>,
    pub range: Range<usize>,
    /// The bytes to remove from the text if the member is removed: they include a comma.
    pub removal: Range<usize>,
}

pub(crate) fn parse(text: &str) -> Option<Value<'_>> {
    parse_to_ast(text, &CollectOptions::default(), &ParseOptions::default()).ok()?.value
}

pub(crate) fn members_of<'t>(value: &'t Value<'t>) -> Vec<Member<'t>> {
    let parts: Vec<(String, Range<usize>, &Value<'t>)> = match value {
        Value::Object(object) => {
            let members = object.properties.iter();
            members.map(|one| (one.name.as_str().to_owned(), one.start()..one.end(), &one.value)).collect()
        }
        Value::Array(array) => {
            let items = array.elements.iter().enumerate();
            items.map(|(index, item)| (index.to_string(), item.start()..item.end(), item)).collect()
        }
        _ => return Vec::new(),
    };
    let ranges: Vec<Range<usize>> = parts.iter().map(|(_, range, _)| range.clone()).collect();
    let removal = |index: usize| match (ranges.get(index + 1), index.checked_sub(1)) {
        (Some(next), _) => ranges[index].start..next.start,
        (None, Some(previous)) => ranges[previous].end..ranges[index].end,
        (None, None) => ranges[index].clone(),
    };
    let parts = parts.into_iter().enumerate();
    parts.map(|(index, (key, range, value))| Member { key, value, range, removal: removal(index) }).collect()
}

/// Returns the members that contain the byte at `offset`, from the outermost to the innermost.
pub(crate) fn members_at<'t>(value: &'t Value<'t>, offset: usize) -> Vec<Member<'t>> {
    let mut found = Vec::new();
    let mut current = value;
    while let Some(member) = members_of(current).into_iter().find(|member| member.range.contains(&offset)) {
        current = member.value;
        found.push(member);
    }
    found
}

/// Returns the path of the innermost member that contains the byte at `offset`.
pub(crate) fn path_at(value: &Value<'_>, offset: usize) -> MemberPath {
    members_at(value, offset).into_iter().map(|member| member.key).collect()
}
