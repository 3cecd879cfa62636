//! Documents that are made once and sent as they are.

use std::iter;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use sha2::{Digest, Sha256};

use super::coding::{Coded, Coding, Codings, tag};
use super::{OnDemand, Routes, Unroutable};
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
    /// That of each module alone, by the module's name.
    pub modules: OnDemand<Document>,
    /// Those of the parts of each module, by [`Documents::part_name`].
    pub parts: OnDemand<Document>,
    /// The API for readers of plain text, as `/llms.txt`.
    pub llms: Document,
    /// The pages for people, by their paths below `/docs/`, decoded.
    pub pages: OnDemand<Page>,
    /// The pages that are made of what clients send.
    pub finder: Option<Finder>,
}

impl Documents {
    /// Whether the method of this index is told of.
    #[must_use]
    pub fn tells(&self, method: usize) -> bool {
        self.told.as_ref().is_none_or(|told| told.get(method).copied().unwrap_or_default())
    }

    /// What a part of a module is called, by its number from 1. The names of modules have no blanks.
    #[must_use]
    pub fn part_name(module: &str, number: &str) -> String {
        format!("{module} {number}")
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
        let openapi = self.openapi.size() + self.modules.size() + self.parts.size();
        let pages = self.pages.size() + self.pages.count() * MADE_OF;
        of(&self.all) + services + above + openapi + self.llms.size() + pages
    }
}

/// Bytes from which on a document takes long to code.
const LARGE: usize = 64 << 10;

/// About how many bytes of a model and of what is searched a page is made of.
const MADE_OF: usize = 4 << 10;

/// A page for people.
#[derive(Debug, Clone)]
pub struct Page {
    /// As HTML.
    pub html: Document,
    /// The same in markdown.
    pub markdown: Document,
}

impl Page {
    /// Its bytes in both forms, with those of the codings in which they are kept.
    #[must_use]
    pub fn size(&self) -> usize {
        self.html.size() + self.markdown.size()
    }
}

/// Makes pages of what clients send, which takes a while.
pub struct Finder {
    /// The page of what is found for some words.
    pub search: Box<dyn Fn(&str) -> Page + Send + Sync>,
    /// The page in place of one that is not there, at a path below `/docs/`, decoded.
    pub missing: Box<dyn Fn(&str) -> Page + Send + Sync>,
}
