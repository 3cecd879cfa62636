//! The handlers of the API that `api/` defines. There is a file for each API module.

/// The types and handlers that `api/` defines. `build.rs` generates them.
pub mod api {
    include!(concat!(env!("OUT_DIR"), "/api.rs"));
}

pub mod greeting;

use rulebook::Rulebook;

/// Adds the handlers of each API module to the definition. Add a line here for each new API module.
pub fn app(rulebook: Rulebook) -> Rulebook {
    rulebook.module(greeting::module())
}
