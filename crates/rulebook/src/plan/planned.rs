//! The parameters of API methods, the authenticators, the setting `cors` and the names in bodies, compiled for
//! requests, and the result of routing a request.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use jiff::Timestamp;
use memchr::memchr_iter;
use rulebook_model::routing::{NamedServices, ServiceNaming, ServicesByModule};
use rulebook_model::types::{Arity, Check};

use super::PlannedService;
use crate::call::{AllowedMethods, DynAuthenticate, HttpMethod, Limit, Source, Value};

/// A parameter of an API method, compiled for requests.
#[derive(Debug)]
pub struct PlannedParameter {
    /// The name of the query field, body field, header field or cookie that contains the parameter; empty if the
    /// parameter is a path segment without a name, or the whole body.
    pub key: Box<str>,
    /// The name of the parameter in error messages.
    pub display_name: Box<str>,
    /// The part of the request that contains the parameter, for error messages.
    pub source: Source,
    /// The check that a value has the type of the parameter.
    pub check: Arc<dyn Check>,
    /// Whether the parameter accepts one value, several values, one file or several files.
    pub arity: Arity,
    /// The size limit for each file while the server receives it; `None` if the parameter does not accept files.
    pub file_limit: Option<Limit>,
    /// `true` if clients may omit the parameter.
    pub is_optional: bool,
    /// `true` if the parameter is the version that the request changes: the entity tag in `If-Match`.
    pub is_entity_tag: bool,
    /// The default: the value that is used if clients omit the parameter.
    pub default: Option<Value<'static>>,
    /// `true` if the value may be a secret, which error messages must not quote.
    pub is_secret: bool,
    /// A description of the accepted values, which error messages write after "expected".
    pub expected: Cow<'static, str>,
    /// The message that the definition sets for errors of this parameter; `None` for the usual messages.
    pub message: Option<Box<str>>,
}

/// What the responses of a deprecated API method contain.
#[derive(Debug)]
pub struct PlannedDeprecation {
    /// The header fields of responses: `Deprecation`, `Sunset` and `Link`.
    pub fields: Box<[(HeaderName, HeaderValue)]>,
    /// The point in time from which on the API method is gone; `None` if it has no end.
    pub sunset: Option<Timestamp>,
    /// The HTTP method and the URI of the API method that replaces it, for the error after the end.
    pub successor: Option<Box<str>>,
}

/// Whether an API method has parameters in the request body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyUse {
    /// The API method has no parameters in the body, so that the server does not read the body.
    Nothing,
    /// The API method has no parameters in the body, but its handler reads any body.
    Unread,
    /// The API method has parameters in the body: fields or files.
    Fields,
    /// The whole body, which is JSON, is the value of the parameter with this slot.
    Whole(usize),
    /// The whole body is the file of the parameter with this slot.
    Raw(usize),
}

/// The result of routing a request to an API method.
#[derive(Debug)]
pub struct MatchedMethod {
    /// The index of the API method in the plan.
    pub method_index: usize,
    /// The decoded path segments after the base path: first the path of the service, then the values of positional
    /// parameters.
    pub segments: Segments,
    /// How names in the query or the body have selected the API method; `None` if the path has selected the method.
    pub by_name: Option<Box<NameMatch>>,
}

/// The selection of an API method by names in the query or the body, instead of the path.
#[derive(Debug)]
pub struct NameMatch {
    /// The pair of fields that contain the names.
    pub naming: ServiceNaming,
    /// The positional parameters whose fields are not a single text: the indices of their slots, and the reasons.
    pub invalid_segments: Vec<(usize, SegmentError)>,
}

/// The reason why the value of a field cannot be used in place of a path segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SegmentError {
    /// The field occurs more than once, or its value is an array or object.
    SeveralValues,
    /// The value of the field is not UTF-8.
    InvalidUtf8,
}

