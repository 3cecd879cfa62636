//! Reads the settings of a method's handler, as far as they can be checked without a database: its statements, which
//! are one, a list, or an object from outputs to statements, written in the definition or in files.

use std::fs;
use std::io::Read;
use std::path::{Component, Path};
use std::sync::Arc;
use std::time::Duration;

use rulebook::handler_kind::settings::{boolean, choice, object, path, seconds, text, unknown_setting, wrong_value};
use rulebook::handler_kind::{HandledMethod, HandlerError, JsonData, JsonMember, JsonNode};
use rulebook_model::diagnostic::Source;
use rulebook_model::span::{Span, Spanned};
use rulebook_model::suggest::closest_word;

use crate::call::{DownloadContent, Format, Missing, SqlMethod, Step, no_rows_error};
use crate::choice::{CHOOSE, Choice, MAX_COMBINATIONS, combination, unused};
use crate::database::{Database, Dialect};
use crate::errors::{ErrorNames, ON_ERROR, declared_name};
use crate::names::{Names, UNUSED, unused_parameters};
use crate::page::{Key, PAGE, Page, PageSettings, key_name, page_text, total_text};
use crate::result_shape::{ResultShape, Rows, item_of};
use crate::settings::{CallLimits, MAIN};
use crate::statement::{Statement, StatementText};
use crate::value::Target;

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
        page: page.map(|settings| {
            let (method, secret) = (method.method.id.clone(), std::sync::OnceLock::new());
            Page { settings, keys, orders, method, secret }
        }),
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

/// The name of the id of the row that the first `insert` of a list has inserted.
pub(crate) const INSERTED: &str = "inserted";

/// A statement before its fragments are chosen.
struct StepSettings {
    pub text: StatementText,
    missing: Missing,
    /// The output that the rows become; `None` if they become all outputs, or nothing.
    pub output: Option<Spanned<String>>,
}

impl StepSettings {
    /// Returns the statement that counts the rows of all pages of this one, if the page has an output for the number.
    pub(crate) fn total(&self, page: &PageSettings, dialect: Dialect) -> Option<Self> {
        let output = page.total.clone()?;
        Some(Self {
            text: total_text(&self.text, dialect, output.span),
            missing: Missing::Impossible,
            output: Some(output),
        })
    }
}

fn read_steps(method: &HandledMethod<'_>, errors: &mut Vec<HandlerError>) -> Vec<StepSettings> {
    let node = method.setting(SQL);
    let mut steps = Vec::new();
    let mut add = |step: Result<StepSettings, HandlerError>| match step {
        Ok(step) => steps.push(step),
        Err(error) => errors.push(error),
    };
    match &node.data {
        JsonData::Array(items) => items.iter().for_each(|item| add(step(method, item))),
        JsonData::Object(_) if !is_file(node) => {
            let members = object(node, SQL).unwrap_or_default();
            for member in members {
                add(step(method, &member.value).map(|step| StepSettings { output: Some(member.key.clone()), ..step }));
            }
        }
        JsonData::String(_) | JsonData::Object(_) => {
            add(statement_text(method, node).map(|text| StepSettings { text, missing: Missing::Unset, output: None }));
        }
        _ => add(Err(wrong_value(node, SQL, "a statement, or a list or an object of statements"))),
    }
    if steps.is_empty() && errors.is_empty() {
        errors.push(HandlerError::new("the list of statements is empty").at(node.span));
    }
    steps
}

/// Returns `true` for an object that names a file with a statement.
fn is_file(node: &JsonNode) -> bool {
    object(node, SQL).is_ok_and(|members| members.len() == 1 && members[0].key.value == "file")
}

fn step(method: &HandledMethod<'_>, node: &JsonNode) -> Result<StepSettings, HandlerError> {
    if !matches!(node.data, JsonData::Object(_)) || is_file(node) {
        let text = statement_text(method, node)?;
        return Ok(StepSettings { text, missing: Missing::Unset, output: None });
    }
    let known = [SQL, "missing", "output"];
    if let Some(member) = object(node, SQL)?.into_iter().find(|member| !known.contains(&member.key.value.as_str())) {
        return Err(unknown_setting(&member.key, "a statement", &known));
    }
    let missing = node.member("missing").map(|node| read_missing(method, node)).transpose()?;
    let output = node.member("output").map(|node| text(node, "output")).transpose()?;
    let sql = node.member(SQL).ok_or_else(|| HandlerError::new("the statement has no `sql`").at(node.span))?;
    Ok(StepSettings { text: statement_text(method, sql)?, missing: missing.unwrap_or(Missing::Unset), output })
}

