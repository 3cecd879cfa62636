//! The parameters of API methods, the authenticators and the setting `cors`, compiled for requests, and the result of
//! routing a request.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use http::HeaderValue;
use rulebook_model::routing::ServiceNaming;
use rulebook_model::types::{Arity, Check};

use super::Segments;
use crate::call::{DynAuthenticate, Limit, Source, Value};

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
    /// The default: the value that is used if clients omit the parameter.
    pub default: Option<Value<'static>>,
    /// `true` if the value may be a secret, which error messages must not quote.
    pub is_secret: bool,
    /// A description of the accepted values, which error messages write after "expected".
    pub expected: Cow<'static, str>,
    /// The message that the definition sets for errors of this parameter; `None` for the usual messages.
    pub message: Option<Box<str>>,
}

/// The limits for receiving a multipart body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MultipartLimits {
    /// The maximum size of the whole body in bytes.
    pub bytes: u64,
    /// The maximum number of parts in the body.
    pub parts: u64,
}

/// Whether an API method has parameters in the request body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyUse {
    /// The API method has no parameters in the body, so that the server does not read the body.
    Nothing,
    /// The API method has parameters in the body: fields or files.
    Fields,
    /// The whole body, which is JSON, is the value of the parameter with this slot.
    Whole(usize),
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

/// An authenticator of the program.
pub struct PlannedAuthenticator {
    /// The authenticator.
    pub authenticator: Box<dyn DynAuthenticate>,
    /// A bit for each authentication scheme whose credentials the authenticator accepts.
    pub schemes: u64,
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
