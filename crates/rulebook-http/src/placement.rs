//! The part of the request to the upstream that contains each argument.

use hyper::Method as HttpMethod;
use rulebook::handler_kind::HandlerError;
use rulebook_model::model::Method;
use rulebook_model::span::Span;
use rulebook_model::types::Arity;

use super::template::Template;

/// The part of a request that contains an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The path or the query of the address in the definition.
    Address,
    /// A field of the query.
    Query,
    /// A member or a field of the body.
    Body,
    /// The argument is the whole body.
    WholeBody,
}

/// The form of the body of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyForm {
    /// The request has no body.
    Nothing,
    /// A JSON object with the arguments.
    Object,
    /// The JSON value of the argument that is the whole body.
    Whole,
    /// A form with files.
    Multipart,
}

/// The places of all arguments.
#[derive(Debug)]
pub struct Placement {
    /// The place of each argument, in the order of the parameters.
    pub places: Vec<Place>,
    /// The form of the body.
    pub body: BodyForm,
}

impl Placement {
    /// Returns the places of the arguments of a method that are sent with the HTTP method `http`. `span` is the span of
    /// the handler.
    /// Fails if the arguments need a body, and requests with the HTTP method have none.
    pub fn new(method: &Method, template: &Template, http: &HttpMethod, span: Span) -> Result<Self, HandlerError> {
        let has_body = [HttpMethod::POST, HttpMethod::PUT, HttpMethod::PATCH].contains(http);
        let is_file = |arity: Arity| matches!(arity, Arity::File | Arity::Files);
        let has_files = method.parameters.iter().any(|parameter| is_file(parameter.r#type.check.arity()));
        let has_whole = method.parameters.iter().any(rulebook::model::Parameter::is_whole_body);
        if (has_files || has_whole) && !has_body {
            let subject = if has_files { "files" } else { "the whole body" };
            let message = format!("the method has {subject} as an argument, but a {http} request has no body");
            return Err(HandlerError::new(message).at(span).help("set `method` to `POST`, `PUT` or `PATCH`"));
        }
        let in_address: Vec<_> = template.slots().collect();
        let places = method.parameters.iter().enumerate().map(|(slot, parameter)| match slot {
            _ if parameter.is_whole_body() => Place::WholeBody,
            slot if in_address.contains(&slot) => Place::Address,
            _ if has_body && !has_whole => Place::Body,
            _ => Place::Query,
        });
        let places: Vec<_> = places.collect();
        let body = match () {
            () if has_whole => BodyForm::Whole,
            () if has_files => BodyForm::Multipart,
            () if places.contains(&Place::Body) => BodyForm::Object,
            () => BodyForm::Nothing,
        };
        Ok(Self { places, body })
    }
}
