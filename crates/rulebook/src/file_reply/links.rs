//! Signed download links. Each link leads to a file in the storage of links, which is deleted when the link expires.
//!
//! The storage is a folder of the server, or a storage that several servers share (`store::LinkFiles`). This Rust
//! module signs and verifies links; it must not depend on where their files are.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_rt::task::spawn_blocking;
use actix_rt::time::sleep;
use bytes::Bytes;
use futures_util::stream;
use http::Method;
use http::header::{self, HeaderName, HeaderValue};
use rulebook_model::error::ErrorCode;
use rulebook_model::model::{Limits, LinkTarget};
use tokio::task::yield_now;

use super::{FileHeaders, FileRequest, LinkedFile, OpenFiles, PIECE_LEN, on_other_thread, stream_file};
use crate::call::{ApiError, ByteStream, Content, ETag, Head};
use crate::pipeline::{ErrorContext, FileRange, Reply, catch_panic_async, respond_with_error};
use crate::plan::Plan;
use crate::regular_file::open_regular_file;
use crate::store::{LinkContent, LinkFiles, LinkUses, LinkWriter, NewLink, OpenLink, StoreError};
use crate::time::unix_time;
use crate::transfer::{FileInfo, LINK_PREFIX, LinkId, LinkKey};

/// The time between two searches for files whose links have expired.
const SWEEP_INTERVAL: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(crate) struct Links {
    files: Arc<dyn LinkFiles>,
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
        let mut reply = headers.into_reply(part, 200, vec![NO_REFERRER]);
        restrict_caching(&mut reply.headers, is_limited);
        Ok(reply)
    }

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

/// Space that is reserved for an unfinished file. Dropping this value releases the space.
struct Reservation {
    links: Arc<Links>,
    max_bytes: u64,
    reserved_bytes: u64,
}

impl Reservation {
    fn reserve(&mut self, bytes: u64) -> Result<(), ApiError> {
        let before = self.links.unfinished_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.reserved_bytes += bytes;
        let used = self.links.files.stored_bytes().saturating_add(before).saturating_add(bytes);
        if used > self.max_bytes {
            return Err(ApiError::unavailable("the files of links would be larger than `limits.links` allows"));
        }
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.links.unfinished_bytes.fetch_sub(self.reserved_bytes, Ordering::Relaxed);
    }
}

impl Links {
    /// If the request is dropped meanwhile, the unfinished file is removed.
    async fn store_file(self: &Arc<Self>, limits: &Limits, file: LinkedFile) -> Result<LinkId, ApiError> {
        let failed =
            |error: io::Error| ApiError::internal(format_args!("a file cannot be stored for its link: {error}"));
        let LinkedFile { headers, content, uses } = file;
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).map_err(|error| failed(io::Error::other(error)))?;
        let mut reservation = Reservation { links: Arc::clone(self), max_bytes: limits.links, reserved_bytes: 0 };
        let head = format_head(LinkId::new(nonce, 0).nonce(), &headers);
        let head_len = head.len() as u64;
        let mut pieces = content_pieces(content).await.map_err(failed)?;
        let files = Arc::clone(&self.files);
        let create = move || {
            files.refresh_stored_bytes()?;
            files.create(NewLink::new(nonce, head, uses))
        };
        let writer = blocking(move || create().map_err(store_error)).await?;
        reservation.reserve(head_len)?;
        let mut writing = UnfinishedFile { writer, pending_pieces: Vec::new() };
        let (mut pending, mut length) = (0, 0);
        loop {
            // The stream may be code of the program, which may panic.
            let next = pin!(poll_fn(|task| pieces.as_mut().poll_next(task)));
            let next = catch_panic_async("the stream of a download", next).await?;
            let Some(piece) = next else { break };
            let piece = piece.map_err(failed)?;
            if piece.is_empty() {
                // If a stream returns only empty pieces, other tasks must still be able to run.
                yield_now().await;
                continue;
            }
            let bytes = piece.len() as u64;
            reservation.reserve(bytes)?;
            (pending, length) = (pending + bytes, length + bytes);
            writing.pending_pieces.push(piece);
            if pending >= PIECE_LEN {
                writing = blocking(move || writing.write_pending()).await?;
                pending = 0;
            }
        }
        if headers.info.length.is_some_and(|announced| announced != length) {
            return Err(failed(io::Error::other("the file does not have the length that the method has set")));
        }
        let lifetime = limits.link;
        blocking(move || {
            let writing = writing.write_pending()?;
            // Other servers may have stored files while this file was written.
            reservation.links.files.refresh_stored_bytes().map_err(store_error)?;
            reservation.reserve(0)?;
            writing.writer.finish(lifetime).map_err(store_error)
        })
        .await
    }
}

async fn content_pieces(content: Content) -> io::Result<ByteStream> {
    let file = match content {
        Content::Stream(pieces) => return Ok(pieces),
        Content::Ranged(content) => return Ok(content.stream(0..content.length())),
        Content::Bytes(bytes) => return Ok(Box::pin(stream::iter([Ok(bytes)]))),
        Content::Path(path) => on_other_thread(move || open_regular_file(&path)).await?,
        Content::File(file) => file,
    };
    let length = file.metadata()?.len();
    Ok(stream_file(FileRange { file, offset: 0, length, share: None }))
}

struct UnfinishedFile {
    writer: Box<dyn LinkWriter>,
    /// The pieces that have been received and not yet written to the file.
    pending_pieces: Vec<Bytes>,
}

impl UnfinishedFile {
    fn write_pending(mut self) -> Result<Self, ApiError> {
        for piece in self.pending_pieces.drain(..) {
            self.writer.write(&piece).map_err(store_error)?;
        }
        Ok(self)
    }
}
