//! Reads contents. Only the requested range is read, and few pieces of it are in memory.

use std::io;
use std::ops::Range;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{GetOptions, ObjectStore};
use rulebook::{ByteStream, RangedContent};
use tokio::sync::mpsc;

use crate::background::Tasks;
use crate::bucket::Bucket;

/// The number of pieces that wait for the client. The bucket sends a piece of at most some hundred kilobytes.
const WAITING_PIECES: usize = 4;
/// How often in a row reading fails before the download ends.
const MAX_FAILURES: u32 = 3;

/// Returns the content in an object, whose parts are requested when they are needed. Its streams keep `guard` until
/// they are dropped.
pub(crate) fn ranged_content(
    bucket: Bucket,
    tasks: Tasks,
    content: Path,
    length: u64,
    guard: impl Clone + Send + Sync + 'static,
) -> RangedContent {
    RangedContent::new(length, move |range| {
        stream_range(bucket.clone(), tasks.clone(), content.clone(), range, guard.clone())
    })
}

fn stream_range(
    bucket: Bucket,
    tasks: Tasks,
    content: Path,
    range: Range<u64>,
    guard: impl Send + 'static,
) -> ByteStream {
    // The request is sent when the stream is first polled: the server drops the stream of a HEAD request.
    let start = async move {
        let (sender, receiver) = mpsc::channel(WAITING_PIECES);
        tasks.spawn(async move { send_pieces(&bucket, &content, range, &sender).await });
        stream::unfold((receiver, guard), |(mut receiver, guard)| async move {
            Some((receiver.recv().await?, (receiver, guard)))
        })
    };
    Box::pin(stream::once(start).flatten())
}

/// Reads a range and sends its pieces. If the connection breaks, or the bucket closes it because the client is slow,
/// the rest of the range is requested again.
async fn send_pieces(bucket: &Bucket, content: &Path, range: Range<u64>, sender: &mpsc::Sender<io::Result<Bytes>>) {
    let mut from = range.start;
    let mut failures = 0;
    while from < range.end {
        let error = match read_pieces(bucket, content, from..range.end, sender, &mut from).await {
            Ok(Ended::ClientLeft) => return,
            Ok(Ended::Complete) => io::Error::other("the content is shorter than the file"),
            Err((error, has_progress)) => {
                failures = if has_progress { 0 } else { failures + 1 };
                if failures <= MAX_FAILURES {
                    log::debug!("the content of a file is read again from offset {from}: {error}");
                    continue;
                }
                io::Error::other(error)
            }
        };
        if from < range.end {
            // Sending fails only if the client has left.
            let _ = sender.send(Err(error)).await;
            return;
        }
    }
}

/// Why reading has ended without an error.
enum Ended {
    Complete,
    ClientLeft,
}

/// Sends the pieces of one request, and advances the offset of the next byte. The error says whether any piece arrived.
async fn read_pieces(
    bucket: &Bucket,
    content: &Path,
    range: Range<u64>,
    sender: &mpsc::Sender<io::Result<Bytes>>,
    from: &mut u64,
) -> Result<Ended, (object_store::Error, bool)> {
    let start = *from;
    let options = GetOptions { range: Some(range.into()), ..GetOptions::default() };
    let result = bucket.s3.get_opts(content, options).await.map_err(|error| (error, false))?;
    let mut pieces = result.into_stream();
    while let Some(piece) = pieces.try_next().await.map_err(|error| (error, *from > start))? {
        *from += piece.len() as u64;
        if sender.send(Ok(piece)).await.is_err() {
            return Ok(Ended::ClientLeft);
        }
    }
    Ok(Ended::Complete)
}
