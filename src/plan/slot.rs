//! A place for the value of one parameter.

use std::borrow::Cow;
use std::sync::Arc;

use crate::call::{Limit, Source, Value};
use crate::types::{Check, Takes};

/// What is known of a parameter before any request.
#[derive(Debug)]
pub struct SlotPlan {
    /// Its name in the request: of a field, header or cookie; empty for segments.
    pub key: Box<str>,
    /// How it is named to clients.
    pub shown: Box<str>,
    /// Where it stands.
    pub source: Source,
    /// What it lets pass.
    pub check: Arc<dyn Check>,
    /// How many values fill it.
    pub takes: Takes,
    /// What each file is held to while it comes; none where no file fills it.
    pub file: Option<Limit>,
    /// Whether it may be left out.
    pub optional: bool,
    /// What it holds when it is left out.
    pub default: Option<Value<'static>>,
    /// Whether its value is never told back.
    pub secret: bool,
    /// What it takes, in words.
    pub expected: Cow<'static, str>,
    /// The definition's own words for a value that does not pass.
    pub message: Option<Box<str>>,
}

/// What a multipart body is held to while it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Bytes of all of it.
    pub bytes: u64,
    /// Its parts.
    pub parts: u64,
}

/// What of a body a method reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyUse {
    /// Nothing: the body is not touched.
    Nothing,
    /// Fields, and the files that a parameter takes.
    Fields,
}

/// A routed request: the method, and the decoded segments of its path.
#[derive(Debug)]
pub struct Found<'h> {
    /// Index of the method.
    pub method: usize,
    /// The decoded segments of the path below base: of the service first, then positions.
    pub segments: Vec<Cow<'h, str>>,
    /// How it was found where it was not by its path.
    pub by_name: Option<Box<ByName>>,
}

/// A method that was found by names in the query or the body.
#[derive(Debug)]
pub struct ByName {
    /// Which fields name it.
    pub naming: Naming,
    /// Slots of segments that were given by name, but not as one text.
    pub unfit: Vec<(usize, Unfit)>,
}

/// The fields that name a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// PhalApi's `service`, or `s` for short.
    Service,
    /// api 3.0's `module` and `method`.
    Module,
}

impl Naming {
    /// Their names.
    #[must_use]
    pub fn fields(self) -> [&'static str; 2] {
        match self {
            Self::Service => ["service", "s"],
            Self::Module => ["module", "method"],
        }
    }
}

/// Why what came for a segment is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// It came more than once, or as an array or object.
    Several,
    /// Its bytes are no text.
    NoText,
}
