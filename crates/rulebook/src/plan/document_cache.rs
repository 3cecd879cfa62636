//! Caches the documents of an API (OpenAPI documents, pages, descriptions for OPTIONS): the documents that describe the
//! whole API, and the [`CallerDocuments`].

use std::convert::Infallible;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use rulebook_model::model::CallableMethods;
use sha2::{Digest, Sha256};

use super::{Documents, OptionsDescription, ParentPaths};
use crate::time::TimeShare;

/// Documents that are rendered when they are first needed. At startup they would take too long: for an API with
/// thousands of services, rendering takes longer than all other steps of the startup together.
pub struct LazyDocuments {
    rendered: OnceLock<Documents>,
    render: Box<dyn Fn() -> Documents + Send + Sync>,
    /// The lock that is held while the documents are rendered on another thread. Requests that need the documents wait
    /// for this lock.
    pub render_lock: Arc<tokio::sync::Mutex<()>>,
    /// The place of these documents in the cache of documents for callers; `None` if the documents are not in this
    /// cache, and rendering them has no limit.
    cache_entry: Option<CacheEntry>,
}

impl LazyDocuments {
    /// [`LazyDocuments::get_or_render`] calls `render`.
    pub fn new(render: impl Fn() -> Documents + Send + Sync + 'static) -> Self {
        Self { rendered: OnceLock::new(), render: Box::new(render), render_lock: Arc::default(), cache_entry: None }
    }

    /// `None` if there is no limit.
    pub fn limited_by(&self) -> Option<Arc<CallerDocuments>> {
        self.cache_entry.as_ref()?.caller_documents.upgrade()
    }

    /// Runs work that renders or compresses some of these documents. If the documents are in a cache with limits,
    /// counts the time of the work and the size of its result.
    pub fn run<T>(self: &Arc<Self>, work: impl FnOnce() -> T) -> T {
        let Some((entry, cache)) = self.cache_entry.as_ref().zip(self.limited_by()) else { return work() };
        let result = cache.run(work);
        cache.update_size(entry, self);
        result
    }

    /// The first call renders the documents, and blocks its thread until rendering has ended.
    pub fn get_or_render(&self) -> &Documents {
        self.rendered.get_or_init(|| (self.render)())
    }

    pub fn rendered(&self) -> Option<&Documents> {
        self.rendered.get()
    }

    pub fn is_rendered(&self) -> bool {
        self.rendered().is_some()
    }
}

pub struct DocumentCache {
    pub whole_api: Arc<LazyDocuments>,
    parent_paths: OnceLock<Arc<ParentPaths>>,
    find_parent_paths: Box<dyn Fn() -> Arc<ParentPaths> + Send + Sync>,
    /// If `true`, the documents in every response describe only the API methods that the caller may call. If `false`,
    /// the documents describe the whole API, unless the query of the request contains `as=me`.
    pub is_limited_to_caller: bool,
    pub for_callers: Arc<CallerDocuments>,
    /// The URL of the address on which the server listens. Example calls in the documents contain it. If several
    /// servers use the documents, this is the URL of the first one, because rendered pages contain it.
    pub listening_url: Arc<OnceLock<String>>,
}

impl DocumentCache {
    /// Creates a cache without documents for callers. `whole_api` describes the whole API, `find_parent_paths` finds
    /// the parent paths, `find_callable_methods` finds the methods that callers with certain permissions can call, and
    /// `render` renders the documents for these callers.
    pub fn new(
        whole_api: LazyDocuments,
        is_limited_to_caller: bool,
        listening_url: Arc<OnceLock<String>>,
        find_parent_paths: impl Fn() -> Arc<ParentPaths> + Send + Sync + 'static,
        find_callable_methods: impl Fn(&[Box<str>]) -> CallableMethods + Send + Sync + 'static,
        render: impl Fn(&CallableMethods) -> Documents + Send + Sync + 'static,
    ) -> Self {
        let whole_api = Arc::new(whole_api);
        let for_callers = CallerDocuments {
            whole_api: Arc::clone(&whole_api),
            find_callable_methods: Box::new(find_callable_methods),
            render: Arc::new(render),
            for_anonymous: OnceLock::new(),
            by_permissions: Cache::new(MAX_PERMISSION_SETS),
            by_callable_methods: Cache::with_weighter(ESTIMATED_ENTRIES, MAX_CACHED_BYTES, SizeWeighter),
            time: Mutex::new(TimeShare::new(TIME_PART, TIME_AT_ONCE)),
        };
        Self {
            whole_api,
            parent_paths: OnceLock::new(),
            find_parent_paths: Box::new(find_parent_paths),
            is_limited_to_caller,
            for_callers: Arc::new(for_callers),
            listening_url,
        }
    }

