//! The table of diagnostic codes. `rulebook explain CODE` and `docs/diagnostics.md` show its explanations.

use std::fmt;

/// The code of a diagnostic. Its name is stable, so that scripts can rely on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "TABLE has the explanation of each code")]
#[non_exhaustive]
pub enum DiagnosticCode {
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
#[non_exhaustive]
pub struct CodeEntry {
    /// The code.
    pub code: DiagnosticCode,
    /// The name of the code in diagnostics: `unknown-key`.
    pub name: &'static str,
    /// The cause of the error, an example, and the fix, in Markdown.
    pub explanation: &'static str,
}

/// All codes, in the order of [`DiagnosticCode`].
pub const TABLE: &[CodeEntry] = &[
    entry(DiagnosticCode::Syntax, "syntax", include_str!("explanations/syntax.md")),
    entry(DiagnosticCode::DuplicateKey, "duplicate-key", include_str!("explanations/duplicate-key.md")),
    entry(DiagnosticCode::UnknownKey, "unknown-key", include_str!("explanations/unknown-key.md")),
    entry(DiagnosticCode::WrongKind, "wrong-kind", include_str!("explanations/wrong-kind.md")),
    entry(DiagnosticCode::MissingInfo, "missing-info", include_str!("explanations/missing-info.md")),
    entry(DiagnosticCode::MissingType, "missing-type", include_str!("explanations/missing-type.md")),
    entry(DiagnosticCode::UnknownType, "unknown-type", include_str!("explanations/unknown-type.md")),
    entry(DiagnosticCode::BadTypeArgument, "bad-type-argument", include_str!("explanations/bad-type-argument.md")),
    entry(DiagnosticCode::UnknownDialect, "unknown-dialect", include_str!("explanations/unknown-dialect.md")),
    entry(DiagnosticCode::BadUri, "bad-uri", include_str!("explanations/bad-uri.md")),
    entry(DiagnosticCode::UriCollision, "uri-collision", include_str!("explanations/uri-collision.md")),
    entry(DiagnosticCode::UndefinedCapture, "undefined-capture", include_str!("explanations/undefined-capture.md")),
    entry(DiagnosticCode::UnusedCapture, "unused-capture", include_str!("explanations/unused-capture.md")),
    entry(DiagnosticCode::BadPosition, "bad-position", include_str!("explanations/bad-position.md")),
    entry(DiagnosticCode::OptionalCapture, "optional-capture", include_str!("explanations/optional-capture.md")),
    entry(DiagnosticCode::IdCollision, "id-collision", include_str!("explanations/id-collision.md")),
    entry(DiagnosticCode::NameCollision, "name-collision", include_str!("explanations/name-collision.md")),
    entry(DiagnosticCode::ReservedName, "reserved-name", include_str!("explanations/reserved-name.md")),
    entry(DiagnosticCode::BadName, "bad-name", include_str!("explanations/bad-name.md")),
    entry(DiagnosticCode::BadDefault, "bad-default", include_str!("explanations/bad-default.md")),
    entry(DiagnosticCode::BadBounds, "bad-bounds", include_str!("explanations/bad-bounds.md")),
    entry(DiagnosticCode::MissingRange, "missing-range", include_str!("explanations/missing-range.md")),
    entry(DiagnosticCode::UnknownMethod, "unknown-method", include_str!("explanations/unknown-method.md")),
    entry(DiagnosticCode::BodyNotAllowed, "body-not-allowed", include_str!("explanations/body-not-allowed.md")),
    entry(DiagnosticCode::BadScope, "bad-scope", include_str!("explanations/bad-scope.md")),
    entry(
        DiagnosticCode::UnknownScopeVariable,
        "unknown-scope-variable",
        include_str!("explanations/unknown-scope-variable.md"),
    ),
    entry(DiagnosticCode::UnknownCallable, "unknown-callable", include_str!("explanations/unknown-callable.md")),
    entry(DiagnosticCode::UnboundMethod, "unbound-method", include_str!("explanations/unbound-method.md")),
    entry(DiagnosticCode::UndefinedMethod, "undefined-method", include_str!("explanations/undefined-method.md")),
    entry(DiagnosticCode::HandlerMismatch, "handler-mismatch", include_str!("explanations/handler-mismatch.md")),
    entry(DiagnosticCode::OutputCollision, "output-collision", include_str!("explanations/output-collision.md")),
    entry(DiagnosticCode::BadExample, "bad-example", include_str!("explanations/bad-example.md")),
    entry(DiagnosticCode::BadOption, "bad-option", include_str!("explanations/bad-option.md")),
    entry(DiagnosticCode::MissingDefinition, "missing-definition", include_str!("explanations/missing-definition.md")),
];

const fn entry(code: DiagnosticCode, name: &'static str, explanation: &'static str) -> CodeEntry {
    CodeEntry { code, name, explanation }
}

impl DiagnosticCode {
    /// Returns the code with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        TABLE.iter().find(|entry| entry.name == name).map(|entry| entry.code)
    }

    /// Returns the entry of the code in [`TABLE`].
    pub fn entry(self) -> &'static CodeEntry {
        &TABLE[self as usize]
    }
}

impl fmt::Display for DiagnosticCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.entry().name)
    }
}
