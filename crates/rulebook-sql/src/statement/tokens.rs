//! Finds the parameters in the text of an SQL statement: `:name` outside of quotes and comments.

use std::ops::Range;

use super::quotes::{is_comment, skipped};
use crate::database::Dialect;

/// What a statement consists of, besides text that is sent to the database as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tokens {
    /// The parameters with their colons, in the order of the text.
    pub parameters: Vec<Range<usize>>,
    /// The words outside of quotes and comments, in lower case, with their ranges.
    pub words: Vec<(String, Range<usize>)>,
    /// The indexes of the parameters that are a part of a pattern: they follow `like`, `glob` or `instr`, and no comma
    /// or word that ends the expression is between them.
    pub in_patterns: Vec<usize>,
    /// The indexes of the parameters that are a part of a search: they follow `match`, as a pattern follows `like`.
    pub in_searches: Vec<usize>,
    /// The word before each `match`, and the expression that it searches for.
    pub searches: Vec<(Range<usize>, Range<usize>)>,
    /// `true` if the statement contains a `*` that means all columns.
    pub has_open_columns: bool,
    /// The end of the statement: the first semicolon, or the end of the text.
    pub end: usize,
    /// The text after a semicolon, if it contains more than spaces and comments.
    pub second_statement: Option<Range<usize>>,
}

/// The words after which a `*` means all columns. It does so after a comma or a dot, too.
const BEFORE_COLUMNS: [&str; 4] = ["select", "distinct", "all", "returning"];

/// The words before a text for which a database searches in another text.
const BEFORE_PATTERN: [&str; 3] = ["like", "glob", "instr"];

/// The word before a text that a full-text index of SQLite searches for.
const BEFORE_SEARCH: [&str; 1] = ["match"];

/// The words that end an expression outside of parentheses.
const AFTER_PATTERN: [&str; 16] = [
    "and",
    "or",
    "then",
    "when",
    "else",
    "where",
    "group",
    "having",
    "order",
    "limit",
    "union",
    "intersect",
    "except",
    "from",
    "as",
    "returning",
];

/// Whether a place of a statement is a part of a pattern.
#[derive(Debug)]
struct Pattern {
    /// The words before a pattern.
    begins: &'static [&'static str],
    /// The number of open parentheses and `case` in the pattern; `None` outside of a pattern.
    depth: Option<usize>,
}

impl Pattern {
    fn word(&mut self, word: &str) {
        match (word, self.depth) {
            (word, None) if self.begins.contains(&word) => self.depth = Some(0),
            ("case", Some(depth)) => self.depth = Some(depth + 1),
            ("end", Some(depth)) => self.depth = depth.checked_sub(1),
            (word, Some(0)) if AFTER_PATTERN.contains(&word) => self.depth = None,
            _ => {}
        }
    }

    fn mark(&mut self, mark: char) {
        match (mark, self.depth) {
            ('(', Some(depth)) => self.depth = Some(depth + 1),
            (')', Some(depth)) => self.depth = depth.checked_sub(1),
            (',', Some(0)) => self.depth = None,
            _ => {}
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SqlTokenError {
    pub what: &'static str,
    /// The range from the opening mark to the end of the text.
    pub range: Range<usize>,
}

/// Splits the text of a statement, according to the syntax of a database.
pub(super) fn tokenize(sql: &str, dialect: Dialect) -> Result<Tokens, SqlTokenError> {
    let mut tokens = Tokens {
        parameters: Vec::new(),
        words: Vec::new(),
        in_patterns: Vec::new(),
        in_searches: Vec::new(),
        searches: Vec::new(),
        has_open_columns: false,
        end: sql.len(),
        second_statement: None,
    };
    let mut pattern = Pattern { begins: &BEFORE_PATTERN, depth: None };
    let mut search = Pattern { begins: &BEFORE_SEARCH, depth: None };
    let mut may_mean_columns = false;
    let mut first_semicolon = None;
    let mut at = 0;
    let mut open_search = None;
    while let Some(next) = sql[at..].chars().next() {
        let start = at;
        if let Some(end) = skipped(sql, at, dialect)? {
            at = end;
            if is_comment(sql, start) {
                continue;
            }
            may_mean_columns = false;
        } else if is_name_start(next) || next.is_ascii_digit() {
            at = name_end(sql, at);
            may_mean_columns = false;
            if is_name_start(next) {
                let word = sql[start..at].to_lowercase();
                pattern.word(&word);
                search.word(&word);
                may_mean_columns = BEFORE_COLUMNS.contains(&&*word);
                tokens.words.push((word, start..at));
            }
        } else if next == ':' {
            let after = sql[at + 1..].chars().next();
            let is_parameter = after.is_some_and(is_name_start) && !follows_name(sql, at);
            // A cast (`::`) and an assignment (`:=`) consist of two characters.
            at = if is_parameter {
                parameter_end(sql, at + 1)
            } else {
                at + 1 + usize::from(matches!(after, Some(':' | '=')))
            };
            if is_parameter {
                if pattern.depth.is_some() {
                    tokens.in_patterns.push(tokens.parameters.len());
                }
                if search.depth.is_some() {
                    tokens.in_searches.push(tokens.parameters.len());
                }
                tokens.parameters.push(start..at);
            }
            may_mean_columns = false;
        } else {
            at += next.len_utf8();
            if next.is_whitespace() {
                continue;
            }
            if next == ';' && first_semicolon.is_none() {
                first_semicolon = Some(start);
                tokens.end = start;
                continue;
            }
            pattern.mark(next);
            search.mark(next);
            tokens.has_open_columns |= next == '*' && may_mean_columns;
            may_mean_columns = matches!(next, '.' | ',');
        }
        match (search.depth, open_search.take()) {
            // The last word is `match`, and the one before it the table.
            (Some(_), None) => {
                let table = tokens.words.iter().rev().nth(1).map(|(_, range)| range.clone());
                open_search = table.filter(|table| sql[table.end..start].trim().is_empty()).map(|table| (table, at));
            }
            (None, Some((table, text))) => tokens.searches.push((table, text..start)),
            (_, open) => open_search = open,
        }
        if first_semicolon.is_some() && tokens.second_statement.is_none() && next != ';' {
            tokens.second_statement = Some(start..sql.len());
        }
    }
    tokens.searches.extend(open_search.map(|(table, text)| (table, text..tokens.end)));
    Ok(tokens)
}

pub(super) fn is_name_start(char: char) -> bool {
    char.is_alphabetic() || char == '_'
}

pub(super) fn is_name_part(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// Returns `true` if a letter, digit or underscore is before the character at `at`.
pub(super) fn follows_name(sql: &str, at: usize) -> bool {
    sql[..at].chars().next_back().is_some_and(is_name_part)
}

pub(super) fn name_end(sql: &str, at: usize) -> usize {
    sql[at..].find(|char: char| !is_name_part(char)).map_or(sql.len(), |len| at + len)
}

/// Returns the end of the name of a parameter, which may consist of several words with dots between them.
fn parameter_end(sql: &str, at: usize) -> usize {
    let end = name_end(sql, at);
    match sql[end..].strip_prefix('.') {
        Some(rest) if rest.starts_with(is_name_start) => parameter_end(sql, end + 1),
        _ => end,
    }
}
