//! Fetching files from another server.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::PathBuf;

use ureq::Body;
use ureq::http::{HeaderMap, HeaderName, Response, StatusCode, header};

use super::client::CHUNK;
use super::error_response;
use super::partial::PartialFile;
use super::{Client, Digest, OnProgress, Progress, Server, TransferError, Verification};

/// A file to fetch.
pub(crate) struct FetchRequest {
    /// The file's name on the server.
    pub(crate) name: String,
    /// The path of the local file.
    pub(crate) target: PathBuf,
    /// If `true`, the file is fetched only if the server's content differs from the local file.
    pub(crate) if_changed: bool,
}

/// The result of a successful fetch.
pub(crate) enum Fetched {
    /// The server's file has been stored.
    New(Digest, Verification),
    /// The local file has the same content as the file on the server.
    Unchanged(Digest),
}

/// The result of one attempt.
enum Attempt {
    /// The whole content has been received.
    Complete,
    /// No content has been received, because the local file has the same content.
    Unchanged(Digest),
}

/// Fetches a file. The received part is stored beside the target, so that a later attempt, even of another process, can
/// resume the transfer. The target is replaced only by the complete file.
///
/// # Errors
/// Fails if the server cannot be reached or responds with an error, the digest of the content differs from that of the
/// server, or the file cannot be written.
pub(crate) fn fetch(
    client: &Client,
    server: &Server,
    request: &FetchRequest,
    progress: OnProgress<'_>,
) -> Result<Fetched, TransferError> {
    let local = if request.if_changed { local_digest(request)? } else { None };
    let mut partial = PartialFile::open(&request.target)?;
    match client.with_retries(progress, |progress| attempt(client, server, request, local, &mut partial, progress))? {
        Attempt::Unchanged(digest) => Ok(Fetched::Unchanged(digest)),
        Attempt::Complete => partial.finish().map(|(digest, verification)| Fetched::New(digest, verification)),
    }
}

/// Returns the digest of the local file; `None` if the file does not exist.
fn local_digest(request: &FetchRequest) -> Result<Option<Digest>, TransferError> {
    let file_error = TransferError::file(&request.target);
    match File::open(&request.target) {
        Ok(file) => Digest::read(file).map(Some).map_err(file_error),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(file_error(error)),
    }
}

fn attempt(
    client: &Client,
    server: &Server,
    request: &FetchRequest,
    local: Option<Digest>,
    partial: &mut PartialFile,
    progress: OnProgress<'_>,
) -> Result<Attempt, TransferError> {
    let mut url = server.file_url();
    url.query_pairs_mut().append_pair("filename", &request.name);
    let resumed = partial.resumable();
    // A content coding is excluded, because ranges, lengths and entity tags must refer to the content of the file.
    let mut fields = vec![(header::ACCEPT_ENCODING, "identity".to_owned())];
    if let Some(local) = local {
        fields.push((header::IF_NONE_MATCH, local.tag().to_string()));
    }
    if let Some(digest) = resumed {
        fields.push((header::RANGE, format!("bytes={}-", partial.length())));
        fields.push((header::IF_RANGE, digest.tag().to_string()));
    }
    let response = client.request("GET", &url, fields, ()).map_err(TransferError::Connection)?;
    let coding = text(response.headers(), header::CONTENT_ENCODING);
    if response.status().is_success() && coding.is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
        return Err(TransferError::InvalidResponse("it has a content coding, which the request excluded"));
    }
    match (response.status(), local, resumed) {
        (StatusCode::NOT_MODIFIED, Some(local), _) => Ok(Attempt::Unchanged(local)),
        (StatusCode::OK, ..) => {
            partial.restart(Digest::from_fields(response.headers()))?;
            receive(response, partial, progress)
        }
        (StatusCode::PARTIAL_CONTENT, _, Some(digest)) if continues(response.headers(), digest, partial.length()) => {
            receive(response, partial, progress)
        }
        // An earlier attempt had received all bytes.
        (StatusCode::RANGE_NOT_SATISFIABLE, _, Some(_)) if partial.is_complete() => Ok(Attempt::Complete),
        (StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE, _, Some(_)) => {
            partial.discard()?;
            attempt(client, server, request, local, partial, progress)
        }
        (StatusCode::PARTIAL_CONTENT, ..) => {
            Err(TransferError::InvalidResponse("it has partial content, which was not requested"))
        }
        _ => Err(error_response::read(response)),
    }
}

/// Returns `true` if a response with status 206 contains the bytes from offset `from` of the content with this digest.
fn continues(fields: &HeaderMap, digest: Digest, from: u64) -> bool {
    let range = text(fields, header::CONTENT_RANGE).and_then(|range| range.strip_prefix("bytes "));
    let first = range.and_then(|range| range.split_once('-')).and_then(|(first, _)| first.parse().ok());
    first == Some(from) && Digest::from_fields(fields) == Some(digest)
}

/// Appends the body of a response to the partial file.
fn receive(
    response: Response<Body>,
    partial: &mut PartialFile,
    progress: OnProgress<'_>,
) -> Result<Attempt, TransferError> {
    let mut body = response.into_body();
    let done = partial.length();
    let total = body.content_length().map(|length| done.saturating_add(length));
    progress(Progress::Started { done, total });
    let mut reader = body.as_reader();
    let mut chunk = vec![0; CHUNK];
    loop {
        match reader.read(&mut chunk) {
            // The reader reports an error if the body ends before its announced length.
            Ok(0) => return Ok(Attempt::Complete),
            Ok(read) => {
                partial.write(&chunk[..read])?;
                progress(Progress::Advanced(read as u64));
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(TransferError::Connection(error.into())),
        }
    }
}

fn text(fields: &HeaderMap, name: HeaderName) -> Option<&str> {
    fields.get(name)?.to_str().ok()
}
