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
pub const TABLE: &[Row] = &[
    row(Code::Syntax, "syntax", include_str!("explanations/syntax.md")),
    row(Code::DuplicateKey, "duplicate-key", include_str!("explanations/duplicate-key.md")),
    row(Code::UnknownKey, "unknown-key", include_str!("explanations/unknown-key.md")),
    row(Code::WrongKind, "wrong-kind", include_str!("explanations/wrong-kind.md")),
    row(Code::MissingInfo, "missing-info", include_str!("explanations/missing-info.md")),
    row(Code::MissingType, "missing-type", include_str!("explanations/missing-type.md")),
    row(Code::UnknownType, "unknown-type", include_str!("explanations/unknown-type.md")),
    row(Code::BadTypeArgument, "bad-type-argument", include_str!("explanations/bad-type-argument.md")),
    row(Code::UnknownDialect, "unknown-dialect", include_str!("explanations/unknown-dialect.md")),
    row(Code::BadUri, "bad-uri", include_str!("explanations/bad-uri.md")),
    row(Code::UriCollision, "uri-collision", include_str!("explanations/uri-collision.md")),
    row(Code::UndefinedCapture, "undefined-capture", include_str!("explanations/undefined-capture.md")),
    row(Code::UnusedCapture, "unused-capture", include_str!("explanations/unused-capture.md")),
    row(Code::BadPosition, "bad-position", include_str!("explanations/bad-position.md")),
    row(Code::OptionalCapture, "optional-capture", include_str!("explanations/optional-capture.md")),
    row(Code::IdCollision, "id-collision", include_str!("explanations/id-collision.md")),
    row(Code::NameCollision, "name-collision", include_str!("explanations/name-collision.md")),
    row(Code::ReservedName, "reserved-name", include_str!("explanations/reserved-name.md")),
    row(Code::BadName, "bad-name", include_str!("explanations/bad-name.md")),
    row(Code::BadDefault, "bad-default", include_str!("explanations/bad-default.md")),
    row(Code::BadBounds, "bad-bounds", include_str!("explanations/bad-bounds.md")),
    row(Code::MissingRange, "missing-range", include_str!("explanations/missing-range.md")),
    row(Code::UnknownMethod, "unknown-method", include_str!("explanations/unknown-method.md")),
    row(Code::BodyNotAllowed, "body-not-allowed", include_str!("explanations/body-not-allowed.md")),
    row(Code::BadScope, "bad-scope", include_str!("explanations/bad-scope.md")),
    row(Code::UnknownScopeVariable, "unknown-scope-variable", include_str!("explanations/unknown-scope-variable.md")),
    row(Code::UnknownCallable, "unknown-callable", include_str!("explanations/unknown-callable.md")),
    row(Code::UnboundMethod, "unbound-method", include_str!("explanations/unbound-method.md")),
    row(Code::UndefinedMethod, "undefined-method", include_str!("explanations/undefined-method.md")),
    row(Code::HandlerMismatch, "handler-mismatch", include_str!("explanations/handler-mismatch.md")),
    row(Code::OutputCollision, "output-collision", include_str!("explanations/output-collision.md")),
    row(Code::BadExample, "bad-example", include_str!("explanations/bad-example.md")),
    row(Code::BadOption, "bad-option", include_str!("explanations/bad-option.md")),
    row(Code::MissingDefinition, "missing-definition", include_str!("explanations/missing-definition.md")),
];

const fn row(code: Code, name: &'static str, explanation: &'static str) -> Row {
    Row { code, name, explanation }
}

impl Code {
    /// The code of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.name == name).map(|row| row.code)
    }

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