fn read_missing(method: &HandledMethod<'_>, node: &JsonNode) -> Result<Missing, HandlerError> {
    match node.data {
        JsonData::Bool(false) => Ok(Missing::Impossible),
        _ => declared_name(method, node, "missing").map(Missing::Error),
    }
}

fn statement_text(method: &HandledMethod<'_>, node: &JsonNode) -> Result<StatementText, HandlerError> {
    match &node.data {
        JsonData::String(_) => Ok(node.into()),
        JsonData::Object(_) if is_file(node) => {
            let file = node.member("file").unwrap_or(node);
            read_statement_file(method, file).map(StatementText::in_file)
        }
        _ => Err(wrong_value(node, SQL, "a string, or an object with a `file`")),
    }
}

/// Gives the rows of a page their output, unless the setting does: the only output that is an array.
fn name_page_output(
    method: &HandledMethod<'_>,
    page: &PageSettings,
    steps: &mut [StepSettings],
) -> Result<usize, HandlerError> {
    let outputs = method.method.returned_outputs();
    let arrays: Vec<_> = outputs.filter(|output| item_of(output).is_some()).collect();
    let [array] = arrays[..] else {
        let message = format!("a page is one output that is an array, but the method has {}", arrays.len());
        return Err(HandlerError::new(message).at(page.span).help("declare one output of the type `array<…>`"));
    };
    if steps.iter().all(|step| step.output.is_none())
        && let Some(last) = steps.last_mut()
    {
        last.output = Some(Spanned::new(array.name.clone(), last.text.span()));
    }
    let is_paged = |step: &StepSettings| step.output.as_ref().is_some_and(|output| output.value == array.name);
    steps.iter().position(is_paged).ok_or_else(|| {
        HandlerError::new(format!("no statement has the output `{}`, which is the page", array.name)).at(page.span)
    })
}

/// Compiles the statements of a method: each for all combinations of the fragments in it.
struct StepCompiler<'c, 'm, 'a> {
    pub method: &'c HandledMethod<'a>,
    pub dialect: Dialect,
    pub choices: &'c [Choice],
    pub names: &'c mut Names<'m, 'a>,
    /// The page, and the index of its statement.
    pub page: Option<(&'c PageSettings, usize)>,
    /// The keys of the page for each combination.
    pub orders: Vec<Vec<Key>>,
    /// The statement and the value of the first inserted row.
    pub inserted: Option<(usize, usize)>,
}

