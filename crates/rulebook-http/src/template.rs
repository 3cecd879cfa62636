//! The path and the query of an address, with places for arguments: `/notes/{id}?full={full}`.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use rulebook::ApiError;
use rulebook::handler_kind::ArgumentSlot;
use rulebook_model::call::{ParameterError, ParameterErrorKind, Source, TypeMismatch, Value};

/// The characters that are percent-encoded in arguments: all except the unreserved ones (RFC 3986 section 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The description of the arguments that a path can contain, for error messages.
const EXPECTED_SEGMENT: &str = "a text that is not empty and has no path segment `.` or `..`, also before a `;`";

/// A path and a query with places for arguments.
#[derive(Debug)]
pub struct Template {
    /// The segments of the path, each without the slash before it. Empty if the address has no path.
    pub segments: Vec<Vec<Piece>>,
    /// The query; `None` if the address has no `?`.
    pub query: Option<Vec<Piece>>,
}

/// A part of a path segment or of a query.
#[derive(Debug)]
pub enum Piece {
    /// Text of the definition, which may be percent-encoded.
    Text(String),
    /// The place of an argument.
    Argument(ArgumentPlace),
}

/// The place of an argument in an address.
#[derive(Debug)]
pub struct ArgumentPlace {
    /// The index of the parameter in the method.
    pub slot: usize,
    /// The name of the parameter in requests, for errors.
    pub name: String,
    /// The part of requests that contains the parameter, for errors.
    pub source: Source,
    /// `true` if the value may be a secret, which errors do not contain.
    pub is_secret: bool,
}

impl Template {
    /// Returns the indices of the parameters that have a place.
    pub fn slots(&self) -> impl Iterator<Item = usize> {
        let pieces = self.segments.iter().flatten().chain(self.query.iter().flatten());
        pieces.filter_map(Piece::argument).map(|place| place.slot)
    }

    /// Returns the path and the query with these arguments.
    /// Fails if an argument would make a path segment empty, or a segment that servers remove together with its parent.
    pub fn expand(&self, arguments: &[ArgumentSlot<'_>]) -> Result<String, ApiError> {
        let mut target = String::with_capacity(64);
        for segment in &self.segments {
            target.push('/');
            expand_segment(segment, arguments, &mut target)?;
        }
        if self.segments.is_empty() {
            target.push('/');
        }
        self.expand_query(arguments, &mut target)?;
        Ok(target)
    }

    /// Appends the query of the address with these arguments.
    /// Fails if an argument is not a single value.
    pub fn expand_query(&self, arguments: &[ArgumentSlot<'_>], target: &mut String) -> Result<(), ApiError> {
        let Some(query) = &self.query else { return Ok(()) };
        target.push('?');
        for piece in query {
            match piece {
                Piece::Text(text) => target.push_str(text),
                Piece::Argument(place) => target.extend(utf8_percent_encode(&place.text(arguments)?, ENCODED)),
            }
        }
        Ok(())
    }
}

/// Appends a path segment, and checks that it is not removed.
fn expand_segment(segment: &[Piece], arguments: &[ArgumentSlot<'_>], target: &mut String) -> Result<(), ApiError> {
    let Some(first) = segment.iter().find_map(Piece::argument) else {
        // A segment without arguments was checked when the definition was read.
        target.extend(segment.iter().filter_map(Piece::text));
        return Ok(());
    };
    let mut decoded = String::new();
    for piece in segment {
        match piece {
            Piece::Text(text) => {
                target.push_str(text);
                decoded.push_str(&percent_decode_str(text).decode_utf8_lossy());
            }
            Piece::Argument(place) => {
                let text = place.text(arguments)?;
                target.extend(utf8_percent_encode(&text, ENCODED));
                decoded.push_str(&text);
            }
        }
    }
    // A segment that begins with a `;` of the definition is not empty on purpose.
    let is_empty =
        segment.first().is_some_and(|piece| piece.argument().is_some()) && decoded.split(';').next() == Some("");
    if is_empty || has_dot_segment(&decoded) { Err(first.error(arguments)) } else { Ok(()) }
}

impl Piece {
    fn argument(&self) -> Option<&ArgumentPlace> {
        match self {
            Self::Text(_) => None,
            Self::Argument(place) => Some(place),
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Argument(_) => None,
        }
    }
}

impl ArgumentPlace {
    fn text<'v>(&self, arguments: &'v [ArgumentSlot<'_>]) -> Result<Cow<'v, str>, ApiError> {
        let value = match arguments.get(self.slot) {
            Some(ArgumentSlot::Value(value)) => value_text(value),
            _ => None,
        };
        value.ok_or_else(|| self.error(arguments))
    }

    fn error(&self, arguments: &[ArgumentSlot<'_>]) -> ApiError {
        let got = match arguments.get(self.slot) {
            Some(ArgumentSlot::Value(value)) if !self.is_secret => {
                Some(TypeMismatch::new(EXPECTED_SEGMENT, value).into_details().got)
            }
            _ => None,
        };
        let error = ParameterError::new(ParameterErrorKind::Invalid, self.name.clone(), self.source, EXPECTED_SEGMENT);
        ApiError::parameters(vec![error.with_got(got)])
    }
}

/// Returns `true` if a decoded path segment is removed by servers, alone or together with its parent. Some servers
/// decode `%2F` before they remove segments, so that the parts between encoded slashes are checked like segments.
/// Others, such as Tomcat, first remove the parameters of segments, which a semicolon begins (RFC 3986 section 3.3), or
/// remove control characters and blanks, or end a text at U+0000.
pub fn has_dot_segment(decoded: &str) -> bool {
    let is_dots = |segment: &str| {
        let name = segment.split([';', '\0']).next().unwrap_or_default();
        let mut shown = name.chars().filter(|c| !c.is_control() && !c.is_whitespace());
        matches!((shown.next(), shown.next(), shown.next()), (Some('.'), None | Some('.'), None))
    };
    decoded.split(['/', '\\']).any(is_dots)
}

/// Returns a text, a number or a boolean as the text that an address contains; `None` for other values.
pub fn value_text<'v>(value: &'v Value<'_>) -> Option<Cow<'v, str>> {
    match value {
        Value::Text(text) => Some(Cow::Borrowed(text)),
        Value::Bool(bool) => Some(Cow::Borrowed(if *bool { "true" } else { "false" })),
        Value::Int(_) | Value::Uint(_) | Value::Float(_) => serde_json::to_string(value).ok().map(Cow::Owned),
        Value::Null | Value::List(_) | Value::Map(_) | Value::File(_) => None,
    }
}

/// Appends a field to a query. `is_first` is `true` if the query has no field before it.
pub fn push_query_field(target: &mut String, is_first: &mut bool, name: &str, value: &str) {
    target.push(if std::mem::take(is_first) { '?' } else { '&' });
    target.extend(utf8_percent_encode(name, ENCODED));
    target.push('=');
    target.extend(utf8_percent_encode(value, ENCODED));
}
