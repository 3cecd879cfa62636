//! Errors of tests that use the test client incorrectly.

use std::fmt;

use super::TestResponse;
use rulebook_model::call::Source;

/// The reason why the test client cannot do what a test requires.
pub(super) enum UsageError<'a> {
    /// The API has no method with this id. `suggestion` is a similar id that exists, `known` lists all ids.
    UnknownMethod { id: &'a str, suggestion: Option<&'a str>, known: &'a [&'a str] },
    /// The method has no parameter with this name in code.
    UnknownParameter { method: &'a str, name: &'a str, known: Vec<&'a str> },
    /// A parameter in the path has no argument.
    MissingPathParameter { method: &'a str, name: &'a str },
    /// The test adds a file for a parameter that is not a field of the body.
    FileOutsideBody { method: &'a str, name: &'a str, source: Source },
    /// The value of a cookie contains `;`, which separates cookies.
    InvalidCookie { method: &'a str, name: &'a str },
    /// The request is not valid HTTP, or its body cannot be serialized.
    InvalidRequest { why: String },
    /// No complete response arrived.
    NoResponse { request: String, why: String },
    /// The response does not contain the part that the test reads.
    MissingInResponse { part: String, response: &'a TestResponse },
}

impl UsageError<'_> {
    /// Fails the test: panics with the message of this error.
    #[track_caller]
    pub(super) fn fail(&self) -> ! {
        panic!("{self}")
    }
}

impl fmt::Display for UsageError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownMethod { id, suggestion: Some(suggestion), .. } => {
                write!(f, "the API has no method `{id}`; did you mean `{suggestion}`?")
            }
            Self::UnknownMethod { id, suggestion: None, known } => {
                write!(f, "the API has no method `{id}`; its methods are: {}", quoted_list(known))
            }
            Self::UnknownParameter { method, name, known } => {
                write!(
                    f,
                    "`{method}` has no parameter with the name `{name}` in code; its parameters are: {}",
                    quoted_list(known)
                )
            }
            Self::MissingPathParameter { method, name } => {
                write!(f, "`{method}` requires the argument `{name}`, which is part of its path")
            }
            Self::FileOutsideBody { method, name, source } => {
                write!(f, "the parameter `{name}` of `{method}` cannot be a file, because it is in the {source}")
            }
            Self::InvalidCookie { method, name } => {
                write!(f, "the parameter `{name}` of `{method}` is a cookie, whose value cannot contain `;`")
            }
            Self::InvalidRequest { why } => write!(f, "the request cannot be sent: {why}"),
            Self::NoResponse { request, why } => write!(f, "{request}: no response: {why}"),
            Self::MissingInResponse { part, response } => write!(f, "the response has no {part}:\n{response:?}"),
        }
    }
}

fn quoted_list(names: &[&str]) -> String {
    match names {
        [] => "none".to_owned(),
        names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    }
}
