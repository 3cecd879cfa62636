//! What users write against: modules of typed handlers, and the context they run in.
//!
//! In charge of turning an `async fn(Args<T>, Context) -> Result<U, Refusal>`
//! into something a plan can hold. Must not know how requests are read or
//! answered.

mod answer;
mod args;
mod caller;
mod calling;
mod context;
mod erased;
mod misread;
mod module;
mod probe;
mod read;
mod ready;
mod value;

pub use args::Args;
pub use caller::{Argument, Call, Caller, Response};
pub use calling::Calling;
pub(crate) use context::Around;
pub use context::{Context, State};
pub use erased::{Handler, IntoHandler, Misfit, Running};
pub use misread::{Cause, Misread};
pub use module::{Binding, Ended, Hooks, Module};
pub use probe::Fields;
pub use ready::Ready;
