//! Converts errors of the store to errors that the definition declares, and checks file names against the patterns of a
//! key.

use tokio::task::spawn_blocking;

use rulebook::ApiError;
use rulebook::Context;
use rulebook::store::StoreError;
use rulebook_model::filename::FileName;

/// Runs a function that blocks on the disk or the database in a thread that serves no requests.
pub(super) async fn run_blocking<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
    spawn_blocking(run).await.map_err(ApiError::internal)
}

/// Returns the name if the key of the caller allows it.
///
/// # Errors
/// Returns the declared error `not_allowed` if the key does not allow the name.
pub(super) fn check_allowed(context: &Context, name: FileName) -> Result<FileName, ApiError> {
    match context.identity() {
        Some(identity) if !identity.may_access_file(&name) => {
            Err(ApiError::declared("not_allowed").with_member("filename", name.as_str()))
        }
        _ => Ok(name),
    }
}

/// Converts an error of the store to a declared error.
pub(super) fn store_error(error: StoreError) -> ApiError {
    let with_name = |code, name: FileName| ApiError::declared(code).with_member("filename", name.as_str());
    match error {
        StoreError::NotFound(name) => with_name("no_such_file", name),
        StoreError::NameTaken(name) => with_name("name_taken", name),
        StoreError::PreconditionFailed(name) => with_name("precondition_failed", name),
        StoreError::DuplicateName(name) => with_name("duplicate_filename", name),
        StoreError::StorageFull => ApiError::declared("no_room"),
        // `TooLarge`, and errors of the disk.
        _ => ApiError::internal(error),
    }
}
