//! The handlers of the API module `App`.
//!
//! TODO: write the handlers. Until then, each of them responds with the status 501.
#![allow(dead_code)] // Remove this line when the handlers use their arguments.

use rulebook::{ApiError, Args, Context, Module};
use serde::Deserialize;
use serde_json::Value;

use super::not_implemented;

/// Returns the handlers of the API module.
pub fn module() -> Module {
    Module::new("App").any("/app/match", match_)
}

/// The arguments of `/app/match`.
#[derive(Deserialize)]
struct MatchArgs {
    #[serde(rename = "smallCount")]
    small_count: Option<i64>,
    #[serde(rename = "largeCount")]
    large_count: Option<i64>,
    #[serde(rename = "type")]
    type_: Option<String>,
    #[serde(rename = "user.id")]
    user_id: Option<String>,
    check: Option<Value>,
    when: Option<i64>,
}

/// App.match
async fn match_(Args(_): Args<MatchArgs>, _: Context) -> Result<(), ApiError> {
    Err(not_implemented("app.match.get"))
}
