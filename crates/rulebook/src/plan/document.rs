//! Documents that describe the API, ready to be sent.

use std::iter;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use rulebook_model::model::Segment;
use sha2::{Digest, Sha256};

use super::content_coding::{ContentCoding, EncodedBodies, EncodedBody, encoded_etag};
use super::{RenderedOnDemand, RouteConflict, Routes};

/// A document, ready to be sent.
#[derive(Debug, Clone)]
pub struct Document {
    /// The uncompressed bytes.
    pub body: Bytes,
    /// The media type.
    pub media_type: &'static str,
    /// The strong entity tag (RFC 9110 section 8.8.3), derived from the bytes.
    pub etag: HeaderValue,
    encoded: Arc<EncodedBodies>,
}

impl Document {
    /// Creates a document with these bytes.
    #[must_use]
    pub fn new(media_type: &'static str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let digest = Sha256::digest(&body);
        let tag = format!("\"{}\"", hex::encode(&digest[..16]));
        // Hexadecimal digits in quotes are always a valid value.
        let etag = HeaderValue::try_from(tag).unwrap_or_else(|_| HeaderValue::from_static("\"\""));
        Self { body, media_type, etag, encoded: Arc::default() }
    }

    /// Returns the document in a coding. The first call for a coding compresses it, which is slow. Returns `None` if
    /// compression fails.
    #[must_use]
    pub fn encoded(&self, coding: ContentCoding) -> Option<&EncodedBody> {
        self.encoded.get(coding, &self.body, &self.etag)
    }

    /// Returns `true` if the document has been compressed with a coding.
    #[must_use]
    pub fn is_encoded(&self, coding: ContentCoding) -> bool {
        self.encoded.cached(coding).is_some()
    }

    /// The number of bytes in memory, including those of all codings.
    #[must_use]
    pub fn size(&self) -> usize {
        let encoded = ContentCoding::SMALLEST_FIRST.iter().filter_map(|coding| self.encoded.cached(*coding)?.as_ref());
        self.body.len() + encoded.map(|encoded| encoded.body.len()).sum::<usize>()
    }

    /// Returns the entity tags of the document: uncompressed, and in each coding.
    pub fn etags(&self) -> impl Iterator<Item = HeaderValue> {
        let encoded = ContentCoding::SMALLEST_FIRST.iter().map(|coding| encoded_etag(&self.etag, *coding));
        iter::once(self.etag.clone()).chain(encoded)
    }
}

/// The responses of OPTIONS at a URI.
#[derive(Debug, Clone)]
pub struct Description {
    /// The definition of the URI, in JSON.
    pub json: Document,
    /// The definition of the URI, as Markdown; `None` without the feature `documents`.
    pub markdown: Option<Document>,
}

/// The parent paths: paths that are not services but have services below them. OPTIONS describes them, too.
#[derive(Default)]
pub struct ParentPaths {
    routes: Routes,
    /// The number of segments of each path.
    lengths: Vec<usize>,
}

impl ParentPaths {
    /// Adds a path. Its index is the number of paths that were added before.
    ///
    /// # Errors
    /// Fails if the path exists already.
    pub fn insert(&mut self, path: &[Segment], ignore_case: bool) -> Result<(), RouteConflict> {
        self.routes.insert(path, self.lengths.len(), ignore_case)?;
        self.lengths.push(path.len());
        Ok(())
    }

    /// Returns the index of a path, in the format that [`Routes::find`] expects.
    #[must_use]
    pub fn find(&self, path: &str, segments: usize) -> Option<usize> {
        self.routes.find(path, segments).filter(|index| self.lengths.get(*index) == Some(&segments))
    }
}

/// All documents about an API, or about the part of it that a caller may use.
pub struct Documents {
    /// For each method of the plan, `true` if the documents describe it; `None` if they describe all methods.
    pub visible_methods: Option<Box<[bool]>>,
    /// The description at the base path and at `*`.
    pub all: Description,
    /// The description of each service of the plan; `None` for services that these documents omit.
    pub services: Box<[Option<Description>]>,
    /// The parent paths.
    pub parents: ParentPaths,
    /// The description of each parent path.
    pub parent_descriptions: Box<[Description]>,
    /// The documents at the paths of the server.
    pub published: PublishedDocuments,
}

