//! Counts the downloads of links whose number is limited.
//!
//! A server counts a download by writing the head with the next lower number, under the condition that the head is
//! still the version that the server has read. Of several servers, only one succeeds; the others read the head again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use object_store::path::Path;
use rulebook::RangedContent;
use rulebook::store::{LinkId, LinkUses, StoreError};

use super::S3Links;
use super::head::Head;
use crate::background::Tasks;
use crate::bucket::{Bucket, Versioned, Written};
use crate::keys::random_id;
use crate::publish::{MAX_CONFLICTS, pause_after_conflict};

const CLAIM: &str = "counting a download";

/// Deletes the file of a link when this value is dropped, if the last download has been counted and sent by this
/// server.
#[derive(Debug)]
pub(super) struct Spent {
    bucket: Bucket,
    tasks: Tasks,
    head: Path,
    content: Path,
    is_spent: AtomicBool,
}

impl Spent {
    pub(super) fn new(links: &S3Links, id: &LinkId) -> Self {
        Self {
            bucket: links.bucket.clone(),
            tasks: links.tasks.clone(),
            head: links.bucket.keys.link_head(id),
            content: links.bucket.keys.link_content(id.nonce()),
            is_spent: AtomicBool::default(),
        }
    }

    /// Returns the content, whose streams keep this value until they are dropped.
    pub(super) fn guard_content(self: &Arc<Self>, content: RangedContent) -> RangedContent {
        let spent = Arc::clone(self);
        RangedContent::new(content.length(), move |range| {
            let (mut pieces, spent) = (content.stream(range), Arc::clone(&spent));
            Box::pin(futures_util::stream::poll_fn(move |task| {
                let _ = &spent;
                pieces.as_mut().poll_next(task)
            }))
        })
    }
}

impl Drop for Spent {
    fn drop(&mut self) {
        if !*self.is_spent.get_mut() {
            return;
        }
        let (bucket, head, content) = (self.bucket.clone(), self.head.clone(), self.content.clone());
        self.tasks.spawn(async move {
            if let Err(error) = bucket.delete_link(&head, &content).await {
                log::debug!("the file of a link that was used stays until it expires: {error}");
            }
        });
    }
}

/// The downloads of one link.
#[derive(Debug)]
pub(super) struct S3Uses {
    bucket: Bucket,
    tasks: Tasks,
    key: Path,
    seen: Versioned<Head>,
    spent: Arc<Spent>,
}

impl S3Uses {
    pub(super) fn new(links: &S3Links, id: &LinkId, seen: Versioned<Head>, spent: Arc<Spent>) -> Self {
        let key = links.bucket.keys.link_head(id);
        Self { bucket: links.bucket.clone(), tasks: links.tasks.clone(), key, seen, spent }
    }
}

impl LinkUses for S3Uses {
    fn claim(self: Box<Self>, is_redirected: bool) -> Result<bool, StoreError> {
        let Self { bucket, tasks, key, seen, spent } = *self;
        let left = tasks.wait(async move { bucket.claim(&key, seen).await })?;
        // If the client was redirected, the file must remain; it is deleted after the link has expired.
        if left == Some(0) && !is_redirected {
            spent.is_spent.store(true, Ordering::Relaxed);
        }
        Ok(left.is_some())
    }
}

impl Bucket {
    /// Counts a download. Returns the number of downloads that are left after it; `None` if none was left.
    async fn claim(&self, key: &Path, mut seen: Versioned<Head>) -> Result<Option<u32>, StoreError> {
        let claim = random_id()?;
        for conflicts in 0..MAX_CONFLICTS {
            let Some(left) = seen.value.uses.and_then(|uses| uses.checked_sub(1)) else { return Ok(None) };
            let new = seen.value.claimed(left, &claim);
            let written = self.write_if(key, &new, &seen.version, CLAIM).await;
            if let Ok(Written::Done(_)) = written {
                return Ok(Some(left));
            }
            let Some(again) = self.read::<Head>(key, CLAIM).await? else { return Ok(None) };
            if again.value.claim.as_ref() == Some(&claim) {
                // The response of an attempt was lost after the object was written.
                return Ok(again.value.uses);
            }
            // After an error, the write may still take effect. Then the download is lost, but it is not sent twice.
            written?;
            seen = again;
            pause_after_conflict(conflicts).await;
        }
        Err(StoreError::Unavailable { action: CLAIM, error: "other servers use the link all the time".into() })
    }

    /// Deletes a link. The head is first, so that no server opens a link whose content is missing.
    pub(super) async fn delete_link(&self, head: &Path, content: &Path) -> Result<(), StoreError> {
        self.delete(head).await?;
        self.delete(content).await
    }
}
