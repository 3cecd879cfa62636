//! Finds the parameters in the text of an SQL statement (`:name` outside of quotes and comments), and what surrounds
//! them: quoted texts, quoted names, comments, and keys of an `order by`.

use std::ops::Range;

use crate::database::Dialect;

/// What a statement consists of, besides text that is sent to the database as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tokens {
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
pub(crate) struct SqlTokenError {
    pub what: &'static str,
    /// The range from the opening mark to the end of the text.
    pub range: Range<usize>,
}

pub(crate) fn tokenize(sql: &str, dialect: Dialect) -> Result<Tokens, SqlTokenError> {
    let mut tokens = Tokens { end: sql.len(), ..Tokens::default() };
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

fn is_name_start(char: char) -> bool {
    char.is_alphabetic() || char == '_'
}

pub(crate) fn is_name_part(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// Returns `true` if a letter, digit or underscore is before the character at `at`.
fn follows_name(sql: &str, at: usize) -> bool {
    sql[..at].chars().next_back().is_some_and(is_name_part)
}

pub(crate) fn name_end(sql: &str, at: usize) -> usize {
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

/// The words that can follow a key of an `order by`. After other words, such as `in`, the key is longer.
const AFTER_ORDER_KEY: [&str; 15] = [
    "asc",
    "desc",
    "nulls",
    "collate",
    "limit",
    "offset",
    "fetch",
    "for",
    "rows",
    "range",
    "groups",
    "union",
    "except",
    "intersect",
    "window",
];

impl Tokens {
    /// Returns the parameters by whose values the rows are ordered: each is a whole key of an `order by`. Only keys at
    /// the beginning, or after names of columns, are found.
    pub fn order_parameters<'a>(&'a self, sql: &'a str) -> impl Iterator<Item = &'a Range<usize>> {
        self.parameters.iter().filter(|parameter| {
            let ends = |rest: &str| rest.is_empty() || rest.starts_with([',', ')', ';']);
            let follows = sql[parameter.end..].trim_start();
            let next = self.words.iter().find(|(_, word)| word.start >= parameter.end);
            let is_key = match next.filter(|(_, word)| word.start == sql.len() - follows.len()) {
                Some((word, _)) => AFTER_ORDER_KEY.contains(&word.as_str()),
                None => ends(follows),
            };
            is_key
                && self.order_keys_before(sql, parameter.start).is_some_and(|keys| {
                    let keys = keys.trim();
                    keys.is_empty() || keys.ends_with(',')
                })
        })
    }

    /// Returns the text between the last `order by` and a place, if it consists of names of columns.
    fn order_keys_before<'a>(&self, sql: &'a str, place: usize) -> Option<&'a str> {
        let before = self.words.partition_point(|(_, word)| word.end <= place);
        let is_order = |pair: &[(String, Range<usize>)]| pair[0].0 == "order" && pair[1].0 == "by";
        let by = self.words[..before].windows(2).rposition(is_order)? + 1;
        let keys = &sql[self.words[by].1.end..place];
        let is_name = |c: char| is_name_part(c) || c.is_whitespace() || matches!(c, '.' | ',');
        let goes_on = self.words[by + 1..before].iter().all(|(word, _)| word != "limit");
        (goes_on && keys.chars().all(is_name)).then_some(keys)
    }
}

/// Returns the comments that consist of a name, such as `/*order*/`, with the name. Fragments can replace them.
pub(crate) fn marks(sql: &str, dialect: Dialect) -> Vec<(Range<usize>, &str)> {
    let marks = skipped_parts(sql, dialect).into_iter().filter_map(|range| {
        let name = sql[range.clone()].strip_prefix("/*")?.strip_suffix("*/")?.trim();
        (name.starts_with(is_name_start) && name.chars().all(is_name_part)).then_some((range, name))
    });
    marks.collect()
}

/// Returns the ranges of the quoted texts, the quoted names and the comments.
pub(crate) fn skipped_parts(sql: &str, dialect: Dialect) -> Vec<Range<usize>> {
    let (mut parts, mut at) = (Vec::new(), 0);
    while let Some(next) = sql[at..].chars().next() {
        match skipped(sql, at, dialect) {
            Ok(Some(end)) => {
                parts.push(at..end);
                at = end;
            }
            Ok(None) => at += next.len_utf8(),
            // Reading the statement reports the error.
            Err(_) => break,
        }
    }
    parts
}

/// Returns the end of the quoted text or of the comment that begins at `at`. Returns `None` if none begins there.
pub(crate) fn skipped(sql: &str, at: usize, dialect: Dialect) -> Result<Option<usize>, SqlTokenError> {
    let rest = &sql[at..];
    let is_line_comment = match dialect {
        // In MySQL, `--` begins a comment only before a space: `5--1` is a subtraction.
        Dialect::Mysql => {
            rest.starts_with('#')
                || rest.strip_prefix("--").is_some_and(|rest| rest.chars().next().is_none_or(char::is_whitespace))
        }
        Dialect::Sqlite | Dialect::Postgres => rest.starts_with("--"),
    };
    if is_line_comment {
        return Ok(Some(rest.find('\n').map_or(sql.len(), |end| at + end + 1)));
    }
    let (what, len) = match (rest.as_bytes()[0], dialect) {
        (b'/', _) if rest.starts_with("/*") => {
            let len = comment_end(rest, dialect == Dialect::Postgres);
            // SQLite accepts a comment without an end.
            ("the comment", if dialect == Dialect::Sqlite { len.or(Some(rest.len())) } else { len })
        }
        (b'\'', Dialect::Mysql) => ("the text", quote_end(rest, '\'', true)),
        (b'\'', Dialect::Postgres) => ("the text", quote_end(rest, '\'', is_escape_text(sql, at))),
        (b'\'', Dialect::Sqlite) => ("the text", quote_end(rest, '\'', false)),
        (b'"', Dialect::Mysql) => ("the text", quote_end(rest, '"', true)),
        (b'"', _) => ("the quoted name", quote_end(rest, '"', false)),
        (b'`', Dialect::Mysql | Dialect::Sqlite) => ("the quoted name", quote_end(rest, '`', false)),
        (b'[', Dialect::Sqlite) => ("the quoted name", rest.find(']').map(|len| len + 1)),
        (b'$', Dialect::Postgres) if !follows_name(sql, at) => match dollar_mark(rest) {
            Some(mark) => ("the text", rest[mark.len()..].find(mark).map(|len| len + 2 * mark.len())),
            None => return Ok(None),
        },
        _ => return Ok(None),
    };
    let len = len.ok_or(SqlTokenError { what, range: at..sql.len() })?;
    Ok(Some(at + len))
}

pub(crate) fn is_comment(sql: &str, at: usize) -> bool {
    let rest = &sql[at..];
    rest.starts_with("--") || rest.starts_with("/*") || rest.starts_with('#')
}

/// Returns the length of a comment with its marks; `None` if it is not closed.
fn comment_end(rest: &str, is_nested: bool) -> Option<usize> {
    let bytes = rest.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    while at + 1 < bytes.len() {
        match (bytes[at], bytes[at + 1]) {
            (b'/', b'*') if depth == 0 || is_nested => (depth, at) = (depth + 1, at + 2),
            (b'*', b'/') => {
                (depth, at) = (depth - 1, at + 2);
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => at += 1,
        }
    }
    None
}

/// The length with the quotes; `None` if the text is not closed. A doubled quote is part of the text.
fn quote_end(rest: &str, quote: char, has_backslashes: bool) -> Option<usize> {
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, char)) = chars.next() {
        if char == '\\' && has_backslashes {
            chars.next();
        } else if char == quote && chars.next_if(|(_, next)| *next == quote).is_none() {
            return Some(at + quote.len_utf8());
        }
    }
    None
}

/// Returns `true` if the quote at `at` begins a text with backslashes: `E'…'`.
fn is_escape_text(sql: &str, at: usize) -> bool {
    let before = &sql[..at];
    before.ends_with(['e', 'E']) && !follows_name(sql, at - 1)
}

/// Returns the mark of the dollar quote that begins here, such as `$$` or `$tag$`.
fn dollar_mark(rest: &str) -> Option<&str> {
    let tag_end = rest[1..].find('$')? + 1;
    let tag = &rest[1..tag_end];
    let is_tag = tag.chars().all(is_name_part) && !tag.starts_with(|first: char| first.is_ascii_digit());
    is_tag.then_some(&rest[..=tag_end])
}
