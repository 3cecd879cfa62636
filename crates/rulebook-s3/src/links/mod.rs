//! The files of download links in the bucket, which all servers share.
//!
//! The content of a link is the object `links/content/NONCE`, and its head the object `links/heads/EXPIRES-NONCE`. The
//! head is written last, so that a link is valid only if its content is complete. The number of downloads that are left
//! is in the head, and changes by writes under the condition that no other server has changed the head (`If-Match`).

mod claim;
mod clean_up;
mod head;
mod key;
mod stored;
mod writer;

use std::sync::Arc;

use rulebook::store::{LinkContent, LinkFiles, LinkId, LinkKey, LinkWriter, NewLink, OpenLink, StoreError};

use self::claim::{DeleteAfterLastDownload, S3Uses};
use self::head::Head;
use self::stored::Stored;
use self::writer::S3LinkWriter;
use crate::background::{Background, Tasks};
use crate::bucket::Bucket;
use crate::download;

const READ: &str = "opening the file of a link";

/// The files of links in a bucket.
#[derive(Debug)]
pub(crate) struct S3Links {
    bucket: Bucket,
    tasks: Tasks,
    stored: Arc<Stored>,
    _background: Arc<Background>,
}

impl S3Links {
    pub(crate) fn new(bucket: Bucket, tasks: Tasks, background: Arc<Background>) -> Self {
        Self { bucket, tasks, stored: Arc::default(), _background: background }
    }
}

impl LinkFiles for S3Links {
    fn location(&self) -> String {
        self.bucket.location.url()
    }

    fn key(&self) -> Result<Option<LinkKey>, StoreError> {
        // Otherwise each request with an invalid link would read the bucket until the first link is created.
        self.create_key().map(Some)
    }

    fn create_key(&self) -> Result<LinkKey, StoreError> {
        let bucket = self.bucket.clone();
        self.tasks.wait(async move { bucket.link_key().await })
    }

    fn create(&self, link: NewLink) -> Result<Box<dyn LinkWriter>, StoreError> {
        Ok(Box::new(S3LinkWriter::new(self.bucket.clone(), self.tasks.clone(), Arc::clone(&self.stored), link)))
    }

    fn open(&self, id: &LinkId) -> Result<Option<OpenLink>, StoreError> {
        let (bucket, key) = (self.bucket.clone(), self.bucket.keys.link_head(id));
        let read = self.tasks.wait(async move { bucket.read::<Head>(&key, READ).await })?;
        let Some(seen) = read.filter(|seen| seen.value.uses != Some(0)) else { return Ok(None) };
        let (text, length, is_limited) = (seen.value.fields(), seen.value.length, seen.value.uses.is_some());
        let (bucket, tasks) = (self.bucket.clone(), self.tasks.clone());
        let content = download::ranged_content(bucket, tasks, self.bucket.keys.link_content(id.nonce()), length);
        if !is_limited {
            return Ok(Some(OpenLink::new(text, length, LinkContent::Ranged(content), None)));
        }
        let deletion = Arc::new(DeleteAfterLastDownload::new(self, id));
        let content = deletion.guard_content(content);
        let uses = S3Uses::new(self, id, seen, deletion);
        Ok(Some(OpenLink::new(text, length, LinkContent::Ranged(content), Some(Box::new(uses)))))
    }

    fn can_redirect(&self) -> bool {
        true
    }

    fn redirect_url(&self, id: &LinkId, response_fields: &[(&str, &str)]) -> Result<Option<String>, StoreError> {
        let key = self.bucket.keys.link_content(id.nonce());
        let bucket = self.bucket.clone();
        let fields: Vec<_> =
            response_fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.tasks.wait(async move { bucket.signed_url(&key, fields).await }).map(Some)
    }

    fn stored_bytes(&self) -> u64 {
        self.stored.bytes()
    }

    fn refresh_stored_bytes(&self) -> Result<(), StoreError> {
        self.stored.refresh(|| self.list_links())
    }

    fn needs_clean_up(&self) -> bool {
        self.stored.needs_clean_up()
    }

    fn clean_up(&self) -> Result<(), StoreError> {
        let listed = self.stored.list_now(|| self.list_links())?;
        let bucket = self.bucket.clone();
        self.tasks.wait(async move { bucket.delete_expired(listed).await })
    }
}
