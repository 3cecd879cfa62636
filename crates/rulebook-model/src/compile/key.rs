//! Parses the keys of parameters in definitions, such as `GET@lang`. The prefix of a key determines which part of a
//! request contains the parameter.

use http::header::HeaderName;

use super::lowering::Lowering;
use super::path;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::{LOCATION_PREFIXES, Location, WHOLE_BODY_KEY};
use crate::span::Spanned;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ParameterKey {
    /// The part of a request that contains the parameter. For a key without a prefix, this is [`Location::Body`], or
    /// [`Location::Any`] if requests of the method have no body.
    pub location: Location,
    /// The name of the parameter in that part of a request; empty for a positional parameter, which has a number
    /// instead, and for the whole body.
    pub name: String,
}

/// The key prefix of positional parameters (segments after the path of the service) that every dialect accepts.
const POSITION_PREFIX: &str = "URL#";
/// The maximum number of positional parameters of a method. A request target cannot hold more segments.
const MAX_POSITIONS: usize = 1_000;

impl Lowering<'_> {
    pub(super) fn parse_parameter_key(&mut self, key: &Spanned<String>) -> Option<ParameterKey> {
        let text = key.value.as_str();
        // The dialect's prefix of positional parameters must be followed by a digit, because a parameter's name may
        // also begin with the text of the prefix.
        let has_number = |rest: &&str| rest.starts_with(|first: char| first.is_ascii_digit());
        let dialect_position = || text.strip_prefix(self.dialect.position_prefix).filter(has_number);
        if let Some(number) = text.strip_prefix(POSITION_PREFIX).or_else(dialect_position) {
            return self.parse_position_key(number, key);
        }
        if text == WHOLE_BODY_KEY {
            return Some(ParameterKey { location: Location::WholeBody, name: String::new() });
        }
        if let Some(name) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            return self.parse_capture_key(name, key);
        }
        let (location, name) = LOCATION_PREFIXES
            .iter()
            .find_map(|(prefix, location)| Some((*location, text.strip_prefix(prefix)?)))
            .unwrap_or((
                if self.dialect.reads_unprefixed_keys_from_query { Location::Any } else { Location::Body },
                text,
            ));
        let name = match location {
            // The names of header fields are case-insensitive (RFC 9110 section 5.1), those of cookies are not.
            Location::Header => self.parse_token(name, key, "header", "RFC 9110 section 5.6.2")?.to_ascii_lowercase(),
            Location::Cookie => self.parse_token(name, key, "cookie", "RFC 6265 section 4.1.1")?.to_owned(),
            _ if name.is_empty() => {
                self.report(
                    Diagnostic::new(DiagnosticCode::BadName, key.span, "a parameter without a name")
                        .label("no name")
                        .help("a key is the parameter's name, or a prefix and the name: `title`, `GET@lang`"),
                );
                return None;
            }
            _ => name.to_owned(),
        };
        Some(ParameterKey { location, name })
    }

    /// Parses the key `{name}` of a parameter that a segment of the path captures.
    fn parse_capture_key(&mut self, name: &str, key: &Spanned<String>) -> Option<ParameterKey> {
        if path::is_capture_name(name) {
            return Some(ParameterKey { location: Location::Path, name: name.to_owned() });
        }
        let message = format!("`{}` is not a valid capture name", name.escape_debug());
        let error = Diagnostic::new(DiagnosticCode::BadName, key.span, message).label("invalid capture name");
        self.report(error.help(path::CAPTURE_NAME_RULE));
        None
    }

    /// Parses the key `URL#n`: the segment with the index `n`, from 0, after the path of the service.
    fn parse_position_key(&mut self, number: &str, key: &Spanned<String>) -> Option<ParameterKey> {
        let position = number
            .parse::<usize>()
            .ok()
            // A leading zero (`URL#01`) is rejected, so that two different keys never mean the same segment.
            .filter(|position| position.to_string() == number && *position < MAX_POSITIONS);
        if position.is_none() {
            let prefix = self.dialect.position_prefix;
            let message = format!("`{}` is not a valid position", key.value.escape_debug());
            self.report(
                Diagnostic::new(DiagnosticCode::BadPosition, key.span, message)
                    .label(format!("expected `{prefix}` and a number"))
                    .help(format!("positions are numbered from 0: `{prefix}0`, `{prefix}1`")),
            );
        }
        position.map(|position| ParameterKey { location: Location::Position(position), name: String::new() })
    }

    /// Checks the name of a header field, or of a cookie, which may contain the same characters. `noun` and `section`
    /// describe it in the error message.
    fn parse_token<'n>(&mut self, name: &'n str, key: &Spanned<String>, noun: &str, section: &str) -> Option<&'n str> {
        if HeaderName::from_bytes(name.as_bytes()).is_ok() {
            return Some(name);
        }
        let message = format!("`{}` is not a valid {noun} name", name.escape_debug());
        let error = Diagnostic::new(DiagnosticCode::BadName, key.span, message).label(format!("invalid {noun} name"));
        self.report(error.help(format!("a {noun} name has letters, digits and any of !#$%&'*+-.^_`|~ ({section})")));
        None
    }
}
