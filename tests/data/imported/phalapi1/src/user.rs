//! The handlers of the API module `User`.
//!
//! TODO: write the handlers. Until then, each of them responds with the status 501.
#![allow(dead_code)] // Remove this line when the handlers use their arguments.

use rulebook::{ApiError, Args, Context, Module};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::not_implemented;

/// Returns the handlers of the API module.
pub fn module() -> Module {
    Module::new("User").any("/user/getBaseInfo", get_base_info)
}

/// The arguments of `/user/getBaseInfo`.
#[derive(Deserialize)]
struct GetBaseInfoArgs {
    #[serde(rename = "userId")]
    user_id: i64,
    version: Option<Value>,
}

/// The outputs of `/user/getBaseInfo`.
#[derive(Serialize)]
struct GetBaseInfoOutput {
    /// user info list
    list: Vec<Map<String, Value>>,
}

/// Gets basic information about a user
async fn get_base_info(
    Args(_): Args<GetBaseInfoArgs>,
    _: Context,
) -> Result<GetBaseInfoOutput, ApiError> {
    Err(not_implemented("user.getBaseInfo.get"))
}
