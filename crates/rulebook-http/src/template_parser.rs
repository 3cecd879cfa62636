//! Parses the path and the query of an address in a definition.

use std::ops::Range;

use percent_encoding::percent_decode_str;
use rulebook::handler_kind::HandlerError;
use rulebook_model::call::is_secret_name;
use rulebook_model::model::{Location, Method, Parameter};
use rulebook_model::span::Spanned;
use rulebook_model::suggest::closest_word;
use rulebook_model::types::{Arity, Structure};

use super::template::{ArgumentPlace, Piece, Template, has_dot_segment};

/// Parses the part of an address after its origin, which begins at the offset `start`. `base` contains the segments
/// before it.
/// Fails for characters that a path or a query cannot contain, for segments that servers remove, and for places whose
/// names do not belong to a parameter with a single value.
pub fn parse_template(
    base: &[String],
    address: &Spanned<String>,
    start: usize,
    method: &Method,
) -> Result<Template, Vec<HandlerError>> {
    let text = &address.value;
    if let Some(at) = text[start..].find('#') {
        let error = HandlerError::new("the address has a fragment (`#`), which is never sent");
        return Err(vec![error.at(address.part(start + at, text.len())).help("remove it")]);
    }
    let mut errors = Vec::new();
    let path_end = text[start..].find('?').map_or(text.len(), |at| start + at);
    let mut segments: Vec<_> = base.iter().map(|segment| vec![Piece::Text(segment.clone())]).collect();
    // A path begins with a slash.
    let mut begin = start + 1;
    while begin <= path_end {
        let end = text[begin..path_end].find('/').map_or(path_end, |at| begin + at);
        check_segment(address, begin..end, &mut errors);
        segments.push(parse_pieces(address, begin..end, b"", method, &mut errors));
        begin = end + 1;
    }
    let query =
        (path_end < text.len()).then(|| parse_pieces(address, path_end + 1..text.len(), b"/?", method, &mut errors));
    if errors.is_empty() { Ok(Template { segments, query }) } else { Err(errors) }
}

/// Returns the segments of the path of a base address, which has no arguments and no query.
/// Fails like [`parse_template`].
pub fn parse_base_path(address: &Spanned<String>, start: usize) -> Result<Vec<String>, Vec<HandlerError>> {
    let text = &address.value[start..];
    if let Some(at) = text.find(['{', '?', '#']) {
        let error = HandlerError::new("`base` can have neither arguments nor a query");
        return Err(vec![error.at(address.part(start + at, address.value.len())).help("write them in `http`")]);
    }
    let mut errors = Vec::new();
    check_characters(address, start..address.value.len(), b"/", &mut errors);
    check_segment(address, start..address.value.len(), &mut errors);
    let segments = text.trim_matches('/').split('/').filter(|segment| !segment.is_empty());
    if errors.is_empty() { Ok(segments.map(str::to_owned).collect()) } else { Err(errors) }
}

/// Reports a segment that servers remove.
fn check_segment(address: &Spanned<String>, range: Range<usize>, errors: &mut Vec<HandlerError>) {
    if has_dot_segment(&percent_decode_str(&address.value[range.clone()]).decode_utf8_lossy()) {
        let error = HandlerError::new("the path has a segment `.` or `..`, which servers remove");
        errors.push(error.at(address.part(range.start, range.end)).help("write the path to which it leads"));
    }
}

