//! The handlers of the API module `Cart`.
//!
//! TODO: write the handlers. Until then, each of them responds with the status 501.

use rulebook::{ApiError, Context, Module};

use super::api::cart::{
    AddArguments, AddOutputs, ClearArguments, Handlers, HistoryArguments, HistoryOutputs,
    PayArguments, PayOutputs,
};
use super::not_implemented;

/// Returns the handlers of the API module.
pub fn module() -> Module {
    Handlers {
        add,
        history,
        pay,
        clear,
    }
    .into_module()
}

/// Adds an article
async fn add(_: AddArguments, _: Context) -> Result<AddOutputs, ApiError> {
    Err(not_implemented("cart.add.get"))
}

/// Returns what was bought
async fn history(_: HistoryArguments, _: Context) -> Result<HistoryOutputs, ApiError> {
    Err(not_implemented("cart.history.get"))
}

/// Pays the cart
async fn pay(_: PayArguments, _: Context) -> Result<PayOutputs, ApiError> {
    Err(not_implemented("cart.pay.get"))
}

/// Cart.clear
async fn clear(_: ClearArguments, _: Context) -> Result<(), ApiError> {
    Err(not_implemented("cart.clear.get"))
}
