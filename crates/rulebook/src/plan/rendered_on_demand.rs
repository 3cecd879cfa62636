//! Documents that are rendered one by one, each when a client requests it.

use std::collections::HashMap;
use std::convert::Infallible;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

type RenderByIndex<T> = dyn Fn(usize) -> T + Send + Sync;

/// Documents, each of which is rendered when a client requests it. A cache of limited size keeps the
/// documents that are requested most often, because the documents of a large API could together exceed the memory of
/// the machine.
pub struct RenderedOnDemand<T> {
    /// The indices of the documents that have names.
    indices: HashMap<Box<str>, usize>,
    len: usize,
    rendered: Cache<usize, T, SizeWeighter<T>>,
    size: fn(&T) -> usize,
    /// The function that renders a document; `None` if there are no documents.
    render: Option<Box<RenderByIndex<T>>>,
}

/// The maximum total size in bytes of the documents in a cache.
const MAX_CACHED_BYTES: u64 = 16 << 20;

/// The estimated number of documents, from which the cache derives its number of shards. A larger estimate would give
/// the cache several shards, and each shard would hold only a part of [`MAX_CACHED_BYTES`].
const ESTIMATED_DOCUMENTS: usize = 32;

/// Computes the weight of a document in the cache: its size in bytes.
struct SizeWeighter<T>(fn(&T) -> usize);

impl<T> Weighter<usize, T> for SizeWeighter<T> {
    fn weight(&self, _: &usize, document: &T) -> u64 {
        // The cache would never evict a document with the weight 0.
        (self.0)(document).max(1) as u64
    }
}

impl<T> Clone for SizeWeighter<T> {
    fn clone(&self) -> Self {
        Self(self.0)
    }
}

impl<T: Clone> RenderedOnDemand<T> {
    /// Creates documents with these names, without rendering them. `size` returns the size of a document in bytes, and
    /// `render` renders the document whose name has this index in `names`.
    pub fn new(names: Vec<String>, size: fn(&T) -> usize, render: impl Fn(usize) -> T + Send + Sync + 'static) -> Self {
        let len = names.len();
        let indices = names.into_iter().enumerate().map(|(index, name)| (name.into(), index)).collect();
        Self { indices, ..Self::without_names(len, size, render) }
    }

    /// Creates `len` documents without names, without rendering them. `size` returns the size of a document in bytes,
    /// and `render` renders the document with an index below `len`.
    pub fn without_names(
        len: usize,
        size: fn(&T) -> usize,
        render: impl Fn(usize) -> T + Send + Sync + 'static,
    ) -> Self {
        Self { indices: HashMap::new(), len, size, rendered: create_cache(size), render: Some(Box::new(render)) }
    }

    /// Returns the number of documents, rendered or not.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn find_index(&self, name: &str) -> Option<usize> {
        self.indices.get(name).copied()
    }

    pub fn cached_document(&self, index: usize) -> Option<T> {
        self.rendered.get(&index)
    }

    /// Returns the document with this index, or `None` if no document has the index. If the document is not in the
    /// cache, this thread renders it, which is slow, and other threads that need the same document wait.
    pub fn get_or_render(&self, index: usize) -> Option<T> {
        let render = self.render.as_ref().filter(|_| index < self.len)?;
        let Ok(document) = self.rendered.get_or_insert_with(&index, || Ok::<_, Infallible>(render(index)));
        Some(document)
    }

    /// Returns the current total size in bytes of the documents in the cache, including compressed forms that were
    /// added after rendering.
    pub fn memory_size(&self) -> usize {
        self.rendered.iter().map(|(_, document)| (self.size)(&document)).sum()
    }
}

impl<T: Clone> Default for RenderedOnDemand<T> {
    /// Creates an empty set of documents.
    fn default() -> Self {
        Self { indices: HashMap::new(), len: 0, size: |_| 0, rendered: create_cache(|_| 0), render: None }
    }
}

fn create_cache<T: Clone>(size: fn(&T) -> usize) -> Cache<usize, T, SizeWeighter<T>> {
    Cache::with_weighter(ESTIMATED_DOCUMENTS, MAX_CACHED_BYTES, SizeWeighter(size))
}
