//! The API for programs: modules of handlers, and the context in which handlers run.
//!
//! Converts an `async fn(Args<T>, Context) -> Result<U, ApiError>` to a handler that a plan can contain. This module
//! must not depend on how requests are read or responses are sent.

mod args;
mod args_error;
mod call;
mod call_builder;
mod context;
mod fields;
mod into_handler;
mod module;
mod readiness_check;
mod response_overrides;
mod slots_reader;
mod state;
mod value_reader;

pub use args::Args;
pub use args_error::{ArgsError, ArgsErrorKind};
pub use call::{Call, CallArgument, Caller, Response};
pub use call_builder::CallBuilder;
pub(crate) use context::CallOrigin;
pub use context::Context;
pub use fields::Fields;
pub use into_handler::{Handler, HandlerFuture, HandlerMismatch, IntoHandler};
pub use module::{Binding, CallEnd, Hooks, Module};
pub use readiness_check::ReadinessCheck;
pub use state::State;
