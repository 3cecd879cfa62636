//! Documents that are made once and sent as they are.

use std::collections::HashMap;
use std::sync::OnceLock;

use bytes::Bytes;
use http::HeaderValue;
use sha2::{Digest, Sha256};

use super::Routes;

/// A document, ready to be sent.
#[derive(Debug, Clone)]
pub struct Document {
    /// Its bytes.
    pub body: Bytes,
    /// Its media type.
    pub media_type: &'static str,
    /// Its strong entity tag (RFC 9110 section 8.8.3): made from the bytes alone.
    pub etag: HeaderValue,
}

impl Document {
    /// The document of these bytes.
    #[must_use]
    pub fn new(media_type: &'static str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let digest = Sha256::digest(&body);
        let tag = format!("\"{}\"", hex::encode(&digest[..16]));
        // Hexadecimal digits in quotes are a header value.
        let etag = HeaderValue::try_from(tag).unwrap_or_else(|_| HeaderValue::from_static("\"\""));
        Self { body, media_type, etag }
    }
}

/// What OPTIONS answers at one URI.
#[derive(Debug, Clone)]
pub struct Description {
    /// A definition, in JSON.
    pub json: Document,
    /// The same for people, in markdown.
    pub markdown: Document,
}

/// A URI that has services below it, and none of its own.
#[derive(Debug)]
pub struct Above {
    /// How many segments its path has.
    pub length: usize,
    /// What OPTIONS answers there.
    pub description: Description,
}

/// Everything that describes the API, or what somebody may call of it.
pub struct Documents {
    /// Whether each method of the plan, in order, is told of; all are where this is none.
    pub told: Option<Box<[bool]>>,
    /// What OPTIONS answers on base and `*`.
    pub all: Description,
    /// What OPTIONS answers on each service of the plan, in order; none where it is not told of.
    pub services: Box<[Option<Description>]>,
    /// From paths to the URIs above services.
    pub routes: Routes,
    /// The URIs above services.
    pub above: Box<[Above]>,
    /// The OpenAPI document.
    pub openapi: Document,
    /// The API for readers of plain text, as `/llms.txt`.
    pub llms: Document,
    /// The API for people.
    pub pages: Pages,
}

impl Documents {
    /// Whether the method of this index is told of.
    #[must_use]
    pub fn tells(&self, method: usize) -> bool {
        self.told.as_ref().is_none_or(|told| told.get(method).copied().unwrap_or_default())
    }

    /// Bytes of all documents but pages.
    #[must_use]
    pub fn size(&self) -> usize {
        let of = |Description { json, markdown }: &Description| json.body.len() + markdown.body.len();
        let services: usize = self.services.iter().flatten().map(of).sum();
        let above: usize = self.above.iter().map(|above| of(&above.description)).sum();
        of(&self.all) + services + above + self.openapi.body.len()
    }
}

/// A page for people.
#[derive(Debug)]
pub struct Page {
    /// As HTML.
    pub html: Document,
    /// The same in markdown.
    pub markdown: Document,
}

/// The pages for people. Each is made when it is asked for first, and kept from then on.
#[derive(Default)]
pub struct Pages {
    paths: HashMap<Box<str>, usize>,
    ready: Box<[OnceLock<Page>]>,
    make: Option<Make>,
}

/// What makes pages.
pub struct Make {
    /// The page of this index.
    pub page: Box<dyn Fn(usize) -> Page + Send + Sync>,
    /// What is found for these words.
    pub search: Box<dyn Fn(&str) -> Document + Send + Sync>,
}

impl Pages {
    /// The pages at these paths below `/docs/`, which stand there as in the path of a request.
    #[must_use]
    pub fn new(paths: Vec<String>, make: Make) -> Self {
        let ready = paths.iter().map(|_| OnceLock::new()).collect();
        let paths = paths.into_iter().enumerate().map(|(index, path)| (path.into(), index)).collect();
        Self { paths, ready, make: Some(make) }
    }

    /// The page at this path below `/docs/`.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<&Page> {
        let index = *self.paths.get(path)?;
        let make = self.make.as_ref()?;
        Some(self.ready[index].get_or_init(|| (make.page)(index)))
    }

    /// What is found for these words.
    #[must_use]
    pub fn search(&self, words: &str) -> Option<Document> {
        self.make.as_ref().map(|make| (make.search)(words))
    }
}
