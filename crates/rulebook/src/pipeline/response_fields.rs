//! Takes those outputs of a call out of the body that are header fields or the status, and adds the entity tag of the
//! version.

use http::header::{self, HeaderName, HeaderValue};
use jiff::Timestamp;
use rulebook_model::error::ErrorCode;
use rulebook_model::model::{Output, TemplatePart, ValueSource};
use rulebook_model::uri::percent_encode;
use serde_json::Value as Json;

use crate::call::{
    ApiError, ArgumentSlot, ETag, ETagList, Head, Outcome, ReturnedValue, Success, check_response_header,
};
use crate::plan::{PlannedField, PlannedMethod, ResponseFields};

/// Returns the arguments that the templates of a method contain, each with its slot.
pub(super) fn template_arguments(fields: &ResponseFields, arguments: &[ArgumentSlot<'_>]) -> Vec<(usize, Json)> {
    let json = |slot: &usize| match arguments.get(*slot) {
        Some(ArgumentSlot::Value(value)) => (*slot, value.to_json()),
        Some(ArgumentSlot::Absent | ArgumentSlot::Null) | None => (*slot, Json::Null),
    };
    fields.parameters.iter().map(json).collect()
}

/// Completes a success: the outputs that are header fields or the status are taken out of the body. `status` is the
/// status that the handler has set by itself.
#[inline(never)]
pub(super) fn with_response_fields(
    method: &PlannedMethod,
    fields: &ResponseFields,
    arguments: &[(usize, Json)],
    status: Option<u16>,
    mut success: Success,
) -> Outcome {
    let internal = |reason: String| ApiError::internal(format_args!("{}: {reason}", method.id));
    let mut json = match &success.returned {
        ReturnedValue::Outputs(outputs) => outputs.to_json().map_err(ApiError::internal)?,
        ReturnedValue::Download(_) => Json::Null,
        ReturnedValue::Response(_) => return Ok(success),
    };
    let returned = Returned { json: &json, is_whole_body: method.has_whole_output, arguments };
    for field in &fields.fields {
        let values = returned.field_values(field).map_err(internal)?;
        if values.is_empty() && !field.is_optional {
            return Err(internal(format!(
                "the output `{}`, which is the field {}, is missing",
                field.output, field.name
            )));
        }
        if field.name != header::SET_COOKIE {
            success.headers.retain(|(name, _)| *name != field.name);
        }
        success.headers.extend(values.into_iter().map(|value| (field.name.clone(), value)));
    }
    if let Some(version) = &fields.version
        && let Some(text) = field_text(returned.value(version)).map_err(internal)?
    {
        success.headers.retain(|(name, _)| *name != header::ETAG);
        success.headers.push((header::ETAG, ETag::of_version(&text).header_value()));
    }
    if !fields.statuses.is_empty() {
        let chosen = json.get(Output::STATUS).and_then(Json::as_u64).and_then(|status| u16::try_from(status).ok());
        success.status = status.or(chosen).unwrap_or(method.success_status);
        if !fields.statuses.contains(&success.status) {
            return Err(internal(format!("the status {} is not one of those in the definition", success.status)));
        }
    }
    if let ReturnedValue::Outputs(outputs) = &mut success.returned
        && !method.has_whole_output
    {
        take_body(&mut json, fields);
        *outputs = Box::new(json);
    }
    success.has_whole_output = fields.has_whole_body;
    Ok(success)
}

/// Leaves only the outputs in the body.
fn take_body(json: &mut Json, fields: &ResponseFields) {
    let Json::Object(members) = json else { return };
    if fields.has_whole_body {
        *json = members.get_mut(Output::WHOLE).map(Json::take).unwrap_or_default();
        return;
    }
    members.retain(|name, _| {
        let is_status = !fields.statuses.is_empty() && name == Output::STATUS;
        !is_status && fields.fields.iter().all(|field| *field.output != **name)
    });
}

/// The values of a call that header fields contain.
struct Returned<'a> {
    /// The value that the handler has returned.
    json: &'a Json,
    /// `true` if this value is the whole body.
    is_whole_body: bool,
    /// The arguments in templates, each with its slot.
    arguments: &'a [(usize, Json)],
}

