//! Sends files to another server.

use std::path::PathBuf;

use blake3::Hash;
use ureq::SendBody;
use ureq::http::{HeaderName, StatusCode, header};
use url::Url;

use super::digest::{etag_field_digest, verify};
use super::error_response;
use super::multipart::MultipartBody;
use super::server_url::with_default_path;
use super::{Client, TransferError, Verification};

/// A local file and its name on the server.
pub(crate) struct OutgoingFile {
    pub(crate) path: PathBuf,
    pub(crate) name: String,
}

/// The header field with the condition for storing the files (RFC 9110 section 13.1), if there is one.
pub(crate) type WriteCondition = Option<(HeaderName, String)>;

/// Sends files in one request, so that the server stores either all of them or none. Returns the digest of each file,
/// and whether the server confirmed it.
pub(crate) fn send(
    client: &Client,
    server: &Url,
    files: &[OutgoingFile],
    condition: &WriteCondition,
) -> Result<(Vec<Hash>, Verification), TransferError> {
    client.with_retries(|| attempt_send(client, server, files, condition))
}

fn attempt_send(
    client: &Client,
    server: &Url,
    files: &[OutgoingFile],
    condition: &WriteCondition,
) -> Result<(Vec<Hash>, Verification), TransferError> {
    let url = with_default_path(server, if files.len() == 1 { "/iapi/file" } else { "/iapi/files" });
    let mut body = MultipartBody::new(files, &client.progress)?;
    let mut fields = vec![
        (header::CONTENT_TYPE, body.media_type.clone()),
        (header::CONTENT_LENGTH, body.length.to_string()),
        // With this field, the server can reject the API key before it receives the body.
        (header::EXPECT, "100-continue".to_owned()),
    ];
    fields.extend(condition.clone());
    let response = match client.send_request("POST", &url, fields, SendBody::from_reader(&mut body)) {
        Ok(response) => response,
        Err(error) => {
            return Err(match body.error {
                Some(error) => error,
                // A request without a condition can be repeated. A repeated request with a condition would fail if the
                // server had already stored the file for the first request.
                None if condition.is_some() && body.has_sent => TransferError::OutcomeUnknown(error),
                None => TransferError::Connection(error),
            });
        }
    };
    if !response.status().is_success() {
        return Err(error_response::to_transfer_error(response));
    }
    let (head, response_body) = response.into_parts();
    if head.status != StatusCode::NO_CONTENT
        && let Some(error) = error_response::find_error_in_success(&head.headers, response_body)
    {
        return Err(error);
    }
    match body.digests[..] {
        [digest] => Ok((body.digests, verify(digest, etag_field_digest(&head.headers))?)),
        // A response has at most one entity tag, so that it cannot confirm the digests of several files.
        _ => Ok((body.digests, Verification::Unverified)),
    }
}
