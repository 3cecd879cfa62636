//! The grammar of terms, which denote types in definitions. The parser parses only the outermost level of a term:
//! `array` and its bracket in `array<int(1,5)>`. The compiler of terms calls the parser again for each inner term.
//!
//! ```text
//! term      = "?" term | "[]" term | name | name "(" argument *("," [" "] argument) ")" | name "<" term ">"
//! name      = (letter | "_") *(letter | digit | "_" | "-")
//! argument  = term | word
//! word      = 1*<any character except white space, control characters, ( ) < > and ,>
//! ```
//!
//! Only the type that a term names knows which of its arguments are terms, so [`parse_outermost_level`] does not parse
//! the arguments.

use std::ops::Range;

#[cfg(feature = "documents")]
use serde_json::{Map, Value as Json};

use super::{TermError, TermErrorKind};

/// The maximum nesting depth of terms, which limits the recursion of the compiler.
pub(super) const MAX_TERM_DEPTH: usize = 32;

fn syntax_error(span: Range<usize>, message: &str) -> TermError {
    TermError { span, kind: TermErrorKind::Syntax(message.to_owned()) }
}

/// The outermost level of a term. The ranges are byte ranges in the whole text of the definition's term.
#[derive(Debug, PartialEq)]
pub(super) enum OutermostLevel<'t> {
    /// The term is `?T`, a nullable type. The range is that of `T`, without the `?`.
    Nullable(Range<usize>),
    /// The term begins with the name of a type in this range, which can be followed by brackets. `[]T` is
    /// `array<T>`.
    Named(&'t str, Range<usize>, BracketContent),
}

#[derive(Debug, PartialEq)]
pub(super) enum BracketContent {
    /// The name is not followed by brackets.
    None,
    /// The parentheses after the name contain arguments in these ranges.
    Arguments(Vec<Range<usize>>),
    /// The angle brackets after the name contain the term in this range.
    Term(Range<usize>),
}

/// Parses the outermost level of the term at `span`, which must not be empty.
pub(super) fn parse_outermost_level(text: &str, span: Range<usize>) -> Result<OutermostLevel<'_>, TermError> {
    let term = &text[span.clone()];
    if term.starts_with('?') {
        return Ok(OutermostLevel::Nullable(span.start + 1..span.end));
    }
    if term.starts_with("[]") {
        let item = span.start + 2..span.end;
        return Ok(OutermostLevel::Named("array", span, BracketContent::Term(item)));
    }
    let length = term.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-')).unwrap_or(term.len());
    let name = span.start..span.start + length;
    if length == 0 || term.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        return Err(syntax_error(char_span(text, span.start), "a type must begin with its name"));
    }
    let open = name.end;
    let content = match text[open..span.end].chars().next() {
        None => return Ok(OutermostLevel::Named(&text[name.clone()], name, BracketContent::None)),
        Some('(' | '<') => open + 1..closing_bracket(text, open, span.end)?,
        Some(' ') => {
            return Err(syntax_error(char_span(text, open), "a space is allowed only after a comma"));
        }
        Some(_) => {
            let message = "the name of a type can be followed only by `(…)` or `<…>`";
            return Err(syntax_error(char_span(text, open), message));
        }
    };
    if content.end + 1 < span.end {
        return Err(syntax_error(content.end + 1..span.end, "nothing is allowed after the closing bracket"));
    }
    if content.is_empty() {
        return Err(syntax_error(open..content.end + 1, "the brackets are empty"));
    }
    let brackets = if text[open..].starts_with('<') {
        BracketContent::Term(content)
    } else {
        BracketContent::Arguments(split_arguments(text, content)?)
    };
    Ok(OutermostLevel::Named(&text[name.clone()], name, brackets))
}

/// Returns the word at `span`, which must not be empty. Fails if the word contains brackets or white space.
pub(super) fn parse_word(text: &str, span: Range<usize>) -> Result<&str, TermError> {
    let word = &text[span.clone()];
    match word.find(|c: char| matches!(c, '(' | ')' | '<' | '>') || c.is_whitespace() || c.is_control()) {
        Some(at) => Err(syntax_error(
            char_span(text, span.start + at),
            "a word in a term cannot contain brackets or white space; write such words in an attribute",
        )),
        None => Ok(word),
    }
}

