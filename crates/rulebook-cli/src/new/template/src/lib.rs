//! The handlers of the API that `api/` defines. There is a file for each API module.

pub mod greeting;

use rulebook::Rulebook;

/// Adds the handlers of each API module to the definition. Add a line here for each new API module.
pub fn app(rulebook: Rulebook) -> Rulebook {
    rulebook.module(greeting::module())
}
