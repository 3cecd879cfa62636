//! The statements of a definition: their text, which is written in a string of the definition or in a file, is split
//! once, and parameters are only ever placeholders in it.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use rulebook::handler_kind::{HandlerError, JsonData, JsonNode};
use rulebook_model::diagnostic::Source;
use rulebook_model::span::Span;

use crate::database::Dialect;
use crate::tokens::{SqlTokenError, is_comment, is_name_part, marks, name_end, skipped, skipped_parts, tokenize};

/// The first words of statements that begin or end a transaction.
const TRANSACTION_WORDS: [&str; 7] = ["begin", "start", "commit", "end", "rollback", "savepoint", "release"];

/// The first words of statements that read.
const READING_WORDS: [&str; 4] = ["select", "with", "values", "table"];
/// The words of statements that write, or lock rows.
const WRITING_WORDS: [&str; 6] = ["insert", "update", "delete", "merge", "into", "share"];

#[derive(Debug)]
pub(crate) struct Statement {
    text: StatementText,
    /// The ranges of the parameters in the text, in the order of the text, with the index of the parameter's name in
    /// the names of the method.
    parameters: Vec<(Range<usize>, usize)>,
    /// The indexes of the names whose values are a part of a pattern, such as that of `like`.
    pub pattern_names: Vec<usize>,
    /// The indexes of the names whose values are a part of a full-text search.
    pub search_names: Vec<usize>,
    /// The words before each `match`, and the expression after it.
    searches: Vec<(Range<usize>, Range<usize>)>,
    /// `true` if the statement contains a `*` that means all columns.
    pub has_open_columns: bool,
    /// `true` if the statement certainly returns a row unless it fails.
    pub returns_row: bool,
    pub has_returning: bool,
    pub is_insert: bool,
    /// `true` if the statement only reads, unless a function in it writes.
    pub is_reading: bool,
    /// The end of the statement in its text, without a semicolon.
    pub end: usize,
    /// In SQLite, the statements that only check the searches in this one.
    pub checks: Vec<Statement>,
    /// The columns that order the rows of a page.
    pub page_keys: Vec<String>,
}

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
        text: StatementText,
        dialect: Dialect,
        mut index_of: impl FnMut(&str) -> Result<usize, HandlerError>,
    ) -> Result<Self, Vec<HandlerError>> {
        let at = |error: HandlerError, range: Range<usize>| text.locate(error.at(text.part(range)));
        let tokens = tokenize(text.as_str(), dialect).map_err(|SqlTokenError { what, range }| {
            let error = HandlerError::new(format!("{what} that begins here is not closed"));
            vec![at(error.help("add the closing mark"), range)]
        })?;
        let mut errors = Vec::new();
        if let Some(range) = &tokens.second_statement {
            let error = HandlerError::new("a second statement begins here");
            let help = "write a list of statements, which run in one transaction: [\"…\", \"…\"]";
            errors.push(at(error.help(help), range.clone()));
        }
        let first_word = tokens.words.first().map(|(word, range)| (word.as_str(), range.clone()));
        match first_word {
            None => errors.push(text.locate(HandlerError::new("the statement is empty").at(text.span()))),
            Some((word, range)) if TRANSACTION_WORDS.contains(&word) => {
                let error = HandlerError::new(format!("`{word}` cannot be a statement of a handler"));
                let help = "write a list of statements: they run in one transaction, which is committed after the last";
                errors.push(at(error.help(help), range));
            }
            Some(_) => {}
        }
        for range in tokens.order_parameters(text.as_str()) {
            let error = HandlerError::new("the rows are not ordered by a column that a parameter names");
            let help = "the value of a parameter is the same for all rows; list the orders in `choose`: `order by \
                        /*order*/` with `\"choose\": {\"order\": {\"title\": \"title, id\"}}`";
            errors.push(at(error.help(help), range.clone()));
        }
        let mut parameters = Vec::new();
        for range in tokens.parameters {
            match index_of(&text.as_str()[range.start + 1..range.end]) {
                Ok(index) => parameters.push((range, index)),
                Err(error) => errors.push(at(error, range)),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let words: Vec<_> = tokens.words.into_iter().map(|(word, _)| word).collect();
        let has = |word: &str| words.iter().any(|other| other == word);
        let names_of = |indexes: Vec<usize>| indexes.into_iter().map(|index| parameters[index].1).collect();
        let (pattern_names, search_names) = (names_of(tokens.in_patterns), names_of(tokens.in_searches));
        Ok(Self {
            pattern_names,
            search_names,
            searches: tokens.searches,
            has_open_columns: tokens.has_open_columns,
            returns_row: certainly_returns_row(&words),
            has_returning: has("returning"),
            is_insert: words.first().is_some_and(|word| word == "insert" || (word == "with" && has("insert"))),
            is_reading: words.first().is_some_and(|word| READING_WORDS.contains(&word.as_str()))
                && !WRITING_WORDS.into_iter().any(has),
            end: tokens.end,
            checks: Vec::new(),
            page_keys: Vec::new(),
            text,
            parameters,
        })
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
        self.parameters.get(index).map_or(self.span(), |(range, _)| self.part(range.clone()))
    }

    pub(crate) fn span(&self) -> Span {
        self.text.span()
    }

    /// Returns the text of the statement in the definition, without escape sequences.
    pub(crate) fn text(&self) -> &str {
        self.text.as_str()
    }

    /// Returns the words outside of parentheses, in lower case, with their ranges.
    pub(crate) fn outer_words(&self, dialect: Dialect) -> Vec<(String, Range<usize>)> {
        let words = tokenize(self.text(), dialect).map(|tokens| tokens.words).unwrap_or_default();
        let outer = visible_chars(self.text(), dialect).filter(|(.., depth)| *depth == 0);
        let outer: HashSet<_> = outer.map(|(at, ..)| at).collect();
        words.into_iter().filter(|(_, range)| outer.contains(&range.start)).collect()
    }

    /// Returns the words that a condition compares, in lower case; `true` for those that it compares by `=`.
    pub(crate) fn compared_words(&self, dialect: Dialect) -> Vec<(String, bool)> {
        let text = self.text();
        let words = tokenize(text, dialect).map(|tokens| tokens.words).unwrap_or_default();
        let is_begin = |(word, _): &(String, _)| matches!(word.as_str(), "where" | "on" | "having" | "using");
        let begin = words.iter().position(is_begin).unwrap_or(words.len());
        let compared = words[begin..].iter().filter_map(|(word, range)| {
            let (before, after) = (text[..range.start].trim_end(), text[range.end..].trim_start());
            // The name of a table can precede that of the column.
            let before = before.trim_end_matches(|char: char| char == '.' || is_name_part(char)).trim_end();
            let marks = ['=', '<', '>'];
            let follows = ["between ", "in ", "in(", "like "].iter().any(|word| after.to_lowercase().starts_with(word));
            let is_compared = after.starts_with(marks) || before.ends_with(marks) || follows;
            let is_equal = after.starts_with('=')
                || (before.ends_with('=') && !before.trim_end_matches('=').ends_with(['<', '>', '!']));
            is_compared.then(|| (word.clone(), is_equal))
        });
        compared.collect()
    }

    /// Returns the columns, in lower case, to which an `insert … values` or an `update` assigns, and their expressions.
    pub(crate) fn assignments(&self, dialect: Dialect) -> Vec<(String, String)> {
        let text = self.text();
        let words = self.outer_words(dialect);
        let after = |word: &str| words.iter().find(|(found, _)| found == word).map(|(_, range)| range.end);
        let column = |name: &str| name.trim().trim_matches(['"', '`', '[', ']']).to_lowercase();
        if let (Some(into), Some(values)) = (after("into"), after("values")) {
            let inside = |from: usize| {
                let begin = text[from..].find('(').map_or(text.len(), |at| from + at + 1);
                let list = split_outside(&text[begin..], dialect, ')').into_iter().next().unwrap_or_default();
                split_outside(list, dialect, ',')
            };
            return inside(into).into_iter().map(column).zip(inside(values).into_iter().map(trimmed)).collect();
        }
        let (Some(set), Some("update")) = (after("set"), words.first().map(|(word, _)| word.as_str())) else {
            return Vec::new();
        };
        let is_end = |(word, range): &&(String, Range<usize>)| {
            range.start > set && matches!(word.as_str(), "where" | "returning" | "from" | "order" | "limit")
        };
        let end = words.iter().find(is_end).map_or(text.len(), |(_, range)| range.start);
        let parts = split_outside(&text[set..end], dialect, ',').into_iter();
        parts.filter_map(|part| part.split_once('=')).map(|(name, value)| (column(name), trimmed(value))).collect()
    }

    /// Returns `true` if the statement names a column, in lower case, as such where it lists its columns, or lists all.
    pub(crate) fn returns_column(&self, name: &str) -> bool {
        let text = self.text().to_lowercase();
        let lists = |part: &str| {
            let before =
                part.trim_end_matches(|char: char| char == '.' || char == '"' || char == '`' || is_name_part(char));
            let before = before.trim_end();
            before.ends_with(',') || ["select", "distinct", "returning"].iter().any(|word| before.ends_with(word))
        };
        text.contains('*')
            || text.match_indices(name).any(|(at, _)| {
                let is_whole = !text[at + name.len()..].starts_with(is_name_part);
                is_whole && !text[..at].ends_with(is_name_part) && lists(&text[..at])
            })
    }

    pub(crate) fn part(&self, range: Range<usize>) -> Span {
        self.text.part(range)
    }

    /// Returns statements that search in the full-text tables of this one with its searches. They fail if a search is
    /// not valid, also if this statement evaluates none, because it finds no rows to compare.
    pub(crate) fn search_texts(&self) -> impl Iterator<Item = StatementText> {
        self.searches.iter().map(|(table, search)| {
            let table = &self.text()[table.clone()];
            let before = format!("select 1 from {table} where {table} match (");
            self.text.enclosed(&before, search.clone(), "\n) limit 1", self.span())
        })
    }

    /// Returns the help for an author who has written `:name` in quotes or in a comment, where it is not a parameter.
    pub(crate) fn help_for_quoted(&self, name: &str, dialect: Dialect) -> Option<String> {
        let parts = skipped_parts(self.text(), dialect);
        let part =
            parts.into_iter().find(|part| find_word(&self.text()[part.clone()], &format!(":{name}")).is_some())?;
        Some(match is_comment(self.text(), part.start) {
            true => format!("`:{name}` in a comment is not a parameter: write it outside of the comment"),
            false => format!("`:{name}` in quotes is text: write it outside of them, as in `'%' || :{name} || '%'`"),
        })
    }

    /// Returns the texts in double quotes that stand where a value does: after a mark, or after a word other than the
    /// end of an expression, which an alias follows.
    pub(crate) fn quoted_names(&self) -> Vec<(String, Range<usize>)> {
        let text = self.text();
        let parts = skipped_parts(text, Dialect::Sqlite).into_iter().filter(|part| text[part.clone()].starts_with('"'));
        let is_value = |part: &Range<usize>| {
            let before = text[..part.start].trim_end();
            let word = before.rsplit(|char: char| !is_name_part(char)).next().unwrap_or_default().to_lowercase();
            before.ends_with(['=', '<', '>', '(', ',', '|', '+']) || VALUE_WORDS.contains(&&*word)
        };
        parts.filter(is_value).map(|part| (text[part.clone()].trim_matches('"').to_owned(), part)).collect()
    }

    pub(crate) fn source(&self) -> &StatementText {
        &self.text
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
        let len = self.text().get(start..).map_or(0, |word| name_end(word, 0));
        self.part(start..start + len.max(1))
    }
}

fn trimmed(text: &str) -> String {
    text.trim().to_owned()
}

/// Returns the characters outside of quotes and comments, each with its offset and the number of open parentheses
/// before it.
fn visible_chars(text: &str, dialect: Dialect) -> impl Iterator<Item = (usize, char, usize)> {
    let skipped = skipped_parts(text, dialect);
    let visible = text.char_indices().filter(move |(at, _)| !skipped.iter().any(|range| range.contains(at)));
    visible.scan(0_usize, |open, (at, char)| {
        let depth = *open;
        match char {
            '(' => *open += 1,
            ')' => *open = open.saturating_sub(1),
            _ => {}
        }
        Some((at, char, depth))
    })
}

/// Splits a text at a character outside of parentheses, quotes and comments.
fn split_outside(text: &str, dialect: Dialect, separator: char) -> Vec<&str> {
    let (mut parts, mut start) = (Vec::new(), 0);
    for (at, char, _) in visible_chars(text, dialect).filter(|(_, char, depth)| *char == separator && *depth == 0) {
        parts.push(&text[start..at]);
        start = at + char.len_utf8();
    }
    parts.push(&text[start..]);
    parts
}

/// The words of SQL after which a value follows.
const VALUE_WORDS: [&str; 9] = ["and", "between", "else", "like", "not", "or", "select", "then", "when"];

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

/// The words of several statements outside of quotes and comments, in lower case; `None` if a quote has no end.
pub(crate) fn words(sql: &str, dialect: Dialect) -> Option<Vec<String>> {
    Some(tokenize(sql, dialect).ok()?.words.into_iter().map(|(word, _)| word).collect())
}

/// The same with the names in quotes, which otherwise are no words; empty if a quote has no end.
pub(crate) fn unquoted_words(sql: &str, dialect: Dialect) -> Vec<String> {
    words(&sql.replace(['"', '`'], ""), dialect).unwrap_or_default()
}

/// Returns the conditions in parentheses after each word `check`.
pub(crate) fn check_conditions(sql: &str, dialect: Dialect) -> Vec<String> {
    let condition = |from: usize| {
        let rest = &sql[from..];
        let (end, ..) = visible_chars(rest, dialect).find(|(_, mark, depth)| *mark == ')' && *depth <= 1)?;
        Some(rest[..end].trim_start().trim_start_matches('(').to_owned())
    };
    let words = tokenize(sql, dialect).map(|tokens| tokens.words).unwrap_or_default();
    words.into_iter().filter(|(word, _)| word == "check").filter_map(|(_, range)| condition(range.end)).collect()
}

/// The range of the name in a message such as "no such column: titel"; `None` if the statement lacks the name.
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

/// Returns the first word of each statement in a text with several, in lower case.
pub(crate) fn first_words(sql: &str, dialect: Dialect) -> Vec<String> {
    let (mut words, mut at, mut is_start) = (Vec::new(), 0, true);
    while let Some(next) = sql[at..].chars().next() {
        // The database reports the error.
        let Ok(end) = skipped(sql, at, dialect) else { break };
        let is_blank = next.is_whitespace() || (end.is_some() && is_comment(sql, at));
        let end = end.unwrap_or_else(|| name_end(sql, at).max(at + next.len_utf8()));
        if is_start && !is_blank {
            words.push(sql[at..end].to_lowercase());
        }
        is_start = next == ';' || (is_start && is_blank);
        at = end;
    }
    words
}

/// Returns the first place where the text is not a part of a longer word.
fn find_word(sql: &str, word: &str) -> Option<Range<usize>> {
    let places = sql.match_indices(word).map(|(start, _)| start..start + word.len());
    let mut words = places.filter(|range| {
        let continues_before = word.starts_with(is_name_part) && sql[..range.start].ends_with(is_name_part);
        let continues_after = word.ends_with(is_name_part) && sql[range.end..].starts_with(is_name_part);
        !continues_before && !continues_after
    });
    words.next()
}

/// The index of the file in the spans of a text that is not in a file of the definition.
const STATEMENT_FILE: u32 = u32::MAX;

/// The text of a statement. Fragments can replace parts of it.
#[derive(Debug, Clone)]
pub(crate) struct StatementText {
    text: String,
    parts: Vec<Part>,
    /// The span of the string; that of a file is its beginning, because a whole file is too long to show.
    whole: Span,
    /// The file that contains the statement; `None` if it is in the definition.
    file: Option<Arc<Source>>,
}

#[derive(Debug, Clone)]
struct Part {
    /// The offset of the part in the text.
    start: usize,
    origin: Origin,
}

#[derive(Debug, Clone)]
enum Origin {
    /// In a string, from an offset.
    String(Arc<JsonNode>, usize),
    /// Nowhere: the engine has added it because of this setting.
    Added(Span),
}

impl From<&JsonNode> for StatementText {
    /// Creates the text of a string; another value has no text.
    fn from(node: &JsonNode) -> Self {
        let text = match &node.data {
            JsonData::String(text) => text.clone(),
            _ => String::new(),
        };
        let parts = vec![Part { start: 0, origin: Origin::String(Arc::new(node.clone()), 0) }];
        Self { text, parts, whole: node.span, file: None }
    }
}

impl StatementText {
    pub(crate) fn in_file(file: Source) -> Self {
        let end = u32::try_from(file.text.len()).unwrap_or(u32::MAX);
        let span = Span { file: STATEMENT_FILE, start: 0, end };
        let data = JsonData::String(file.text.clone());
        let node = JsonNode { data, span, escaped: None, expanded: None };
        Self { file: Some(Arc::new(file)), whole: Span { end: 0, ..span }, ..Self::from(&node) }
    }

    /// Returns a text without parts in the same place.
    fn emptied(&self) -> Self {
        Self { text: String::new(), parts: Vec::new(), whole: self.whole, file: self.file.clone() }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn file(&self) -> Option<&Source> {
        self.file.as_deref()
    }

    pub(crate) fn part(&self, range: Range<usize>) -> Span {
        let index = self.parts.partition_point(|part| part.start <= range.start).saturating_sub(1);
        let Some(part) = self.parts.get(index) else { return Span::default() };
        match &part.origin {
            Origin::Added(span) => *span,
            Origin::String(node, offset) => {
                let next = self.parts.get(index + 1).map_or(self.text.len(), |next| next.start);
                let within = |place: usize| place.min(next) - part.start + offset;
                node.part(within(range.start), within(range.end.max(range.start)))
            }
        }
    }

    /// Returns the span of the string, or of the beginning of the file.
    pub(crate) fn span(&self) -> Span {
        self.whole
    }

    /// Returns the error with the file that contains its span.
    pub(crate) fn locate(&self, error: HandlerError) -> HandlerError {
        match (&self.file, error.span) {
            (Some(file), Some(span)) if span.file == STATEMENT_FILE => error.in_file(Arc::clone(file)),
            _ => error,
        }
    }

    /// Returns the end of the statement: a semicolon, or the end of the text.
    pub(crate) fn end(&self, dialect: Dialect) -> usize {
        tokenize(&self.text, dialect).map_or(self.text.len(), |tokens| tokens.end)
    }

    /// Returns the names of the comments that consist of a name: `/*order*/`.
    pub(crate) fn marks(&self, dialect: Dialect) -> Vec<String> {
        marks(&self.text, dialect).into_iter().map(|(_, name)| name.to_owned()).collect()
    }

    /// Replaces each comment that is a name for which `fragment` returns a string. The fragment `None` is empty.
    pub(crate) fn with_fragments<'f>(
        &self,
        dialect: Dialect,
        fragment: impl Fn(&str) -> Option<Option<&'f Arc<JsonNode>>>,
    ) -> Self {
        let mut replaced = self.emptied();
        let mut copied = 0;
        for (range, name) in marks(&self.text, dialect) {
            let Some(node) = fragment(name) else { continue };
            replaced.push_part_of(self, copied..range.start);
            if let Some((node, text)) = node.and_then(|node| Some((node, node.string()?.value))) {
                replaced.push(&text, Origin::String(Arc::clone(node), 0));
            }
            copied = range.end;
        }
        replaced.push_part_of(self, copied..self.text.len());
        replaced
    }

    /// Returns a part of the text between two texts that a setting adds.
    pub(crate) fn enclosed(&self, before: &str, inner: Range<usize>, after: &str, setting: Span) -> Self {
        let mut enclosed = self.emptied();
        enclosed.push(before, Origin::Added(setting));
        enclosed.push_part_of(self, inner);
        enclosed.push(after, Origin::Added(setting));
        enclosed
    }

    fn push(&mut self, text: &str, origin: Origin) {
        if !text.is_empty() {
            self.parts.push(Part { start: self.text.len(), origin });
            self.text.push_str(text);
        }
    }

    /// Appends a range of another text, with the origins of its parts.
    fn push_part_of(&mut self, other: &Self, range: Range<usize>) {
        for (index, part) in other.parts.iter().enumerate() {
            let next = other.parts.get(index + 1).map_or(other.text.len(), |next| next.start);
            let (start, end) = (part.start.max(range.start), next.min(range.end));
            if start < end {
                let origin = match &part.origin {
                    Origin::String(node, offset) => Origin::String(Arc::clone(node), offset + start - part.start),
                    Origin::Added(span) => Origin::Added(*span),
                };
                self.push(&other.text[start..end], origin);
            }
        }
    }
}
