//! The files of download links in the bucket, which all servers share.
//!
//! The content of a link is the object `links/content/NONCE`, and its head the object `links/heads/EXPIRES-NONCE`. The
//! head is written last, so that a link is valid only if its content is complete. The number of downloads that are left
//! is in the head. A server counts a download by writing the head with the next lower number, under the condition that
//! the head is still the version that the server has read (`If-Match`). Of several servers, only one succeeds; the
//! others read the head again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::signer::{SignedUrlOptions, Signer};
use object_store::{ObjectStore, ObjectStoreExt};
use rulebook::store::{
    ContentWriter, LinkContent, LinkFiles, LinkId, LinkKey, LinkUses, LinkWriter, NewLink, OpenLink, StoreError,
    link_size,
};
use serde::{Deserialize, Serialize};

use crate::bucket::{
    Bucket, LINK_CONTENTS, LINK_HEADS, LINKS, STATE, Versioned, Written, error_during, random_id, run_for_all,
    unavailable,
};
use crate::content::{self, Target, Writer};
use crate::engine::Store;
use crate::pointer::{MAX_CONFLICTS, pause_after_conflict};

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
    store: Store,
    stored: Arc<Stored>,
}

impl S3Links {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, stored: Arc::default() }
    }

    fn list_links(&self) -> Result<Listed, StoreError> {
        self.store.run(|bucket| async move { bucket.list_links().await })
    }
}

impl LinkFiles for S3Links {
    fn location(&self) -> String {
        self.store.bucket.location.url()
    }

    fn key(&self) -> Result<Option<LinkKey>, StoreError> {
        // Otherwise each request with an invalid link would read the bucket until the first link is created.
        self.create_key().map(Some)
    }

    fn create_key(&self) -> Result<LinkKey, StoreError> {
        self.store.run(|bucket| async move { bucket.link_key().await })
    }

    fn create(&self, link: NewLink) -> Result<Box<dyn LinkWriter>, StoreError> {
        Ok(Box::new(S3LinkWriter::new(self.store.clone(), Arc::clone(&self.stored), link)))
    }

    fn open(&self, id: &LinkId) -> Result<Option<OpenLink>, StoreError> {
        let key = self.store.bucket.keys.key(LINK_HEADS, &id.to_string());
        let read = self.store.run(|bucket| async move { bucket.read::<Head>(&key, READ).await })?;
        let Some(seen) = read.filter(|seen| seen.value.uses != Some(0)) else { return Ok(None) };
        let (text, length, is_limited) = (seen.value.fields(), seen.value.length, seen.value.uses.is_some());
        let key = self.store.bucket.keys.key(LINK_CONTENTS, id.nonce());
        let deletion = is_limited.then(|| Arc::new(DeleteAfterLastDownload::new(&self.store, id)));
        let content = content::ranged_content(&self.store, key, length, deletion.clone());
        let uses = deletion.map(|deletion| -> Box<dyn LinkUses> { Box::new(S3Uses { seen, deletion }) });
        Ok(Some(OpenLink::new(text, length, LinkContent::Ranged(content), uses)))
    }

    fn can_redirect(&self) -> bool {
        true
    }

