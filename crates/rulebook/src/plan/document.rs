//! Documents that describe the API, as complete texts with entity tags: OpenAPI documents, documentation pages,
//! `/llms.txt`, and the descriptions with which the server responds to OPTIONS; how they are rendered one by one, each
//! when a client requests it; and their compression (RFC 9110 section 8.4.1).

use std::collections::HashMap;
use std::convert::Infallible;
use std::io::{self, Write};
use std::iter;
use std::sync::{Arc, OnceLock, Weak};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::HeaderValue;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use rulebook_model::model::ApiDocument;
use sha2::{Digest, Sha256};

use super::{LazyDescription, LazyDocuments, ParentPaths};

#[derive(Debug, Clone)]
pub struct Document {
    /// The uncompressed bytes of the document.
    pub body: Bytes,
    pub media_type: &'static str,
    /// The strong entity tag of the uncompressed bytes (RFC 9110 section 8.8.3), which is a hash of the bytes.
    pub etag: HeaderValue,
    /// One entry for each content coding, which is filled when it is first needed; `None` if compression failed.
    /// One entry for each content coding, which is filled when it is first needed; `None` if compression failed.
    compressed_bodies: Arc<[OnceLock<Option<CompressedBody>>; 2]>,
    /// The documents to which this document belongs, if compressing it counts for their limits.
    limited_by: Option<Weak<LazyDocuments>>,
}

impl Document {
    pub fn new(media_type: &'static str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let digest = Sha256::digest(&body);
        let tag = format!("\"{}\"", hex::encode(&digest[..16]));
        // Hexadecimal digits in quotes are always a valid header value.
        let etag = HeaderValue::try_from(tag).unwrap_or_else(|_| HeaderValue::from_static("\"\""));
        Self { body, media_type, etag, compressed_bodies: Arc::default(), limited_by: None }
    }

    /// Makes the compression of this document count for the limits of `documents`, to which it belongs.
    pub fn limit_compression(&mut self, documents: &Arc<LazyDocuments>) {
        self.limited_by = Some(Arc::downgrade(documents));
    }

    /// Returns the documents for whose limits the compression of this document counts.
    pub fn limited_by(&self) -> Option<Arc<LazyDocuments>> {
        self.limited_by.as_ref()?.upgrade()
    }

    /// Returns the compressed bytes of the document in a content coding; `None` if compression fails. The first call
    /// for each content coding compresses the document, which is slow.
    pub fn compressed(&self, coding: ContentCoding) -> Option<&CompressedBody> {
        let compress = || {
            let body = coding.compress(&self.body, CompressionEffort::SmallResult)?;
            Some(CompressedBody { body, etag: compressed_etag(&self.etag, coding) })
        };
        self.compressed_bodies[coding as usize].get_or_init(compress).as_ref()
    }

    /// Returns `true` if the document has been compressed in this content coding, successfully or not.
    pub fn is_compressed(&self, coding: ContentCoding) -> bool {
        self.compressed_bodies[coding as usize].get().is_some()
    }

    /// Returns the size in bytes, with the compressed forms.
    pub fn memory_size(&self) -> usize {
        let encoded = self.compressed_bodies.iter().filter_map(|compressed| compressed.get()?.as_ref());
        self.body.len() + encoded.map(|encoded| encoded.body.len()).sum::<usize>()
    }

    /// Returns the tag of the uncompressed bytes, and one for each content coding.
    pub fn etags(&self) -> impl Iterator<Item = HeaderValue> {
        let encoded = ContentCoding::SMALLEST_FIRST.iter().map(|coding| compressed_etag(&self.etag, *coding));
        iter::once(self.etag.clone()).chain(encoded)
    }
}

/// The documents with which the server responds to OPTIONS at a URI: they describe the services at or below the URI.
#[derive(Debug, Clone)]
pub struct OptionsDescription {
    pub json: Document,
    /// The description of the URI in Markdown; `None` if the feature `documents` is disabled.
    pub markdown: Option<Document>,
}

/// All documents that describe an API, or the part of an API that a caller may use.
pub struct Documents {
    /// For each API method of the plan, `true` if the documents describe the method; `None` if they describe all
    /// methods.
    pub visible_methods: Option<Box<[bool]>>,
    /// The description of the whole API, for OPTIONS at the base path and at `*`.
    pub whole_api: LazyDescription,
    /// For each service of the plan, its index in [`Documents::services`], or `None` if the documents omit the service.
    /// `None` if the documents describe all services, in the order of the plan.
    pub service_indices: Option<Box<[Option<usize>]>>,
    pub services: RenderedOnDemand<OptionsDescription>,
    pub parent_paths: Arc<ParentPaths>,
    /// The description of each parent path, in the order of [`Documents::parent_paths`].
    pub parents: RenderedOnDemand<OptionsDescription>,
    pub published: PublishedDocuments,
}