impl Returned<'_> {
    fn value(&self, source: &ValueSource) -> &Json {
        const NULL: &Json = &Json::Null;
        let found = match source {
            ValueSource::Output(name) => self.json.get(name),
            ValueSource::Field(name) if self.is_whole_body => self.json.get(name),
            ValueSource::Field(name) => self.json.get(Output::WHOLE).and_then(|whole| whole.get(name)),
            ValueSource::Parameter(slot) => {
                self.arguments.iter().find(|(other, _)| other == slot).map(|(_, argument)| argument)
            }
            _ => None,
        };
        found.unwrap_or(NULL)
    }

    /// Returns the values of a header field: several if the output is a list, and none if it is missing, or if a value
    /// in its template is.
    fn field_values(&self, field: &PlannedField) -> Result<Vec<HeaderValue>, String> {
        let of_text = |text: String| {
            check_response_header(field.name.as_str(), text).map(|(_, value)| value).map_err(|error| error.to_string())
        };
        let Some((template, sources)) = &field.template else {
            let value = self.json.get(&*field.output).unwrap_or(&Json::Null);
            let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            let texts = items.iter().filter_map(|item| field_text(item).transpose());
            return texts.map(|text| of_text(if field.has_http_date { http_date(text?) } else { text? })).collect();
        };
        let (mut text, mut sources) = (String::new(), sources.iter());
        for part in template.parts() {
            match part {
                TemplatePart::Text(part) => text.push_str(part),
                TemplatePart::Name(_) => {
                    let value = sources.next().map(|source| field_text(self.value(source))).transpose()?.flatten();
                    let Some(value) = value else { return Ok(Vec::new()) };
                    text.extend(percent_encode(&value));
                }
            }
        }
        Ok(vec![of_text(text)?])
    }
}

/// Returns the text of a value in a header field; `None` for null.
fn field_text(value: &Json) -> Result<Option<String>, String> {
    match value {
        Json::Null => Ok(None),
        Json::String(text) => Ok(Some(text.clone())),
        Json::Bool(_) | Json::Number(_) => Ok(Some(value.to_string())),
        Json::Array(_) | Json::Object(_) => Err("a header field cannot contain an array or an object".to_owned()),
    }
}

/// Converts a point in time to a date of HTTP. Other texts stay as they are.
fn http_date(text: String) -> String {
    // A date of HTTP has a year of four digits; the library formats none before 1970.
    let moment = text.parse::<Timestamp>().ok().filter(|moment| (0..253_402_300_800).contains(&moment.as_second()));
    moment.map_or(text, |moment| httpdate::fmt_http_date(moment.into()))
}

/// Returns the entity tag that a response without a body has, because the request names it in `If-None-Match`. Returns
/// `None` if the client does not have the version in `headers`.
pub(super) fn not_modified_tag(
    fields: &ResponseFields,
    head: &Head,
    headers: &[(HeaderName, HeaderValue)],
) -> Option<HeaderValue> {
    fields.version.as_ref().filter(|_| fields.is_get)?;
    let (_, current) = headers.iter().find(|(name, _)| *name == header::ETAG)?;
    let list = ETagList::from_head(head, &header::IF_NONE_MATCH)?;
    if list.has_star() {
        return Some(current.clone());
    }
    let version = ETag::parse(current.to_str().ok()?)?.version();
    let tag = list.find(|tag| tag.version() == version)?;
    // A cache updates the stored response with the same tag (RFC 9111 section 4.3.4).
    Some(tag.as_strong().header_value())
}

/// Returns the error of a GET request whose field `If-Match` does not list the version in `headers` (RFC 9110 section
/// 13.1.1).
pub(super) fn unmet_condition(
    fields: &ResponseFields,
    head: &Head,
    headers: &[(HeaderName, HeaderValue)],
) -> Option<ApiError> {
    fields.version.as_ref().filter(|_| fields.is_get)?;
    let list = ETagList::from_head(head, &header::IF_MATCH)?;
    let current = headers.iter().find(|(name, _)| *name == header::ETAG);
    let version = current.and_then(|(_, tag)| Some(ETag::parse(tag.to_str().ok()?)?.version()));
    let is_listed = |version| list.has_match(|tag| tag.version() == version);
    (!version.is_some_and(is_listed)).then(|| ApiError::plain(ErrorCode::VersionMismatch))
}

/// Returns the error of the catalogue that a handler has returned by its name, without a declaration.
pub(super) fn undeclared_error(method: &PlannedMethod, name: &str) -> Option<ApiError> {
    let reads_version = method.parameters.iter().any(|parameter| parameter.is_entity_tag);
    let is_mismatch = reads_version && name == ErrorCode::VersionMismatch.row().name;
    is_mismatch.then(|| ApiError::plain(ErrorCode::VersionMismatch))
}
