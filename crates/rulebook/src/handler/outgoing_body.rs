//! The bodies of requests that handlers send to other servers.

use std::future::ready;
use std::io;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{BoxStream, StreamExt, iter, try_unfold, unfold};
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use crate::call::Upload;
use crate::multipart::MultipartPiece;

/// The maximum length of a part that is read at once.
const PART_LEN: usize = 32 << 10;

/// Returns the length of a body in bytes.
#[must_use]
pub fn body_len(pieces: &[MultipartPiece<Upload>]) -> u64 {
    let len = |piece: &MultipartPiece<Upload>| match piece {
        MultipartPiece::Bytes(bytes) => bytes.len() as u64,
        MultipartPiece::File(upload) => upload.size(),
    };
    pieces.iter().map(len).sum()
}

/// Returns the bytes of a body, in parts of 1 byte to 32 KiB. Files are read as the parts are needed, and are kept
/// until then. If a file is shorter than it was, the stream fails.
#[must_use]
pub fn body_stream(pieces: Vec<MultipartPiece<Upload>>) -> BoxStream<'static, io::Result<Bytes>> {
    let parts = |piece: MultipartPiece<Upload>| {
        let in_memory = match &piece {
            MultipartPiece::Bytes(bytes) => Some(bytes.clone()),
            MultipartPiece::File(upload) => upload.bytes().map(Bytes::copy_from_slice),
        };
        match (in_memory, piece) {
            (None, MultipartPiece::File(upload)) => {
                try_unfold((None, upload.size(), upload), next_of_file).right_stream()
            }
            (bytes, _) => unfold(bytes.unwrap_or_default(), |bytes| ready(next_of_bytes(bytes))).left_stream(),
        }
    };
    iter(pieces).flat_map(parts).boxed()
}

fn next_of_bytes(mut bytes: Bytes) -> Option<(io::Result<Bytes>, Bytes)> {
    let next = bytes.split_to(bytes.len().min(PART_LEN));
    (!next.is_empty()).then_some((Ok(next), bytes))
}

/// The open file, the number of bytes that have not been read, and the upload, which keeps the file.
type OpenUpload = (Option<File>, u64, Upload);

async fn next_of_file((file, left, upload): OpenUpload) -> io::Result<Option<(Bytes, OpenUpload)>> {
    let len = usize::try_from(left).unwrap_or(PART_LEN).min(PART_LEN);
    if len == 0 {
        return Ok(None);
    }
    let mut file = match file {
        Some(file) => file,
        None => File::open(upload.path()?).await?,
    };
    let mut part = BytesMut::with_capacity(len);
    let read = (&mut file).take(len as u64).read_buf(&mut part).await?;
    if read == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some((part.freeze(), (Some(file), left - read as u64, upload))))
}
