//! The handlers of the API module `Report`.
//!
//! TODO: write the handlers. Until then, each of them responds with the status 501.

use rulebook::{ApiError, Context, Module};

use super::api::report::{DayArguments, DayOutputs, Handlers};
use super::not_implemented;

/// Returns the handlers of the API module.
pub fn module() -> Module {
    Handlers { day }.into_module()
}

/// Returns the numbers of a day
async fn day(_: DayArguments, _: Context) -> Result<DayOutputs, ApiError> {
    Err(not_implemented("report.day.get"))
}
