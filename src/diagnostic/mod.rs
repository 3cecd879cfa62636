//! What is wrong with a definition, and how it is told.
//!
//! In charge of the table of codes, the sources that places point into, and
//! rendering for terminals and programs. Must not know how faults are found.

pub mod codes;
mod render;
mod report;
mod source;

pub use codes::Code;
pub use report::Report;
pub use source::{Location, Source, Sources};

pub use crate::near::nearest;
use crate::place::Place;

/// One fault of a definition.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnostic {
    /// Its class.
    pub code: Code,
    /// What is wrong, in one line.
    pub message: String,
    /// Where.
    pub place: Place,
    /// A few words beside the caret; may be empty.
    pub label: String,
    /// Other places that take part, each with its words: the other party of a collision.
    pub others: Vec<(Place, String)>,
    /// What to do.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A fault of class `code` at `place`.
    pub fn new(code: Code, place: Place, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), place, label: String::new(), others: Vec::new(), help: None }
    }

    /// Adds words beside the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Adds another place that takes part.
    #[must_use]
    pub fn other(mut self, place: Place, words: impl Into<String>) -> Self {
        self.others.push((place, words.into()));
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds "did you mean" where one of `known` is near to `word`.
    #[must_use]
    pub fn suggest<'a>(self, word: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(word, known) {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None => self,
        }
    }
}
