//! Creates the plan, from which requests are served, from the model and the handlers of the program.
//!
//! Reports methods without a handler and handlers without a method, and computes everything that requests need.

#[expect(clippy::module_inception, reason = "the stage and its one function")]
mod bind;
mod check_handler;
mod cors;
mod multipart_limits;
mod plan;

pub use bind::bind;
pub use plan::{PlanContext, plan};

use plan::default_value;
