//! Reads the settings of a method's handler, as far as they can be checked without a database.

use std::sync::Arc;
use std::time::Duration;

use rulebook::handler_kind::settings::{boolean, choice, seconds, text};
use rulebook::handler_kind::{HandledMethod, HandlerError, JsonMember, JsonNode};
use rulebook_model::suggest::closest_word;

use crate::call::{DownloadContent, Format, Missing, SqlMethod, Step, no_rows_error};
use crate::choice::{CHOOSE, Choice, unused};
use crate::constraint::{ErrorNames, ON_ERROR};
use crate::database::Database;
use crate::names::Names;
use crate::page::{PAGE, PageSettings, key_name};
use crate::result_shape::{ResultShape, Rows};
use crate::settings::{CallLimits, MAIN};
use crate::steps::{StepCompiler, StepSettings, name_page_output, read_missing, read_steps};
use crate::unused::{UNUSED, unused_parameters};

/// The main setting: the statement, or several.
pub(crate) const SQL: &str = "sql";

pub(crate) const SETTINGS: [&str; 18] = [
    "rows",
    "missing",
    CHOOSE,
    PAGE,
    "database",
    "timeout",
    "max_rows",
    "max_bytes",
    "max_file",
    "max_pattern",
    "format",
    "inline",
    "on_unique",
    "on_foreign_key",
    "on_check",
    "on_not_null",
    ON_ERROR,
    UNUSED,
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
    let mut names = Names::new(method, dialect, limits.file);
    let count = errors.len();
    let choices = Choice::read(method, &mut names, &mut errors);
    let has_valid_choices = errors.len() == count;
    let read_page = PageSettings::read(method, &mut names, limits.rows);
    let is_page_valid = read_page.is_ok();
    let page = read_page.map_err(|error| errors.push(error)).ok().flatten();
    let count = errors.len();
    let mut settings = read_steps(method, &mut errors);
    let has_all_steps = errors.len() == count;
    let paged = page.as_ref().and_then(|page| {
        let index = name_page_output(method, page, &mut settings);
        index.map_err(|error| errors.push(error)).ok()
    });
    if let (Some(page), Some(paged)) = (&page, paged) {
        let total = settings[paged].total(page, dialect);
        settings.extend(total);
    }
    let mut compiler = StepCompiler {
        method,
        dialect,
        choices: &choices,
        names: &mut names,
        page: page.as_ref().zip(paged),
        orders: Vec::new(),
        inserted: None,
    };
    let mut steps = Vec::new();
    for (index, step) in settings.iter().enumerate() {
        match compiler.compile(index, step) {
            Ok(step) => steps.push(step),
            Err(found) if has_valid_choices => errors.extend(found),
            // Without a part, what a comment stands for is not known.
            Err(_) => {}
        }
    }
    let inserted = compiler.used_insert(&steps).map_err(|error| errors.push(error)).ok().flatten();
    let orders = compiler.orders;
    let marks = settings.iter().map(|step| &step.text).chain(page.iter().map(|page| &page.by));
    let marks: Vec<_> = marks.flat_map(|text| text.marks(dialect)).collect();
    // A page with errors can have used a choice.
    if is_page_valid {
        errors.extend(unused(&choices, &marks, method.optional_setting(CHOOSE)));
    }
    let download = format(method, &mut errors);
    let is_inline = is_inline(method, download, &mut errors);
    let is_named = settings.iter().any(|step| step.output.is_some());
    if is_named && has_all_steps {
        check_named_outputs(method, &settings, page.as_ref(), download, &mut errors);
    }
    let shape = rows(method, &mut errors).and_then(|rows| {
        let shape = if is_named { Ok(ResultShape::nothing()) } else { ResultShape::new(method.method, rows, download) };
        let span = method.optional_setting("rows").map_or(method.setting(SQL).span, |node| node.span);
        shape.map_err(|error: HandlerError| errors.push(error.at(span))).ok()
    });
    // Another mistake can be the reason for which the handler has no `missing`.
    let is_misspelled = |member: &JsonMember| {
        let key = member.key.value.as_str();
        key != SQL && !SETTINGS.contains(&key) && closest_word(key, ["missing"]).is_some()
    };
    let missing = match is_page_valid && !method.handler.settings.iter().any(is_misspelled) {
        true => missing_of_method(method, shape.as_ref(), &steps, &mut errors),
        false => Missing::Unset,
    };
    let error_names = ErrorNames::read(method, &mut errors);
    let Some(shape) = shape.filter(|_| errors.is_empty()) else { return Err(errors) };
    // A statement with errors can have used any parameter.
    unused_parameters(method, &names.values, &steps, dialect)?;
    let max_len = orders.iter().map(Vec::len).max().unwrap_or_default();
    let keys = (0..max_len).filter_map(|index| names.index_of(&key_name(index)).ok()).collect();
    Ok(SqlMethod {
        database,
        values: names.values,
        choices,
        page: page.map(|page| page.into_page(method, orders, keys)),
        steps,
        inserted,
        missing,
        shape,
        download,
        is_inline,
        file_name: method.method.id.clone(),
        error_names,
        timeout,
        limits,
        span: method.handler.span,
        warnings: std::sync::OnceLock::new(),
        prepared: std::sync::OnceLock::new(),
    })
}

