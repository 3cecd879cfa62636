//! Downloads of a single file, which is the content of a column.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use futures_util::StreamExt;
use rulebook::handler_kind::ReturnedValue;
use rulebook::{ApiError, Download, ETag};

use super::upload::LIMIT_NAME;
use super::{CallFailure, ReadRows, ResultStep, SqlMethod};
use crate::database::{FileRow, Lease};
use crate::settings::CallLimits;
use crate::value::SqlValue;

/// The maximum size in bytes of a file that waits for its client in memory. The server has little memory for such
/// responses, so that a larger file waits on the disk.
const MAX_BYTES_IN_MEMORY: usize = 64 << 10;

/// Runs the statements, and returns the file in the row of the result.
pub(super) async fn file(method: Arc<SqlMethod>, values: Vec<SqlValue>) -> Result<ReturnedValue, ApiError> {
    let Some((content, row)) = method.run(values, &FileContent).await?.pop() else { return Err(no_file()) };
    let download = if content.len() <= MAX_BYTES_IN_MEMORY {
        Download::bytes(content)
    } else {
        let folder = method.prepared()?.data_folder.clone();
        let stored = method.wait_for_disk(move || store(&content, &folder)).await;
        let (file, etag) = stored.map_err(|error| ApiError::internal(format!("the file cannot be sent: {error}")))?;
        Download::file(file).etag(etag)
    };
    let download = download.name(row.name.unwrap_or_else(|| method.file_name.clone()));
    let download = if method.is_inline { download.inline_if_passive() } else { download };
    let download = match row.media_type {
        Some(media_type) => download.media_type(media_type),
        None => download,
    };
    Ok(ReturnedValue::Download(Box::new(download)))
}

/// Writes the content of a file to a temporary file, which has no name and is removed when it is closed. Returns it
/// with its entity tag.
fn store(content: &[u8], folder: &Path) -> io::Result<(File, ETag)> {
    let mut file = tempfile::tempfile_in(folder)?;
    file.write_all(content)?;
    Ok((file, ETag::strong(blake3::hash(content).to_hex())))
}

struct FileContent;

impl ReadRows for FileContent {
    /// The content of the file, and the row without it.
    type Result = (Vec<u8>, FileRow);

    async fn read(
        &self,
        method: &SqlMethod,
        lease: &mut Lease,
        step: &ResultStep<'_>,
        values: &mut [SqlValue],
        _: &mut CallLimits,
    ) -> Result<Self::Result, CallFailure> {
        let mut rows = lease.fetch::<FileRow>(step.prepared, values)?;
        let mut row = rows.next().await.transpose()?;
        if rows.next().await.transpose()?.is_some() {
            let reason = "the statement returned more than one file; add a condition, or `limit 1`";
            return Err(CallFailure::Stopped(ApiError::internal(reason)));
        }
        let content = row.as_mut().and_then(|row| row.content.take());
        if content.is_none() {
            method.check_missing(step)?;
        }
        let (content, row) = content.zip(row).ok_or_else(|| CallFailure::Api(no_file()))?;
        let (size, max) = (content.len() as u64, method.limits.file);
        if size > max {
            let reason = format!("the file has {size} bytes, but `{LIMIT_NAME}` is {max}");
            return Err(CallFailure::Api(ApiError::internal(reason)));
        }
        Ok((content, row))
    }
}

fn no_file() -> ApiError {
    ApiError::internal("the statement returned no file, without `missing`")
}
