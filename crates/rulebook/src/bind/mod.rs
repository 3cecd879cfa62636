//! Binds the handlers of the program to the API methods of the model, and creates the plan: the data structures with
//! which requests are handled.
//!
//! Mismatches are reported as diagnostics: API methods without a handler, handlers without an API method, and handlers
//! whose argument type does not accept all valid arguments.

mod auth_challenges;
mod bind_handlers;
mod check_handler;
mod check_outputs;
mod cors;
mod defined_handlers;
mod deprecation;
mod limits;
mod plan;
mod response_fields;
mod version_handler;
mod version_members;

pub use bind_handlers::bind_handlers;
pub(crate) use bind_handlers::missing_handler_warnings;
pub use check_handler::argument_types;
pub(crate) use defined_handlers::{defined_handler_errors, handler_diagnostic};
pub use plan::{PlanContext, create_plan, uses_idempotency_keys};
pub use version_handler::actions_of_version;

use plan::parameter_default;