/// The documents that have paths of their own.
pub struct PublishedDocuments {
    /// The OpenAPI document.
    pub openapi: Document,
    /// The OpenAPI document of each module, by the name of the module.
    pub modules: RenderedOnDemand<Document>,
    /// The OpenAPI documents of the parts of large modules, by [`Documents::part_name`].
    pub parts: RenderedOnDemand<Document>,
    /// The text at `/llms.txt`.
    pub llms: Document,
    /// The documentation pages, by their decoded paths below `/docs/`.
    pub pages: RenderedOnDemand<RenderedPage>,
    /// Renders pages whose content depends on the request; `None` if pages cannot be rendered.
    pub page_finder: Option<PageFinder>,
}

impl Documents {
    /// Returns `true` if the documents describe the method with this index.
    #[must_use]
    pub fn is_visible(&self, method: usize) -> bool {
        self.visible_methods.as_ref().is_none_or(|visible| visible.get(method).copied().unwrap_or_default())
    }

    /// Returns the name of a part of a module, by its number, which starts at 1. It is unique, because names of modules
    /// have no spaces.
    #[must_use]
    pub fn part_name(module: &str, number: &str) -> String {
        format!("{module} {number}")
    }

    /// Compresses large documents before the first request for them.
    pub fn compress_large(&self) {
        let PublishedDocuments { openapi, llms, .. } = &self.published;
        let documents = [openapi, &self.all.json, llms].into_iter().chain(&self.all.markdown);
        for document in documents.filter(|document| document.body.len() >= LARGE) {
            for coding in ContentCoding::SMALLEST_FIRST {
                let _ = document.encoded(*coding);
            }
        }
    }

    /// The approximate number of bytes in memory: of all documents and cached pages in all codings, and of the data that
    /// pages are rendered from.
    #[must_use]
    pub fn size(&self) -> usize {
        let size =
            |Description { json, markdown }: &Description| json.size() + markdown.as_ref().map_or(0, Document::size);
        let services: usize = self.services.iter().flatten().map(size).sum();
        let parents: usize = self.parent_descriptions.iter().map(size).sum();
        size(&self.all) + services + parents + self.published.size()
    }
}

impl PublishedDocuments {
    /// Returns documents without content.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            openapi: Document::new("application/json", "{}\n"),
            modules: RenderedOnDemand::default(),
            parts: RenderedOnDemand::default(),
            llms: Document::new("text/plain; charset=utf-8", ""),
            pages: RenderedOnDemand::default(),
            page_finder: None,
        }
    }

    /// The approximate number of bytes in memory.
    fn size(&self) -> usize {
        let openapi = self.openapi.size() + self.modules.size() + self.parts.size();
        let pages = self.pages.size() + self.pages.len() * PAGE_DATA;
        openapi + self.llms.size() + pages
    }
}

/// The size in bytes from which the compression of a document takes long.
const LARGE: usize = 64 << 10;

/// The approximate number of bytes of the model and the search index for each page.
const PAGE_DATA: usize = 4 << 10;

/// A documentation page.
#[derive(Debug, Clone)]
pub struct RenderedPage {
    /// The page as HTML.
    pub html: Document,
    /// The page as Markdown.
    pub markdown: Document,
}

impl RenderedPage {
    /// The number of bytes in memory, in both forms and all codings.
    #[must_use]
    pub fn size(&self) -> usize {
        self.html.size() + self.markdown.size()
    }
}

/// Renders pages whose content depends on the request. Rendering is slow.
pub struct PageFinder {
    /// Renders the results of a search.
    pub search: Box<dyn Fn(&str) -> RenderedPage + Send + Sync>,
    /// Renders the page for a path below `/docs/` that does not exist. The path is decoded.
    pub missing: Box<dyn Fn(&str) -> RenderedPage + Send + Sync>,
}
