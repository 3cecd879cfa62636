//! Caches the documents of an API (OpenAPI documents, pages, descriptions for OPTIONS): the documents that describe the
//! whole API, and the [`CallerDocuments`].

use std::sync::{Arc, OnceLock};

use rulebook_model::model::CallableMethods;

use super::caller_documents::CacheEntry;
use super::{CallerDocuments, Documents, OptionsDescription, ParentPaths};

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
    /// Creates documents that are not rendered yet. [`LazyDocuments::get_or_render`] calls `render`.
    pub fn new(render: impl Fn() -> Documents + Send + Sync + 'static) -> Self {
        Self { rendered: OnceLock::new(), render: Box::new(render), render_lock: Arc::default(), cache_entry: None }
    }

    pub(super) fn with_cache_entry(mut self, entry: CacheEntry) -> Self {
        self.cache_entry = Some(entry);
        self
    }

    /// Returns the cache of documents for callers that limits the time for rendering these documents; `None` if there
    /// is no limit.
    pub fn limited_by(&self) -> Option<Arc<CallerDocuments>> {
        self.cache_entry.as_ref()?.caller_documents()
    }

    /// Runs work that renders or compresses some of these documents. If the documents are in a cache with limits,
    /// counts the time of the work and the size of its result.
    pub fn run<T>(self: &Arc<Self>, work: impl FnOnce() -> T) -> T {
        let Some((entry, cache)) = self.cache_entry.as_ref().zip(self.limited_by()) else { return work() };
        let result = cache.run(work);
        cache.update_size(entry, self);
        result
    }

    /// Returns the rendered documents. The first call renders the documents, and blocks its thread until rendering has
    /// ended.
    pub fn get_or_render(&self) -> &Documents {
        self.rendered.get_or_init(|| (self.render)())
    }

    /// Returns the documents if they have been rendered.
    pub fn rendered(&self) -> Option<&Documents> {
        self.rendered.get()
    }

    /// Returns `true` if the documents have been rendered.
    pub fn is_rendered(&self) -> bool {
        self.rendered().is_some()
    }
}

/// The documents that describe the whole API, and the documents for callers.
pub struct DocumentCache {
    whole_api: Arc<LazyDocuments>,
    parent_paths: OnceLock<Arc<ParentPaths>>,
    find_parent_paths: Box<dyn Fn() -> Arc<ParentPaths> + Send + Sync>,
    /// If `true`, the documents in every response describe only the API methods that the caller may call. If `false`,
    /// the documents describe the whole API, unless the query of the request contains `as=me`.
    pub is_limited_to_caller: bool,
    for_callers: Arc<CallerDocuments>,
    listening_url: Arc<OnceLock<String>>,
}

impl DocumentCache {
    /// Creates a cache without documents for callers. `whole_api` describes the whole API, `find_parent_paths` finds
    /// the parent paths, `find_callable_methods` finds the methods that callers with certain permissions can call, and
    /// `render` renders the documents for these callers.
    pub fn new(
        whole_api: LazyDocuments,
        is_limited_to_caller: bool,
        find_parent_paths: impl Fn() -> Arc<ParentPaths> + Send + Sync + 'static,
        find_callable_methods: impl Fn(&[Box<str>]) -> CallableMethods + Send + Sync + 'static,
        render: impl Fn(&CallableMethods) -> Documents + Send + Sync + 'static,
    ) -> Self {
        let whole_api = Arc::new(whole_api);
        let for_callers =
            CallerDocuments::new(Arc::clone(&whole_api), Box::new(find_callable_methods), Arc::new(render));
        Self {
            whole_api,
            parent_paths: OnceLock::new(),
            find_parent_paths: Box::new(find_parent_paths),
            is_limited_to_caller,
            for_callers: Arc::new(for_callers),
            listening_url: Arc::default(),
        }
    }

    /// Sets where the documents read the URL of the address on which the server listens.
    pub fn with_listening_url(mut self, url: Arc<OnceLock<String>>) -> Self {
        self.listening_url = url;
        self
    }

    /// Sets the URL of the address on which the server listens. Example calls in the documents contain it. If several
    /// servers use the documents, they contain the URL of the first one.
    pub fn set_listening_url(&self, url: String) {
        // The first URL stays, because rendered pages contain it.
        let _ = self.listening_url.set(url);
    }

    pub fn listening_url(&self) -> Option<&String> {
        self.listening_url.get()
    }

    /// Returns the parent paths of the whole API: paths that are not paths of services, but have services below them.
    /// This function does not render the documents, which takes much longer.
    pub fn parent_paths(&self) -> &ParentPaths {
        self.parent_paths.get_or_init(|| (self.find_parent_paths)())
    }

    pub fn for_whole_api(&self) -> &Arc<LazyDocuments> {
        &self.whole_api
    }

    pub fn for_callers(&self) -> &Arc<CallerDocuments> {
        &self.for_callers
    }
}

/// A description that is rendered when it is first needed. A request for another document need not wait for it.
pub struct LazyDescription {
    rendered: OnceLock<OptionsDescription>,
    render: Box<dyn Fn() -> OptionsDescription + Send + Sync>,
}

impl LazyDescription {
    /// Creates a description that is not rendered yet. [`LazyDescription::get_or_render`] calls `render`.
    pub fn new(render: impl Fn() -> OptionsDescription + Send + Sync + 'static) -> Self {
        Self { rendered: OnceLock::new(), render: Box::new(render) }
    }

    pub fn rendered(&self) -> Option<&OptionsDescription> {
        self.rendered.get()
    }

    /// Returns the description. The first call renders it, which is slow, and other threads that need it wait.
    pub fn get_or_render(&self) -> &OptionsDescription {
        self.rendered.get_or_init(|| (self.render)())
    }
}
