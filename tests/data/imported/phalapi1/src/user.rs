//! The handlers of the API module `User`.
//!
//! TODO: write the handlers. Until then, each of them responds with the status 501.

use rulebook::{ApiError, Context, Module};

use super::api::user::{GetBaseInfoArguments, GetBaseInfoOutputs, Handlers};
use super::not_implemented;

/// Returns the handlers of the API module.
pub fn module() -> Module {
    Handlers { get_base_info }.into_module()
}

/// Gets basic information about a user
async fn get_base_info(
    _: GetBaseInfoArguments,
    _: Context,
) -> Result<GetBaseInfoOutputs, ApiError> {
    Err(not_implemented("user.getBaseInfo.get"))
}