/// The documents that clients can request with GET at paths of the server, such as `/openapi.json`.
pub struct PublishedDocuments {
    /// The documents of the whole API, in the order of [`ApiDocument`]. Each is rendered when it is first needed.
    pub of_whole_api: [OnceLock<Document>; ApiDocument::COUNT],
    pub render: Box<dyn Fn(ApiDocument) -> Document + Send + Sync>,
    pub modules: RenderedOnDemand<Document>,
    /// The OpenAPI document of each part of a large API module, by the name that [`Documents::module_part_name`]
    /// returns.
    pub parts: RenderedOnDemand<Document>,
    /// The documentation pages, by their percent-decoded paths below `/docs/`.
    pub pages: RenderedOnDemand<RenderedPage>,
    /// Renders pages whose content depends on the request; `None` if pages cannot be rendered.
    pub page_renderer: Option<PageRenderer>,
}

impl Documents {
    pub fn is_method_visible(&self, method: usize) -> bool {
        self.visible_methods.as_ref().is_none_or(|visible| visible.get(method).copied().unwrap_or_default())
    }

    /// Returns the index in [`Documents::services`] of a service of the plan, or `None` if the documents omit the
    /// service.
    pub fn service_index(&self, service: usize) -> Option<usize> {
        self.service_indices.as_ref().map_or(Some(service), |indices| indices.get(service).copied().flatten())
    }

    /// Returns the name of a part of a large API module. `number` is the number of the part; the first part has the
    /// number 1. The name is unique, because names of API modules contain no spaces.
    pub fn module_part_name(module: &str, number: &str) -> String {
        format!("{module} {number}")
    }

    /// Returns the name of the lean OpenAPI document of a module or a part with this name.
    pub fn lean_name(name: &str) -> String {
        format!("{name} lean")
    }

    /// Renders the documents that most clients request, and compresses the large ones, so that the first request for
    /// such a document need not wait.
    pub fn compress_large_documents(&self) {
        for document in [ApiDocument::OpenApi, ApiDocument::LlmsTxt] {
            compress_large_document(self.published.get_or_render(document));
        }
        // The description of the whole API is rendered only now, so that it delays no other document.
        let OptionsDescription { json, markdown } = self.whole_api.get_or_render();
        [json].into_iter().chain(markdown).for_each(compress_large_document);
    }

    /// In bytes, approximately: all documents and cached pages with their compressed forms, and the data from which
    /// pages are rendered.
    pub fn memory_size(&self) -> usize {
        let whole_api = self.whole_api.rendered().map_or(0, OptionsDescription::memory_size);
        let options = whole_api + self.services.memory_size() + self.parents.memory_size();
        options + self.published.memory_size()
    }
}

fn compress_large_document(document: &Document) {
    if document.body.len() >= MIN_LARGE_DOCUMENT_LENGTH {
        for coding in ContentCoding::SMALLEST_FIRST {
            let _ = document.compressed(*coding);
        }
    }
}

impl OptionsDescription {
    pub fn memory_size(&self) -> usize {
        self.json.memory_size() + self.markdown.as_ref().map_or(0, Document::memory_size)
    }
}

impl PublishedDocuments {
    /// The media type of the list of documents (RFC 9264 section 4.2, RFC 9727 section 4).
    pub const CATALOG_MEDIA_TYPE: &str =
        "application/linkset+json; profile=\"https://www.rfc-editor.org/info/rfc9727\"";

    /// Creates the documents of an API whose documents cannot be rendered.
    pub fn empty() -> Self {
        Self {
            of_whole_api: Default::default(),
            render: Box::new(Self::empty_document),
            modules: RenderedOnDemand::default(),
            parts: RenderedOnDemand::default(),
            pages: RenderedOnDemand::default(),
            page_renderer: None,
        }
    }

    pub fn empty_document(document: ApiDocument) -> Document {
        match document {
            ApiDocument::OpenApi | ApiDocument::LeanOpenApi => Document::new("application/json", "{}\n"),
            ApiDocument::ApiCatalog => Document::new(Self::CATALOG_MEDIA_TYPE, "{\"linkset\":[]}\n"),
            _ => Document::new("text/plain; charset=utf-8", ""),
        }
    }

    pub fn rendered(&self, document: ApiDocument) -> Option<&Document> {
        self.of_whole_api[document as usize].get()
    }

    /// The first call renders it, which is slow, and other threads that need it wait.
    pub fn get_or_render(&self, document: ApiDocument) -> &Document {
        self.of_whole_api[document as usize].get_or_init(|| (self.render)(document))
    }

