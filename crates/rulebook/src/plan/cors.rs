//! The settings of cross-origin resource sharing (CORS; Fetch standard, section 3.3), with complete header values.

use std::collections::{HashMap, HashSet};

use http::HeaderValue;

/// The settings with which pages of other origins (scheme, host and port) may call the API from a browser.
#[derive(Debug)]
pub struct PlannedCors {
    /// The allowed origins in lower case; `None` if all origins are allowed.
    pub allowed_origins: Option<HashSet<Box<str>>>,
    /// `true` if browsers may send cookies and other stored credentials.
    pub allows_credentials: bool,
    /// The value of `Access-Control-Allow-Headers` for API methods without parameters in header fields: the header
    /// fields that pages may send.
    pub allowed_headers: HeaderValue,
    /// The value of `Access-Control-Allow-Headers` for each API method with parameters in header fields, by the index
    /// of the method.
    pub allowed_headers_of_methods: HashMap<usize, HeaderValue>,
    /// The value of `Access-Control-Expose-Headers`: the header fields of responses that pages may read.
    pub exposed_headers: HeaderValue,
    /// The value of `Access-Control-Max-Age`: the number of seconds for which browsers may cache the response to a
    /// preflight.
    pub max_age: HeaderValue,
}