impl StepCompiler<'_, '_, '_> {
    pub(crate) fn compile(&mut self, index: usize, step: &StepSettings) -> Result<Step, Vec<HandlerError>> {
        let page = self.page.filter(|(_, paged)| *paged == index).map(|(page, _)| page);
        let mut marks = step.text.marks(self.dialect);
        marks.extend(page.iter().flat_map(|page| page.by.marks(self.dialect)));
        let is_used = |choice: &&Choice| marks.contains(&choice.name);
        let used: Vec<_> = self.choices.iter().filter(is_used).collect();
        let combinations = used.iter().try_fold(1_usize, |count, choice| count.checked_mul(choice.len()));
        let Some(combinations) = combinations.filter(|count| *count <= MAX_COMBINATIONS) else {
            let error =
                HandlerError::new(format!("the statement has more than {MAX_COMBINATIONS} combinations of parts"));
            let help = "all of them are prepared at start: choose fewer parts, or write `case` in the statement";
            return Err(vec![step.text.locate(error.at(step.text.span()).help(help))]);
        };
        let shape =
            step.output.as_ref().map(|output| self.shape_of(output)).transpose().map_err(|error| vec![error])?;
        let mut compiled = Step {
            variants: Vec::new(),
            choices: self.choices.iter().enumerate().filter(|(_, choice)| is_used(choice)).map(|(i, _)| i).collect(),
            missing: step.missing.clone(),
            shape,
            is_paged: page.is_some(),
        };
        let mut errors = Vec::new();
        for combination in (0..combinations).map(|index| combination(&used, index)) {
            let fragment = |name: &str| {
                let position = used.iter().position(|choice| choice.name == name)?;
                Some(used[position].fragment(combination[position]))
            };
            let text = step.text.with_fragments(self.dialect, fragment);
            let statement = self.parse(text);
            let (Some(page), Ok(statement)) = (page, &statement) else {
                match statement {
                    Ok(statement) => compiled.variants.push(statement),
                    Err(found) => errors.extend(found),
                }
                continue;
            };
            match self.paged(page, statement, &page.by.with_fragments(self.dialect, fragment), compiled.shape.as_ref())
            {
                Ok(variants) => compiled.variants.extend(variants),
                Err(found) => errors.extend(found),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        self.note_insert(index, &compiled);
        Ok(compiled)
    }

    fn parse(&mut self, text: StatementText) -> Result<Statement, Vec<HandlerError>> {
        let (names, dialect) = (&mut *self.names, self.dialect);
        let mut parse = |text| Statement::parse(text, dialect, |name| names.index_of(name));
        let mut statement = parse(text)?;
        if dialect == Dialect::Sqlite {
            // Without parameters, a search is valid or not when the program starts.
            let checks = statement.search_texts().filter_map(|text| parse(text).ok());
            statement.checks = checks.filter(|check| check.names().next().is_some()).collect();
        }
        Ok(statement)
    }

    fn paged(
        &mut self,
        page: &PageSettings,
        statement: &Statement,
        by: &StatementText,
        shape: Option<&ResultShape>,
    ) -> Result<[Statement; 2], Vec<HandlerError>> {
        let mut keys = page.keys(by).map_err(|error| vec![error])?;
        for key in &mut keys {
            key.accepts_null = shape.is_none_or(|shape| shape.accepts_null(&key.column));
        }
        let outer = statement.outer_words(self.dialect);
        let next_is =
            |index: usize, words: &[&str]| outer.get(index + 1).is_some_and(|(next, _)| words.contains(&&**next));
        let has_distinct_on = outer.windows(2).any(|pair| pair[0].0 == "distinct" && pair[1].0 == "on");
        let misplaced = outer.iter().enumerate().find(|(index, (word, range))| match word.as_str() {
            // Columns can have these names, too.
            "limit" | "offset" => {
                let next = statement.text()[range.end..].trim_start().chars().next();
                next.is_some_and(|next| next.is_ascii_digit() || matches!(next, ':' | '('))
            }
            "fetch" => next_is(*index, &["first", "next"]),
            "order" => !has_distinct_on && next_is(*index, &["by"]),
            _ => false,
        });
        if let Some((_, (word, range))) = misplaced {
            let error = HandlerError::new(format!("the statement of a page has its own `{word}`"));
            let help = "remove it, because `page` orders the rows and limits their number; or put the statement into \
                        `select * from (…) as t`";
            let error = error.at(statement.part(range.clone())).help(help);
            return Err(vec![statement.source().locate(error)]);
        }
        for index in 0..keys.len() {
            if self.names.index_of(&key_name(index)).is_err() {
                self.names.computed(&key_name(index), Target::Any);
            }
        }
        let mut variant = |has_cursor| {
            let inner = 0..statement.end;
            let text = page_text(statement.source(), inner, &keys, has_cursor, self.dialect, page.span);
            let mut parsed = self.parse(text)?;
            parsed.has_open_columns = statement.has_open_columns;
            parsed.page_keys = keys.iter().map(|key| key.column.clone()).collect();
            Ok::<_, Vec<HandlerError>>(parsed)
        };
        let variants = [variant(false)?, variant(true)?];
        self.orders.push(keys);
        Ok(variants)
    }

    fn shape_of(&self, name: &Spanned<String>) -> Result<ResultShape, HandlerError> {
        let outputs: Vec<_> = self.method.method.returned_outputs().collect();
        let output = outputs.iter().copied().find(|output| output.name == name.value);
        let output = output.filter(|output| !output.is_whole() || outputs.len() == 1);
        output.map(ResultShape::of_output).ok_or_else(|| {
            let known: Vec<_> = outputs.iter().map(|output| output.name.as_str()).collect();
            let error = HandlerError::new(format!("the method has no output `{}`", name.value.escape_debug()));
            error.at(name.span).suggest(&name.value, "outputs", &known)
        })
    }

    fn note_insert(&mut self, index: usize, step: &Step) {
        let Some(statement) = step.variants.first().filter(|statement| statement.is_insert) else { return };
        let is_parameter = self.method.method.parameters.iter().any(|parameter| parameter.name == INSERTED);
        if self.inserted.is_none() && !is_parameter {
            // The first returned column need not be a number.
            let target = if statement.has_returning { Target::Any } else { Target::Integer };
            self.inserted = Some((index, self.names.computed(INSERTED, target)));
        }
    }

    /// Returns the statement and the value of the inserted row if a statement uses its id.
    fn used_insert(&self, steps: &[Step]) -> Result<Option<(usize, usize)>, HandlerError> {
        let Some((index, value)) = self.inserted else { return Ok(None) };
        let using = steps.iter().flat_map(|step| &step.variants).find_map(|statement| {
            let parameter = statement.names().position(|name| name == value)?;
            Some((statement, statement.parameter_span(parameter)))
        });
        let Some((using, span)): Option<(&Statement, Span)> = using else { return Ok(None) };
        let returns = steps.get(index).is_some_and(|step| step.variants.iter().all(|insert| insert.has_returning));
        if self.dialect == Dialect::Postgres && !returns {
            let error = HandlerError::new("PostgreSQL does not report the id of an inserted row").at(span);
            return Err(using.source().locate(error.help("add `returning id` to the `insert`")));
        }
        Ok(Some((index, value)))
    }
}

const MAX_FILE_BYTES: u64 = 1 << 20;
const MAX_LISTED_FILES: usize = 10;

/// Reads the file that a setting names, which is in the folder that contains the folder of the definition.
fn read_statement_file(method: &HandledMethod<'_>, node: &JsonNode) -> Result<Source, HandlerError> {
    let file = path(node, "file", method.api)?.value;
    let written = node.string().map(|text| text.value).unwrap_or_default();
    let error = |message: String| HandlerError::new(message).at(node.span);
    let root = method.api.path("");
    let root = if root.as_os_str().is_empty() { Path::new(".").to_owned() } else { root };
    let is_inside =
        Path::new(&written).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
            && match (root.canonicalize(), file.canonicalize()) {
                (Ok(root), Ok(file)) => file.starts_with(root),
                // Opening the file reports the error.
                _ => true,
            };
    if !is_inside {
        let error = error(format!("the file `{}` is not in the folder of the project", written.escape_debug()));
        return Err(error.help("write the path of a file in the folder that contains the folder of the definition"));
    }
    if !file.is_file() {
        let error = error(format!("there is no file `{}`", file.display()));
        return Err(error.help(files_near(&file)));
    }
    let unreadable =
        |reason: &dyn std::fmt::Display| error(format!("the file `{}` cannot be read: {reason}", file.display()));
    let mut bytes = Vec::new();
    let opened = fs::File::open(&file).and_then(|opened| opened.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes));
    opened.map_err(|reason| unreadable(&reason))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(unreadable(&format_args!("it has more than {MAX_FILE_BYTES} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|_| unreadable(&"it is not UTF-8"))?;
    Ok(Source::new(file, text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned()))
}

fn files_near(file: &Path) -> String {
    let folder = file.parent().unwrap_or(file);
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = folder.read_dir() else { return format!("there is no folder `{}`", folder.display()) };
    let mut names: Vec<_> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.retain(|name| name.ends_with(".sql"));
    names.sort();
    let requested = file.file_name().unwrap_or_default().to_string_lossy();
    let closest =
        closest_word(&requested, names.iter().map(String::as_str)).map(|name| format!("did you mean `{name}`? "));
    let others = if names.len() > MAX_LISTED_FILES { ", …" } else { "" };
    let listed: Vec<_> = names.iter().take(MAX_LISTED_FILES).map(|name| format!("`{name}`")).collect();
    let listed = if listed.is_empty() { "no SQL files".to_owned() } else { listed.join(", ") };
    format!("{}the folder `{}` has {listed}{others}", closest.unwrap_or_default(), folder.display())
}
