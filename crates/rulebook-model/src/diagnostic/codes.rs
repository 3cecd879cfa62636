//! The diagnostic codes. Each has an explanation, which `rulebook explain CODE` and `docs/diagnostics.md` show.

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

/// The explanations of all codes in Markdown, each below a heading with the name of its code.
const EXPLANATIONS: &str = include_str!("explanations.md");

/// The code of a diagnostic (an error in a definition). The name of a code, such as `unknown-key`, does not change, so
/// that scripts can rely on it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Display, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "kebab-case")]
#[allow(missing_docs, reason = "each code has an explanation")]
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
    MissingScope,
    UnknownScopeVariable,
    UnknownCallable,
    UnboundMethod,
    UndefinedMethod,
    HandlerMismatch,
    OutputCollision,
    BadHeader,
    BadExample,
    BadOption,
    MissingSetting,
    BuiltinType,
    PastSunset,
    UnreadFile,
    MissingDefinition,
    BadTest,
}

impl DiagnosticCode {
    /// All codes, in the order in which documents list them.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// Returns the name of the code in the output for users.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Returns a text in Markdown that describes the cause of the error, an example of it, and how to fix it.
    #[must_use]
    pub fn explanation(self) -> &'static str {
        let mut sections = EXPLANATIONS.split("# ").filter_map(|section| section.split_once("\n\n"));
        sections.find(|(name, _)| *name == self.name()).map_or("", |(_, explanation)| explanation.trim_end())
    }
}
