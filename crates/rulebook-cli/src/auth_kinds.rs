//! The kinds of authenticators that a definition can choose.

use rulebook::Rulebook;

/// Adds the kinds of authenticators that the program `rulebook` has besides keys: `jwt`, `basic` and `mtls`, if this
/// crate has the feature `auth`. A program with handlers in Rust can add them, too:
/// `rulebook_cli::run(|rulebook| rulebook_cli::with_auth_kinds(rulebook).module(…))`.
///
/// Without the feature, no kind is added, and a definition that uses one of them has an error that names the feature.
pub fn with_auth_kinds(rulebook: Rulebook) -> Rulebook {
    #[cfg(feature = "auth")]
    let rulebook = rulebook
        .auth_kind(rulebook_auth::JwtKind)
        .auth_kind(rulebook_auth::BasicKind)
        .auth_kind(rulebook_auth::MtlsKind);
    rulebook
}
