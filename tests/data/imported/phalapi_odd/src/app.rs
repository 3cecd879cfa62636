//! The handlers of the API module `App`.
//!
//! TODO: write the handlers. Until then, each of them responds with the status 501.

use rulebook::{Context, Module};

use super::api::app::{Handlers, MatchArguments, MatchError};
use super::not_implemented;

/// Returns the handlers of the API module.
pub fn module() -> Module {
    Handlers { match_ }.into_module()
}

/// App.match
async fn match_(_: MatchArguments, _: Context) -> Result<(), MatchError> {
    Err(not_implemented("app.match.get").into())
}
