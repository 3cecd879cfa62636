//! Fetches an OpenAPI description.

use super::{Client, OnProgress, ServerUrl, TransferError, error_response};

/// The maximum size in bytes of a description.
const MAX_BYTES: u64 = 256 << 20;

/// Fetches the document with this URL.
///
/// # Errors
/// Fails if the server cannot be reached or responds with an error.
pub(crate) fn fetch_document(
    client: &Client,
    url: &ServerUrl,
    progress: OnProgress<'_>,
) -> Result<Vec<u8>, TransferError> {
    client.with_retries(progress, |_| {
        let response =
            client.send_request("GET", url.document_url(), Vec::new(), ()).map_err(TransferError::Connection)?;
        if response.status() != 200 {
            return Err(error_response::to_transfer_error(response));
        }
        response.into_body().into_with_config().limit(MAX_BYTES).read_to_vec().map_err(TransferError::Connection)
    })
}
