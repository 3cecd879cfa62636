//! Cross-origin resource sharing, with prepared header values (Fetch standard, section 3.3).

use std::collections::{HashMap, HashSet};

use http::HeaderValue;

/// The settings of cross-origin resource sharing.
#[derive(Debug)]
pub struct PlannedCors {
    /// The allowed origins in lower case; `None` to allow all.
    pub origins: Option<HashSet<Box<str>>>,
    /// `true` if browsers may send cookies and other stored credentials.
    pub credentials: bool,
    /// The header fields that pages may send, for `Access-Control-Allow-Headers`.
    pub headers: HeaderValue,
    /// The value of `Access-Control-Allow-Headers` for methods with parameters in header fields, by the index of the method.
    pub method_headers: HashMap<usize, HeaderValue>,
    /// The header fields of responses that pages may read, for `Access-Control-Expose-Headers`.
    pub expose: HeaderValue,
    /// The number of seconds for which browsers may cache the result of a preflight.
    pub max_age: HeaderValue,
}
