//! The handlers of the API that `api/` defines. There is a file for each API module.

pub mod iapi;

use rulebook::Rulebook;

/// Adds the handlers of each API module to the definition. Add a line here for each new API module.
pub fn app(rulebook: Rulebook) -> Rulebook {
    rulebook
        .keep_files()
        .state(iapi::caches())
        .module(iapi::module())
}
