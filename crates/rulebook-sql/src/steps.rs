//! Reads the statements of a method: one, a list, or an object from outputs to statements.

use rulebook::handler_kind::settings::{object, text, unknown_setting, wrong_value};
use rulebook::handler_kind::{HandledMethod, HandlerError, JsonData, JsonNode};
use rulebook_model::span::{Span, Spanned};

use crate::call::{Missing, Step};
use crate::choice::{Choice, MAX_COMBINATIONS, combination};
use crate::constraint::declared_name;
use crate::database::Dialect;
use crate::handler_settings::SQL;
use crate::names::Names;
use crate::page::{Key, PageSettings, key_name, page_text, total_text};
use crate::result_shape::{ResultShape, item_of};
use crate::statement::{Statement, StatementText};
use crate::statement_file::read_statement_file;
use crate::target::Target;

/// The name of the id of the row that the first `insert` of a list has inserted.
pub(crate) const INSERTED: &str = "inserted";

/// A statement before its fragments are chosen.
pub(crate) struct StepSettings {
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

/// Reads the main setting.
pub(crate) fn read_steps(method: &HandledMethod<'_>, errors: &mut Vec<HandlerError>) -> Vec<StepSettings> {
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

pub(crate) fn read_missing(method: &HandledMethod<'_>, node: &JsonNode) -> Result<Missing, HandlerError> {
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
pub(crate) fn name_page_output(
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
pub(crate) struct StepCompiler<'c, 'm, 'a> {
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
            match self.paged(page, statement, &page.by_with(self.dialect, fragment), compiled.shape.as_ref()) {
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

    /// Returns the statement for the first page, and that for the page after a cursor.
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

    /// Returns how the rows of a statement become an output.
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

    /// Makes the id of the first inserted row a value of the statements that follow.
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
    pub(crate) fn used_insert(&self, steps: &[Step]) -> Result<Option<(usize, usize)>, HandlerError> {
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
