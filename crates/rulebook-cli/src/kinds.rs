//! The kinds of handlers and of authenticators that a definition can choose.

use rulebook::Rulebook;

/// Adds the kinds of handlers with which the program `rulebook` serves definitions without code: `sql`, `http`,
/// `process` and `fastcgi`. Each is a feature of this crate. A program with handlers in Rust can add them, too:
/// `rulebook_cli::run(|rulebook| rulebook_cli::with_handler_kinds(rulebook).module(…))`.
pub fn with_handler_kinds(rulebook: Rulebook) -> Rulebook {
    #[cfg(feature = "sql")]
    let rulebook = rulebook.handler_kind(rulebook_sql::SqlKind::default());
    #[cfg(feature = "http")]
    let rulebook = rulebook.handler_kind(rulebook_http::HttpKind::default());
    #[cfg(feature = "process")]
    let rulebook = rulebook.handler_kind(rulebook_process::ProcessKind::default());
    #[cfg(feature = "fastcgi")]
    let rulebook = rulebook.handler_kind(rulebook_fastcgi::FastCgiKind::default());
    rulebook
}

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
