//! Handlers of an API in other languages. The definition names a command, and worker processes with this command handle
//! the calls of methods. They exchange lines of JSON-RPC 2.0 with the server over standard input and standard output.
//!
//! A program adds this kind of handler with [`Rulebook::handler_kind`](rulebook::Rulebook::handler_kind):
//!
//! ```
//! use rulebook::Rulebook;
//! use rulebook_process::ProcessKind;
//!
//! let rulebook = Rulebook::load("api").handler_kind(ProcessKind::new());
//! ```
//!
//! A definition chooses it for all of its methods in `app.json`, or with `handler` for a single method:
//!
//! ```json
//! { "handlers": { "default": { "process": ["python3", "handlers.py"] }, "process": { "workers": 4, "timeout": 30 } } }
//! ```
//!
//! It needs a Unix system. The page `docs/process.md` of the repository describes the settings and the protocol.

mod arguments;
mod command;
mod download;
mod handler;
mod kind;
mod message;
mod once;
mod pool;
mod pool_start;
mod pool_state;
mod settings;
mod supervisor;
mod worker;
mod worker_input;
mod worker_output;

pub use kind::ProcessKind;

/// The SDKs: for each language one file, with which a program reads calls and writes their results.
pub mod sdk {
    /// The SDK for Python, `rulebook.py`.
    pub const PYTHON: &str = include_str!("../sdk/python/rulebook.py");
    /// The SDK for Node, `rulebook.mjs`.
    pub const NODE: &str = include_str!("../sdk/node/rulebook.mjs");
    /// The SDK for PHP, `rulebook.php`.
    pub const PHP: &str = include_str!("../sdk/php/rulebook.php");
}
