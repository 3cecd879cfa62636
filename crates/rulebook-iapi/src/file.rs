//! Handlers for uploading and downloading stored files, and the declared errors of a caller that may not access a file
//! and of the file store.

use rulebook::store::{Precondition, Publication, StoreError};
use rulebook::{ApiError, Args, Context, Download, Head, Upload};
use rulebook_model::filename::FileName;
use serde::Deserialize;
use tokio::task::spawn_blocking;

/// The parameters of [`download`].
#[derive(Deserialize)]
pub struct DownloadParameters {
    filename: String,
}

/// The parameters of [`upload`].
#[derive(Deserialize)]
pub struct UploadParameters {
    content: Upload,
    filename: String,
}

/// The parameters of [`upload_all`]. The two arrays have the same length.
#[derive(Deserialize)]
pub struct UploadAllParameters {
    content: Vec<Upload>,
    filename: Vec<String>,
}

/// Responds with a stored file. The parameter is `filename`, of the type `filename`. The definition of the
/// method must have the option `download`.
///
/// # Errors
/// Returns the declared errors `no_such_file`, and `not_allowed` if the caller's API key does not allow the
/// file name.
pub async fn download(Args(parameters): Args<DownloadParameters>, context: Context) -> Result<Download, ApiError> {
    let name = parse_allowed_name(&context, &parameters.filename)?;
    let store = context.store()?;
    let last_segment = name.parts().last().unwrap_or_default().to_owned();
    let file = match store.read_nonblocking(&name) {
        Some(file) => file,
        None => run_blocking(move || store.read(&name)).await?,
    };
    let file = file.map_err(store_error)?;
    // `no-cache` means that clients validate their copy before each use. This is cheap, because the entity tag
    // identifies the content.
    Ok(Download::from(file).name(last_segment).header("Cache-Control", "no-cache").inline())
}

/// Stores a file. An existing file with the same name is replaced, unless the header field `If-None-Match` or
/// `If-Match` of the request forbids this. The parameters are `content`, of the type `file`, and `filename`, of the
/// type `filename`.
///
/// # Errors
/// Returns the declared errors `not_allowed`, `precondition_failed`, `name_taken` and `no_room`.
pub async fn upload(Args(parameters): Args<UploadParameters>, context: Context) -> Result<(), ApiError> {
    let UploadParameters { content, filename } = parameters;
    let tags = store_files(vec![content], &[filename], &context).await?;
    tags.first().map_or(Ok(()), |tag| Ok(context.set_header("ETag", tag.as_str())?))
}

/// Stores several files, either all or none. The parameters are those of [`upload`] as arrays of equal length.
///
/// # Errors
/// Returns the declared errors of [`upload`], `count_mismatch` and `duplicate_filename`.
pub async fn upload_all(Args(parameters): Args<UploadAllParameters>, context: Context) -> Result<(), ApiError> {
    store_files(parameters.content, &parameters.filename, &context).await.map(drop)
}

/// Stores files, and returns their entity tags in the same order.
async fn store_files(contents: Vec<Upload>, filenames: &[String], context: &Context) -> Result<Vec<String>, ApiError> {
    if contents.len() != filenames.len() {
        return Err(ApiError::declared("count_mismatch"));
    }
    let names = filenames.iter().map(|name| parse_allowed_name(context, name)).collect::<Result<Vec<_>, _>>()?;
    let precondition = context.head().map_or_else(Precondition::default, |head: &Head| Precondition::from_head(head));
    let store = context.store()?;
    let published = run_blocking(move || {
        let publications = names.into_iter().zip(&contents).map(|(name, upload)| {
            Ok(Publication { staged: store.stage(upload)?, name, precondition: precondition.clone() })
        });
        store.publish_all(publications.collect::<Result<_, _>>()?)
    });
    let infos = published.await?.map_err(store_error)?;
    Ok(infos.into_iter().filter_map(|info| info.etag).map(|etag| etag.to_string()).collect())
}

/// Parses a file name, and checks that the caller's API key allows it. The patterns in the type of the parameter have
/// been checked before the handler was called.
fn parse_allowed_name(context: &Context, text: &str) -> Result<FileName, ApiError> {
    // Parsing cannot fail, because the type `filename` accepts only valid names.
    require_file_access(context, FileName::parse(text).map_err(ApiError::internal)?)
}

/// Runs a function that waits for the disk or the database. It runs in a thread that does not serve requests.
pub(crate) async fn run_blocking<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
    spawn_blocking(run).await.map_err(ApiError::internal)
}

/// Returns the file name if the caller's API key allows the caller to access this file.
pub(crate) fn require_file_access(context: &Context, name: FileName) -> Result<FileName, ApiError> {
    match context.identity() {
        Some(identity) if !identity.may_access_file(&name) => {
            Err(ApiError::declared("not_allowed").with_member("filename", name.as_str()))
        }
        _ => Ok(name),
    }
}

/// Converts an error of the file store to the error that the definition of the method declares for it.
pub(crate) fn store_error(error: StoreError) -> ApiError {
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