pub struct PlannedAuthenticator {
    pub authenticator: Arc<dyn DynAuthenticate>,
    /// A bit for each authentication scheme whose credentials the authenticator accepts.
    pub schemes: u64,
    /// `true` if the authenticator accepts credentials that browsers add to requests by themselves.
    pub accepts_browser_credentials: bool,
    /// `true` if no further authenticator is called after this one has returned an identity.
    pub ends_authentication: bool,
}

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

/// The decoded segments of a request path. The segments of a path without percent-encoding need no allocation.
#[derive(Debug, Clone)]
pub struct Segments(Form);

#[derive(Debug, Clone)]
enum Form {
    /// A part of the path of the request. It contains no percent-encoding, and no slash at its beginning or end.
    Plain { start: u32, end: u32, count: u32 },
    /// The segments one by one.
    Decoded(Vec<String>),
}

impl Segments {
    /// Returns a path without segments.
    pub fn none() -> Self {
        Self(Form::Decoded(Vec::new()))
    }

    /// Returns the segments of a part of a path, which must contain no percent-encoding and no slash at its beginning
    /// or end. The limit `uri` keeps paths below 4 GiB.
    pub fn of_plain_path(path: &str, part: Range<usize>) -> Self {
        let count = 1 + memchr_iter(b'/', path[part.clone()].as_bytes()).count();
        let [start, end, count] = [part.start, part.end, count].map(|length| u32::try_from(length).unwrap_or(u32::MAX));
        Self(Form::Plain { start, end, count })
    }

    /// Returns the number of segments.
    pub fn len(&self) -> usize {
        match &self.0 {
            Form::Plain { count, .. } => *count as usize,
            Form::Decoded(segments) => segments.len(),
        }
    }

    /// Returns `true` if the path has no segments.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the segment with this index of a request with this path.
    pub fn get<'p>(&'p self, path: &'p str, index: usize) -> Option<&'p str> {
        self.iter(path).nth(index)
    }

    /// Returns the segments of a request with this path, in their order.
    pub fn iter<'p>(&'p self, path: &'p str) -> impl Iterator<Item = &'p str> {
        let (plain, decoded) = match &self.0 {
            Form::Plain { start, end, .. } => (path.get(*start as usize..*end as usize), None),
            Form::Decoded(segments) => (None, Some(segments)),
        };
        let plain = plain.into_iter().flat_map(|path| path.split('/'));
        plain.chain(decoded.into_iter().flatten().map(AsRef::as_ref))
    }
}

impl From<Vec<String>> for Segments {
    fn from(segments: Vec<String>) -> Self {
        Self(Form::Decoded(segments))
    }
}

/// The API methods that the body of a request to the base path can name, and the HTTP methods of such requests.
#[derive(Debug)]
pub struct NamedInBody {
    /// The indices of the API methods, each with the HTTP method that such a request has.
    pub methods: Box<[(HttpMethod, usize)]>,
    /// The HTTP methods of such requests.
    pub http_methods: AllowedMethods,
    /// The HTTP methods of the requests that name the service by its module.
    pub http_methods_by_module: AllowedMethods,
}

impl NamedInBody {
    /// Finds the methods. `by_module` and `named` are the services that a body can name in each way.
    pub fn new(
        by_module: Option<&ServicesByModule>,
        named: Option<&NamedServices>,
        services: &[PlannedService],
    ) -> Self {
        let methods_of = |service: usize| services[service].methods.iter().copied();
        let by_module = by_module.into_iter().flat_map(ServicesByModule::services).flat_map(methods_of);
        let by_module: Vec<_> = by_module.collect();
        let by_class = named.into_iter().flat_map(|named| named.by_class.services()).flat_map(methods_of);
        // PHP reads fields only from the bodies of POST requests.
        let posted = by_class.filter(|(http, _)| *http == HttpMethod::Post);
        let http_methods_by_module = AllowedMethods::sorted(by_module.iter().map(|(http, _)| *http));
        let methods: Box<[_]> = by_module.into_iter().chain(posted).collect();
        let http_methods = AllowedMethods::sorted(methods.iter().map(|(http, _)| *http));
        Self { methods, http_methods, http_methods_by_module }
    }
}
