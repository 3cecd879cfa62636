//! The files of download links in the bucket, which all servers share.
//!
//! The content of a link is the object `links/content/NONCE`, and its head the object `links/heads/EXPIRES-NONCE`. The
//! head is written last, so that a link is valid only if its content is complete. The number of downloads that are left
//! is in the head, and changes by writes under the condition that no other server has changed the head (`If-Match`).

mod claim;
mod stored;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use object_store::path::Path;
use object_store::signer::{SignedUrlOptions, Signer};
use rulebook::store::{LinkContent, LinkFiles, LinkId, LinkKey, LinkUses, LinkWriter, NewLink, OpenLink, StoreError};

use self::claim::{DeleteAfterLastDownload, S3Uses};
use self::stored::Stored;
use self::writer::{Head, S3LinkWriter};
use crate::background::Tasks;
use crate::bucket::{Bucket, Written, error_during, unavailable};
use crate::download;
use crate::keys::{LINK_CONTENTS, LINK_HEADS, STATE};

const READ: &str = "opening the file of a link";
const READ_KEY: &str = "reading the key of links";

/// For how long a signed URL is valid.
const URL_LIFETIME: Duration = Duration::from_secs(60);

/// The header fields of responses that the query of a URL can set, and their parameters (Amazon S3, `GetObject`).
const RESPONSE_FIELDS: [(&str, &str); 5] = [
    ("cache-control", "response-cache-control"),
    ("content-disposition", "response-content-disposition"),
    ("content-encoding", "response-content-encoding"),
    ("content-language", "response-content-language"),
    ("content-type", "response-content-type"),
];

#[derive(Debug)]
pub(crate) struct S3Links {
    bucket: Bucket,
    tasks: Tasks,
    stored: Arc<Stored>,
}

impl S3Links {
    pub(crate) fn new(bucket: Bucket, tasks: Tasks) -> Self {
        Self { bucket, tasks, stored: Arc::default() }
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
        let (bucket, key) = (self.bucket.clone(), self.bucket.keys.key(LINK_HEADS, &id.to_string()));
        let read = self.tasks.wait(async move { bucket.read::<Head>(&key, READ).await })?;
        let Some(seen) = read.filter(|seen| seen.value.uses != Some(0)) else { return Ok(None) };
        let (text, length, is_limited) = (seen.value.fields(), seen.value.length, seen.value.uses.is_some());
        let (bucket, tasks) = (self.bucket.clone(), self.tasks.clone());
        let key = self.bucket.keys.key(LINK_CONTENTS, id.nonce());
        let deletion = is_limited.then(|| Arc::new(DeleteAfterLastDownload::new(self, id)));
        let content = download::ranged_content(bucket, tasks, key, length, deletion.clone());
        let uses = deletion.map(|deletion| -> Box<dyn LinkUses> { Box::new(S3Uses { seen, deletion }) });
        Ok(Some(OpenLink::new(text, length, LinkContent::Ranged(content), uses)))
    }

    fn can_redirect(&self) -> bool {
        true
    }

    fn redirect_url(&self, id: &LinkId, response_fields: &[(&str, &str)]) -> Result<Option<String>, StoreError> {
        let (bucket, key) = (self.bucket.clone(), self.bucket.keys.key(LINK_CONTENTS, id.nonce()));
        let query = response_fields.iter().filter_map(|(name, value)| {
            let (_, parameter) = RESPONSE_FIELDS.iter().find(|(field, _)| field == name)?;
            Some(((*parameter).to_owned(), (*value).to_owned()))
        });
        let options = SignedUrlOptions::default().with_query(query);
        let url = self.tasks.wait(async move {
            let url = bucket.s3.signed_url_opts(reqwest::Method::GET, &key, URL_LIFETIME, &options).await;
            url.map_err(error_during("signing the URL of a file"))
        });
        Ok(Some(url?.into()))
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

impl Bucket {
    /// Reads the key of links. If it does not exist, creates it at random.
    pub(crate) async fn link_key(&self) -> Result<LinkKey, StoreError> {
        let path = self.keys.key(STATE, "link-key");
        if let Some(key) = self.read_link_key(&path).await? {
            return Ok(key);
        }
        let failed = |error: &str| unavailable(READ_KEY, error);
        let mut random = [0; LinkKey::LEN];
        getrandom::fill(&mut random).map_err(|error| failed(&error.to_string()))?;
        match self.create_bytes(&path, hex::encode(random).into(), READ_KEY).await? {
            Written::Done(_) => Ok(LinkKey::new(random)),
            // Another server has created the key at the same time.
            Written::Conflict => self.read_link_key(&path).await?.ok_or_else(|| failed("the key was deleted")),
        }
    }

    /// Reads the key. The error never contains what the object contains.
    async fn read_link_key(&self, path: &Path) -> Result<Option<LinkKey>, StoreError> {
        let Some(bytes) = self.read_bytes(path, READ_KEY).await? else { return Ok(None) };
        let mut key = [0; LinkKey::LEN];
        match hex::decode_to_slice(&bytes, &mut key) {
            Ok(()) => Ok(Some(LinkKey::new(key))),
            Err(_) => {
                let reason = format!("the object {path} is not a key of {} bytes", LinkKey::LEN);
                Err(unavailable(READ_KEY, reason))
            }
        }
    }
}
