//! Signed download links. Each link leads to a file in the storage of links, which is deleted when the link expires.
//!
//! The storage is a folder of the server, or a storage that several servers share (`store::LinkFiles`). This Rust
//! module signs and verifies links; it must not depend on where their files are.

mod create;

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_rt::task::spawn_blocking;
use actix_rt::time::sleep;
use http::Method;
use http::header::{self, HeaderName, HeaderValue};
use rulebook_model::error::ErrorCode;
use rulebook_model::model::{Limits, LinkTarget};

use super::download::{FileHeaders, LinkedFile};
use super::open_file::{FilePart, FileRequest, OpenFiles, on_other_thread};
use crate::call::{ApiError, ETag, Head};
use crate::pipeline::{ErrorContext, Reply, respond_with_error};
use crate::plan::Plan;
use crate::store::{LinkContent, LinkFiles, LinkUses, OpenLink, StoreError};
use crate::time::unix_time;
use crate::transfer::{FileInfo, LINK_PREFIX, LinkId, LinkKey};

/// The time between two searches for files whose links have expired.
const SWEEP_INTERVAL: Duration = Duration::from_secs(2);

/// The files to which signed links lead.
#[derive(Debug)]
pub(crate) struct Links {
    files: Arc<dyn LinkFiles>,
    /// The signing key, after it has been read or created.
    key: OnceLock<LinkKey>,
    /// The number of bytes that are reserved for files that this server is writing.
    unfinished_bytes: AtomicU64,
    /// `true` once the task that deletes expired files has been started.
    has_sweep_task: AtomicBool,
    redirects: bool,
}

impl Links {
    pub(crate) fn new(files: Arc<dyn LinkFiles>, target: LinkTarget) -> Self {
        let redirects = target == LinkTarget::Presigned && files.can_redirect();
        if target == LinkTarget::Presigned && !redirects {
            log::warn!(
                "{}: the setting `link_target` has no effect, because there are no URLs of these files",
                files.location()
            );
        }
        Self {
            files,
            key: OnceLock::new(),
            unfinished_bytes: AtomicU64::default(),
            has_sweep_task: AtomicBool::default(),
            redirects,
        }
    }

    /// Starts a task in the runtime of this thread, which regularly deletes expired files. Further calls have no
    /// effect.
    pub(crate) fn start_sweeping(self: &Arc<Self>) {
        if !self.has_sweep_task.swap(true, Ordering::Relaxed) {
            actix_rt::spawn(Arc::clone(self).sweep_regularly());
        }
    }

    async fn sweep_regularly(self: Arc<Self>) {
        loop {
            sleep(SWEEP_INTERVAL).await;
            if !self.files.needs_clean_up() {
                continue;
            }
            let files = Arc::clone(&self.files);
            if let Err(error) = on_other_thread(move || files.clean_up().map_err(io::Error::from)).await {
                log::warn!("{}: {error}", self.files.location());
            }
        }
    }

    /// Stores a file, and returns the path and the query of the link to it.
    pub(crate) async fn create_link(self: &Arc<Self>, limits: &Limits, file: LinkedFile) -> Result<String, ApiError> {
        if self.key.get().is_none() {
            let files = Arc::clone(&self.files);
            let key = blocking(move || files.create_key().map_err(store_error)).await?;
            self.key.get_or_init(|| key);
        }
        let id = self.store_file(limits, file).await?;
        match self.key.get() {
            Some(key) => Ok(id.path_and_query(key)),
            None => Err(ApiError::internal("the key of links is missing")),
        }
    }

    /// Replies to a GET or HEAD request for a link with the file of the link.
    pub(crate) async fn respond_to_link(
        self: &Arc<Self>,
        plan: &Plan,
        head: &Arc<Head>,
        open_files: &OpenFiles,
    ) -> Reply {
        let reply = if head.uri.path().starts_with(LINK_PREFIX) {
            self.find_and_send(head, open_files).await
        } else {
            Err(ApiError::unknown_service())
        };
        reply.unwrap_or_else(|error| respond_with_error(plan, head, ErrorContext::ServerPath, error))
    }

    async fn find_and_send(self: &Arc<Self>, head: &Arc<Head>, open_files: &OpenFiles) -> Result<Reply, ApiError> {
        let (links, request) = (Arc::clone(self), Arc::clone(head));
        let (id, link) = blocking(move || links.open_link(&request)).await?;
        let malformed = || ApiError::internal("the head in the file of a link cannot be parsed");
        let mut headers = parse_head(&link.head).ok_or_else(malformed)?;
        headers.info.length = Some(link.length);
        let is_get = head.method != Method::HEAD;
        if is_get && self.redirects {
            return self.redirect(id, headers, link.uses).await;
        }
        // Each request for a link with a limited number of downloads gets the whole file, so that it is one download.
        let is_limited = link.uses.is_some();
        headers.info.accepts_ranges = !is_limited;
        let request = FileRequest { head, selects_part: !is_limited, open_files };
        let mut part = match link.content {
            LinkContent::File { file, offset } => request.part_of_file_from(offset, file, headers.info.clone()).await?,
            LinkContent::Ranged(content) => request.part_of_ranged(&content, headers.info.clone()),
        };
        if let Some(uses) = link.uses {
            if is_get {
                claim(uses, false).await?;
            }
            (part.info.accepts_ranges, part.info.etag, part.info.modified) = (false, None, None);
        }
        Ok(reply_with_file(headers, part, is_limited))
    }

