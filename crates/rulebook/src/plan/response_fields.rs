//! What the outputs of a method are besides the body of a response: header fields, the entity tag and the status.

use http::HeaderName;
use rulebook_model::model::{FieldTemplate, ValueSource};

/// What the outputs of an API method are besides the body, compiled for responses. Most methods have none of this.
#[derive(Debug)]
pub struct ResponseFields {
    /// The outputs that are header fields.
    pub fields: Box<[PlannedField]>,
    /// The value that is the entity tag; `None` if the responses have none.
    pub version: Option<ValueSource>,
    /// The HTTP statuses among which the handler chooses, if there are several.
    pub statuses: Box<[u16]>,
    /// The slots of the parameters in templates.
    pub parameters: Box<[usize]>,
    /// `true` if one output is the whole body. If there are others, the handler returns it as a member.
    pub has_whole_body: bool,
    /// `true` for a GET method, whose responses `If-None-Match` concerns.
    pub is_get: bool,
}

/// An output that is a header field.
#[derive(Debug)]
pub struct PlannedField {
    pub name: HeaderName,
    /// The name of the output.
    pub output: Box<str>,
    /// `true` if the output may be missing or null; the response then does not have the field.
    pub is_optional: bool,
    /// `true` if a point in time becomes a date of HTTP.
    pub has_http_date: bool,
    /// The template of the value, and the value of each name in it; `None` if the handler returns the value.
    pub template: Option<(FieldTemplate, Box<[ValueSource]>)>,
}
