//! The handlers of the API that `api/` defines, one file for each module.

pub mod greeting;

use rulebook::Rulebook;

/// Adds the modules of handlers to the definition. Add a line here for each new module.
pub fn app(rulebook: Rulebook) -> Rulebook {
    rulebook.module(greeting::module())
}
