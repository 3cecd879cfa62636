//! The parts of the request to the upstream that contain the arguments of a call, and their encoding.

use bytes::Bytes;
use hyper::Method as HttpMethod;
use hyper::header::HeaderValue;
use rulebook::handler_kind::{ArgumentSlot, ArgumentSlots, HandlerError};
use rulebook::multipart::{MultipartForm, MultipartPiece};
use rulebook::{ApiError, Upload};
use rulebook_model::call::Value;
use rulebook_model::model::Method;
use rulebook_model::span::Span;
use rulebook_model::types::Arity;
use serde::Serializer;

use super::exchange::RequestContent;
use super::template::{Template, push_query_field, value_text};

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
    /// The JSON value or the file of the argument that is the whole body.
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

/// Appends to the target the arguments whose place is the query. `has_query` is `true` if the target has a query.
/// Fails if an argument cannot be written as JSON.
pub fn append_query(
    target: &mut String,
    has_query: bool,
    placement: &Placement,
    arguments: &ArgumentSlots<'_, '_>,
) -> Result<(), ApiError> {
    let mut is_first = !has_query;
    for (name, value) in placed(placement, arguments, Place::Query) {
        for_each_text(value, |text| push_query_field(target, &mut is_first, name, text))?;
    }
    Ok(())
}

/// Returns the body with the arguments whose place is the body, and its media type.
/// Fails if an argument cannot be written as JSON.
pub fn encode_body(
    placement: &Placement,
    arguments: &ArgumentSlots<'_, '_>,
) -> Result<(RequestContent, Option<HeaderValue>), ApiError> {
    let json =
        |bytes: Vec<u8>| (RequestContent::Bytes(bytes.into()), Some(HeaderValue::from_static("application/json")));
    Ok(match placement.body {
        BodyForm::Nothing => (RequestContent::Bytes(Bytes::new()), None),
        BodyForm::Object => {
            let mut bytes = Vec::with_capacity(128);
            let mut object = serde_json::Serializer::new(&mut bytes);
            object.collect_map(placed(placement, arguments, Place::Body)).map_err(ApiError::internal)?;
            json(bytes)
        }
        BodyForm::Whole => match placed(placement, arguments, Place::WholeBody).next() {
            // The media type was detected by the server.
            Some((_, Value::File(upload))) => {
                let media_type = HeaderValue::try_from(upload.media_type()).map_err(ApiError::internal)?;
                (RequestContent::Files(vec![MultipartPiece::File(upload.clone())]), Some(media_type))
            }
            Some((_, value)) => json(serde_json::to_vec(value).map_err(ApiError::internal)?),
            None => (RequestContent::Bytes(Bytes::new()), None),
        },
        BodyForm::Multipart => {
            let form = encode_form(placed(placement, arguments, Place::Body))?;
            let media_type = HeaderValue::try_from(form.media_type()).map_err(ApiError::internal)?;
            (RequestContent::Files(form.finish()), Some(media_type))
        }
    })
}

/// Returns the arguments with a place that the client has not omitted. Null is an argument.
fn placed<'a>(
    placement: &'a Placement,
    arguments: &'a ArgumentSlots<'_, '_>,
    place: Place,
) -> impl Iterator<Item = (&'a str, &'a Value<'a>)> {
    let slots = arguments.names.iter().zip(&arguments.values).zip(&placement.places);
    slots.filter(move |(_, found)| **found == place).filter_map(|((name, slot), _)| match slot {
        ArgumentSlot::Absent => None,
        ArgumentSlot::Null => Some((&**name, &Value::Null)),
        ArgumentSlot::Value(value) => Some((&**name, value)),
    })
}

/// Returns a form with these arguments: files as files, and all other values as texts.
fn encode_form<'a>(
    arguments: impl Iterator<Item = (&'a str, &'a Value<'a>)>,
) -> Result<MultipartForm<Upload>, ApiError> {
    let mut form = MultipartForm::new();
    for (name, value) in arguments {
        let items = match value {
            Value::List(items) if items.iter().any(|item| matches!(item, Value::File(_))) => &items[..],
            value => std::slice::from_ref(value),
        };
        for item in items {
            match item {
                // The media type was detected by the server.
                Value::File(upload) => {
                    form.file(name, upload.filename(), Some(upload.media_type()), upload.clone());
                }
                value => for_each_text(value, |text| form.field(name, text))?,
            }
        }
    }
    Ok(form)
}

/// Calls a function with the texts that represent a value in a query or a form: none for null, several for a list of
/// single values, and JSON for all other lists and for objects.
fn for_each_text(value: &Value<'_>, mut use_text: impl FnMut(&str)) -> Result<(), ApiError> {
    match value {
        Value::Null => {}
        Value::List(items) if items.iter().all(|item| value_text(item).is_some()) => {
            items.iter().filter_map(value_text).for_each(|text| use_text(&text));
        }
        value => match value_text(value) {
            Some(text) => use_text(&text),
            None => use_text(&serde_json::to_string(value).map_err(ApiError::internal)?),
        },
    }
    Ok(())
}
