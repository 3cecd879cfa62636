//! From the model and the program's handlers to the plan that requests are served from.
//!
//! Compares the handlers with the methods of the definition, both ways, and lays out what requests need.

#[expect(clippy::module_inception, reason = "the stage and its one function")]
mod bind;
mod check_handler;
mod cors;
mod multipart_limits;
mod plan;

pub use bind::bind;
pub use plan::{PlanContext, plan};

use plan::default_value;
