//! Finds quoted texts, quoted names and comments in the text of an SQL statement.

use std::ops::Range;

use super::tokens::{SqlTokenError, follows_name, is_name_part, is_name_start};
use crate::database::Dialect;

/// Returns the comments that consist of a name, such as `/*order*/`, with the name. Fragments can replace them.
pub(super) fn marks(sql: &str, dialect: Dialect) -> Vec<(Range<usize>, &str)> {
    let marks = skipped_parts(sql, dialect).into_iter().filter_map(|range| {
        let name = sql[range.clone()].strip_prefix("/*")?.strip_suffix("*/")?.trim();
        (name.starts_with(is_name_start) && name.chars().all(is_name_part)).then_some((range, name))
    });
    marks.collect()
}

/// Returns the ranges of the quoted texts, the quoted names and the comments.
pub(super) fn skipped_parts(sql: &str, dialect: Dialect) -> Vec<Range<usize>> {
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
pub(super) fn skipped(sql: &str, at: usize, dialect: Dialect) -> Result<Option<usize>, SqlTokenError> {
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

pub(super) fn is_comment(sql: &str, at: usize) -> bool {
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
