//! Reads the settings of a method's handler, as far as they can be checked without a database.

use std::sync::Arc;
use std::time::Duration;

use rulebook::handler_kind::settings::{choice, object, seconds, text, unknown_setting, wrong_value};
use rulebook::handler_kind::{HandledMethod, HandlerError, JsonData, JsonNode};

use crate::call::{DownloadContent, Format, Missing, SqlMethod, Step};
use crate::constraint::{Violations, declared_name};
use crate::database::Database;
use crate::names::Names;
use crate::result_shape::{ResultShape, Rows};
use crate::settings::{CallLimits, MAIN};
use crate::statement::Statement;

/// The main setting: the statement, or a list of statements.
pub(crate) const SQL: &str = "sql";

pub(crate) const SETTINGS: [&str; 13] = [
    "rows",
    "missing",
    "database",
    "timeout",
    "max_rows",
    "max_bytes",
    "max_file",
    "max_pattern",
    "format",
    "on_unique",
    "on_foreign_key",
    "on_check",
    "on_not_null",
];

/// Reads the settings of a method.
pub(crate) fn read_method(
    method: &HandledMethod<'_>,
    databases: &[Arc<Database>],
) -> Result<SqlMethod, Vec<HandlerError>> {
    let mut errors = Vec::new();
    let database = database(method, databases).map_err(|error| vec![error])?;
    let dialect = database.settings.dialect;
    let (timeout, limits) = limits(method, &database, &mut errors);
    let mut names = Names::new(method, limits.file);
    let mut steps = Vec::new();
    for (node, missing) in statements(method, &mut errors) {
        match Statement::parse(node, dialect, |name| names.index_of(name)) {
            Ok(statement) => steps.push(Step { statement, missing }),
            Err(found) => errors.extend(found),
        }
    }
    let download = format(method, &mut errors);
    let shape = rows(method, &mut errors).and_then(|rows| {
        let shape = ResultShape::new(method.method, rows, download);
        let span = method.optional_setting("rows").map_or(method.setting(SQL).span, |node| node.span);
        shape.map_err(|error| errors.push(error.at(span))).ok()
    });
    let missing = read_missing(method, shape.as_ref(), &steps, &mut errors);
    let violations = Violations::read(method, &mut errors);
    let Some(shape) = shape.filter(|_| errors.is_empty()) else { return Err(errors) };
    Ok(SqlMethod {
        database,
        values: names.values,
        steps,
        missing,
        shape,
        download,
        file_name: method.method.id.clone(),
        violations,
        timeout,
        limits,
        span: method.handler.span,
        prepared: std::sync::OnceLock::new(),
    })
}

/// Returns the database that the method names, or the main one.
fn database(method: &HandledMethod<'_>, databases: &[Arc<Database>]) -> Result<Arc<Database>, HandlerError> {
    let find = |name: &str| databases.iter().find(|database| database.settings.name == name).map(Arc::clone);
    let Some(node) = method.optional_setting("database") else {
        let only = || databases.first().filter(|_| databases.len() == 1).map(Arc::clone);
        return find(MAIN).or_else(only).ok_or_else(|| {
            let error = HandlerError::new("the handler must name its database, because there are several");
            error.at(method.handler.span).suggest("", "databases", &database_names(databases))
        });
    };
    let name = text(node, "database")?;
    find(&name.value).ok_or_else(|| {
        let error = HandlerError::new(format!("there is no database `{}`", name.value.escape_debug())).at(name.span);
        error.suggest(&name.value, "databases", &database_names(databases))
    })
}

fn database_names(databases: &[Arc<Database>]) -> Vec<&str> {
    databases.iter().map(|database| database.settings.name.as_str()).collect()
}

