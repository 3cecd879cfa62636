//! Fetches files from another server.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use blake3::{Hash, Hasher};
use ureq::Body;
use ureq::http::{HeaderMap, HeaderName, Response, StatusCode, header};
use url::Url;

use super::client::CHUNK_SIZE;
use super::digest::{etag, etag_field_digest};
use super::partial::PartialFile;
use super::server_url::with_default_path;
use super::{Client, Progress, TransferError, Verification, error_response};

/// Fetches a file with this name on the server to a local path. With `if_changed`, it is fetched only if its content
/// differs from that of the local file. Returns the digest of the content, and no verification if it is unchanged.
///
/// The received bytes are stored in a second file beside the local file, so that a later attempt, even of another
/// process, can resume the transfer. The local file is replaced when all bytes have been received.
pub(crate) fn fetch(
    client: &Client,
    server: &Url,
    name: &str,
    local_path: &Path,
    if_changed: bool,
) -> Result<(Hash, Option<Verification>), TransferError> {
    let local = if if_changed { local_digest(local_path)? } else { None };
    let mut url = with_default_path(server, "/iapi/file");
    url.query_pairs_mut().append_pair("filename", name);
    let mut partial = PartialFile::open(local_path)?;
    match client.with_retries(|| attempt_fetch(client, &url, local, &mut partial))? {
        Some(digest) => Ok((digest, None)),
        None => partial.finish().map(|(digest, verification)| (digest, Some(verification))),
    }
}

/// Returns the digest of the local file; `None` if the file does not exist.
fn local_digest(path: &Path) -> Result<Option<Hash>, TransferError> {
    let hashed = File::open(path).and_then(|file| Hasher::new().update_reader(file).map(|hasher| hasher.finalize()));
    match hashed {
        Ok(digest) => Ok(Some(digest)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(TransferError::at_path(path)(error)),
    }
}

/// Receives the content. Returns the digest of the local file instead if it has the same content.
fn attempt_fetch(
    client: &Client,
    url: &Url,
    local: Option<Hash>,
    partial: &mut PartialFile,
) -> Result<Option<Hash>, TransferError> {
    let resumed = partial.resumable_digest();
    // The server must not compress the response, because ranges, lengths and entity tags must refer to the file itself.
    let mut fields = vec![(header::ACCEPT_ENCODING, "identity".to_owned())];
    if let Some(local) = local {
        fields.push((header::IF_NONE_MATCH, etag(local)));
    }
    if let Some(digest) = resumed {
        fields.push((header::RANGE, format!("bytes={}-", partial.length())));
        fields.push((header::IF_RANGE, etag(digest)));
    }
    let response = client.send_request("GET", url, fields, ()).map_err(TransferError::Connection)?;
    let coding = field_text(response.headers(), header::CONTENT_ENCODING);
    if response.status().is_success() && coding.is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
        return Err(TransferError::InvalidResponse("it has a content coding, which the request excluded"));
    }
    match (response.status(), local, resumed) {
        (StatusCode::NOT_MODIFIED, Some(local), _) => Ok(Some(local)),
        (StatusCode::OK, ..) => {
            partial.restart(etag_field_digest(response.headers()))?;
            receive_body(response, partial, &client.progress).map(|()| None)
        }
        (StatusCode::PARTIAL_CONTENT, _, Some(digest))
            if continues_file(response.headers(), digest, partial.length()) =>
        {
            receive_body(response, partial, &client.progress).map(|()| None)
        }
        // An earlier attempt has received all bytes, so that the requested range is empty.
        (StatusCode::RANGE_NOT_SATISFIABLE, _, Some(_)) if partial.is_complete() => Ok(None),
        (StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE, _, Some(_)) => {
            partial.discard()?;
            attempt_fetch(client, url, local, partial)
        }
        (StatusCode::PARTIAL_CONTENT, ..) => {
            Err(TransferError::InvalidResponse("it has partial content, which was not requested"))
        }
        _ => Err(error_response::to_transfer_error(response)),
    }
}

/// Returns `true` if a response with status 206 belongs to the file with this digest, and begins at offset `from`.
fn continues_file(fields: &HeaderMap, digest: Hash, from: u64) -> bool {
    let range = field_text(fields, header::CONTENT_RANGE).and_then(|range| range.strip_prefix("bytes "));
    let first = range.and_then(|range| range.split_once('-')).and_then(|(first, _)| first.parse().ok());
    first == Some(from) && etag_field_digest(fields) == Some(digest)
}

/// Appends the body of a response to the partial file.
fn receive_body(response: Response<Body>, partial: &mut PartialFile, progress: &Progress) -> Result<(), TransferError> {
    let mut body = response.into_body();
    let done = partial.length();
    let total = body.content_length().map(|length| done.saturating_add(length));
    progress.start(done, total);
    let mut reader = body.as_reader();
    let mut chunk = vec![0; CHUNK_SIZE];
    loop {
        match reader.read(&mut chunk) {
            // If the body ends before its announced length, `read` returns an error instead of 0.
            Ok(0) => return Ok(()),
            Ok(read) => {
                partial.append(&chunk[..read])?;
                progress.advance(read);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(TransferError::Connection(error.into())),
        }
    }
}

fn field_text(fields: &HeaderMap, name: HeaderName) -> Option<&str> {
    fields.get(name)?.to_str().ok()
}
