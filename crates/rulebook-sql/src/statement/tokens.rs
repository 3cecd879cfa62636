//! Finds the parameters in the text of an SQL statement: `:name` outside of quotes and comments.

use std::ops::Range;

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
    /// `true` if the statement contains a `*` that means all columns.
    pub has_open_columns: bool,
    /// The text after a semicolon, if it contains more than spaces and comments.
    pub second_statement: Option<Range<usize>>,
}

/// The words after which a `*` means all columns. It does so after a comma or a dot, too.
const BEFORE_COLUMNS: [&str; 4] = ["select", "distinct", "all", "returning"];

/// The words before a text for which a database searches in another text.
const BEFORE_PATTERN: [&str; 3] = ["like", "glob", "instr"];

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
#[derive(Debug, Default)]
struct Pattern {
    /// The number of open parentheses and `case` in the pattern; `None` outside of a pattern.
    depth: Option<usize>,
}

impl Pattern {
    fn word(&mut self, word: &str) {
        match (word, self.depth) {
            (word, None) if BEFORE_PATTERN.contains(&word) => self.depth = Some(0),
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
        has_open_columns: false,
        second_statement: None,
    };
    let (mut pattern, mut may_mean_columns) = (Pattern::default(), false);
    let mut first_semicolon = None;
    let mut at = 0;
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
                continue;
            }
            pattern.mark(next);
            tokens.has_open_columns |= next == '*' && may_mean_columns;
            may_mean_columns = matches!(next, '.' | ',');
        }
        if first_semicolon.is_some() && tokens.second_statement.is_none() && next != ';' {
            tokens.second_statement = Some(start..sql.len());
        }
    }
    Ok(tokens)
}

/// Returns the end of the quoted text or of the comment that begins at `at`. Returns `None` if none begins there.
fn skipped(sql: &str, at: usize, dialect: Dialect) -> Result<Option<usize>, SqlTokenError> {
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

fn is_comment(sql: &str, at: usize) -> bool {
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

/// Returns the length of a quoted text with its quotes; `None` if it is not closed. A doubled quote is part of the
/// text.
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

fn is_name_start(char: char) -> bool {
    char.is_alphabetic() || char == '_'
}

pub(super) fn is_name_part(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// Returns `true` if a letter, digit or underscore is before the character at `at`.
fn follows_name(sql: &str, at: usize) -> bool {
    sql[..at].chars().next_back().is_some_and(is_name_part)
}

fn name_end(sql: &str, at: usize) -> usize {
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
