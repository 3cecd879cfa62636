//! The statements of a definition: their text is split once, and parameters are only ever placeholders in it.

mod order;
mod tokens;

use std::ops::Range;

use rulebook::handler_kind::settings::wrong_value;
use rulebook::handler_kind::{HandlerError, JsonData, JsonNode};
use rulebook_model::span::Span;

use crate::database::Dialect;
use crate::handler_settings::SQL;

use tokens::{SqlTokenError, tokenize};

/// The first words of statements that begin or end a transaction.
const TRANSACTION_WORDS: [&str; 7] = ["begin", "start", "commit", "end", "rollback", "savepoint", "release"];

#[derive(Debug)]
pub(crate) struct Statement {
    /// The string in the definition.
    node: JsonNode,
    /// The ranges of the parameters in the text, in the order of the text, with the index of the parameter's name in
    /// the names of the method.
    parameters: Vec<(Range<usize>, usize)>,
    /// The indexes of the names whose values are a part of a pattern, such as that of `like`.
    pub pattern_names: Vec<usize>,
    /// `true` if the statement contains a `*` that means all columns.
    pub has_open_columns: bool,
    /// `true` if the statement certainly returns a row unless it fails.
    pub returns_row: bool,
    /// `true` if the statement contains the word `returning`.
    pub has_returning: bool,
}

/// The text of a statement with placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rendered {
    pub sql: String,
    /// For each value that is bound, the index of its name in the names of the method.
    pub bound: Vec<usize>,
    /// For each parameter in the order of the text, the index of its value among the bound values.
    pub positions: Vec<usize>,
    /// The ranges of the placeholders in `sql`, and those of the parameters in the definition.
    replaced: Vec<(Range<usize>, Range<usize>)>,
}

impl Statement {
    /// Parses a statement. `index_of` returns the index of a name, or an error without a span.
    pub(crate) fn parse(
        node: &JsonNode,
        dialect: Dialect,
        mut index_of: impl FnMut(&str) -> Result<usize, HandlerError>,
    ) -> Result<Self, Vec<HandlerError>> {
        let JsonData::String(text) = &node.data else { return Err(vec![wrong_value(node, SQL, "a string")]) };
        let tokens = tokenize(text, dialect).map_err(|SqlTokenError { what, range }| {
            let error = HandlerError::new(format!("{what} that begins here is not closed"));
            vec![error.at(node.part(range.start, range.end)).help("add the closing mark")]
        })?;
        let mut errors = Vec::new();
        if let Some(range) = &tokens.second_statement {
            let error = HandlerError::new("a second statement begins here");
            let help = "write a list of statements, which run in one transaction: [\"…\", \"…\"]";
            errors.push(error.at(node.part(range.start, range.end)).help(help));
        }
        let first_word = tokens.words.first().map(|(word, range)| (word.as_str(), range.clone()));
        match first_word {
            None => errors.push(HandlerError::new("the statement is empty").at(node.span)),
            Some((word, range)) if TRANSACTION_WORDS.contains(&word) => {
                let error = HandlerError::new(format!("`{word}` cannot be a statement of a handler"));
                let help = "write a list of statements: they run in one transaction, which is committed after the last";
                errors.push(error.at(node.part(range.start, range.end)).help(help));
            }
            Some(_) => {}
        }
        for range in tokens.order_parameters(text) {
            let error = HandlerError::new("the rows are not ordered by a column that a parameter names");
            let help = "the value of a parameter is the same for all rows; name the columns: `order by case when :order = \
                        'title' then title end, id`";
            errors.push(error.at(node.part(range.start, range.end)).help(help));
        }
        let mut parameters = Vec::new();
        for range in tokens.parameters {
            match index_of(&text[range.start + 1..range.end]) {
                Ok(index) => parameters.push((range, index)),
                Err(error) => errors.push(error.at(node.part(range.start, range.end))),
            }
        }
        let words: Vec<_> = tokens.words.into_iter().map(|(word, _)| word).collect();
        let returns_row = certainly_returns_row(&words);
        let has_returning = words.iter().any(|word| word == "returning");
        if !errors.is_empty() {
            return Err(errors);
        }
        let pattern_names = tokens.in_patterns.iter().map(|index| parameters[*index].1).collect();
        let (node, has_open_columns) = (node.clone(), tokens.has_open_columns);
        Ok(Self { node, parameters, pattern_names, has_open_columns, returns_row, has_returning })
    }