/// Checks that each output comes from one statement, if statements name their outputs.
fn check_named_outputs(
    method: &HandledMethod<'_>,
    steps: &[StepSettings],
    page: Option<&PageSettings>,
    download: Option<DownloadContent>,
    errors: &mut Vec<HandlerError>,
) {
    let setting = method.setting(SQL);
    if download.is_some() {
        let error = HandlerError::new("a download comes from one statement, which has no output").at(setting.span);
        errors.push(error.help("write the statement without the name of an output"));
    }
    if let Some(rows) = method.optional_setting("rows") {
        let error =
            HandlerError::new("the types of the outputs decide how many rows a statement returns").at(rows.span);
        errors.push(error.help("remove `rows`"));
    }
    let named: Vec<_> = steps.iter().filter_map(|step| step.output.as_ref()).collect();
    for (index, output) in named.iter().enumerate() {
        if named[..index].iter().any(|other| other.value == output.value) {
            let message = format!("two statements have the output `{}`", output.value);
            errors.push(HandlerError::new(message).at(output.span).help("remove one of them"));
        }
    }
    for output in method.method.returned_outputs().filter(|output| !output.optional) {
        let is_next = page.is_some_and(|page| page.next == output.name);
        if !is_next && named.iter().all(|name| name.value != output.name) {
            let error = HandlerError::new(format!("no statement has the output `{}`", output.name)).at(setting.span);
            errors.push(error.help("add a statement for it, or make the output optional"));
        }
    }
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

/// Reads `missing` of the whole handler, and requires it for statements that return one row.
fn missing_of_method(
    method: &HandledMethod<'_>,
    shape: Option<&ResultShape>,
    steps: &[Step],
    errors: &mut Vec<HandlerError>,
) -> Missing {
    match method.optional_setting("missing").map(|node| read_missing(method, node)) {
        Some(Ok(missing)) => return missing,
        Some(Err(error)) => errors.push(error),
        None => {
            let is_one = shape.is_some_and(|shape| shape.rows == Rows::One);
            let returns_row = |step: &Step| step.variants.iter().all(|statement| statement.returns_row);
            let is_set = |step: &Step| step.missing != Missing::Unset || returns_row(step);
            let needs_row = |shape: &ResultShape| shape.rows == Rows::One && !shape.is_optional;
            let named = steps.iter().filter(|step| step.shape.as_ref().is_some_and(needs_row) && !is_set(step));
            let last = steps.last().filter(|_| is_one && !steps.iter().any(is_set));
            for statement in named.chain(last).filter_map(|step| step.variants.first()) {
                let message = "the handler has no `missing`: the error of a call for which there is no row";
                let help = "add \"missing\": \"NAME\" with an error that the method declares, or \"missing\": false if the \
                            statement always returns a row";
                let error = match !statement.is_reading && !statement.has_returning {
                    true => no_rows_error(),
                    false => HandlerError::new(message).help(help),
                };
                errors.push(statement.source().locate(error.at(statement.span())));
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

/// Returns whether browsers show the file that the method returns.
fn is_inline(method: &HandledMethod<'_>, download: Option<DownloadContent>, errors: &mut Vec<HandlerError>) -> bool {
    let Some(node) = method.optional_setting("inline") else { return false };
    if download != Some(DownloadContent::File) {
        let error = HandlerError::new("only a file can be shown by browsers").at(node.span);
        errors.push(error.help("add `\"format\": \"file\"`, or remove `inline`"));
    }
    boolean(node, "inline").map_err(|error| errors.push(error)).unwrap_or_default()
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
