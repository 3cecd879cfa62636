//! The key of a parameter: where its value stands in a request.

use http::header::HeaderName;

use super::lower::Lowering;
use super::path;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::From;
use crate::place::Placed;

/// A key taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// Where the value stands; [`From::Body`] of a bare key, which is [`From::Any`] where the method has no body.
    pub from: From,
    /// The name there; empty for positions.
    pub key: String,
}

/// The first letters of keys that say where a value stands, but for positions and captures.
const PREFIXES: [(&str, From); 4] =
    [("GET@", From::Query), ("HEADER@", From::Header), ("COOKIE@", From::Cookie), ("ANY@", From::Any)];
/// The first letters of a position's key, in every dialect.
const POSITION: &str = "URL#";
/// More positions than a request target has room for.
const MOST_POSITIONS: usize = 1_000;

impl Lowering<'_> {
    /// Takes a key apart and tells what is wrong with it.
    pub(super) fn key(&mut self, written: &Placed<String>) -> Option<Key> {
        let text = written.value.as_str();
        // Other ways to write it than the canonical one may begin a name as well.
        let has_number = |rest: &&str| rest.starts_with(|first: char| first.is_ascii_digit());
        let other = || text.strip_prefix(self.manner.position).filter(has_number);
        if let Some(number) = text.strip_prefix(POSITION).or_else(other) {
            return self.position(number, written);
        }
        if let Some(name) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            return self.capture(name, written);
        }
        let (from, name) = PREFIXES
            .iter()
            .find_map(|(prefix, from)| Some((*from, text.strip_prefix(prefix)?)))
            .unwrap_or((if self.manner.anywhere { From::Any } else { From::Body }, text));
        let key = match from {
            From::Header => self.header(name, written)?,
            From::Cookie => self.cookie(name, written)?,
            _ if name.is_empty() => {
                self.tell(
                    Diagnostic::new(Code::BadName, written.place, "a parameter has no name")
                        .label("no name")
                        .help("a key is the parameter's name, perhaps with where it stands: `title`, `GET@lang`"),
                );
                return None;
            }
            _ => name.to_owned(),
        };
        Some(Key { from, key })
    }

    /// A capture of the path, by what it can be called there.
    fn capture(&mut self, name: &str, written: &Placed<String>) -> Option<Key> {
        if path::is_capture_name(name) {
            return Some(Key { from: From::Path, key: name.to_owned() });
        }
        self.tell(
            Diagnostic::new(Code::BadName, written.place, format!("`{}` is no name of a capture", name.escape_debug()))
                .label("not a name of a capture")
                .help(path::CAPTURE_NAME),
        );
        None
    }

    /// The n-th segment behind the service's own path.
    fn position(&mut self, number: &str, written: &Placed<String>) -> Option<Key> {
        let position = number
            .parse::<usize>()
            .ok()
            // The number is written in one way only, so that two keys cannot mean one position.
            .filter(|position| position.to_string() == number && *position < MOST_POSITIONS);
        if position.is_none() {
            let prefix = self.manner.position;
            self.tell(
                Diagnostic::new(
                    Code::BadPosition,
                    written.place,
                    format!("`{}` is no position", written.value.escape_debug()),
                )
                .label(format!("expected `{prefix}` and a number"))
                .help(format!("positions count from 0: `{prefix}0`, `{prefix}1`")),
            );
        }
        position.map(|position| Key { from: From::Position(position), key: String::new() })
    }

    /// The name of a header field, in lower case (RFC 9110 section 5.1).
    fn header(&mut self, name: &str, written: &Placed<String>) -> Option<String> {
        let header = HeaderName::from_bytes(name.as_bytes()).ok();
        if header.is_none() {
            self.tell(
                Diagnostic::new(
                    Code::BadName,
                    written.place,
                    format!("`{}` is no name of a header field", name.escape_debug()),
                )
                .label("not a header's name")
                .help("it consists of letters, digits and any of !#$%&'*+-.^_`|~ (RFC 9110 section 5.6.2)"),
            );
        }
        header.map(|header| header.as_str().to_owned())
    }

    /// The name of a cookie: a token (RFC 6265 section 4.1.1), like a header's name but with its case.
    fn cookie(&mut self, name: &str, written: &Placed<String>) -> Option<String> {
        if HeaderName::from_bytes(name.as_bytes()).is_ok() {
            return Some(name.to_owned());
        }
        self.tell(
            Diagnostic::new(Code::BadName, written.place, format!("`{}` is no name of a cookie", name.escape_debug()))
                .label("not a cookie's name")
                .help("it consists of letters, digits and any of !#$%&'*+-.^_`|~ (RFC 6265 section 4.1.1)"),
        );
        None
    }
}
