//! The parameters of a method as requests need them, and the result of routing.

use std::borrow::Cow;
use std::sync::Arc;

use rulebook_model::routing::Naming;
use rulebook_model::types::{Arity, Check};

use crate::call::{Limit, Source, Value};

/// A parameter, prepared for requests.
#[derive(Debug)]
pub struct SlotPlan {
    /// The name of the field, header field or cookie in the request; empty for segments of the path.
    pub key: Box<str>,
    /// The name in error messages.
    pub display_name: Box<str>,
    /// The part of the request that holds the parameter.
    pub source: Source,
    /// The check of its type.
    pub check: Arc<dyn Check>,
    /// Whether the parameter accepts one value, several values or files.
    pub arity: Arity,
    /// The size limit for each file while it is received; `None` if the parameter takes no files.
    pub file_limit: Option<Limit>,
    /// `true` if clients may omit the parameter.
    pub optional: bool,
    /// The value that is used if clients omit the parameter.
    pub default: Option<Value<'static>>,
    /// `true` if error messages must not quote the value.
    pub secret: bool,
    /// A description of the accepted values, which error messages write after "expected".
    pub expected: Cow<'static, str>,
    /// The message that the definition sets for errors of this parameter.
    pub message: Option<Box<str>>,
}

/// The limits of a multipart body while it is received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MultipartLimits {
    /// The maximum size of the body in bytes.
    pub bytes: u64,
    /// The maximum number of parts.
    pub parts: u64,
}

/// How a method uses the body of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyUse {
    /// The method does not read the body.
    Nothing,
    /// The method reads fields and files from the body.
    Fields,
}

/// The result of routing: the method, and the decoded segments of the path.
#[derive(Debug)]
pub struct MatchedMethod<'h> {
    /// The index of the method in the plan.
    pub method: usize,
    /// The decoded segments of the path below the base path: those of the service, then the positional parameters.
    pub segments: Vec<Cow<'h, str>>,
    /// The names that selected the method, if it was selected by names in the query or the body instead of the path.
    pub by_name: Option<Box<NameMatch>>,
}

/// A match of a method by names in the query or the body.
#[derive(Debug)]
pub struct NameMatch {
    /// The fields that contain the names.
    pub naming: Naming,
    /// The slots of positional parameters that were sent as fields, but not as a single text.
    pub invalid_segments: Vec<(usize, SegmentError)>,
}

/// Why a field cannot be used as a segment of the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SegmentError {
    /// The field occurs more than once, or is an array or object.
    Several,
    /// The field is not UTF-8.
    NoText,
}