    /// Verifies the link in a request, and opens its file.
    fn open_link(&self, head: &Head) -> Result<(LinkId, OpenLink), ApiError> {
        let invalid = || ApiError::plain(ErrorCode::InvalidLink);
        let key = match self.key.get() {
            Some(key) => key,
            None => {
                let key = self.files.key().map_err(store_error)?.ok_or_else(invalid)?;
                self.key.get_or_init(|| key)
            }
        };
        let id = LinkId::verify(head.uri.path(), head.query(), key).ok_or_else(invalid)?;
        let gone = || ApiError::plain(ErrorCode::Gone);
        if id.expires() <= unix_time() {
            return Err(gone());
        }
        let link = self.files.open(&id).map_err(store_error)?.ok_or_else(gone)?;
        Ok((id, link))
    }

    async fn redirect(
        &self,
        id: LinkId,
        mut headers: FileHeaders,
        uses: Option<Box<dyn LinkUses>>,
    ) -> Result<Reply, ApiError> {
        restrict_caching(&mut headers.fields, uses.is_some());
        let files = Arc::clone(&self.files);
        let url = blocking(move || {
            let content_type = (header::CONTENT_TYPE, headers.content_type);
            let fields = headers.fields.iter().chain([&content_type]);
            let fields: Vec<_> =
                fields.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
            files.redirect_url(&id, &fields).map_err(store_error)
        });
        let location = url.await?.and_then(|url| HeaderValue::try_from(url).ok());
        let location = location.ok_or_else(|| ApiError::internal("the file of a link has no URL"))?;
        if let Some(uses) = uses {
            claim(uses, true).await?;
        }
        let mut fields = vec![(header::LOCATION, location), NO_REFERRER];
        fields.push((header::CACHE_CONTROL, HeaderValue::from_static("no-store")));
        Ok(Reply::without_body(307, fields))
    }
}

/// A link is a secret. Therefore browsers must not send it to other sites in the field `Referer`.
const NO_REFERRER: (HeaderName, HeaderValue) = (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));

fn reply_with_file(headers: FileHeaders, part: FilePart, is_limited: bool) -> Reply {
    let mut reply = headers.into_reply(part, 200, vec![NO_REFERRER]);
    restrict_caching(&mut reply.headers, is_limited);
    reply
}

/// Forbids caches to store a response if the number of downloads is limited, and otherwise shared caches.
fn restrict_caching(headers: &mut Vec<(HeaderName, HeaderValue)>, is_limited: bool) {
    if is_limited {
        headers.retain(|(name, _)| *name != header::CACHE_CONTROL);
        headers.push((header::CACHE_CONTROL, HeaderValue::from_static("no-store")));
    } else {
        make_private(headers);
    }
}

async fn claim(uses: Box<dyn LinkUses>, is_redirected: bool) -> Result<(), ApiError> {
    let has_claimed = blocking(move || uses.claim(is_redirected).map_err(store_error)).await?;
    if has_claimed { Ok(()) } else { Err(ApiError::plain(ErrorCode::Gone)) }
}

/// Runs a slow operation on another thread, so that the worker can handle other requests.
async fn blocking<T: Send + 'static>(
    run: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    spawn_blocking(run).await.map_err(ApiError::internal)?
}

fn store_error(error: StoreError) -> ApiError {
    match error {
        StoreError::Unavailable { .. } => ApiError::unavailable(error),
        StoreError::StorageFull => ApiError::plain(ErrorCode::StorageFull).with_log(error),
        error => ApiError::internal(format_args!("the file of a link: {error}")),
    }
}

/// Forbids shared caches to store a response (RFC 9111 section 5.2.2.7), in addition to what the method has set.
fn make_private(headers: &mut Vec<(HeaderName, HeaderValue)>) {
    let mut fields = headers.iter_mut().filter(|(name, _)| *name == header::CACHE_CONTROL).peekable();
    if fields.peek().is_none() {
        headers.push((header::CACHE_CONTROL, HeaderValue::from_static("private")));
        return;
    }
    for (_, value) in fields {
        let forbids = |word| value.to_str().is_ok_and(|text| text.to_ascii_lowercase().contains(word));
        if !["private", "no-store"].into_iter().any(forbids) {
            let joined = [b"private, ", value.as_bytes()].concat();
            *value = HeaderValue::from_bytes(&joined).unwrap_or_else(|_| HeaderValue::from_static("private"));
        }
    }
}

/// Returns the head of a link: the header fields of the response, and an empty line. If the file has no entity tag, it
/// gets `entity_tag`.
fn format_head(entity_tag: &str, headers: &FileHeaders) -> Vec<u8> {
    let info =
        FileInfo { etag: Some(headers.info.etag.clone().unwrap_or_else(|| ETag::strong(entity_tag))), ..headers.info };
    let media_type = (header::CONTENT_TYPE, headers.content_type.clone());
    let mut head = Vec::with_capacity(512);
    for (name, value) in headers.fields.iter().chain(&info.validators()).chain([&media_type]) {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"] {
            head.extend_from_slice(part);
        }
    }
    head.push(b'\n');
    head
}

fn parse_head(head: &[u8]) -> Option<FileHeaders> {
    let (mut fields, mut info, mut content_type) = (Vec::new(), FileInfo::default(), None);
    for line in head.strip_suffix(b"\n\n")?.split(|byte| *byte == b'\n') {
        let (name, value) = parse_field(line)?;
        let text = value.to_str().ok();
        if name == header::CONTENT_TYPE {
            content_type = Some(value);
        } else if name == header::ETAG {
            info.etag = text.and_then(ETag::parse);
        } else if name == header::LAST_MODIFIED {
            info.modified = text.and_then(|text| httpdate::parse_http_date(text).ok());
        } else {
            fields.push((name, value));
        }
    }
    Some(FileHeaders { content_type: content_type?, fields, info })
}

fn parse_field(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let value = line[colon..].strip_prefix(b": ")?;
    Some((HeaderName::from_bytes(&line[..colon]).ok()?, HeaderValue::from_bytes(value).ok()?))
}
