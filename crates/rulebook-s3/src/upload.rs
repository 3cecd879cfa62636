//! Writes contents: one object, or a multipart upload whose parts are sent while the next bytes arrive.

use std::collections::VecDeque;
use std::mem;

use bytes::Bytes;
use object_store::multipart::{MultipartStore, PartId};
use object_store::{Error, MultipartId, ObjectStoreExt};
use rulebook::store::{ContentWriter, StoreError};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;

use crate::background::Tasks;
use crate::bucket::{Bucket, error_during};

/// The length of all parts except the last. It is the minimum of Amazon S3 ("Multipart upload limits"); some servers
/// require that all parts have the same length.
const PART_LEN: usize = 5 << 20;
/// The maximum number of parts (Amazon S3, "Multipart upload limits").
const MAX_PARTS: usize = 10_000;
/// The number of parts that are sent at the same time. Together with the next part, they are in memory.
const CONCURRENT_PARTS: usize = 3;

const WRITE: &str = "writing a file";

/// The record of a multipart upload, so that another server can abort it after this server was killed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct UploadRecord {
    pub(crate) upload: String,
}

/// Writes one content.
#[derive(Debug)]
pub(crate) struct Writer {
    bucket: Bucket,
    tasks: Tasks,
    content: String,
    /// The bytes of the next part.
    next: Vec<u8>,
    parts: Option<Parts>,
    is_complete: bool,
}

/// The parts of a multipart upload that have been started.
#[derive(Debug)]
struct Parts {
    upload: MultipartId,
    sent: Vec<PartId>,
    in_progress: VecDeque<JoinHandle<Result<PartId, Error>>>,
}

impl Writer {
    pub(crate) fn new(bucket: Bucket, tasks: Tasks, content: String) -> Self {
        Self { bucket, tasks, content, next: Vec::new(), parts: None, is_complete: false }
    }

    /// Starts to send the collected bytes as a part.
    fn send_part(&mut self) -> Result<(), StoreError> {
        let key = self.bucket.keys.content(&self.content);
        if self.parts.is_none() {
            let upload = self.tasks.wait(begin_upload(self.bucket.clone(), self.content.clone()))?;
            self.parts = Some(Parts { upload, sent: Vec::new(), in_progress: VecDeque::new() });
        }
        let Some(parts) = &mut self.parts else { return Ok(()) };
        let index = parts.sent.len() + parts.in_progress.len();
        if index >= MAX_PARTS {
            return Err(StoreError::TooLarge((MAX_PARTS * PART_LEN) as u64));
        }
        if parts.in_progress.len() >= CONCURRENT_PARTS {
            parts.wait_for_oldest(&self.tasks)?;
        }
        let (bucket, upload) = (self.bucket.clone(), parts.upload.clone());
        let bytes = Bytes::from(mem::take(&mut self.next));
        parts
            .in_progress
            .push_back(self.tasks.spawn(async move { bucket.s3.put_part(&key, &upload, index, bytes.into()).await }));
        Ok(())
    }
}

impl Parts {
    /// Waits for the first of the parts that are being sent.
    fn wait_for_oldest(&mut self, tasks: &Tasks) -> Result<(), StoreError> {
        let Some(oldest) = self.in_progress.pop_front() else { return Ok(()) };
        self.sent.push(tasks.wait(async move {
            let joined = oldest.await.map_err(|error| Error::JoinError { source: error });
            joined.and_then(|sent| sent).map_err(error_during(WRITE))
        })?);
        Ok(())
    }
}

/// Begins a multipart upload, and writes the record of it.
async fn begin_upload(bucket: Bucket, content: String) -> Result<MultipartId, StoreError> {
    let upload = bucket.s3.create_multipart(&bucket.keys.content(&content)).await.map_err(error_during(WRITE))?;
    let record = UploadRecord { upload: upload.clone() };
    bucket.write(&bucket.keys.upload(&content), &record, WRITE).await?;
    Ok(upload)
}

/// Completes a multipart upload, and deletes the record of it.
async fn complete_upload(
    bucket: Bucket,
    content: String,
    upload: MultipartId,
    parts: Vec<PartId>,
) -> Result<(), StoreError> {
    let key = bucket.keys.content(&content);
    if let Err(error) = bucket.s3.complete_multipart(&key, &upload, parts).await {
        // The response of an earlier attempt may have been lost. An object exists only if all its parts are complete.
        if bucket.s3.head(&key).await.is_err() {
            return Err(error_during("finishing a file")(error));
        }
    }
    if let Err(error) = bucket.delete(&bucket.keys.upload(&content)).await {
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
        if self.parts.is_none() {
            let (bucket, content) = (self.bucket.clone(), self.content.clone());
            let bytes = Bytes::from(mem::take(&mut self.next));
            self.tasks.wait(async move {
                let put = bucket.s3.put(&bucket.keys.content(&content), bytes.into()).await;
                put.map(drop).map_err(error_during("finishing a file"))
            })?;
        } else {
            self.send_part()?;
            if let Some(mut parts) = self.parts.take() {
                while !parts.in_progress.is_empty() {
                    if let Err(error) = parts.wait_for_oldest(&self.tasks) {
                        self.parts = Some(parts);
                        return Err(error);
                    }
                }
                let (bucket, content) = (self.bucket.clone(), self.content.clone());
                let (upload, sent) = (parts.upload.clone(), mem::take(&mut parts.sent));
                self.parts = Some(parts);
                self.tasks.wait(complete_upload(bucket, content, upload, sent))?;
            }
        }
        self.is_complete = true;
        Ok(mem::take(&mut self.content))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if self.is_complete {
            return;
        }
        let (bucket, content) = (self.bucket.clone(), mem::take(&mut self.content));
        let Some(parts) = self.parts.take() else { return };
        self.tasks.spawn(async move {
            for part in parts.in_progress {
                part.abort();
            }
            let aborted = bucket.abort_upload(&content, &parts.upload).await;
            if let Err(error) = aborted {
                log::debug!("the parts of an unfinished file stay until they are old: {error}");
            }
        });
    }
}

impl Bucket {
    /// Aborts a multipart upload, and deletes the record of it.
    pub(crate) async fn abort_upload(&self, content: &str, upload: &MultipartId) -> Result<(), StoreError> {
        match self.s3.abort_multipart(&self.keys.content(content), upload).await {
            Ok(()) | Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error_during("aborting an upload")(error)),
        }
        self.delete(&self.keys.upload(content)).await
    }
}
