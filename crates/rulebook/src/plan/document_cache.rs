//! The documents of an API: those that describe the whole API, and those for callers with certain permissions.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};

use quick_cache::UnitWeighter;
use quick_cache::sync::Cache;

use super::{Documents, ParentPaths};

/// The maximum number of permission sets whose documents are cached.
const MAX_SETS: u64 = 64;
/// The estimated number of sets, from which the cache derives its number of shards. With so small a number it has one
/// shard; otherwise each shard would have only a part of [`MAX_SETS`].
const ESTIMATED_SETS: usize = 32;
/// The maximum total size of the documents that are cached for permission sets, in bytes.
const MAX_BYTES: usize = 64 << 20;

/// Documents that are rendered when one of them is first needed. For an API with thousands of services, rendering takes
/// longer than the rest of the startup.
pub struct LazyDocuments {
    rendered: OnceLock<Documents>,
    render: Box<dyn Fn() -> Documents + Send + Sync>,
    /// Held by the request that renders the documents on another thread, while other requests wait for it.
    pub render_lock: Arc<tokio::sync::Mutex<()>>,
}

impl LazyDocuments {
    /// Creates documents that `render` renders later.
    #[must_use]
    pub fn new(render: impl Fn() -> Documents + Send + Sync + 'static) -> Self {
        Self { rendered: OnceLock::new(), render: Box::new(render), render_lock: Arc::default() }
    }

    /// Returns the documents. The first call renders them and blocks meanwhile.
    pub fn get(&self) -> &Documents {
        self.rendered.get_or_init(|| (self.render)())
    }

    /// Returns `true` if the documents have been rendered.
    #[must_use]
    pub fn is_rendered(&self) -> bool {
        self.rendered.get().is_some()
    }
}

/// Renders the documents for callers with these permissions.
type Render = dyn Fn(&[Box<str>]) -> Documents + Send + Sync;

/// A set of permissions, sorted and without duplicates.
type PermissionSet = Arc<[Box<str>]>;

/// The documents that describe the whole API, and a cache of documents for permission sets.
pub struct DocumentCache {
    all: Arc<LazyDocuments>,
    parents: OnceLock<ParentPaths>,
    find_parents: Box<dyn Fn() -> ParentPaths + Send + Sync>,
    /// If `true`, documents describe only the methods that the caller may call, for all requests. If `false`, they do
    /// so only for requests with `as=me`.
    pub per_caller: bool,
    render: Arc<Render>,
    sets: Cache<PermissionSet, Arc<LazyDocuments>>,
}

impl DocumentCache {
    /// Creates a cache. `render` renders the documents for a permission set; `find_parents` finds the parent paths.
    #[must_use]
    pub fn new(
        all: LazyDocuments,
        per_caller: bool,
        find_parents: impl Fn() -> ParentPaths + Send + Sync + 'static,
        render: impl Fn(&[Box<str>]) -> Documents + Send + Sync + 'static,
    ) -> Self {
        Self {
            all: Arc::new(all),
            parents: OnceLock::new(),
            find_parents: Box::new(find_parents),
            per_caller,
            render: Arc::new(render),
            sets: Cache::with_weighter(ESTIMATED_SETS, MAX_SETS, UnitWeighter),
        }
    }

    /// The parent paths of the whole API. Routing needs them before the documents are rendered, which takes much
    /// longer.
    pub fn parents(&self) -> &ParentPaths {
        self.parents.get_or_init(|| (self.find_parents)())
    }

    /// The documents about the whole API.
    #[must_use]
    pub fn all(&self) -> &Arc<LazyDocuments> {
        &self.all
    }

    /// The documents for callers with these permissions, in any order.
    #[must_use]
    pub fn for_permissions(&self, permissions: &[Box<str>]) -> Arc<LazyDocuments> {
        let mut set = permissions.to_vec();
        set.sort_unstable();
        set.dedup();
        let set = PermissionSet::from(set);
        let mut is_new = false;
        let Ok(documents) = self.sets.get_or_insert_with(&set, || {
            is_new = true;
            let (set, render) = (Arc::clone(&set), Arc::clone(&self.render));
            Ok::<_, Infallible>(Arc::new(LazyDocuments::new(move || render(&set))))
        });
        if is_new {
            self.evict_above_max_bytes();
        }
        documents
    }

    /// Removes sets from the cache until the remaining documents have at most [`MAX_BYTES`]. Called only when a set is
    /// added, because it adds up the sizes of thousands of documents.
    fn evict_above_max_bytes(&self) {
        let mut total = 0;
        for (set, documents) in self.sets.iter() {
            let Some(rendered) = documents.rendered.get() else { continue };
            total += rendered.size();
            if total > MAX_BYTES {
                self.sets.remove(&set);
            }
        }
    }
}
