//! The interface between rulebook and the code of a program: handlers, their arguments, and the context of a call.
//!
//! A program writes a handler as `async fn(Args<T>, Context) -> Result<U, ApiError>`. This Rust module converts such a
//! function to a [`Handler`], which a plan can contain. It must not depend on how requests are read or responses are
//! sent.

mod args;
mod argument_fields;
mod call_builder;
mod connection_pool;
mod context;
mod file_fields;
mod into_handler;
mod kind;
mod log_lines;
mod measurement;
mod module;
mod out;
mod outgoing_body;
mod readiness_check;
mod response;
pub mod settings;
mod settings_reader;
mod slots_reader;
mod state;
mod value_kind;
mod value_reader;
mod variables;
mod worker_thread;

pub use args::Args;
pub use argument_fields::{ArgsError, ArgumentFields};
pub use call_builder::{Call, CallArgument, CallBuilder, EngineHandle};
pub use connection_pool::{ConnectionLease, ConnectionPool};
pub(crate) use context::CallOrigin;
pub use context::Context;
pub use file_fields::describe_file;
pub use into_handler::{Handler, HandlerFuture, HandlerMismatch, IntoHandler, Outputs};
pub use kind::{
    ApplyMigrations, BodyAccess, CheckContext, CheckFuture, CompiledHandler, DataChanges, HandledMethod, HandlerError,
    HandlerKind, MethodReturns, Migrations, OutputsCheck, PrepareContext, PrepareError, PrepareFuture, StartFuture,
};
pub use log_lines::{LogLines, printable};
pub use measurement::{Measure, Measurement};
pub use module::{CallEnd, HandlerBinding, Hooks, Module};
pub use out::{Out, OutputProbe};
pub use outgoing_body::{body_len, body_stream};
pub use readiness_check::ReadinessCheck;
pub use response::Response;
pub use settings_reader::{SettingNames, SettingsReader};
pub use state::ProgramState;
pub use value_kind::{MockHandler, ValueKind};
pub use variables::{expand_variables, variable_errors};
pub use worker_thread::WorkerThread;
pub(crate) use worker_thread::run_worker;
