//! Documents that are made once and sent as they are.

use std::collections::HashMap;
use std::iter;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::HeaderValue;
use sha2::{Digest, Sha256};

use super::coding::{Coded, Coding, Codings, tag};
use super::{Routes, Unroutable};
use crate::model::Segment;

/// A document, ready to be sent.
#[derive(Debug, Clone)]
pub struct Document {
    /// Its bytes.
    pub body: Bytes,
    /// Its media type.
    pub media_type: &'static str,
    /// Its strong entity tag (RFC 9110 section 8.8.3): made from the bytes alone.
    pub etag: HeaderValue,
    codings: Arc<Codings>,
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
        Self { body, media_type, etag, codings: Arc::default() }
    }

    /// The document in a coding, which takes a while where it is not kept yet; none where it cannot be made.
    #[must_use]
    pub fn coded(&self, coding: Coding) -> Option<&Coded> {
        self.codings.get(coding, &self.body, &self.etag)
    }

    /// Whether it is kept in a coding.
    #[must_use]
    pub fn is_coded(&self, coding: Coding) -> bool {
        self.codings.ready(coding).is_some()
    }

    /// Its bytes, with those of the codings in which it is kept.
    #[must_use]
    pub fn size(&self) -> usize {
        let coded = Coding::ALL.into_iter().filter_map(|coding| self.codings.ready(coding)?.as_ref());
        self.body.len() + coded.map(|coded| coded.body.len()).sum::<usize>()
    }

    /// Its tags: the plain form's, and those of each coding.
    pub fn tags(&self) -> impl Iterator<Item = HeaderValue> {
        iter::once(self.etag.clone()).chain(Coding::ALL.into_iter().map(|coding| tag(&self.etag, coding)))
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

/// The ways to the URIs that have services below them, and none of their own.
#[derive(Default)]
pub struct Above {
    routes: Routes,
    /// How many segments the path of each has.
    lengths: Vec<usize>,
}

impl Above {
    /// Adds one. Its index is how many there were.
    ///
    /// # Errors
    /// The path is there already.
    pub fn insert(&mut self, path: &[Segment], ignore_case: bool) -> Result<(), Unroutable> {
        self.routes.insert(path, self.lengths.len(), ignore_case)?;
        self.lengths.push(path.len());
        Ok(())
    }

    /// The index of the one at a path, as [`Routes::find`] takes it.
    #[must_use]
    pub fn find(&self, path: &str, segments: usize) -> Option<usize> {
        self.routes.find(path, segments).filter(|index| self.lengths.get(*index) == Some(&segments))
    }
}

/// Everything that describes the API, or what somebody may call of it.
pub struct Documents {
    /// Whether each method of the plan, in order, is told of; all are where this is none.
    pub told: Option<Box<[bool]>>,
    /// What OPTIONS answers on base and `*`.
    pub all: Description,
    /// What OPTIONS answers on each service of the plan, in order; none where it is not told of.
    pub services: Box<[Option<Description>]>,
    /// The ways to the URIs above services.
    pub above: Above,
    /// What OPTIONS answers on each of them, in order.
    pub described_above: Box<[Description]>,
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

    /// Codes ahead of the first who asks what takes long to code.
    pub fn code_large(&self) {
        for document in [&self.openapi, &self.all.json, &self.all.markdown, &self.llms] {
            if document.body.len() >= LARGE {
                for coding in Coding::ALL {
                    let _ = document.coded(coding);
                }
            }
        }
    }

    /// Bytes of all documents in all codings that are kept, of the pages that are, and of what makes pages.
    #[must_use]
    pub fn size(&self) -> usize {
        let of = |Description { json, markdown }: &Description| json.size() + markdown.size();
        let services: usize = self.services.iter().flatten().map(of).sum();
        let above: usize = self.described_above.iter().map(of).sum();
        of(&self.all) + services + above + self.openapi.size() + self.llms.size() + self.pages.size()
    }
}

/// Bytes from which on a document takes long to code.
const LARGE: usize = 64 << 10;

/// About how many bytes of a model a page is made of.
const MADE_OF: usize = 4 << 10;

/// A page for people.
#[derive(Debug, Clone)]
pub struct Page {
    /// As HTML.
    pub html: Document,
    /// The same in markdown.
    pub markdown: Document,
}

/// The pages for people. Each is made when it is asked for first, and kept from then on as long as all that are kept
/// are not too much: an API may have more pages than a machine has room for.
#[derive(Default)]
pub struct Pages {
    paths: HashMap<Box<str>, usize>,
    ready: Box<[OnceLock<Page>]>,
    /// How many bytes are kept.
    kept: AtomicUsize,
    make: Option<Make>,
}

/// What makes pages.
pub struct Make {
    /// The page of this index.
    pub page: Box<dyn Fn(usize) -> Page + Send + Sync>,
    /// What is found for these words.
    pub search: Box<dyn Fn(&str) -> Page + Send + Sync>,
}

impl Pages {
    /// The most bytes of pages that are kept.
    const MOST_KEPT: usize = 16 << 20;

    /// The pages at these paths below `/docs/`, decoded.
    #[must_use]
    pub fn new(paths: Vec<String>, make: Make) -> Self {
        let ready = paths.iter().map(|_| OnceLock::new()).collect();
        let paths = paths.into_iter().enumerate().map(|(index, path)| (path.into(), index)).collect();
        Self { paths, ready, kept: AtomicUsize::new(0), make: Some(make) }
    }

    /// Bytes of the pages that are kept, in the codings they are kept in, and about those of what makes them: the
    /// API itself, and what is searched.
    fn size(&self) -> usize {
        let kept = self.ready.iter().filter_map(OnceLock::get);
        let pages: usize = kept.map(|page| page.html.size() + page.markdown.size()).sum();
        pages + self.paths.len() * MADE_OF
    }

    /// Which page is at this path below `/docs/`.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<usize> {
        self.paths.get(path).copied()
    }

    /// The page of this index, where it is kept.
    #[must_use]
    pub fn ready(&self, index: usize) -> Option<&Page> {
        self.ready.get(index)?.get()
    }

    /// The page of this index. That takes a while where it is not kept.
    #[must_use]
    pub fn page(&self, index: usize) -> Option<Page> {
        if let Some(ready) = self.ready(index) {
            return Some(ready.clone());
        }
        let page = (self.make.as_ref()?.page)(index);
        let bytes = page.html.body.len() + page.markdown.body.len();
        if self.kept.fetch_add(bytes, Ordering::Relaxed) + bytes > Self::MOST_KEPT {
            self.kept.fetch_sub(bytes, Ordering::Relaxed);
        } else if self.ready.get(index)?.set(page.clone()).is_err() {
            // Another request has made it meanwhile.
            self.kept.fetch_sub(bytes, Ordering::Relaxed);
        }
        Some(page)
    }

    /// What is found for these words. That takes a while.
    #[must_use]
    pub fn search(&self, words: &str) -> Option<Page> {
        self.make.as_ref().map(|make| (make.search)(words))
    }
}
