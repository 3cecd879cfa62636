//! The handlers of the API module `User`.
//!
//! TODO: write the handlers. Until then, each of them responds with the status 501.

use rulebook::{ApiError, Context, Module};

use super::api::user::{GetNameArguments, GetNameOutputs, Handlers};
use super::not_implemented;

/// Returns the handlers of the API module.
pub fn module() -> Module {
    Handlers { get_name }.into_module()
}

/// Returns the name of a user
async fn get_name(_: GetNameArguments, _: Context) -> Result<GetNameOutputs, ApiError> {
    Err(not_implemented("user.getName.get"))
}