    /// Returns the parent paths of the whole API: paths that are not paths of services, but have services below them.
    /// This function does not render the documents, which takes much longer.
    pub fn parent_paths(&self) -> &ParentPaths {
        self.parent_paths.get_or_init(|| (self.find_parent_paths)())
    }
}

/// A description that is rendered when it is first needed. A request for another document need not wait for it.
pub struct LazyDescription {
    rendered: OnceLock<OptionsDescription>,
    render: Box<dyn Fn() -> OptionsDescription + Send + Sync>,
}

impl LazyDescription {
    /// [`LazyDescription::get_or_render`] calls `render`.
    pub fn new(render: impl Fn() -> OptionsDescription + Send + Sync + 'static) -> Self {
        Self { rendered: OnceLock::new(), render: Box::new(render) }
    }

    pub fn rendered(&self) -> Option<&OptionsDescription> {
        self.rendered.get()
    }

    /// The first call renders it, which is slow, and other threads that need it wait.
    pub fn get_or_render(&self) -> &OptionsDescription {
        self.rendered.get_or_init(|| (self.render)())
    }
}

// Caches the documents for callers, which describe only the API methods that a caller can call, and limits the time in
// which they are rendered.
//
// Callers that can call the same methods under the same conditions share their documents. If conditions contain a
// value of the caller, as in `user[7]`, each caller has documents of its own, and clients could use much time and
// memory: so both have a limit, however many callers there are.

/// The part of the time in which documents for callers are rendered and compressed: one of this number.
const TIME_PART: u32 = 10;
/// The time in which documents for callers can be rendered at once, if few have been rendered before.
const TIME_AT_ONCE: Duration = Duration::from_secs(1);

/// The size in bytes of all cached documents for callers, in addition to a multiple of the size of the documents that
/// describe the whole API.
const MAX_CACHED_BYTES: u64 = 16 << 20;
/// The multiple of the size of the documents that describe the whole API. Because of it, the documents of some callers
/// are cached even if the API is large.
const CACHED_MULTIPLE: u64 = 2;
/// The minimum size of an entry in bytes: the approximate size of the data from which the documents are rendered. So
/// the cache has at most 64 entries if the API is small.
const MIN_ENTRY_BYTES: u64 = MAX_CACHED_BYTES / 64;
/// The estimated number of entries, from which the cache derives its number of shards. A larger estimate would give the
/// cache several shards, and each shard would hold only a part of the documents.
const ESTIMATED_ENTRIES: usize = 32;
/// The maximum number of permission sets whose callable methods are remembered. They need at most 1 MiB of memory.
const MAX_PERMISSION_SETS: usize = 4_096;

/// A SHA-256 hash, so that values with the same hash cannot be found, and no caller gets the documents of another.
type Fingerprint = [u8; 32];

type FindCallableMethods = dyn Fn(&[Box<str>]) -> CallableMethods + Send + Sync;
type RenderForCallers = dyn Fn(&CallableMethods) -> Documents + Send + Sync;

pub struct CallerDocuments {
    whole_api: Arc<LazyDocuments>,
    find_callable_methods: Box<FindCallableMethods>,
    render: Arc<RenderForCallers>,
    /// The documents for anonymous callers, whose rendering has no limit.
    for_anonymous: OnceLock<(Fingerprint, Arc<LazyDocuments>)>,
    /// For permission sets, the key in `by_callable_methods`.
    by_permissions: Cache<Fingerprint, Fingerprint>,
    by_callable_methods: Cache<Fingerprint, CachedDocuments, SizeWeighter>,
    time: Mutex<TimeShare>,
}

struct CacheEntry {
    key: Fingerprint,
    caller_documents: Weak<CallerDocuments>,
}

