//! Writes the files of links: first the content, then the head, which makes the link valid.

use std::sync::Arc;
use std::time::SystemTime;

use rulebook::store::{ContentWriter, LinkId, LinkWriter, NewLink, StoreError, link_size};

use super::head::Head;
use super::stored::Stored;
use crate::background::Tasks;
use crate::bucket::{Bucket, Written};
use crate::keys::{LINK_CONTENTS, LINK_HEADS};
use crate::upload::{Target, Writer};

const WRITE: &str = "storing the file of a link";

/// Writes the file of a link.
#[derive(Debug)]
pub(super) struct S3LinkWriter {
    bucket: Bucket,
    tasks: Tasks,
    stored: Arc<Stored>,
    link: NewLink,
    content: Box<Writer>,
    length: u64,
}

impl S3LinkWriter {
    pub(super) fn new(bucket: Bucket, tasks: Tasks, stored: Arc<Stored>, link: NewLink) -> Self {
        let target = Target { id: LinkId::new(link.nonce, 0).nonce().to_owned(), is_link: true };
        let content = Box::new(Writer::new(bucket.clone(), tasks.clone(), target));
        Self { bucket, tasks, stored, link, content, length: 0 }
    }
}

impl LinkWriter for S3LinkWriter {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.content.write(bytes)?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    fn finish(self: Box<Self>, lifetime: u64) -> Result<LinkId, StoreError> {
        let Self { bucket, tasks, stored, link, content, length } = *self;
        content.finish()?;
        let expires = unix_time().saturating_add(lifetime);
        let id = LinkId::new(link.nonce, expires);
        let head = Head::new(expires, length, link.uses.map(u32::from), &link.head);
        let (key, grace) = (bucket.keys.key(LINK_HEADS, &id.to_string()), bucket.location.grace);
        let content_key = bucket.keys.key(LINK_CONTENTS, id.nonce());
        tasks.wait(async move {
            match bucket.write_if(&key, &head, &None, WRITE).await {
                // The nonce is random: an earlier attempt of the same request has written the object.
                Ok(Written::Done(_) | Written::Conflict) => Ok(()),
                Err(error) => match bucket.read::<Head>(&key, WRITE).await {
                    // The response was lost after the object was written.
                    Ok(Some(_)) => Ok(()),
                    // If the content cannot be deleted now, it is deleted when it is old.
                    _ => bucket.delete(&content_key).await.and(Err(error)),
                },
            }
        })?;
        stored.add(link_size(length + link.head.len() as u64), expires, grace);
        Ok(id)
    }
}

/// Returns the current time in seconds since the Unix epoch.
pub(super) fn unix_time() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