/// Returns the byte position of the bracket that closes the bracket at `open`. The search stops at `end`.
fn closing_bracket(text: &str, open: usize, end: usize) -> Result<usize, TermError> {
    let mut expected = Vec::new();
    for (offset, byte) in text[open..end].bytes().enumerate() {
        match byte {
            b'(' => expected.push(b')'),
            b'<' => expected.push(b'>'),
            b')' | b'>' => {
                if expected.pop() != Some(byte) {
                    let at = open + offset;
                    return Err(syntax_error(at..at + 1, "this closing bracket has no matching opening bracket"));
                }
                if expected.is_empty() {
                    return Ok(open + offset);
                }
            }
            _ => {}
        }
    }
    Err(syntax_error(open..open + 1, "this bracket is not closed"))
}

/// Splits the content of parentheses at the commas that are not within inner brackets.
fn split_arguments(text: &str, content: Range<usize>) -> Result<Vec<Range<usize>>, TermError> {
    let mut arguments = Vec::new();
    let mut depth = 0_usize;
    let mut start = content.start;
    for (offset, byte) in text[content.clone()].bytes().enumerate() {
        let at = content.start + offset;
        match byte {
            b'(' | b'<' => depth += 1,
            b')' | b'>' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                arguments.push(start..at);
                // The grammar allows one space after a comma.
                start = if text[at + 1..content.end].starts_with(' ') { at + 2 } else { at + 1 };
            }
            _ => {}
        }
    }
    arguments.push(start..content.end);
    match arguments.iter().find(|argument| argument.is_empty()) {
        Some(empty) => {
            Err(syntax_error(empty.start.saturating_sub(1)..empty.start, "an argument is missing after this"))
        }
        None => Ok(arguments),
    }
}

/// Returns the span of the character at the byte position `at`, or an empty span at the end of the text.
fn char_span(text: &str, at: usize) -> Range<usize> {
    at..at + text[at..].chars().next().map_or(0, char::len_utf8)
}

/// Returns the names in a term that can be names of types or schemas. The words of types such as `enum(a|b)` are not
/// names: `is_term_argument` returns for the name of a type, and for the index of an argument in the parentheses after
/// it, whether this argument is a term.
pub(crate) fn names_in_term<'t>(term: &'t str, is_term_argument: &dyn Fn(&str, usize) -> bool) -> Vec<&'t str> {
    let mut names = Vec::new();
    let start = usize::from(term.starts_with('?'));
    add_names(term, start..term.len(), 0, is_term_argument, &mut names);
    names
}

/// Adds the names in the term at `span` to `names`. A term with a syntax error has no further names. `depth` is the
/// number of terms around this term.
fn add_names<'t>(
    text: &'t str,
    span: Range<usize>,
    depth: usize,
    is_term_argument: &dyn Fn(&str, usize) -> bool,
    names: &mut Vec<&'t str>,
) {
    if span.is_empty() || depth >= MAX_TERM_DEPTH {
        return;
    }
    match parse_outermost_level(text, span) {
        Err(_) => {}
        Ok(OutermostLevel::Nullable(inner)) => add_names(text, inner, depth + 1, is_term_argument, names),
        Ok(OutermostLevel::Named(name, _, brackets)) => {
            names.push(name);
            match brackets {
                BracketContent::None => {}
                BracketContent::Term(inner) => add_names(text, inner, depth + 1, is_term_argument, names),
                BracketContent::Arguments(spans) => {
                    let terms = spans.into_iter().enumerate().filter(|(index, _)| is_term_argument(name, *index));
                    terms.for_each(|(_, span)| add_names(text, span, depth + 1, is_term_argument, names));
                }
            }
        }
    }
}

/// Returns the names in a type, without its fields, that can be names of types or schemas. The type is in the canonical
/// notation.
#[cfg(feature = "documents")]
pub(super) fn names_in_type<'t>(term: &'t str, attributes: &'t Map<String, Json>) -> Vec<&'t str> {
    let mut names = names_in_term(term, &super::builtin::is_term_argument);
    let items = attributes.get(super::table::ITEMS_ATTRIBUTE).and_then(Json::as_object);
    names.extend(items.into_iter().flat_map(|items| names_in_type("", items)));
    let of: Vec<&Json> = match attributes.get(super::union::OF_ATTRIBUTE) {
        Some(Json::Array(types)) => types.iter().collect(),
        Some(Json::Object(types)) => types.values().collect(),
        _ => Vec::new(),
    };
    for nested in of.into_iter().chain(attributes.get(super::map::KEYS_ATTRIBUTE)) {
        match nested {
            Json::String(term) => names.extend(names_in_term(term, &super::builtin::is_term_argument)),
            Json::Object(members) => {
                names.extend(names_in_type(members.get("type").and_then(Json::as_str).unwrap_or_default(), members));
            }
            _ => {}
        }
    }
    names
}
