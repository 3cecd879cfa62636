//! The kinds of handlers that a definition can choose.

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