impl CallerDocuments {
    /// The permissions can have any order. Returns `None` if the methods that these callers can call are not known yet.
    pub fn find(self: &Arc<Self>, permissions: &[Box<str>]) -> Option<Arc<LazyDocuments>> {
        if permissions.is_empty() {
            return Some(Arc::clone(&self.for_anonymous().1));
        }
        let key = self.by_permissions.get(&permissions_fingerprint(permissions))?;
        let (anonymous, documents) = self.for_anonymous();
        if key == *anonymous {
            return Some(Arc::clone(documents));
        }
        // The methods are not kept after their documents have been evicted.
        Some(self.by_callable_methods.get(&key)?.documents)
    }

    /// The permissions can have any order. This function is slow for large APIs.
    pub fn find_or_add(self: &Arc<Self>, permissions: &[Box<str>]) -> Arc<LazyDocuments> {
        let callable = (self.find_callable_methods)(permissions);
        let key = fingerprint(&callable);
        self.by_permissions.insert(permissions_fingerprint(permissions), key);
        let (anonymous, documents) = self.for_anonymous();
        if key == *anonymous {
            return Arc::clone(documents);
        }
        let Ok(cached) = self.by_callable_methods.get_or_insert_with(&key, || {
            let cache_entry = Some(CacheEntry { key, caller_documents: Arc::downgrade(self) });
            let documents = Arc::new(LazyDocuments { cache_entry, ..self.lazy_documents(callable) });
            Ok::<_, Infallible>(CachedDocuments { documents, size: MIN_ENTRY_BYTES })
        });
        cached.documents
    }

    fn for_anonymous(&self) -> &(Fingerprint, Arc<LazyDocuments>) {
        self.for_anonymous.get_or_init(|| {
            let callable = (self.find_callable_methods)(&[]);
            (fingerprint(&callable), Arc::new(self.lazy_documents(callable)))
        })
    }

    fn lazy_documents(&self, callable: CallableMethods) -> LazyDocuments {
        let render = Arc::clone(&self.render);
        LazyDocuments::new(move || render(&callable))
    }

    pub fn has_time(&self) -> bool {
        self.lock_time().is_free(Instant::now())
    }

    /// Runs work that renders or compresses documents, and counts its time.
    pub fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let result = work();
        self.lock_time().add(begun, begun.elapsed());
        result
    }

    /// Updates the size of documents in the cache, after more of them have been rendered, and removes other documents
    /// if the cache is then full.
    fn update_size(&self, entry: &CacheEntry, documents: &Arc<LazyDocuments>) {
        let whole_api = self.whole_api.rendered().map_or(0, Documents::memory_size) as u64;
        let capacity = MAX_CACHED_BYTES + CACHED_MULTIPLE * whole_api;
        if self.by_callable_methods.capacity() < capacity {
            self.by_callable_methods.set_capacity(capacity);
        }
        let size = documents.rendered().map_or(0, Documents::memory_size) as u64 + MIN_ENTRY_BYTES;
        self.by_callable_methods.insert(entry.key, CachedDocuments { documents: Arc::clone(documents), size });
    }

    fn lock_time(&self) -> MutexGuard<'_, TimeShare> {
        self.time.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone)]
struct CachedDocuments {
    documents: Arc<LazyDocuments>,
    /// The size in bytes when the entry was inserted. The cache requires that the weight of an entry never changes.
    size: u64,
}

#[derive(Clone)]
struct SizeWeighter;

impl Weighter<Fingerprint, CachedDocuments> for SizeWeighter {
    fn weight(&self, _: &Fingerprint, cached: &CachedDocuments) -> u64 {
        cached.size
    }
}

fn permissions_fingerprint(permissions: &[Box<str>]) -> Fingerprint {
    let mut sorted: Vec<&str> = permissions.iter().map(|permission| &**permission).collect();
    sorted.sort_unstable();
    sorted.dedup();
    fingerprint(&sorted)
}

fn fingerprint(value: &impl Hash) -> Fingerprint {
    let mut hasher = FingerprintHasher(Sha256::new());
    value.hash(&mut hasher);
    hasher.0.finalize().into()
}

struct FingerprintHasher(Sha256);

impl Hasher for FingerprintHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        // Only the whole hash is used.
        0
    }
}