    /// Returns the statement with a placeholder for each parameter. `slot` returns a number by the index of a parameter
    /// in the text and by the index of its name: parameters with the same number share a value. `placeholder` returns
    /// the placeholder of a parameter by the position of its value, from 0, and by the index of the parameter in the
    /// text.
    pub(crate) fn render(
        &self,
        slot: impl Fn(usize, usize) -> usize,
        placeholder: impl Fn(usize, usize) -> String,
    ) -> Rendered {
        let text = self.text();
        let (mut sql, mut slots) = (String::with_capacity(text.len()), Vec::new());
        let (mut bound, mut positions, mut replaced) = (Vec::new(), Vec::new(), Vec::new());
        let mut copied = 0;
        for (index, (range, name)) in self.parameters.iter().enumerate() {
            sql.push_str(&text[copied..range.start]);
            let slot = slot(index, *name);
            let position = slots.iter().position(|known| *known == slot).unwrap_or_else(|| {
                slots.push(slot);
                bound.push(*name);
                slots.len() - 1
            });
            positions.push(position);
            let start = sql.len();
            sql.push_str(&placeholder(position, index));
            replaced.push((start..sql.len(), range.clone()));
            copied = range.end;
        }
        sql.push_str(&text[copied..]);
        Rendered { sql, bound, positions, replaced }
    }

    /// Returns the index of the name of each parameter, in the order of the text.
    pub(crate) fn names(&self) -> impl Iterator<Item = usize> {
        self.parameters.iter().map(|(_, name)| *name)
    }

    pub(crate) fn parameter_span(&self, index: usize) -> Span {
        self.parameters.get(index).map_or(self.node.span, |(range, _)| self.part(range.clone()))
    }

    pub(crate) fn span(&self) -> Span {
        self.node.span
    }

    /// Returns the text of the statement in the definition, without escape sequences.
    pub(crate) fn text(&self) -> &str {
        match &self.node.data {
            JsonData::String(text) => text,
            _ => "",
        }
    }

    pub(crate) fn part(&self, range: Range<usize>) -> Span {
        self.node.part(range.start, range.end)
    }

    /// Returns the span of the word or parameter that is at a byte offset of a rendered statement.
    pub(crate) fn span_at(&self, rendered: &Rendered, offset: usize) -> Span {
        let mut shift = 0_isize;
        for (placeholder, parameter) in &rendered.replaced {
            if placeholder.contains(&offset) {
                return self.part(parameter.clone());
            }
            if placeholder.start > offset {
                break;
            }
            shift = parameter.end as isize - placeholder.end as isize;
        }
        let start = offset.saturating_add_signed(shift);
        let word = self.text().get(start..).unwrap_or_default();
        let len = word.find(|char: char| !char.is_alphanumeric() && char != '_').unwrap_or(word.len());
        self.part(start..start + len.max(1))
    }
}

/// Returns `true` for the two forms of statements that always return a row: a selection without a table and without a
/// condition, and an insertion of values that returns columns.
fn certainly_returns_row(words: &[String]) -> bool {
    let has = |word: &str| words.iter().any(|other| other == word);
    let is_one_of = |list: &[&str]| list.iter().any(|word| has(word));
    match words.first().map(String::as_str) {
        Some("select") => !is_one_of(&["from", "where", "limit", "offset", "having", "except", "intersect"]),
        Some("insert") => has("returning") && has("values") && !is_one_of(&["conflict", "ignore", "select", "where"]),
        _ => false,
    }
}

/// Returns the range of the name that the message of a database contains, such as `titel` in the message
/// "no such column: titel". Returns `None` if the statement does not contain the name.
pub(crate) fn locate(message: &str, sql: &str) -> Option<Range<usize>> {
    let quoted = ['\'', '"', '`'].into_iter().flat_map(|quote| message.split(quote).skip(1).step_by(2));
    let after_colon = message.rsplit_once(": ").map(|(_, name)| name);
    let candidates = after_colon.into_iter().chain(quoted).flat_map(|name| {
        // The whole name, its last part (`note.titel`), and its first word.
        let last = name.rsplit('.').next().unwrap_or(name);
        [name, last, name.split_whitespace().next().unwrap_or(name)]
    });
    candidates.filter(|name| !name.is_empty()).find_map(|name| find_word(sql, name))
}

/// Returns the first place where the text is not a part of a longer word.
fn find_word(sql: &str, word: &str) -> Option<Range<usize>> {
    let is_part = |char: char| char.is_alphanumeric() || char == '_';
    let places = sql.match_indices(word).map(|(start, _)| start..start + word.len());
    let mut words = places.filter(|range| {
        let continues_before = word.starts_with(is_part) && sql[..range.start].ends_with(is_part);
        let continues_after = word.ends_with(is_part) && sql[range.end..].starts_with(is_part);
        !continues_before && !continues_after
    });
    words.next()
}
