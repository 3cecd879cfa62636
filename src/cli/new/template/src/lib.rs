//! The API that `api/` defines: its handlers, a file a module.

pub mod greeting;

use rulebook::Rulebook;

/// Adds what this program has for the definition. A new module of handlers gets its line here.
pub fn app(rulebook: Rulebook) -> Rulebook {
    rulebook.module(greeting::module())
}
