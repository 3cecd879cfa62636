//! Uploaded files that statements use: their content is read before the statements run.

use rulebook::ApiError;
use rulebook::error::ErrorCode;
use rulebook::handler_kind::HandlerError;
use rulebook_model::call::{Limit, Unit};
use rulebook_model::model::Parameter;

use super::SqlMethod;
use crate::database::{Lease, PrepareError};
use crate::target::Target;
use crate::value::SqlValue;

/// The name of the limit in error responses.
pub(super) const LIMIT_NAME: &str = "max_file";

/// The number of bytes of a packet that a file cannot use, because the packet contains other values.
const PACKET_RESERVE: u64 = 64 << 10;

impl SqlMethod {
    /// Returns the maximum size of an uploaded file in bytes: the setting, or less if the database accepts less.
    pub(super) async fn max_upload(&self, lease: &mut Lease) -> Result<u64, PrepareError> {
        let max = self.limits.file;
        if self.values.iter().all(|value| value.target != Target::Binary) {
            return Ok(max);
        }
        let Some(packet) = lease.max_packet().await.map_err(PrepareError::Database)? else { return Ok(max) };
        let max = max.min(packet.saturating_sub(PACKET_RESERVE));
        let too_large =
            self.values.iter().filter_map(|value| Some((value, value.max_bytes.filter(|size| *size > max)?)));
        let errors = too_large.map(|(value, size)| {
            let accepted = format!("the database accepts {packet} bytes for all values of a statement");
            let error = HandlerError::new(format!("`{}` can be a file of {size} bytes, but {accepted}", value.name));
            error
                .at(self.span)
                .help("reduce the `max` of the parameter, or increase `max_allowed_packet` of the database")
        });
        let errors: Vec<_> = errors.collect();
        if errors.is_empty() { Ok(max) } else { Err(PrepareError::Definition(errors)) }
    }

    /// Reads the content of the uploaded files among the values of a call, each of at most `max` bytes. The call has a
    /// connection already, so that the size of the pool bounds the memory for files.
    pub(super) async fn read_files(&self, values: &mut [SqlValue], max: u64) -> Result<(), ApiError> {
        for (value, named) in values.iter_mut().zip(&self.values) {
            let SqlValue::File(upload) = value else { continue };
            if upload.size() > max {
                let limit = Limit { name: LIMIT_NAME, max, unit: Unit::Bytes, code: ErrorCode::TooLarge };
                let parameter = named.request.as_ref().map(Parameter::request_name);
                return Err(ApiError::too_large(limit, parameter));
            }
            if let Some(bytes) = upload.bytes() {
                *value = SqlValue::Bytes(bytes.to_vec());
                continue;
            }
            let upload = upload.clone();
            let content = self.wait_for_disk(move || std::fs::read(upload.path()?)).await;
            let content =
                content.map_err(|error| ApiError::internal(format!("the uploaded file cannot be read: {error}")))?;
            *value = SqlValue::Bytes(content);
        }
        Ok(())
    }

    /// Runs an operation that waits for the disk on another thread.
    pub(super) async fn wait_for_disk<T: Send + 'static>(
        &self,
        run: impl FnOnce() -> std::io::Result<T> + Send + 'static,
    ) -> std::io::Result<T> {
        let runtime = self.database.runtime().map_err(std::io::Error::other)?;
        runtime.spawn_blocking(run).await?
    }
}
