//! The handlers of the API that `api/` defines. There is a file for each API module.

pub mod main_2;

use rulebook::error::ErrorKind;
use rulebook::{ApiError, Rulebook};

/// The types and handlers that `api/` defines. `build.rs` generates them.
pub mod api {
    include!(concat!(env!("OUT_DIR"), "/api.rs"));
}

/// Adds the handlers of each API module to the definition. Add a line here for each new API module.
pub fn app(rulebook: Rulebook) -> Rulebook {
    rulebook.module(main_2::module())
}

/// Returns the error of a method whose handler is not written yet: the status 501.
fn not_implemented(id: &str) -> ApiError {
    ApiError::new(ErrorKind::NotImplemented { id: id.to_owned() })
}