/// Splits a segment or a query at the places of its arguments.
fn parse_pieces(
    address: &Spanned<String>,
    range: Range<usize>,
    also_allowed: &[u8],
    method: &Method,
    errors: &mut Vec<HandlerError>,
) -> Vec<Piece> {
    let (text, mut pieces, mut begin) = (&address.value, Vec::new(), range.start);
    while let Some(open) = text[begin..range.end].find('{').map(|at| begin + at) {
        let Some(close) = text[open..range.end].find('}').map(|at| open + at) else {
            let error = HandlerError::new("`{` has no `}`").at(address.part(open, range.end));
            errors.push(error.help("write the name of a parameter in braces, or `%7B` for the character `{`"));
            return pieces;
        };
        if open > begin {
            check_characters(address, begin..open, also_allowed, errors);
            pieces.push(Piece::Text(text[begin..open].to_owned()));
        }
        let name = Spanned::new(&text[open + 1..close], address.part(open, close + 1));
        match find_place(name, method) {
            Ok(place) => pieces.push(Piece::Argument(place)),
            Err(error) => errors.push(error),
        }
        begin = close + 1;
    }
    if begin < range.end {
        check_characters(address, begin..range.end, also_allowed, errors);
        pieces.push(Piece::Text(text[begin..range.end].to_owned()));
    }
    pieces
}

/// Reports the first character that a path segment or a query cannot contain (RFC 3986 section 3.3).
fn check_characters(
    address: &Spanned<String>,
    range: Range<usize>,
    also_allowed: &[u8],
    errors: &mut Vec<HandlerError>,
) {
    let part = &address.value[range.clone()];
    let is_allowed = |(at, c): (usize, char)| match c {
        '%' => part.as_bytes().get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)),
        c => {
            c.is_ascii_alphanumeric()
                || "-._~!$&'()*+,;=:@".contains(c)
                || u8::try_from(c).is_ok_and(|byte| also_allowed.contains(&byte))
        }
    };
    if let Some((at, c)) = part.char_indices().find(|found| !is_allowed(*found)) {
        let message = format!("an address cannot contain the character `{}`", c.escape_debug());
        let start = range.start + at;
        let error = HandlerError::new(message).at(address.part(start, start + c.len_utf8()));
        errors.push(error.help("write it percent-encoded, such as `%20` for a space"));
    }
}

/// Returns the place of the argument with this name in code.
fn find_place(name: Spanned<&str>, method: &Method) -> Result<ArgumentPlace, HandlerError> {
    let known = || method.parameters.iter().map(|parameter| parameter.name.as_str());
    let Some(slot) = known().position(|known| known == name.value) else {
        let message = format!("the method has no parameter `{}`", name.value.escape_debug());
        let help = match closest_word(name.value, known()) {
            Some(close) => format!("did you mean `{{{close}}}`?"),
            None if method.parameters.is_empty() => "declare it in `in`".to_owned(),
            None => format!("its parameters are `{}`", known().collect::<Vec<_>>().join("`, `")),
        };
        return Err(HandlerError::new(message).at(name.span).help(help));
    };
    let parameter = &method.parameters[slot];
    if let Some((problem, help)) = problem_in_address(parameter) {
        let message = format!("the parameter `{}` {problem}, so that an address cannot contain it", parameter.name);
        return Err(HandlerError::new(message).at(name.span).help(help));
    }
    let is_secret = matches!(parameter.from, Location::Header | Location::Cookie)
        || is_secret_name(&parameter.key)
        || is_secret_name(&parameter.name);
    let name = parameter.request_name().to_owned();
    Ok(ArgumentPlace { slot, name, source: parameter.from.source(), is_secret })
}

/// Returns why an address cannot contain the values of a parameter, and what to do.
fn problem_in_address(parameter: &Parameter) -> Option<(&'static str, &'static str)> {
    let check = &parameter.r#type.check;
    if matches!(check.arity(), Arity::File | Arity::Files) {
        return Some(("is a file", "files are sent in the body; remove the place"));
    }
    if !matches!(check.structure(), Structure::Scalar | Structure::Nullable(_)) || parameter.is_whole_body() {
        return Some(("is not a single value", "use a parameter that is a text, a number or a boolean"));
    }
    if parameter.optional && parameter.default.is_none() || check.accepts_null() {
        return Some(("can be missing", "require it, give it a default, or remove the place"));
    }
    None
}
