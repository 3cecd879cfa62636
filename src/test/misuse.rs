//! What a test can do wrong with the client, in words.

use std::fmt;

use super::Answer;
use crate::call::Source;

/// Why a test fails that no assertion of its own has failed.
pub(super) enum Misuse<'a> {
    /// The API has no method of this id.
    UnknownMethod { id: &'a str, near: Option<&'a str>, known: &'a [&'a str] },
    /// The method has no parameter of this name in code.
    UnknownParameter { method: &'a str, name: &'a str, known: Vec<&'a str> },
    /// A captured segment is not given, so there is no path.
    MissingCapture { method: &'a str, name: &'a str },
    /// A file is given for a parameter that does not stand in a body.
    FileOutsideBody { method: &'a str, name: &'a str, source: Source },
    /// A cookie's value would end before its end.
    Cookie { method: &'a str, name: &'a str },
    /// The request is none of HTTP, or its body cannot be written.
    Unsendable { why: String },
    /// No whole answer came.
    NoAnswer { request: String, why: String },
    /// Something is asked of an answer that it does not have.
    Answer { wanted: String, answer: &'a Answer },
}

impl Misuse<'_> {
    /// Fails the test.
    #[track_caller]
    pub(super) fn fail(&self) -> ! {
        panic!("{self}")
    }
}

impl fmt::Display for Misuse<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownMethod { id, near: Some(near), .. } => {
                write!(f, "the API has no method `{id}`; did you mean `{near}`?")
            }
            Self::UnknownMethod { id, near: None, known } => {
                write!(f, "the API has no method `{id}`, but {}", list(known))
            }
            Self::UnknownParameter { method, name, known } => {
                write!(f, "`{method}` has no parameter named `{name}` in code, but {}", list(known))
            }
            Self::MissingCapture { method, name } => {
                write!(f, "`{method}` cannot be called without `{name}`, which is part of its path")
            }
            Self::FileOutsideBody { method, name, source } => {
                write!(f, "`{method}` takes `{name}` from the {source}, where no file can stand")
            }
            Self::Cookie { method, name } => {
                write!(f, "`{method}` takes `{name}` from a cookie, whose value cannot hold `;`")
            }
            Self::Unsendable { why } => write!(f, "the request cannot be sent: {why}"),
            Self::NoAnswer { request, why } => write!(f, "{request}: no answer: {why}"),
            Self::Answer { wanted, answer } => write!(f, "the answer has no {wanted}:\n{answer:?}"),
        }
    }
}

fn list(names: &[&str]) -> String {
    match names {
        [] => "none at all".to_owned(),
        names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    }
}
