//! Encodes the arguments of a call for the upstream.

use bytes::Bytes;
use hyper::header::HeaderValue;
use rulebook::handler_kind::{ArgumentSlot, ArgumentSlots};
use rulebook::multipart::MultipartForm;
use rulebook::{ApiError, Upload};
use rulebook_model::call::Value;
use serde::Serializer;

use super::exchange::RequestContent;
use super::placement::{BodyForm, Place, Placement};
use super::template::{push_query_field, value_text};

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
            Some((_, value)) => json(serde_json::to_vec(value).map_err(ApiError::internal)?),
            None => (RequestContent::Bytes(Bytes::new()), None),
        },
        BodyForm::Multipart => {
            let form = encode_form(placed(placement, arguments, Place::Body))?;
            let media_type = HeaderValue::try_from(form.media_type()).map_err(ApiError::internal)?;
            (RequestContent::Form(form.finish()), Some(media_type))
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
