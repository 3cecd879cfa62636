//! Fetches files from another server.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::PathBuf;

use ureq::Body;
use ureq::http::{HeaderMap, HeaderName, Response, StatusCode, header};

use super::client::CHUNK_SIZE;
use super::error_response;
use super::partial::PartialFile;
use super::{Client, Digest, OnProgress, Progress, ServerUrl, TransferError, Verification};

/// A file to fetch.
pub(crate) struct FetchRequest {
    /// The file's name on the server.
    pub(crate) name: String,
    /// The path of the local file.
    pub(crate) local_path: PathBuf,
    /// If `true`, the file is fetched only if its content on the server differs from the local file.
    pub(crate) if_changed: bool,
}

/// Fetches a file. The received bytes are stored in a second file beside the local file, so that a later attempt, even
/// of another process, can resume the transfer. The local file is replaced when all bytes have been received. Returns the
/// digest of the content, without verification if the local file already has the same content.
pub(crate) fn fetch(
    client: &Client,
    server: &ServerUrl,
    request: &FetchRequest,
    progress: OnProgress<'_>,
) -> Result<(Digest, Option<Verification>), TransferError> {
    let local = if request.if_changed { local_digest(request)? } else { None };
    let mut partial = PartialFile::open(&request.local_path)?;
    let unchanged = client
        .with_retries(progress, |progress| attempt_fetch(client, server, request, local, &mut partial, progress))?;
    match unchanged {
        Some(digest) => Ok((digest, None)),
        None => partial.finish().map(|(digest, verification)| (digest, Some(verification))),
    }
}

/// Returns the digest of the local file; `None` if the file does not exist.
fn local_digest(request: &FetchRequest) -> Result<Option<Digest>, TransferError> {
    let file_error = TransferError::at_path(&request.local_path);
    match File::open(&request.local_path) {
        Ok(file) => Digest::of_file(file).map(Some).map_err(file_error),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(file_error(error)),
    }
}

/// Receives the content. Returns the digest of the local file instead if it has the same content.
fn attempt_fetch(
    client: &Client,
    server: &ServerUrl,
    request: &FetchRequest,
    local: Option<Digest>,
    partial: &mut PartialFile,
    progress: OnProgress<'_>,
) -> Result<Option<Digest>, TransferError> {
    let mut url = server.with_default_path("/iapi/file");
    url.query_pairs_mut().append_pair("filename", &request.name);
    let resumed = partial.resumable_digest();
    // The server must not compress the response, because ranges, lengths and entity tags must refer to the file itself.
    let mut fields = vec![(header::ACCEPT_ENCODING, "identity".to_owned())];
    if let Some(local) = local {
        fields.push((header::IF_NONE_MATCH, local.to_etag().to_string()));
    }
    if let Some(digest) = resumed {
        fields.push((header::RANGE, format!("bytes={}-", partial.length())));
        fields.push((header::IF_RANGE, digest.to_etag().to_string()));
    }
    let response = client.send_request("GET", &url, fields, ()).map_err(TransferError::Connection)?;
    let coding = field_text(response.headers(), header::CONTENT_ENCODING);
    if response.status().is_success() && coding.is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
        return Err(TransferError::InvalidResponse("it has a content coding, which the request excluded"));
    }
    match (response.status(), local, resumed) {
        (StatusCode::NOT_MODIFIED, Some(local), _) => Ok(Some(local)),
        (StatusCode::OK, ..) => {
            partial.restart(Digest::from_etag_field(response.headers()))?;
            receive_body(response, partial, progress).map(|()| None)
        }
        (StatusCode::PARTIAL_CONTENT, _, Some(digest))
            if continues_file(response.headers(), digest, partial.length()) =>
        {
            receive_body(response, partial, progress).map(|()| None)
        }
        // An earlier attempt has received all bytes, so that the requested range is empty.
        (StatusCode::RANGE_NOT_SATISFIABLE, _, Some(_)) if partial.is_complete() => Ok(None),
        (StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE, _, Some(_)) => {
            partial.discard()?;
            attempt_fetch(client, server, request, local, partial, progress)
        }
        (StatusCode::PARTIAL_CONTENT, ..) => {
            Err(TransferError::InvalidResponse("it has partial content, which was not requested"))
        }
        _ => Err(error_response::to_transfer_error(response)),
    }
}

/// Returns `true` if a response with status 206 belongs to the file with this digest, and begins at offset `from`.
fn continues_file(fields: &HeaderMap, digest: Digest, from: u64) -> bool {
    let range = field_text(fields, header::CONTENT_RANGE).and_then(|range| range.strip_prefix("bytes "));
    let first = range.and_then(|range| range.split_once('-')).and_then(|(first, _)| first.parse().ok());
    first == Some(from) && Digest::from_etag_field(fields) == Some(digest)
}

/// Appends the body of a response to the partial file.
fn receive_body(
    response: Response<Body>,
    partial: &mut PartialFile,
    progress: OnProgress<'_>,
) -> Result<(), TransferError> {
    let mut body = response.into_body();
    let done = partial.length();
    let total = body.content_length().map(|length| done.saturating_add(length));
    progress(Progress::Started { done, total });
    let mut reader = body.as_reader();
    let mut chunk = vec![0; CHUNK_SIZE];
    loop {
        match reader.read(&mut chunk) {
            // If the body ends before its announced length, `read` returns an error instead of 0.
            Ok(0) => return Ok(()),
            Ok(read) => {
                partial.append(&chunk[..read])?;
                progress(Progress::Advanced(read as u64));
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(TransferError::Connection(error.into())),
        }
    }
}

fn field_text(fields: &HeaderMap, name: HeaderName) -> Option<&str> {
    fields.get(name)?.to_str().ok()
}
