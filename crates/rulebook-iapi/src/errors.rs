//! Converts errors of the file store to errors that definitions declare. Checks whether the caller's API key, which can
//! be restricted to patterns of file names, allows a file.

use tokio::task::spawn_blocking;

use rulebook::ApiError;
use rulebook::Context;
use rulebook::store::StoreError;
use rulebook_model::filename::FileName;

/// Runs a function that waits for the disk or the database. It runs in a thread that does not serve requests.
pub(super) async fn run_blocking<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
    spawn_blocking(run).await.map_err(ApiError::internal)
}

/// Returns the file name if the caller's API key allows the caller to access this file.
pub(super) fn require_file_access(context: &Context, name: FileName) -> Result<FileName, ApiError> {
    match context.identity() {
        Some(identity) if !identity.may_access_file(&name) => {
            Err(ApiError::declared("not_allowed").with_member("filename", name.as_str()))
        }
        _ => Ok(name),
    }
}

/// Converts an error of the file store to the error that the definition of the method declares for it.
pub(super) fn store_error(error: StoreError) -> ApiError {
    let with_name = |code, name: FileName| ApiError::declared(code).with_member("filename", name.as_str());
    let words = error.to_string();
    match error {
        StoreError::NotFound(name) => with_name("no_such_file", name),
        StoreError::NameTaken(name) => with_name("name_taken", name),
        StoreError::PreconditionFailed(name) => with_name("precondition_failed", name),
        StoreError::DuplicateName(name) => with_name("duplicate_filename", name),
        StoreError::StorageFull => ApiError::declared("no_room"),
        StoreError::NameTooLong { name, .. } => with_name("not_allowed", name).with_message(words),
        StoreError::Unavailable { .. } => ApiError::unavailable(error),
        // The variant `TooLarge`, and errors of reading or writing the disk.
        _ => ApiError::internal(error),
    }
}
