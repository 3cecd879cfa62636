//! The grammar of terms, one level at a time.
//!
//! ```text
//! term      = "?" term | "[]" term | name | name "(" argument *("," [" "] argument) ")" | name "<" term ">"
//! name      = (letter | "_") *(letter | digit | "_" | "-")
//! argument  = term | word
//! word      = 1*<anything but blanks, control characters, ( ) < > and ,>
//! ```
//!
//! Which arguments are terms only the named type knows, so a level is split
//! without looking into what stands inside its brackets.

use std::ops::Range;

/// How deep terms may nest: deep enough for any use, shallow enough for any stack.
pub(super) const MAX_DEPTH: usize = 32;

/// What is wrong, and where.
pub(super) type Fault = (Range<usize>, String);

/// The outermost level of a term. All ranges are of bytes in the whole text.
#[derive(Debug, PartialEq)]
pub(super) enum Level {
    /// `?` before the term at this range.
    Nullable(Range<usize>),
    /// `[]` before the term at this range.
    List(Range<usize>),
    /// A name with what stands in its brackets.
    Named(Range<usize>, Inside),
}

/// What stands in the brackets behind a name.
#[derive(Debug, PartialEq)]
pub(super) enum Inside {
    /// There are no brackets.
    Nothing,
    /// Arguments in round brackets.
    Arguments(Vec<Range<usize>>),
    /// A term in angle brackets.
    Term(Range<usize>),
}

/// Splits the outermost level of the term that stands at `span`, which is not empty.
pub(super) fn split(text: &str, span: Range<usize>) -> Result<Level, Fault> {
    let term = &text[span.clone()];
    if term.starts_with('?') {
        return Ok(Level::Nullable(span.start + 1..span.end));
    }
    if term.starts_with("[]") {
        return Ok(Level::List(span.start + 2..span.end));
    }
    let length = term.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-')).unwrap_or(term.len());
    let name = span.start..span.start + length;
    if length == 0 || term.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        return Err((one_char(text, span.start), "a type begins with its name".to_owned()));
    }
    let open = name.end;
    let inside = match text[open..span.end].chars().next() {
        None => return Ok(Level::Named(name, Inside::Nothing)),
        Some('(' | '<') => open + 1..closing(text, open, span.end)?,
        Some(' ') => {
            return Err((one_char(text, open), "a blank may only stand behind a comma".to_owned()));
        }
        Some(_) => {
            return Err((one_char(text, open), "behind a type's name stands nothing, `(…)` or `<…>`".to_owned()));
        }
    };
    if inside.end + 1 < span.end {
        return Err((inside.end + 1..span.end, "nothing may stand behind the closing bracket".to_owned()));
    }
    if inside.is_empty() {
        return Err((open..inside.end + 1, "the brackets are empty".to_owned()));
    }
    Ok(Level::Named(
        name,
        if text[open..].starts_with('<') { Inside::Term(inside) } else { Inside::Arguments(arguments(text, inside)?) },
    ))
}

/// The word that stands at `span`, which is not empty.
pub(super) fn word(text: &str, span: Range<usize>) -> Result<&str, Fault> {
    let word = &text[span.clone()];
    match word.find(|c: char| matches!(c, '(' | ')' | '<' | '>') || c.is_whitespace() || c.is_control()) {
        Some(at) => Err((
            one_char(text, span.start + at),
            "a word has no brackets and no blanks; write such words as attributes".to_owned(),
        )),
        None => Ok(word),
    }
}

/// Where the bracket that opens at `open` is closed.
fn closing(text: &str, open: usize, end: usize) -> Result<usize, Fault> {
    let mut awaited = Vec::new();
    for (offset, byte) in text[open..end].bytes().enumerate() {
        match byte {
            b'(' => awaited.push(b')'),
            b'<' => awaited.push(b'>'),
            b')' | b'>' => {
                if awaited.pop() != Some(byte) {
                    let at = open + offset;
                    return Err((at..at + 1, "this bracket closes none".to_owned()));
                }
                if awaited.is_empty() {
                    return Ok(open + offset);
                }
            }
            _ => {}
        }
    }
    Err((open..open + 1, "this bracket is not closed".to_owned()))
}

/// Splits what stands in round brackets at its own commas.
fn arguments(text: &str, inside: Range<usize>) -> Result<Vec<Range<usize>>, Fault> {
    let mut arguments = Vec::new();
    let mut depth = 0_usize;
    let mut start = inside.start;
    for (offset, byte) in text[inside.clone()].bytes().enumerate() {
        let at = inside.start + offset;
        match byte {
            b'(' | b'<' => depth += 1,
            b')' | b'>' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                arguments.push(start..at);
                // The one blank that the grammar knows.
                start = if text[at + 1..inside.end].starts_with(' ') { at + 2 } else { at + 1 };
            }
            _ => {}
        }
    }
    arguments.push(start..inside.end);
    match arguments.iter().find(|argument| argument.is_empty()) {
        Some(empty) => Err((empty.start.saturating_sub(1)..empty.start, "an argument is missing here".to_owned())),
        None => Ok(arguments),
    }
}

/// The character that begins at `at`; nothing at the end of the text.
fn one_char(text: &str, at: usize) -> Range<usize> {
    at..at + text[at..].chars().next().map_or(0, char::len_utf8)
}
