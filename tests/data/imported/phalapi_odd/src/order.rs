//! The handlers of the API module `Order`.
//!
//! TODO: write the handlers. Until then, each of them responds with the status 501.
#![allow(dead_code)] // Remove this line when the handlers use their arguments.

use rulebook::{ApiError, Args, Context, Module};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::not_implemented;

/// Returns the handlers of the API module.
pub fn module() -> Module {
    Module::new("Order").any("/order/all", all)
}

/// The arguments of `/order/all`.
#[derive(Deserialize)]
struct AllArgs {
    token: String,
}

/// The outputs of `/order/all`.
#[derive(Serialize)]
struct AllOutput {
    list: Vec<Map<String, Value>>,
    /// Anything
    extra: Value,
}

/// Lists orders
async fn all(Args(_): Args<AllArgs>, _: Context) -> Result<AllOutput, ApiError> {
    Err(not_implemented("order.all.get"))
}
