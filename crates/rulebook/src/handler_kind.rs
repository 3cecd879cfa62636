//! The traits that a program implements to add a kind of handler, [`HandlerKind`] and [`CompiledHandler`], the types in
//! the signatures of these traits, and what such kinds need. A definition chooses handlers of such a kind with
//! `handler`.

pub use rulebook_model::definition::{JsonData, JsonMember, JsonMembers, JsonNode};
pub use rulebook_model::model::{DefinedHandler, DefinedHandlers};

pub use crate::bind::argument_types;
pub use crate::call::{ArgumentSlot, ArgumentSlots, RawResponse, ReturnedValue};
pub use crate::handler::{
    ApplyMigrations, BodyAccess, CheckContext, CheckFuture, CompiledHandler, ConnectionLease, ConnectionPool,
    DataChanges, HandledMethod, HandlerError, HandlerFuture, HandlerKind, LogLines, Measure, Measurement,
    MethodReturns, Migrations, OutputsCheck, PrepareContext, PrepareError, PrepareFuture, ReadinessCheck, SettingNames,
    SettingsReader, StartFuture, WorkerThread, body_len, body_stream, describe_file, expand_variables, printable,
    settings, variable_errors,
};
pub use crate::secret::read_or_create as read_or_create_secret;
pub use rulebook_model::types::python_type;
pub use rulebook_model::variables::{ExpandedText, VariableError};