    fn memory_size(&self) -> usize {
        let of_whole_api = self.of_whole_api.iter().filter_map(OnceLock::get).map(Document::memory_size).sum::<usize>();
        let pages = self.pages.memory_size() + self.pages.len() * DATA_BYTES_PER_PAGE;
        of_whole_api + self.modules.memory_size() + self.parts.memory_size() + pages
    }
}

/// The minimum size in bytes of a document that is compressed in advance, because its compression takes long.
const MIN_LARGE_DOCUMENT_LENGTH: usize = 64 << 10;

/// The approximate number of bytes that the model and the search index occupy for each documentation page.
const DATA_BYTES_PER_PAGE: usize = 4 << 10;

#[derive(Debug, Clone)]
pub struct RenderedPage {
    pub html: Document,
    pub markdown: Document,
}

impl RenderedPage {
    /// In bytes: HTML and Markdown, with their compressed forms.
    pub fn memory_size(&self) -> usize {
        self.html.memory_size() + self.markdown.memory_size()
    }
}

/// A function that renders a page for a text of the request, as Markdown if the second argument is `true`, otherwise as
/// HTML.
pub type RenderPage = dyn Fn(&str, bool) -> String + Send + Sync;

/// A function that renders the first results of a search in HTML, without the rest of the page. The first text is the
/// path below `/docs/` to which the links are relative, and the second one consists of the words.
pub type RenderResults = dyn Fn(&str, &str) -> String + Send + Sync;

pub struct PageRenderer {
    pub search: Box<RenderPage>,
    pub results: Box<RenderResults>,
    /// Renders the error page for a path below `/docs/` that does not exist. The text is the percent-decoded path.
    pub missing: Box<RenderPage>,
    /// `true` if the API is so small that a worker can render a page itself. Otherwise rendering is slow.
    pub is_quick: bool,
}

type RenderByIndex<T> = dyn Fn(usize) -> T + Send + Sync;

/// Documents, each of which is rendered when a client requests it. A cache of limited size keeps the
/// documents that are requested most often, because the documents of a large API could together exceed the memory of
/// the machine.
pub struct RenderedOnDemand<T> {
    indices: HashMap<Box<str>, usize>,
    len: usize,
    rendered: Cache<usize, T, SizeWeighter<T>>,
    size: fn(&T) -> usize,
    /// `None` if there are no documents.
    render: Option<Box<RenderByIndex<T>>>,
}

/// The maximum total size in bytes of the documents in a cache.
const MAX_CACHED_BYTES: u64 = 16 << 20;

/// The estimated number of documents, from which the cache derives its number of shards. A larger estimate would give
/// the cache several shards, and each shard would hold only a part of [`MAX_CACHED_BYTES`].
const ESTIMATED_DOCUMENTS: usize = 32;

/// Computes the weight of a document in the cache: its size in bytes.
#[derive(Clone)]
struct SizeWeighter<T>(fn(&T) -> usize);

impl<T> Weighter<usize, T> for SizeWeighter<T> {
    fn weight(&self, _: &usize, document: &T) -> u64 {
        // The cache would never evict a document with the weight 0.
        (self.0)(document).max(1) as u64
    }
}

impl<T: Clone> RenderedOnDemand<T> {
    /// `size` returns the size of a document in bytes, and `render` renders the document whose name has this index.
    pub fn new(names: Vec<String>, size: fn(&T) -> usize, render: impl Fn(usize) -> T + Send + Sync + 'static) -> Self {
        let len = names.len();
        let indices = names.into_iter().enumerate().map(|(index, name)| (name.into(), index)).collect();
        Self { indices, ..Self::without_names(len, size, render) }
    }

