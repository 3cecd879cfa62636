//! Sending files to another server.

use std::io::{self, Read};
use std::path::PathBuf;

use ureq::SendBody;
use ureq::http::{StatusCode, header};

use super::error_response;
use super::multipart::MultipartBody;
use super::{Client, Digest, OnProgress, Progress, Server, TransferError, Verification};
use rulebook::ETag;

/// A local file and its name on the server.
pub(crate) struct OutgoingFile {
    pub(crate) path: PathBuf,
    pub(crate) name: String,
}

/// The condition for storing the files (RFC 9110 section 13.1).
pub(crate) enum WriteCondition {
    /// No condition: existing files are replaced.
    None,
    /// No file with one of these names must exist: `If-None-Match: *`.
    Absent,
    /// The existing file must have this entity tag: `If-Match`.
    Match(ETag),
}

/// Sends files in one request, so that the server stores either all of them or none. Returns the digest of each file,
/// and whether the server confirmed it.
///
/// # Errors
/// Fails if a file cannot be read, the server cannot be reached or responds with an error, or the digest from the
/// server differs.
pub(crate) fn send(
    client: &Client,
    server: &Server,
    files: &[OutgoingFile],
    condition: &WriteCondition,
    progress: OnProgress<'_>,
) -> Result<(Vec<Digest>, Verification), TransferError> {
    client.with_retries(progress, |progress| attempt(client, server, files, condition, progress))
}

fn attempt(
    client: &Client,
    server: &Server,
    files: &[OutgoingFile],
    condition: &WriteCondition,
    progress: OnProgress<'_>,
) -> Result<(Vec<Digest>, Verification), TransferError> {
    let url = if files.len() == 1 { server.file_url() } else { server.files_url() };
    // The names are sent first, so that the server can refuse a name before it receives any file.
    let names: Vec<_> = files.iter().map(|file| ("filename", file.name.as_str())).collect();
    let contents: Vec<_> = files.iter().map(|file| ("content", last_part(&file.name), file.path.as_path())).collect();
    let mut body = MultipartBody::new(&names, &contents)?;
    let mut fields = vec![
        (header::CONTENT_TYPE, body.media_type()),
        (header::CONTENT_LENGTH, body.length().to_string()),
        // With this field, the server can refuse the key before it receives the body.
        (header::EXPECT, "100-continue".to_owned()),
    ];
    match condition {
        WriteCondition::None => {}
        WriteCondition::Absent => fields.push((header::IF_NONE_MATCH, "*".to_owned())),
        WriteCondition::Match(tag) => fields.push((header::IF_MATCH, tag.to_string())),
    }
    progress(Progress::Started { done: 0, total: Some(body.length()) });
    let mut reader = ReportingReader { body: &mut body, progress };
    let response = match client.request("POST", &url, fields, SendBody::from_reader(&mut reader)) {
        Ok(response) => response,
        Err(error) => return Err(send_error(error, body, condition)),
    };
    if !response.status().is_success() {
        return Err(error_response::read(response));
    }
    let (head, response_body) = response.into_parts();
    if head.status != StatusCode::NO_CONTENT
        && let Some(error) = error_response::read_in_success(&head.headers, response_body)
    {
        return Err(error);
    }
    let digests = body.digests().to_vec();
    match *digests {
        [digest] => Ok((digests, digest.verify(Digest::from_fields(&head.headers))?)),
        // The response has a single entity tag, so that it cannot confirm several files.
        _ => Ok((digests, Verification::Unverified)),
    }
}

/// Classifies an error that occurred before a response arrived.
fn send_error(error: ureq::Error, body: MultipartBody, condition: &WriteCondition) -> TransferError {
    let has_sent = body.bytes_read() > 0;
    match (body.into_error(), condition) {
        (Some(error), _) => error,
        // Without a condition, the request can be repeated. With a condition, repeating it would fail if the server had
        // processed the first request.
        (None, WriteCondition::None) => TransferError::Connection(error),
        (None, _) if !has_sent => TransferError::Connection(error),
        (None, _) => TransferError::OutcomeUnknown(error),
    }
}

/// Returns the last part of a name.
fn last_part(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// A reader of a request body that reports progress.
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
