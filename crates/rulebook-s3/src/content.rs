//! Contents: written as one object, or as a multipart upload whose parts are sent while the next bytes arrive; and read
//! with only a few pieces of the requested range in memory.

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::ops::Range;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{Error, GetOptions, MultipartId, ObjectStore, ObjectStoreExt};
use rulebook::store::{ContentWriter, StoreError};
use rulebook::{ByteStream, RangedContent};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::bucket::{Bucket, CONTENTS, Keys, LINK_CONTENTS, UPLOADS, error_during, is_missing_object};
use crate::engine::Store;

/// The length of all parts except the last. It is the minimum of Amazon S3 ("Multipart upload limits"); some servers
/// require that all parts have the same length.
const PART_LEN: usize = 5 << 20;
/// The maximum number of parts (Amazon S3, "Multipart upload limits").
const MAX_PARTS: usize = 10_000;
/// The number of parts that are sent at the same time. Together with the next part, they are in memory.
const CONCURRENT_PARTS: usize = 4;

const WRITE: &str = "writing a file";

#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) id: String,
    /// `true` if it is the content of a download link.
    pub(crate) is_link: bool,
}

impl Target {
    fn key(&self, keys: &Keys) -> Path {
        if self.is_link { keys.key(LINK_CONTENTS, &self.id) } else { keys.key(CONTENTS, &self.id) }
    }
}

/// The record of a multipart upload, so that another server can abort it after this server was killed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct UploadRecord {
    pub(crate) upload: String,
    #[serde(default)]
    pub(crate) is_link: bool,
}

/// The memory of a part. The next part reuses it, because an allocator may keep freed memory of this size.
type Buffer = Vec<u8>;

#[derive(Debug)]
pub(crate) struct Writer {
    store: Store,
    target: Target,
    next: Buffer,
    parts: Option<Parts>,
    is_complete: bool,
}

/// The parts of a multipart upload that have been started.
#[derive(Debug)]
struct Parts {
    upload: MultipartId,
    sent: Vec<PartId>,
    in_progress: VecDeque<JoinHandle<Result<(PartId, Buffer), Error>>>,
}

impl Writer {
    pub(crate) fn new(store: Store, target: Target) -> Self {
        Self { store, target, next: Vec::new(), parts: None, is_complete: false }
    }

    fn send_part(&mut self) -> Result<(), StoreError> {
        let key = self.target.key(&self.store.bucket.keys);
        if self.parts.is_none() {
            let upload = self.store.run(|bucket| begin_upload(bucket, self.target.clone()))?;
            self.parts = Some(Parts { upload, sent: Vec::new(), in_progress: VecDeque::new() });
        }
        let Some(parts) = &mut self.parts else { return Ok(()) };
        let index = parts.sent.len() + parts.in_progress.len();
        if index >= MAX_PARTS {
            return Err(StoreError::TooLarge((MAX_PARTS * PART_LEN) as u64));
        }
        let buffer = match parts.in_progress.len() {
            0..CONCURRENT_PARTS => Buffer::new(),
            _ => parts.wait_for_oldest(&self.store)?,
        };
        let (bucket, upload) = (self.store.bucket.clone(), parts.upload.clone());
        let bytes = Bytes::from(mem::replace(&mut self.next, buffer));
        parts.in_progress.push_back(self.store.spawn(async move {
            let part = bucket.s3.put_part(&key, &upload, index, bytes.clone().into()).await?;
            Ok((part, bytes.try_into_mut().map(Buffer::from).unwrap_or_default()))
        }));
        Ok(())
    }
}

impl Parts {
    /// Waits for the first of the parts that are being sent, and returns its memory, which is empty again.
    fn wait_for_oldest(&mut self, store: &Store) -> Result<Buffer, StoreError> {
        let Some(oldest) = self.in_progress.pop_front() else { return Ok(Buffer::new()) };
        let (part, mut buffer) = store.run(|_| async move {
            let joined = oldest.await.map_err(|error| Error::JoinError { source: error });
            joined.and_then(|sent| sent).map_err(error_during(WRITE))
        })?;
        self.sent.push(part);
        buffer.clear();
        Ok(buffer)
    }
}

