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

mod handler;
mod kind;
mod message;
mod once;
mod pool;
mod worker;

pub use kind::ProcessKind;

/// The SDKs: the files with which a program reads calls and writes their results, and with which tests call methods.
/// Each file has its path in the folder of the program, and its text.
pub mod sdk {
    /// The SDK for Python, the package `rulebook`.
    pub const PYTHON: &[(&str, &str)] = &[
        ("rulebook/__init__.py", include_str!("../sdk/python/rulebook/__init__.py")),
        ("rulebook/_debugger.py", include_str!("../sdk/python/rulebook/_debugger.py")),
        ("rulebook/_handler.py", include_str!("../sdk/python/rulebook/_handler.py")),
        ("rulebook/_values.py", include_str!("../sdk/python/rulebook/_values.py")),
        ("rulebook/testing.py", include_str!("../sdk/python/rulebook/testing.py")),
    ];
    /// The SDK for Node.
    pub const NODE: &[(&str, &str)] = &[
        ("rulebook.mjs", include_str!("../sdk/node/rulebook.mjs")),
        ("rulebook_testing.mjs", include_str!("../sdk/node/rulebook_testing.mjs")),
    ];
    /// The SDK for PHP.
    pub const PHP: &[(&str, &str)] = &[
        ("rulebook.php", include_str!("../sdk/php/rulebook.php")),
        ("rulebook_testing.php", include_str!("../sdk/php/rulebook_testing.php")),
    ];
}
