//! The one table of diagnostic codes; `rulebook explain` and the documents are made from it.

use std::fmt;

/// A class of faults, stable for scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each is explained by its row of TABLE")]
pub enum Code {
    Syntax,
    DuplicateKey,
    UnknownKey,
    WrongKind,
    MissingInfo,
    MissingType,
    UnknownType,
    BadTypeArgument,
    UnknownDialect,
    BadUri,
    UriCollision,
    UndefinedCapture,
    UnusedCapture,
    BadPosition,
    OptionalCapture,
    IdCollision,
    NameCollision,
    ReservedName,
    BadName,
    BadDefault,
    BadBounds,
    MissingRange,
    UnknownMethod,
    BodyNotAllowed,
    BadScope,
    UnknownScopeVariable,
    UnknownCallable,
    UnboundMethod,
    UndefinedMethod,
    HandlerMismatch,
    OutputCollision,
    BadExample,
    BadOption,
    MissingDefinition,
}

/// A row of [`TABLE`].
#[derive(Debug)]
pub struct Row {
    /// The class.
    pub code: Code,
    /// Its name.
    pub name: &'static str,
    /// What it means and what to do, in markdown, with a wrong and a right definition.
    pub explanation: &'static str,
}

/// Every code once, in the order of [`Code`].
pub const TABLE: &[Row] = &[];

impl Code {
    /// The code's row in [`TABLE`].
    pub fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row().name)
    }
}