    fn redirect_url(&self, id: &LinkId, response_fields: &[(&str, &str)]) -> Result<Option<String>, StoreError> {
        let key = self.store.bucket.keys.key(LINK_CONTENTS, id.nonce());
        let query = response_fields.iter().filter_map(|(name, value)| {
            let (_, parameter) = RESPONSE_FIELDS.iter().find(|(field, _)| field == name)?;
            Some(((*parameter).to_owned(), (*value).to_owned()))
        });
        let options = SignedUrlOptions::default().with_query(query);
        let url = self.store.run(|bucket| async move {
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
        self.store.run(|bucket| async move { bucket.delete_expired(listed).await })
    }
}

impl Bucket {
    /// Reads the key of links. If it does not exist, creates it at random.
    async fn link_key(&self) -> Result<LinkKey, StoreError> {
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

const WRITE: &str = "storing the file of a link";

#[derive(Debug)]
struct S3LinkWriter {
    store: Store,
    stored: Arc<Stored>,
    link: NewLink,
    content: Box<Writer>,
    length: u64,
}

impl S3LinkWriter {
    fn new(store: Store, stored: Arc<Stored>, link: NewLink) -> Self {
        let target = Target { id: LinkId::new(link.nonce, 0).nonce().to_owned(), is_link: true };
        let content = Box::new(Writer::new(store.clone(), target));
        Self { store, stored, link, content, length: 0 }
    }
}

impl LinkWriter for S3LinkWriter {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.content.write(bytes)?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    fn finish(self: Box<Self>, lifetime: u64) -> Result<LinkId, StoreError> {
        let Self { store, stored, link, content, length } = *self;
        content.finish()?;
        let expires = unix_time().saturating_add(lifetime);
        let id = LinkId::new(link.nonce, expires);
        let head = Head::new(expires, length, link.uses.map(u32::from), &link.head);
        let (keys, grace) = (&store.bucket.keys, store.bucket.location.grace);
        let (key, content_key) = (keys.key(LINK_HEADS, &id.to_string()), keys.key(LINK_CONTENTS, id.nonce()));
        store.run(|bucket| async move {
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
fn unix_time() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A server that has not received the response to its write finds its claim unless more downloads have been counted
/// since.
const MAX_CLAIMS: usize = 16;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    /// The time at which the link expires, in seconds since the Unix epoch. It is in the key of the object too.
    expires: u64,
    pub(crate) length: u64,
    /// The number of downloads that are left; `None` if it is not limited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uses: Option<u32>,
    /// Random texts, which the servers have chosen that have counted the last downloads; the last one is at the end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    claims: Vec<String>,
    /// The header fields of the response. Each character is a byte.
    fields: String,
}

impl Head {
    pub(crate) fn new(expires: u64, length: u64, uses: Option<u32>, fields: &[u8]) -> Self {
        let fields = fields.iter().copied().map(char::from).collect();
        Self { expires, length, uses, claims: Vec::new(), fields }
    }

    fn claimed(&self, left: u32, claim: &str) -> Self {
        let forgotten = (self.claims.len() + 1).saturating_sub(MAX_CLAIMS);
        let claims = self.claims[forgotten..].iter().cloned().chain([claim.to_owned()]).collect();
        Self { uses: Some(left), claims, ..self.clone() }
    }

    fn fields(&self) -> Vec<u8> {
        // Another program may have written other characters, which the server rejects.
        self.fields.chars().map(|character| u8::try_from(character).unwrap_or_default()).collect()
    }
}

const CLAIM: &str = "counting a download";

/// Deletes the file of a link when this value is dropped, if the link was for one download, which this server has
/// counted and sent.
///
/// The file of a link for several downloads remains after the last one, until the link has expired: an earlier download
/// may not have ended, and reads the rest of the content again if its connection to the bucket breaks.
#[derive(Debug)]
struct DeleteAfterLastDownload {
    store: Store,
    head: Path,
    content: Path,
    is_enabled: AtomicBool,
}

impl DeleteAfterLastDownload {
    fn new(store: &Store, id: &LinkId) -> Self {
        let keys = &store.bucket.keys;
        let (head, content) = (keys.key(LINK_HEADS, &id.to_string()), keys.key(LINK_CONTENTS, id.nonce()));
        Self { store: store.clone(), head, content, is_enabled: AtomicBool::default() }
    }
}

impl Drop for DeleteAfterLastDownload {
    fn drop(&mut self) {
        if !*self.is_enabled.get_mut() {
            return;
        }
        let (bucket, head, content) = (self.store.bucket.clone(), self.head.clone(), self.content.clone());
        self.store.spawn(async move {
            if let Err(error) = bucket.delete_link(&head, &content).await {
                log::debug!("the file of a link that was used stays until it expires: {error}");
            }
        });
    }
}

#[derive(Debug)]
struct S3Uses {
    seen: Versioned<Head>,
    deletion: Arc<DeleteAfterLastDownload>,
}

impl LinkUses for S3Uses {
    fn claim(self: Box<Self>, is_redirected: bool) -> Result<bool, StoreError> {
        let Self { seen, deletion } = *self;
        let head = deletion.head.clone();
        let claimed = deletion.store.run(|bucket| async move { bucket.claim(&head, seen).await })?;
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
    async fn delete_link(&self, head: &Path, content: &Path) -> Result<(), StoreError> {
        self.delete(head).await?;
        self.delete(content).await
    }
}

/// After this time, the links are listed again before a link is created.
const MAX_AGE: Duration = Duration::from_secs(2);
/// If there are very many links, listing them takes at most one of this number of parts of the time.
const MAX_LISTING_SHARE: u32 = 4;

/// What this server knows about the files of all links.
#[derive(Debug, Default)]
struct Stored {
    bytes: AtomicU64,
    /// The time of the next search for expired links, in seconds since the Unix epoch.
    next_clean_up: AtomicU64,
    last_listing: Mutex<Option<LastListing>>,
}

#[derive(Debug)]
struct LastListing {
    end: Instant,
    duration: Duration,
}

impl Stored {
    fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Adds a file that this server has completed.
    fn add(&self, bytes: u64, expires: u64, grace: Duration) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let deleted = expires.saturating_add(grace.as_secs()).saturating_add(1);
        self.next_clean_up.fetch_min(deleted, Ordering::Relaxed);
    }

    fn needs_clean_up(&self) -> bool {
        self.next_clean_up.load(Ordering::Relaxed) <= unix_time()
    }

    /// Lists all links, unless this was done a short time ago. Callers at the same time wait for one listing.
    fn refresh(&self, list: impl FnOnce() -> Result<Listed, StoreError>) -> Result<(), StoreError> {
        let mut last = self.last_listing.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recent =
            |last: &LastListing| last.end.elapsed() + last.duration < MAX_AGE.max(last.duration * MAX_LISTING_SHARE);
        if last.as_ref().is_some_and(is_recent) {
            return Ok(());
        }
        let listed = self.list(&mut last, list)?;
        if !listed.old.is_empty() {
            self.next_clean_up.store(0, Ordering::Relaxed);
        }
        Ok(())
    }

    fn list_now(&self, list: impl FnOnce() -> Result<Listed, StoreError>) -> Result<Listed, StoreError> {
        let mut last = self.last_listing.lock().unwrap_or_else(PoisonError::into_inner);
        self.list(&mut last, list)
    }

    fn list(
        &self,
        last: &mut Option<LastListing>,
        list: impl FnOnce() -> Result<Listed, StoreError>,
    ) -> Result<Listed, StoreError> {
        let start = Instant::now();
        let before = self.bytes();
        let listed = list()?;
        // A file that this server has completed during the listing may be listed or not. In both cases it is counted.
        self.bytes.fetch_add(listed.bytes, Ordering::Relaxed);
        self.bytes.fetch_sub(before, Ordering::Relaxed);
        self.next_clean_up.store(listed.next_clean_up, Ordering::Relaxed);
        *last = Some(LastListing { end: Instant::now(), duration: start.elapsed() });
        Ok(listed)
    }
}

const LIST: &str = "listing the files of links";
/// The longest time between two searches for expired links. A server also searches when a link that it knows expires.
const MAX_PAUSE: Duration = Duration::from_secs(300);

#[derive(Debug)]
struct Listed {
    /// The total size of the files that have not expired.
    bytes: u64,
    next_clean_up: u64,
    old: Vec<OldFile>,
}

/// A file that may have to be deleted.
#[derive(Debug)]
struct OldFile {
    /// The head; `None` if the file has only a content.
    head: Option<Path>,
    content: Path,
    /// The time from which on the file is not needed, by the clock of the bucket.
    unneeded_after: SystemTime,
}

struct ListedContent {
    length: u64,
    written: SystemTime,
}

impl Bucket {
    async fn list_links(&self) -> Result<Listed, StoreError> {
        let (mut heads, mut contents) = (Vec::new(), HashMap::new());
        let (heads_prefix, contents_prefix) = (self.keys.key(LINK_HEADS, ""), self.keys.key(LINK_CONTENTS, ""));
        let mut objects = self.s3.list(Some(&self.keys.key(LINKS, ""))).map_err(error_during(LIST));
        while let Some(object) = objects.try_next().await? {
            let Some(name) = object.location.filename() else { continue };
            if object.location.prefix_matches(&heads_prefix) {
                heads.extend(LinkId::parse(name).map(|id| (id, object.size)));
            } else if object.location.prefix_matches(&contents_prefix) {
                let content = ListedContent { length: object.size, written: object.last_modified.into() };
                contents.insert(name.to_owned(), content);
            }
        }
        Ok(self.summarize(&heads, contents))
    }

    fn summarize(&self, heads: &[(LinkId, u64)], mut contents: HashMap<String, ListedContent>) -> Listed {
        let (now, grace, sweep) = (unix_time(), self.location.grace, self.location.sweep);
        let pause = if sweep.is_zero() { MAX_PAUSE } else { sweep.min(MAX_PAUSE) };
        let mut listed =
            Listed { bytes: 0, next_clean_up: now.saturating_add(pause.as_secs().max(1)), old: Vec::new() };
        for (id, head_length) in heads {
            let content = contents.remove(id.nonce());
            if id.expires() > now {
                listed.bytes += link_size(head_length + content.map_or(0, |content| content.length));
            }
            // Downloads that have begun before the link has expired can end.
            let unneeded = id.expires().saturating_add(grace.as_secs());
            if unneeded <= now {
                let unneeded_after = SystemTime::UNIX_EPOCH + Duration::from_secs(unneeded);
                let (head, content) =
                    (Some(self.keys.key(LINK_HEADS, &id.to_string())), self.keys.key(LINK_CONTENTS, id.nonce()));
                listed.old.push(OldFile { head, content, unneeded_after });
            } else {
                listed.next_clean_up = listed.next_clean_up.min(unneeded + 1);
            }
        }
        // The heads of these contents have not been written yet, or never will be.
        for (nonce, content) in contents {
            listed.bytes += link_size(content.length);
            let unneeded_after = content.written + sweep;
            if !sweep.is_zero() && unneeded_after <= SystemTime::now() {
                let content = self.keys.key(LINK_CONTENTS, &nonce);
                listed.old.push(OldFile { head: None, content, unneeded_after });
            }
        }
        listed
    }

    /// Deletes the files that are not needed any more. The clock of the bucket decides, so that a server whose clock is
    /// fast deletes no valid links.
    async fn delete_expired(&self, listed: Listed) -> Result<(), StoreError> {
        if listed.old.is_empty() {
            return Ok(());
        }
        let now = self.current_time().await?;
        let unneeded = listed.old.into_iter().filter(|file| file.unneeded_after <= now);
        let delete = |file: OldFile| async move {
            match file.head {
                Some(head) => self.delete_link(&head, &file.content).await,
                None => self.delete(&file.content).await,
            }
        };
        run_for_all(unneeded.collect(), delete).await
    }

    async fn current_time(&self) -> Result<SystemTime, StoreError> {
        const READ_CLOCK: &str = "reading the clock of the bucket";
        let key = self.keys.key(STATE, "link-clean-up");
        self.write(&key, &unix_time(), READ_CLOCK).await?;
        Ok(self.s3.head(&key).await.map_err(error_during(READ_CLOCK))?.last_modified.into())
    }
}
