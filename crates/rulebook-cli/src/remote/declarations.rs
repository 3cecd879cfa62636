//! Fetches the TypeScript declarations of an API, or its definition, from a server.

use ureq::http::header;

use super::{Client, OnProgress, ServerUrl, TransferError, error_response};

/// The maximum size in bytes of the declarations, and of the definition.
const MAX_BYTES: u64 = 256 << 20;

/// Fetches the TypeScript declarations that a server generates from its definition, at `/docs/api.d.ts`.
///
/// # Errors
/// Fails if the server cannot be reached or responds with an error, or if the response is not text.
pub(crate) fn fetch_declarations(
    client: &Client,
    server: &ServerUrl,
    progress: OnProgress<'_>,
) -> Result<String, TransferError> {
    let url = server.declarations_url();
    client.with_retries(progress, |_| {
        let response = client.send_request("GET", &url, Vec::new(), ()).map_err(TransferError::Connection)?;
        if response.status() != 200 {
            return Err(error_response::to_transfer_error(response));
        }
        let media_type = response.headers().get(header::CONTENT_TYPE);
        if !media_type.is_some_and(|media_type| media_type.as_bytes().starts_with(b"text/plain")) {
            return Err(TransferError::InvalidResponse("it does not contain TypeScript declarations"));
        }
        response.into_body().into_with_config().limit(MAX_BYTES).read_to_string().map_err(TransferError::Connection)
    })
}

/// Fetches the definition of the API that a server responds with to OPTIONS.
///
/// # Errors
/// Fails if the server cannot be reached or responds with an error, or if the response is not JSON.
pub(crate) fn fetch_definition(
    client: &Client,
    server: &ServerUrl,
    progress: OnProgress<'_>,
) -> Result<Vec<u8>, TransferError> {
    client.with_retries(progress, |_| {
        let url = server.document_url();
        let response = client.send_request("OPTIONS", url, Vec::new(), ()).map_err(TransferError::Connection)?;
        if response.status() != 200 {
            return Err(error_response::to_transfer_error(response));
        }
        let media_type = response.headers().get(header::CONTENT_TYPE);
        if !media_type.is_some_and(|media_type| media_type.as_bytes().starts_with(b"application/json")) {
            return Err(TransferError::InvalidResponse("it does not contain the definition of an API"));
        }
        response.into_body().into_with_config().limit(MAX_BYTES).read_to_vec().map_err(TransferError::Connection)
    })
}
