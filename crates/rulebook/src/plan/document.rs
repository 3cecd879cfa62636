//! Documents that describe the API, as complete texts with entity tags: OpenAPI documents, documentation pages,
//! `/llms.txt`, and the descriptions with which the server responds to OPTIONS.

use std::iter;
use std::sync::{Arc, OnceLock, Weak};

use bytes::Bytes;
use http::HeaderValue;
use rulebook_model::model::ApiDocument;
use sha2::{Digest, Sha256};

use super::content_coding::{CompressedBodies, CompressedBody, ContentCoding, compressed_etag};
use super::{LazyDescription, LazyDocuments, ParentPaths, RenderedOnDemand};

/// A complete text that the server can send, with its compressed forms.
#[derive(Debug, Clone)]
pub struct Document {
    /// The uncompressed bytes of the document.
    pub body: Bytes,
    pub media_type: &'static str,
    /// The strong entity tag of the uncompressed bytes (RFC 9110 section 8.8.3), which is a hash of the bytes.
    pub etag: HeaderValue,
    compressed_bodies: Arc<CompressedBodies>,
    /// The documents to which this document belongs, if compressing it counts for their limits.
    limited_by: Option<Weak<LazyDocuments>>,
}

impl Document {
    /// Creates a document from its bytes, and computes its entity tag.
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
        self.compressed_bodies.get_or_compress(coding, &self.body, &self.etag)
    }

    /// Returns `true` if the document has been compressed in this content coding, successfully or not.
    pub fn is_compressed(&self, coding: ContentCoding) -> bool {
        self.compressed_bodies.cached_body(coding).is_some()
    }

    /// Returns the number of bytes that the document occupies in memory, including its compressed forms.
    pub fn memory_size(&self) -> usize {
        let encoded = ContentCoding::SMALLEST_FIRST
            .iter()
            .filter_map(|coding| self.compressed_bodies.cached_body(*coding)?.as_ref());
        self.body.len() + encoded.map(|encoded| encoded.body.len()).sum::<usize>()
    }

    /// Returns all entity tags of the document: the entity tag of the uncompressed bytes, and one for each content
    /// coding.
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
    /// The parent paths of the services that these documents describe.
    pub parent_paths: Arc<ParentPaths>,
    /// The description of each parent path, in the order of [`Documents::parent_paths`].
    pub parents: RenderedOnDemand<OptionsDescription>,
    /// The documents that clients can request with GET.
    pub published: PublishedDocuments,
}

/// The documents that clients can request with GET at paths of the server, such as `/openapi.json`.
pub struct PublishedDocuments {
    /// The documents of the whole API, in the order of [`ApiDocument`]. Each is rendered when it is first needed.
    pub of_whole_api: [OnceLock<Document>; ApiDocument::COUNT],
    /// Renders the documents of the whole API.
    pub render: Box<dyn Fn(ApiDocument) -> Document + Send + Sync>,
    /// The OpenAPI document of each API module, by the name of the module.
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
    /// Returns `true` if the documents describe the API method with this index.
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

    /// Returns the approximate number of bytes that these documents occupy in memory: all documents and cached pages
    /// with their compressed forms, and the data from which pages are rendered.
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
    /// Returns the number of bytes that the description occupies in memory, including its compressed forms.
    pub fn memory_size(&self) -> usize {
        self.json.memory_size() + self.markdown.as_ref().map_or(0, Document::memory_size)
    }
}

impl PublishedDocuments {
    /// The media type of the list of documents (RFC 9264 section 4.2, RFC 9727 section 4).
    pub const CATALOG_MEDIA_TYPE: &str =
        "application/linkset+json; profile=\"https://www.rfc-editor.org/info/rfc9727\"";

    /// Returns documents without content, for an API whose documents cannot be rendered.
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

    /// Returns a document without content, in place of one that cannot be rendered.
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

    /// Returns a document of the whole API. The first call renders it, which is slow, and other threads that need it
    /// wait.
    pub fn get_or_render(&self, document: ApiDocument) -> &Document {
        self.of_whole_api[document as usize].get_or_init(|| (self.render)(document))
    }

    /// Returns the approximate number of bytes that these documents occupy in memory.
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

/// A documentation page in its two forms.
#[derive(Debug, Clone)]
pub struct RenderedPage {
    pub html: Document,
    pub markdown: Document,
}

impl RenderedPage {
    /// Returns the number of bytes that the page occupies in memory: HTML and Markdown, including their compressed
    /// forms.
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

/// Renders the documentation pages whose content depends on the request.
pub struct PageRenderer {
    /// Renders the page with the results of a search for these words.
    pub search: Box<RenderPage>,
    /// Renders the first results of a search.
    pub results: Box<RenderResults>,
    /// Renders the error page for a path below `/docs/` that does not exist. The text is the percent-decoded path.
    pub missing: Box<RenderPage>,
    /// `true` if the API is so small that a worker can render a page itself. Otherwise rendering is slow.
    pub is_quick: bool,
}
