//! What the store and keys refuse, as errors that the definition declares.

use tokio::task::spawn_blocking;

use crate::call::Refusal;
use crate::filename::Name;
use crate::handler::Context;
use crate::store::StoreError;

/// Runs what waits for the disk away from the thread that serves requests.
pub(super) async fn away<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    spawn_blocking(run).await.map_err(Refusal::internal)
}

/// The name, if the caller's key allows it.
pub(super) fn unless_allowed(context: &Context, name: Name) -> Result<Name, Refusal> {
    match context.identity() {
        Some(identity) if !identity.may_name(&name) => {
            Err(Refusal::declared("not_allowed").with("filename", name.as_str()))
        }
        _ => Ok(name),
    }
}

/// Why a file is not given or not kept.
pub(super) fn refusal(error: StoreError) -> Refusal {
    let named = |error, name: Name| Refusal::declared(error).with("filename", name.as_str());
    match error {
        StoreError::Missing(name) => named("no_such_file", name),
        StoreError::Taken(name) => named("name_taken", name),
        StoreError::Precondition(name) => named("precondition_failed", name),
        StoreError::Twice(name) => named("duplicate_filename", name),
        StoreError::Full => Refusal::declared("no_room"),
        StoreError::TooLong(_) | StoreError::Io { .. } => Refusal::internal(error),
    }
}
