//! Counts the downloads of links whose number is limited.
//!
//! A server counts a download by writing the head with the next lower number, under the condition that the head is
//! still the version that the server has read. Of several servers, only one succeeds; the others read the head again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use object_store::path::Path;
use rulebook::store::{LinkId, LinkUses, StoreError};

use super::S3Links;
use super::writer::Head;
use crate::background::Tasks;
use crate::bucket::{Bucket, Versioned, Written, unavailable};
use crate::keys::{LINK_CONTENTS, LINK_HEADS, random_id};
use crate::publish::{MAX_CONFLICTS, pause_after_conflict};

const CLAIM: &str = "counting a download";

/// Deletes the file of a link when this value is dropped, if the link was for one download, which this server has
/// counted and sent.
///
/// The file of a link for several downloads remains after the last one, until the link has expired: an earlier download
/// may not have ended, and reads the rest of the content again if its connection to the bucket breaks.
#[derive(Debug)]
pub(super) struct DeleteAfterLastDownload {
    bucket: Bucket,
    tasks: Tasks,
    head: Path,
    content: Path,
    is_enabled: AtomicBool,
}

impl DeleteAfterLastDownload {
    pub(super) fn new(links: &S3Links, id: &LinkId) -> Self {
        Self {
            bucket: links.bucket.clone(),
            tasks: links.tasks.clone(),
            head: links.bucket.keys.key(LINK_HEADS, &id.to_string()),
            content: links.bucket.keys.key(LINK_CONTENTS, id.nonce()),
            is_enabled: AtomicBool::default(),
        }
    }
}

impl Drop for DeleteAfterLastDownload {
    fn drop(&mut self) {
        if !*self.is_enabled.get_mut() {
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

#[derive(Debug)]
pub(super) struct S3Uses {
    pub(super) seen: Versioned<Head>,
    pub(super) deletion: Arc<DeleteAfterLastDownload>,
}

impl LinkUses for S3Uses {
    fn claim(self: Box<Self>, is_redirected: bool) -> Result<bool, StoreError> {
        let Self { seen, deletion } = *self;
        let (bucket, head) = (deletion.bucket.clone(), deletion.head.clone());
        let claimed = deletion.tasks.wait(async move { bucket.claim(&head, seen).await })?;
        // If the client was redirected, the file must remain; it is deleted after the link has expired.
        if claimed == Some(Claimed::Only) && !is_redirected {
            deletion.is_enabled.store(true, Ordering::Relaxed);
        }
        Ok(claimed.is_some())
    }
}

/// A download that has been counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claimed {
    /// No download was counted before, and none is left.
    Only,
    OneOfSeveral,
}

impl Bucket {
    /// Counts a download. Returns `None` if none was left.
    async fn claim(&self, key: &Path, mut seen: Versioned<Head>) -> Result<Option<Claimed>, StoreError> {
        let claim = random_id()?;
        for conflicts in 0..MAX_CONFLICTS {
            let Some(left) = seen.value.uses.and_then(|uses| uses.checked_sub(1)) else { return Ok(None) };
            // Each download that was counted before has left its text in the head.
            let is_only = left == 0 && seen.value.claims.is_empty();
            let claimed = Some(if is_only { Claimed::Only } else { Claimed::OneOfSeveral });
            let new = seen.value.claimed(left, &claim);
            let written = self.write_if(key, &new, &seen.version, CLAIM).await;
            if let Ok(Written::Done(_)) = written {
                return Ok(claimed);
            }
            let Some(again) = self.read::<Head>(key, CLAIM).await? else { return Ok(None) };
            if again.value.claims.contains(&claim) {
                // The response of an attempt was lost after the object was written.
                return Ok(claimed);
            }
            // After an error, the write may still take effect. Then the download is lost, but it is not sent twice.
            written?;
            seen = again;
            pause_after_conflict(conflicts).await;
        }
        Err(unavailable(CLAIM, "other servers use the link all the time"))
    }

    /// Deletes a link. The head is first, so that no server opens a link whose content is missing.
    pub(super) async fn delete_link(&self, head: &Path, content: &Path) -> Result<(), StoreError> {
        self.delete(head).await?;
        self.delete(content).await
    }
}
