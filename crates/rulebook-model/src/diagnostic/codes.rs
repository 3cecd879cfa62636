//! The table of diagnostic codes. Each code has an explanation, which `rulebook explain CODE` and `docs/diagnostics.md`
//! show.

use std::fmt;

/// The code of a diagnostic (an error in a definition). The name of a code does not change, so that scripts can rely on
/// it.
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
    EndlessSchema,
    UnionOverlap,
    BadConstraint,
    BadHandler,
    BadAuth,
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
    MissingSetting,
    BuiltinType,
    MissingDefinition,
}

/// A row of [`TABLE`], which describes one code.
#[derive(Debug)]
#[non_exhaustive]
pub struct CodeEntry {
    /// The code that this row describes.
    pub code: DiagnosticCode,
    /// The name of the code in the output for users, such as `unknown-key`.
    pub name: &'static str,
    /// A text in Markdown that describes the cause of the error, an example of the error, and how to fix the error.
    pub explanation: &'static str,
}

/// All diagnostic codes, in the order of the enum [`DiagnosticCode`].
pub const TABLE: &[CodeEntry] = &[
    code_entry(DiagnosticCode::Syntax, "syntax", include_str!("explanations/syntax.md")),
    code_entry(DiagnosticCode::DuplicateKey, "duplicate-key", include_str!("explanations/duplicate-key.md")),
    code_entry(DiagnosticCode::UnknownKey, "unknown-key", include_str!("explanations/unknown-key.md")),
    code_entry(DiagnosticCode::WrongKind, "wrong-kind", include_str!("explanations/wrong-kind.md")),
    code_entry(DiagnosticCode::MissingInfo, "missing-info", include_str!("explanations/missing-info.md")),
    code_entry(DiagnosticCode::MissingType, "missing-type", include_str!("explanations/missing-type.md")),
    code_entry(DiagnosticCode::UnknownType, "unknown-type", include_str!("explanations/unknown-type.md")),
    code_entry(DiagnosticCode::BadTypeArgument, "bad-type-argument", include_str!("explanations/bad-type-argument.md")),
    code_entry(DiagnosticCode::EndlessSchema, "endless-schema", include_str!("explanations/endless-schema.md")),
    code_entry(DiagnosticCode::UnionOverlap, "union-overlap", include_str!("explanations/union-overlap.md")),
    code_entry(DiagnosticCode::BadConstraint, "bad-constraint", include_str!("explanations/bad-constraint.md")),
    code_entry(DiagnosticCode::BadHandler, "bad-handler", include_str!("explanations/bad-handler.md")),
    code_entry(DiagnosticCode::BadAuth, "bad-auth", include_str!("explanations/bad-auth.md")),
    code_entry(DiagnosticCode::UnknownDialect, "unknown-dialect", include_str!("explanations/unknown-dialect.md")),
    code_entry(DiagnosticCode::BadUri, "bad-uri", include_str!("explanations/bad-uri.md")),
    code_entry(DiagnosticCode::UriCollision, "uri-collision", include_str!("explanations/uri-collision.md")),
    code_entry(
        DiagnosticCode::UndefinedCapture,
        "undefined-capture",
        include_str!("explanations/undefined-capture.md"),
    ),
    code_entry(DiagnosticCode::UnusedCapture, "unused-capture", include_str!("explanations/unused-capture.md")),
    code_entry(DiagnosticCode::BadPosition, "bad-position", include_str!("explanations/bad-position.md")),
    code_entry(DiagnosticCode::OptionalCapture, "optional-capture", include_str!("explanations/optional-capture.md")),
    code_entry(DiagnosticCode::IdCollision, "id-collision", include_str!("explanations/id-collision.md")),
    code_entry(DiagnosticCode::NameCollision, "name-collision", include_str!("explanations/name-collision.md")),
    code_entry(DiagnosticCode::ReservedName, "reserved-name", include_str!("explanations/reserved-name.md")),
    code_entry(DiagnosticCode::BadName, "bad-name", include_str!("explanations/bad-name.md")),
    code_entry(DiagnosticCode::BadDefault, "bad-default", include_str!("explanations/bad-default.md")),
    code_entry(DiagnosticCode::BadBounds, "bad-bounds", include_str!("explanations/bad-bounds.md")),
    code_entry(DiagnosticCode::MissingRange, "missing-range", include_str!("explanations/missing-range.md")),
    code_entry(DiagnosticCode::UnknownMethod, "unknown-method", include_str!("explanations/unknown-method.md")),
    code_entry(DiagnosticCode::BodyNotAllowed, "body-not-allowed", include_str!("explanations/body-not-allowed.md")),
    code_entry(DiagnosticCode::BadScope, "bad-scope", include_str!("explanations/bad-scope.md")),
    code_entry(
        DiagnosticCode::UnknownScopeVariable,
        "unknown-scope-variable",
        include_str!("explanations/unknown-scope-variable.md"),
    ),
    code_entry(DiagnosticCode::UnknownCallable, "unknown-callable", include_str!("explanations/unknown-callable.md")),
    code_entry(DiagnosticCode::UnboundMethod, "unbound-method", include_str!("explanations/unbound-method.md")),
    code_entry(DiagnosticCode::UndefinedMethod, "undefined-method", include_str!("explanations/undefined-method.md")),
    code_entry(DiagnosticCode::HandlerMismatch, "handler-mismatch", include_str!("explanations/handler-mismatch.md")),
    code_entry(DiagnosticCode::OutputCollision, "output-collision", include_str!("explanations/output-collision.md")),
    code_entry(DiagnosticCode::BadExample, "bad-example", include_str!("explanations/bad-example.md")),
    code_entry(DiagnosticCode::BadOption, "bad-option", include_str!("explanations/bad-option.md")),
    code_entry(DiagnosticCode::MissingSetting, "missing-setting", include_str!("explanations/missing-setting.md")),
    code_entry(DiagnosticCode::BuiltinType, "builtin-type", include_str!("explanations/builtin-type.md")),
    code_entry(
        DiagnosticCode::MissingDefinition,
        "missing-definition",
        include_str!("explanations/missing-definition.md"),
    ),
];

const fn code_entry(code: DiagnosticCode, name: &'static str, explanation: &'static str) -> CodeEntry {
    CodeEntry { code, name, explanation }
}

impl DiagnosticCode {
    /// Returns the code whose name is `name`, or `None` if no such code exists.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        TABLE.iter().find(|entry| entry.name == name).map(|entry| entry.code)
    }

    /// Returns the row that describes the code in [`TABLE`].
    pub fn entry(self) -> &'static CodeEntry {
        &TABLE[self as usize]
    }
}

impl fmt::Display for DiagnosticCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.entry().name)
    }
}
