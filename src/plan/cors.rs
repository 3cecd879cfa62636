//! What pages of other origins may do, in header values that are ready (Fetch standard, section 3.3).

use std::collections::{HashMap, HashSet};

use http::HeaderValue;

/// What pages of other origins may do.
#[derive(Debug)]
pub struct Cors {
    /// The origins, in small letters; none: all.
    pub origins: Option<HashSet<Box<str>>>,
    /// Whether browsers may send what they have stored.
    pub credentials: bool,
    /// The header fields that pages may send.
    pub headers: HeaderValue,
    /// The same for methods that have parameters in header fields, by index.
    pub own_headers: HashMap<usize, HeaderValue>,
    /// The header fields that pages may read.
    pub expose: HeaderValue,
    /// Seconds for which browsers may keep what they were allowed.
    pub max_age: HeaderValue,
}
