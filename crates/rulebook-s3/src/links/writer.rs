//! Writes the files of links: first the content, then the head, which makes the link valid.

use std::sync::Arc;
use std::time::SystemTime;

use rulebook::store::{ContentWriter, LinkId, LinkWriter, NewLink, StoreError, link_size};
use serde::{Deserialize, Serialize};

use super::stored::Stored;
use crate::background::Tasks;
use crate::bucket::{Bucket, Written};
use crate::keys::{LINK_CONTENTS, LINK_HEADS};
use crate::upload::{Target, Writer};

const WRITE: &str = "storing the file of a link";

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

/// A server that has not received the response to its write finds its claim unless more downloads have been counted
/// since.
const MAX_CLAIMS: usize = 16;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    /// The time at which the link expires, in seconds since the Unix epoch. It is in the key of the object too.
    pub(crate) expires: u64,
    pub(crate) length: u64,
    /// The number of downloads that are left; `None` if it is not limited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) uses: Option<u32>,
    /// Random texts, which the servers have chosen that have counted the last downloads; the last one is at the end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) claims: Vec<String>,
    /// The header fields of the response. Each character is a byte.
    fields: String,
}

impl Head {
    pub(crate) fn new(expires: u64, length: u64, uses: Option<u32>, fields: &[u8]) -> Self {
        let fields = fields.iter().copied().map(char::from).collect();
        Self { expires, length, uses, claims: Vec::new(), fields }
    }

    /// Returns the head after a download has been counted.
    pub(crate) fn claimed(&self, left: u32, claim: &str) -> Self {
        let forgotten = (self.claims.len() + 1).saturating_sub(MAX_CLAIMS);
        let claims = self.claims[forgotten..].iter().cloned().chain([claim.to_owned()]).collect();
        Self { uses: Some(left), claims, ..self.clone() }
    }

    pub(crate) fn fields(&self) -> Vec<u8> {
        // Another program may have written other characters, which the server rejects.
        self.fields.chars().map(|character| u8::try_from(character).unwrap_or_default()).collect()
    }
}
