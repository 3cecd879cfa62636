//! Sends files to another server.

use std::io::{self, Read};
use std::path::PathBuf;

use ureq::SendBody;
use ureq::http::{StatusCode, header};

use super::error_response;
use super::multipart::MultipartBody;
use super::{Client, Digest, OnProgress, Progress, ServerUrl, TransferError, Verification};
use rulebook::ETag;

/// A local file and its name on the server.
pub(crate) struct OutgoingFile {
    pub(crate) path: PathBuf,
    pub(crate) name: String,
}

/// The condition for storing the files (RFC 9110 section 13.1).
pub(crate) enum WriteCondition {
    /// Store the files in any case; existing files are replaced.
    None,
    /// Store the files only if no file with one of these names exists: `If-None-Match: *`.
    Absent,
    /// Store the file only if the existing file has this entity tag: `If-Match`.
    Match(ETag),
}

/// Sends files in one request, so that the server stores either all of them or none. Returns the digest of each file,
/// and whether the server confirmed it.
///
/// # Errors
/// Fails if a file cannot be read, the server cannot be reached or responds with an error, or the digest that the
/// server returns is not that of the sent file.
pub(crate) fn send(
    client: &Client,
    server: &ServerUrl,
    files: &[OutgoingFile],
    condition: &WriteCondition,
    progress: OnProgress<'_>,
) -> Result<(Vec<Digest>, Verification), TransferError> {
    client.with_retries(progress, |progress| attempt_send(client, server, files, condition, progress))
}

fn attempt_send(
    client: &Client,
    server: &ServerUrl,
    files: &[OutgoingFile],
    condition: &WriteCondition,
    progress: OnProgress<'_>,
) -> Result<(Vec<Digest>, Verification), TransferError> {
    let url = if files.len() == 1 { server.file_url() } else { server.files_url() };
    // The names are sent first, so that the server can reject a name before it receives any file.
    let names: Vec<_> = files.iter().map(|file| ("filename", file.name.as_str())).collect();
    let contents: Vec<_> =
        files.iter().map(|file| ("content", last_segment(&file.name), file.path.as_path())).collect();
    let mut body = MultipartBody::new(&names, &contents)?;
    let mut fields = vec![
        (header::CONTENT_TYPE, body.media_type().to_owned()),
        (header::CONTENT_LENGTH, body.length().to_string()),
        // With this field, the server can reject the API key before it receives the body.
        (header::EXPECT, "100-continue".to_owned()),
    ];
    match condition {
        WriteCondition::None => {}
        WriteCondition::Absent => fields.push((header::IF_NONE_MATCH, "*".to_owned())),
        WriteCondition::Match(tag) => fields.push((header::IF_MATCH, tag.to_string())),
    }
    progress(Progress::Started { done: 0, total: Some(body.length()) });
    let mut reader = ReportingReader { body: &mut body, progress };
    let response = match client.send_request("POST", &url, fields, SendBody::from_reader(&mut reader)) {
        Ok(response) => response,
        Err(error) => return Err(classify_error(error, body, condition)),
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
    let digests = body.digests().to_vec();
    match *digests {
        [digest] => Ok((digests, digest.verify(Digest::from_etag_field(&head.headers))?)),
        // A response has at most one entity tag, so that it cannot confirm the digests of several files.
        _ => Ok((digests, Verification::Unverified)),
    }
}

/// Returns the transfer error for a connection error that occurred before a response arrived.
fn classify_error(error: ureq::Error, body: MultipartBody, condition: &WriteCondition) -> TransferError {
    let has_sent = body.bytes_read() > 0;
    match (body.into_error(), condition) {
        (Some(error), _) => error,
        // A request without a condition can be repeated. A repeated request with a condition would fail if the server
        // had already stored the file for the first request.
        (None, WriteCondition::None) => TransferError::Connection(error),
        (None, _) if !has_sent => TransferError::Connection(error),
        (None, _) => TransferError::OutcomeUnknown(error),
    }
}

/// Returns the text after the last `/` of a file name on the server.
fn last_segment(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// Reads a request body, and reports the number of read bytes to the progress callback.
struct ReportingReader<'a, 'p> {
    body: &'a mut MultipartBody,
    progress: OnProgress<'p>,
}

impl Read for ReportingReader<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.body.read(buffer)?;
        (self.progress)(Progress::Advanced(read as u64));
        Ok(read)
    }
}