/// Begins a multipart upload, and writes the record of it.
async fn begin_upload(bucket: Bucket, target: Target) -> Result<MultipartId, StoreError> {
    let upload = bucket.s3.create_multipart(&target.key(&bucket.keys)).await.map_err(error_during(WRITE))?;
    let record = UploadRecord { upload: upload.clone(), is_link: target.is_link };
    if let Err(error) = bucket.write(&bucket.keys.key(UPLOADS, &target.id), &record, WRITE).await {
        // Without a record, nothing else would find the upload.
        let _ = bucket.abort_upload(&target, &upload).await;
        return Err(error);
    }
    Ok(upload)
}

/// Completes a multipart upload, and deletes the record of it.
async fn complete_upload(
    bucket: Bucket,
    target: Target,
    upload: MultipartId,
    parts: Vec<PartId>,
) -> Result<(), StoreError> {
    let key = target.key(&bucket.keys);
    if let Err(error) = bucket.s3.complete_multipart(&key, &upload, parts).await {
        // The response of an earlier attempt may have been lost. An object exists only if all its parts are complete.
        if bucket.s3.head(&key).await.is_err() {
            return Err(error_during("finishing a file")(error));
        }
    }
    if let Err(error) = bucket.delete(&bucket.keys.key(UPLOADS, &target.id)).await {
        log::debug!("the record of a complete upload stays until it is old: {error}");
    }
    Ok(())
}

impl ContentWriter for Writer {
    fn write(&mut self, mut bytes: &[u8]) -> Result<(), StoreError> {
        while !bytes.is_empty() {
            if self.next.len() == PART_LEN {
                self.send_part()?;
            }
            if self.next.is_empty() && self.parts.is_some() {
                self.next.reserve_exact(PART_LEN);
            }
            let (now, later) = bytes.split_at(bytes.len().min(PART_LEN - self.next.len()));
            self.next.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<String, StoreError> {
        let target = self.target.clone();
        if self.parts.is_some() {
            self.send_part()?;
        }
        match &mut self.parts {
            None => {
                let bytes = Bytes::from(mem::take(&mut self.next));
                self.store.run(|bucket| async move {
                    let put = bucket.s3.put(&target.key(&bucket.keys), bytes.into()).await;
                    put.map(drop).map_err(error_during("finishing a file"))
                })?;
            }
            Some(parts) => {
                while !parts.in_progress.is_empty() {
                    parts.wait_for_oldest(&self.store)?;
                }
                let (upload, sent) = (parts.upload.clone(), mem::take(&mut parts.sent));
                self.store.run(|bucket| complete_upload(bucket, target, upload, sent))?;
            }
        }
        self.is_complete = true;
        Ok(mem::take(&mut self.target.id))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if self.is_complete {
            return;
        }
        let (bucket, target) = (self.store.bucket.clone(), self.target.clone());
        let Some(parts) = self.parts.take() else { return };
        self.store.spawn(async move {
            for part in parts.in_progress {
                part.abort();
            }
            let aborted = bucket.abort_upload(&target, &parts.upload).await;
            if let Err(error) = aborted {
                log::debug!("the parts of an unfinished file stay until they are old: {error}");
            }
        });
    }
}

impl Bucket {
    /// Aborts a multipart upload, and deletes the record of it.
    pub(crate) async fn abort_upload(&self, target: &Target, upload: &MultipartId) -> Result<(), StoreError> {
        match self.s3.abort_multipart(&target.key(&self.keys), upload).await {
            Err(error) if !is_missing_object(&error) => return Err(error_during("aborting an upload")(error)),
            _ => {}
        }
        self.delete(&self.keys.key(UPLOADS, &target.id)).await
    }
}

/// The number of pieces that wait for the client. The bucket sends a piece of at most some hundred kilobytes.
const WAITING_PIECES: usize = 4;
/// How often in a row reading fails before the download ends.
const MAX_FAILURES: u32 = 3;

/// The parts are requested when they are needed. Its streams keep `guard` until they are dropped.
pub(crate) fn ranged_content(
    store: &Store,
    content: Path,
    length: u64,
    guard: impl Clone + Send + Sync + 'static,
) -> RangedContent {
    let store = store.clone();
    RangedContent::new(length, move |range| stream_range(store.clone(), content.clone(), range, guard.clone()))
}

fn stream_range(store: Store, content: Path, range: Range<u64>, guard: impl Send + 'static) -> ByteStream {
    // The request is sent when the stream is first polled: the server drops the stream of a HEAD request.
    let start = async move {
        let (sender, receiver) = mpsc::channel(WAITING_PIECES);
        let bucket = store.bucket.clone();
        store.spawn(async move { send_pieces(&bucket, &content, range, &sender).await });
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