    /// `size` returns the size of a document in bytes, and `render` renders the document with an index below `len`.
    pub fn without_names(
        len: usize,
        size: fn(&T) -> usize,
        render: impl Fn(usize) -> T + Send + Sync + 'static,
    ) -> Self {
        Self { indices: HashMap::new(), len, size, rendered: create_cache(size), render: Some(Box::new(render)) }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn find_index(&self, name: &str) -> Option<usize> {
        self.indices.get(name).copied()
    }

    pub fn cached_document(&self, index: usize) -> Option<T> {
        self.rendered.get(&index)
    }

    /// If the document is not in the cache, this thread renders it, which is slow, and other threads that need it wait.
    pub fn get_or_render(&self, index: usize) -> Option<T> {
        let render = self.render.as_ref().filter(|_| index < self.len)?;
        let Ok(document) = self.rendered.get_or_insert_with(&index, || Ok::<_, Infallible>(render(index)));
        Some(document)
    }

    /// Returns the size in bytes, with the compressed forms that were added after rendering.
    pub fn memory_size(&self) -> usize {
        self.rendered.iter().map(|(_, document)| (self.size)(&document)).sum()
    }
}

impl<T: Clone> Default for RenderedOnDemand<T> {
    fn default() -> Self {
        Self { indices: HashMap::new(), len: 0, size: |_| 0, rendered: create_cache(|_| 0), render: None }
    }
}

fn create_cache<T: Clone>(size: fn(&T) -> usize) -> Cache<usize, T, SizeWeighter<T>> {
    Cache::with_weighter(ESTIMATED_DOCUMENTS, MAX_CACHED_BYTES, SizeWeighter(size))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentCoding {
    Brotli,
    Gzip,
}

/// Whether compression should be fast, or its result small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompressionEffort {
    /// Compression is fast, for bytes that are sent once.
    Fast,
    /// The result is small, for bytes that are cached and sent often.
    SmallResult,
}

impl ContentCoding {
    /// All supported content codings. The first produces the smallest result.
    pub const SMALLEST_FIRST: &[Self] =
        if cfg!(feature = "brotli") { &[Self::Brotli, Self::Gzip] } else { &[Self::Gzip] };
    pub const FASTEST_FIRST: &[Self] =
        if cfg!(feature = "brotli") { &[Self::Gzip, Self::Brotli] } else { &[Self::Gzip] };

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// Compresses bytes with this content coding. Returns `None` if the memory is insufficient.
    pub fn compress(self, bytes: &[u8], effort: CompressionEffort) -> Option<Bytes> {
        let encoded = match self {
            Self::Brotli => compress_brotli(bytes, effort),
            Self::Gzip => compress_gzip(bytes, effort),
        };
        let mut encoded = encoded.ok()?;
        if let CompressionEffort::SmallResult = effort {
            // Compressed documents stay in memory for a long time, so that unused capacity would waste memory.
            encoded.shrink_to_fit();
        }
        Some(encoded.into())
    }
}

impl CompressionEffort {
    /// Returns the capacity that is reserved for the compressed form of a text of `length` bytes. Documents repeat the
    /// same texts more often than responses.
    fn initial_capacity(self, length: usize) -> usize {
        match self {
            Self::Fast => length / 4,
            Self::SmallResult => length / 32,
        }
    }
}

/// The maximum length in bytes of a text that is compressed with the slowest level. Compressing a longer text with this
/// level would take seconds.
const MAX_BEST_LEVEL_LENGTH: usize = 1 << 20;

fn compress_gzip(bytes: &[u8], effort: CompressionEffort) -> io::Result<Vec<u8>> {
    let level = match effort {
        CompressionEffort::Fast => Compression::fast(),
        CompressionEffort::SmallResult if bytes.len() <= MAX_BEST_LEVEL_LENGTH => Compression::best(),
        CompressionEffort::SmallResult => Compression::default(),
    };
    let mut encoder = GzEncoder::new(Vec::with_capacity(effort.initial_capacity(bytes.len())), level);
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// The binary logarithm of the distance up to which Brotli finds repeated texts. The largest distance would need much
/// more memory during the compression, and documents of large APIs repeat the same texts at short distances.
#[cfg(feature = "brotli")]
const WINDOW_BITS: i32 = 19;

#[cfg(feature = "brotli")]
fn compress_brotli(mut bytes: &[u8], effort: CompressionEffort) -> io::Result<Vec<u8>> {
    let quality = match effort {
        CompressionEffort::Fast => 1,
        CompressionEffort::SmallResult if bytes.len() <= MAX_BEST_LEVEL_LENGTH => 9,
        CompressionEffort::SmallResult => 5,
    };
    let size_hint = bytes.len();
    let params = brotli::enc::BrotliEncoderParams { quality, size_hint, lgwin: WINDOW_BITS, ..Default::default() };
    let mut encoded = Vec::with_capacity(effort.initial_capacity(bytes.len()));
    brotli::BrotliCompress(&mut bytes, &mut encoded, &params)?;
    Ok(encoded)
}

/// Replaces the function if the feature `brotli` is disabled. Brotli is then in none of the lists of [`ContentCoding`],
/// so that this function is never called.
#[cfg(not(feature = "brotli"))]
fn compress_brotli(_: &[u8], _: CompressionEffort) -> io::Result<Vec<u8>> {
    Err(io::ErrorKind::Unsupported.into())
}

#[derive(Debug, Clone)]
pub struct CompressedBody {
    pub body: Bytes,
    /// The strong entity tag of the compressed bytes, which differs from the entity tag of the uncompressed bytes.
    pub etag: HeaderValue,
}

/// `etag` is the entity tag of the uncompressed bytes.
fn compressed_etag(etag: &HeaderValue, coding: ContentCoding) -> HeaderValue {
    let plain = etag.to_str().unwrap_or_default().trim_end_matches('"');
    // Visible ASCII in quotes is always a valid header value.
    HeaderValue::try_from(format!("{plain}-{}\"", coding.as_str())).unwrap_or_else(|_| etag.clone())
}