/// Returns the nodes of the statements, each with the declared error that its own setting `missing` names.
fn statements<'a>(method: &HandledMethod<'a>, errors: &mut Vec<HandlerError>) -> Vec<(&'a JsonNode, Missing)> {
    let node = method.setting(SQL);
    let items = match &node.data {
        JsonData::Array(items) if items.is_empty() => {
            errors.push(HandlerError::new("the list of statements is empty").at(node.span));
            return Vec::new();
        }
        JsonData::Array(items) => items,
        JsonData::String(_) => return vec![(node, Missing::Unset)],
        _ => {
            errors.push(wrong_value(node, SQL, "a statement or a list of statements"));
            return Vec::new();
        }
    };
    let mut statements = Vec::new();
    for item in items {
        let JsonData::Object(_) = item.data else {
            statements.push((item, Missing::Unset));
            continue;
        };
        let read = || {
            let known = [SQL, "missing"];
            let members = object(item, SQL)?;
            if let Some(member) = members.iter().find(|member| !known.contains(&member.key.value.as_str())) {
                return Err(unknown_setting(&member.key, "a statement", &known));
            }
            let missing = item.member("missing").map(|node| missing(method, node)).transpose()?;
            let sql = item.member(SQL).ok_or_else(|| HandlerError::new("the statement has no `sql`").at(item.span))?;
            Ok((sql, missing.unwrap_or(Missing::Unset)))
        };
        match read() {
            Ok(statement) => statements.push(statement),
            Err(error) => errors.push(error),
        }
    }
    statements
}

fn missing(method: &HandledMethod<'_>, node: &JsonNode) -> Result<Missing, HandlerError> {
    match node.data {
        JsonData::Bool(false) => Ok(Missing::Impossible),
        _ => declared_name(method, node, "missing").map(Missing::Error),
    }
}

/// Reads `missing` of the whole handler, and requires it for a method that returns one row.
fn read_missing(
    method: &HandledMethod<'_>,
    shape: Option<&ResultShape>,
    steps: &[Step],
    errors: &mut Vec<HandlerError>,
) -> Missing {
    match method.optional_setting("missing").map(|node| missing(method, node)) {
        Some(Ok(missing)) => return missing,
        Some(Err(error)) => errors.push(error),
        None => {
            let is_one = shape.is_some_and(|shape| shape.rows == Rows::One);
            let is_set = |step: &Step| step.missing != Missing::Unset || step.statement.returns_row;
            if let Some(last) = steps.last().filter(|_| is_one && !steps.iter().any(is_set)) {
                let message = "the handler has no `missing`: the error of a call for which there is no row";
                let help = "add \"missing\": \"NAME\" with an error that the method declares, or \"missing\": false if the \
                            statement always returns a row";
                errors.push(HandlerError::new(message).at(last.statement.span()).help(help));
            }
        }
    }
    Missing::Unset
}

/// Returns `None` if the setting is wrong, and `Some(None)` if the outputs decide.
fn rows(method: &HandledMethod<'_>, errors: &mut Vec<HandlerError>) -> Option<Option<Rows>> {
    let Some(node) = method.optional_setting("rows") else { return Some(None) };
    let words = [("one", Rows::One), ("many", Rows::Many), ("none", Rows::None)];
    choice(node, "rows", &words).map_err(|error| errors.push(error)).ok().map(Some)
}

/// Returns what a download consists of; `None` if the method returns outputs.
fn format(method: &HandledMethod<'_>, errors: &mut Vec<HandlerError>) -> Option<DownloadContent> {
    let is_download = method.method.options.download;
    let Some(node) = method.optional_setting("format") else {
        return is_download.then_some(DownloadContent::Rows(Format::JsonLines));
    };
    if !is_download {
        let error = HandlerError::new("only a download has a `format`").at(node.span);
        errors.push(error.help("add \"options\": {\"download\": true}, or remove `format`"));
    }
    let words = [
        ("jsonl", DownloadContent::Rows(Format::JsonLines)),
        ("csv", DownloadContent::Rows(Format::Csv)),
        ("file", DownloadContent::File),
    ];
    choice(node, "format", &words).map_err(|error| errors.push(error)).ok()
}

fn limits(method: &HandledMethod<'_>, database: &Database, errors: &mut Vec<HandlerError>) -> (Duration, CallLimits) {
    let settings = &database.settings;
    // The connection is free again before a file is sent, and only after the last row is sent.
    let is_file = method.optional_setting("format").and_then(JsonNode::string).is_some_and(|text| text.value == "file");
    let sends_rows = method.method.options.download && !is_file;
    let mut timeout = if sends_rows { settings.download_timeout } else { settings.timeout };
    let mut limits = settings.limits;
    if let Some(node) = method.optional_setting("timeout") {
        errors.extend(seconds(node, "timeout").map(|seconds| timeout = seconds).err());
    }
    for key in ["max_rows", "max_bytes", "max_file", "max_pattern"] {
        errors.extend(method.optional_setting(key).and_then(|node| limits.set(key, node).err()));
    }
    (timeout, limits)
}
