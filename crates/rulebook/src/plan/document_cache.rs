//! Caches the documents of an API (OpenAPI documents, pages, descriptions for OPTIONS): the documents that describe the
//! whole API, and the documents for each set of permissions. The documents for a set of permissions describe only the
//! API methods that callers with these permissions may call.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};

use quick_cache::UnitWeighter;
use quick_cache::sync::Cache;

use super::{Documents, ParentPaths};

/// The maximum number of permission sets whose documents are cached.
const MAX_PERMISSION_SETS: u64 = 64;
/// The estimated number of permission sets, from which the cache derives its number of shards. A larger estimate would
/// give the cache several shards, and each shard would hold only a part of [`MAX_PERMISSION_SETS`].
const ESTIMATED_PERMISSION_SETS: usize = 32;
/// The maximum total size in bytes of all documents that are cached for permission sets.
const MAX_CACHED_BYTES: usize = 64 << 20;

/// Documents that are rendered when they are first needed. At startup they would take too long: for an API with
/// thousands of services, rendering takes longer than all other steps of the startup together.
pub struct LazyDocuments {
    rendered: OnceLock<Documents>,
    render: Box<dyn Fn() -> Documents + Send + Sync>,
    /// The lock that is held while the documents are rendered on another thread. Requests that need the documents wait
    /// for this lock.
    pub render_lock: Arc<tokio::sync::Mutex<()>>,
}

impl LazyDocuments {
    /// Creates documents that are not rendered yet. [`LazyDocuments::get_or_render`] calls `render`.
    #[must_use]
    pub fn new(render: impl Fn() -> Documents + Send + Sync + 'static) -> Self {
        Self { rendered: OnceLock::new(), render: Box::new(render), render_lock: Arc::default() }
    }

    /// Returns the rendered documents. The first call renders the documents, and blocks its thread until rendering has
    /// ended.
    pub fn get_or_render(&self) -> &Documents {
        self.rendered.get_or_init(|| (self.render)())
    }

    /// Returns `true` if the documents have been rendered.
    #[must_use]
    pub fn is_rendered(&self) -> bool {
        self.rendered.get().is_some()
    }
}

/// A function that renders the documents for callers with these permissions.
type RenderForPermissions = dyn Fn(&[Box<str>]) -> Documents + Send + Sync;

/// A set of permissions, sorted and without duplicates.
type PermissionSet = Arc<[Box<str>]>;

/// The documents that describe the whole API, and a cache of the documents for permission sets.
pub struct DocumentCache {
    whole_api: Arc<LazyDocuments>,
    parent_paths: OnceLock<Arc<ParentPaths>>,
    find_parent_paths: Box<dyn Fn() -> Arc<ParentPaths> + Send + Sync>,
    /// If `true`, the documents in every response describe only the API methods that the caller may call. If `false`,
    /// the documents describe the whole API, unless the query of the request contains `as=me`.
    pub is_limited_to_caller: bool,
    render: Arc<RenderForPermissions>,
    by_permissions: Cache<PermissionSet, Arc<LazyDocuments>>,
}

impl DocumentCache {
    /// Creates a cache without documents for permission sets. `whole_api` describes the whole API, `render` renders the
    /// documents for a permission set, and `find_parent_paths` finds the parent paths.
    #[must_use]
    pub fn new(
        whole_api: LazyDocuments,
        is_limited_to_caller: bool,
        find_parent_paths: impl Fn() -> Arc<ParentPaths> + Send + Sync + 'static,
        render: impl Fn(&[Box<str>]) -> Documents + Send + Sync + 'static,
    ) -> Self {
        Self {
            whole_api: Arc::new(whole_api),
            parent_paths: OnceLock::new(),
            find_parent_paths: Box::new(find_parent_paths),
            is_limited_to_caller,
            render: Arc::new(render),
            by_permissions: Cache::with_weighter(ESTIMATED_PERMISSION_SETS, MAX_PERMISSION_SETS, UnitWeighter),
        }
    }

    /// Returns the parent paths of the whole API: paths that are not paths of services, but have services below them.
    /// This function does not render the documents, which takes much longer.
    pub fn parent_paths(&self) -> &ParentPaths {
        self.parent_paths.get_or_init(|| (self.find_parent_paths)())
    }

    /// Returns the documents that describe the whole API.
    #[must_use]
    pub fn for_whole_api(&self) -> &Arc<LazyDocuments> {
        &self.whole_api
    }

    /// Returns the documents for callers with these permissions. The permissions may be in any order.
    #[must_use]
    pub fn for_permissions(&self, permissions: &[Box<str>]) -> Arc<LazyDocuments> {
        let mut set = permissions.to_vec();
        set.sort_unstable();
        set.dedup();
        let set = PermissionSet::from(set);
        let mut is_new = false;
        let Ok(documents) = self.by_permissions.get_or_insert_with(&set, || {
            is_new = true;
            let (set, render) = (Arc::clone(&set), Arc::clone(&self.render));
            Ok::<_, Infallible>(Arc::new(LazyDocuments::new(move || render(&set))))
        });
        if is_new {
            self.evict_above_max_bytes();
        }
        documents
    }

    /// Removes permission sets from the cache until the documents of the remaining sets have at most
    /// [`MAX_CACHED_BYTES`] bytes. This function is called only when a set is added, because adding up the sizes of
    /// thousands of documents takes time.
    fn evict_above_max_bytes(&self) {
        let mut total = 0;
        for (set, documents) in self.by_permissions.iter() {
            let Some(rendered) = documents.rendered.get() else { continue };
            total += rendered.memory_size();
            if total > MAX_CACHED_BYTES {
                self.by_permissions.remove(&set);
            }
        }
    }
}
