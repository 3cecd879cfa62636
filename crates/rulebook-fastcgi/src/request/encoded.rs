//! Encodes the arguments of a call: as JSON, or in the query and in a form.

use std::borrow::Cow;

use bytes::Bytes;
use rulebook::handler_kind::{ArgumentSlot, ArgumentSlots};
use rulebook::multipart::MultipartPiece;
use rulebook::types::Value;
use rulebook::{ApiError, Context, HttpMethod, Upload};
use serde_json::{Map, Value as Json};

use super::client_request;
use super::form::{Field, FormError, multipart, push_fields, scalar_text, urlencoded};
use crate::settings::{ArgumentNotation, HandlerSettings, ParameterSettings, PhpStyle, SentIn};

/// The media type of a form without files.
const FORM: &str = "application/x-www-form-urlencoded";
/// The field of a form with files that contains all other arguments as JSON, for classes of api 3.0.
const ARGUMENTS_FIELD: &str = "arguments";
/// The parameter in the query that names the service, for PhalApi.
const SERVICE: &str = "service";

/// The FastCGI parameter with the cookies.
const COOKIES: &str = "HTTP_COOKIE";

/// The encoded arguments of a call.
#[derive(Debug)]
pub struct Encoded {
    /// The HTTP method that the script sees: PHP reads forms only from POST requests.
    pub http: Cow<'static, str>,
    pub query: String,
    /// The path and the query of the request; `None` for those of the script.
    pub uri: Option<String>,
    /// The media type of the body; empty if there is no body.
    pub content_type: String,
    pub body: Vec<MultipartPiece<Upload>>,
    /// The header fields and cookies that are parameters of PhalApi, or those of the request.
    pub header_fields: Vec<(String, String)>,
}

impl Encoded {
    /// Encodes the arguments of a call.
    /// Fails if PHP would change or drop arguments.
    pub fn new(
        settings: &HandlerSettings,
        arguments: ArgumentSlots<'_, '_>,
        context: &Context,
    ) -> Result<Self, ApiError> {
        if let Some(head) = context.head().filter(|_| settings.arguments == ArgumentNotation::Request) {
            return client_request::encode(settings, context, head);
        }
        let has_files = arguments.values.iter().any(contains_file);
        match (&settings.style, settings.arguments) {
            (PhpStyle::Api3 { .. }, _) => Self::for_class(settings, arguments, has_files),
            (PhpStyle::Plain, ArgumentNotation::Json) if !has_files => Ok(Self::json(settings, &present(arguments))),
            _ => Self::form(settings, arguments, has_files),
        }
    }

    fn json(settings: &HandlerSettings, arguments: &Map<String, Json>) -> Self {
        let body = Bytes::from(serde_json::to_vec(arguments).unwrap_or_default());
        Self {
            http: settings.http.as_str().into(),
            uri: None,
            query: String::new(),
            content_type: "application/json".to_owned(),
            body: vec![MultipartPiece::Bytes(body)],
            header_fields: Vec::new(),
        }
    }

    /// Encodes the arguments for a class of api 3.0: as JSON, and beside files as a field with JSON. An optional
    /// argument that is absent is null.
    fn for_class(
        settings: &HandlerSettings,
        arguments: ArgumentSlots<'_, '_>,
        has_files: bool,
    ) -> Result<Self, ApiError> {
        let (mut json, mut fields) = (Map::new(), Vec::new());
        for (name, slot) in arguments.names.iter().zip(arguments.values) {
            match slot {
                ArgumentSlot::Value(value) if is_file(&value) => {
                    push_fields(&mut fields, name, value).map_err(ApiError::internal)?;
                }
                ArgumentSlot::Value(value) => {
                    json.insert(name.to_string(), value.to_json());
                }
                ArgumentSlot::Null | ArgumentSlot::Absent => {
                    json.insert(name.to_string(), Json::Null);
                }
            }
        }
        if !has_files {
            return Ok(Self::json(settings, &json));
        }
        fields.push(Field::Text(ARGUMENTS_FIELD.to_owned(), Json::Object(json).to_string().into()));
        Self::multipart(String::new(), fields)
    }

    fn form(settings: &HandlerSettings, arguments: ArgumentSlots<'_, '_>, has_files: bool) -> Result<Self, ApiError> {
        let (mut fields, mut header_fields, mut cookies) = (Vec::new(), Vec::new(), Vec::new());
        let service = match &settings.style {
            PhpStyle::PhalApi { service, .. } => Some(Field::Text(SERVICE.to_owned(), service.clone().into())),
            PhpStyle::Plain | PhpStyle::Api3 { .. } => None,
        };
        for (slot, parameter) in arguments.values.into_iter().zip(&settings.parameters) {
            let ArgumentSlot::Value(value) = slot else { continue };
            match &parameter.sent_in {
                SentIn::Form => push_fields(&mut fields, &parameter.name, sent_value(parameter, value))
                    .map_err(ApiError::internal)?,
                SentIn::HeaderField(variable) => header_fields.push((variable.clone(), scalar_text(&value))),
                SentIn::Cookie => cookies.push(cookie(&parameter.name, &value)),
                SentIn::Nowhere => {}
            }
        }
        if !cookies.is_empty() {
            header_fields.push((COOKIES.to_owned(), cookies.join("; ")));
        }
        if fields.len() > settings.form_fields {
            return Err(ApiError::internal(FormError::Count(fields.len())));
        }
        let is_query = matches!(settings.http, HttpMethod::Get | HttpMethod::Delete) && !has_files;
        let encoded = if has_files {
            Self::multipart(urlencoded(service.as_slice()), fields)?
        } else if is_query {
            let query = urlencoded(&service.into_iter().chain(fields).collect::<Vec<_>>());
            let http = settings.http.as_str().into();
            Self { http, query, uri: None, content_type: String::new(), body: Vec::new(), header_fields: Vec::new() }
        } else {
            let body = Bytes::from(urlencoded(&fields));
            Self {
                http: HttpMethod::Post.as_str().into(),
                uri: None,
                query: urlencoded(service.as_slice()),
                content_type: FORM.to_owned(),
                body: vec![MultipartPiece::Bytes(body)],
                header_fields: Vec::new(),
            }
        };
        Ok(Self { header_fields, ..encoded })
    }

    fn multipart(query: String, fields: Vec<Field>) -> Result<Self, ApiError> {
        let form = multipart(fields).map_err(ApiError::internal)?;
        let (content_type, http) = (form.media_type(), HttpMethod::Post.as_str().into());
        Ok(Self { http, query, uri: None, content_type, body: form.finish(), header_fields: Vec::new() })
    }
}

/// Returns the value of a form's field. PhalApi reads a date in any notation of `strtotime`, in which seconds begin
/// with `@`.
fn sent_value<'a>(parameter: &ParameterSettings, value: Value<'a>) -> Value<'a> {
    match value {
        Value::Int(seconds) if parameter.is_timestamp => Value::from(format!("@{seconds}")),
        other => other,
    }
}

/// Returns a cookie whose value PHP decodes.
fn cookie(name: &str, value: &Value<'_>) -> String {
    let encoded: String = form_urlencoded::byte_serialize(scalar_text(value).as_bytes()).collect();
    format!("{name}={encoded}")
}

/// Returns the arguments that the client has sent, or that have a default.
fn present(arguments: ArgumentSlots<'_, '_>) -> Map<String, Json> {
    let values = arguments.names.iter().zip(arguments.values).filter_map(|(name, slot)| match slot {
        ArgumentSlot::Absent => None,
        ArgumentSlot::Null => Some((name.to_string(), Json::Null)),
        ArgumentSlot::Value(value) => Some((name.to_string(), value.to_json())),
    });
    values.collect()
}

fn contains_file(slot: &ArgumentSlot<'_>) -> bool {
    matches!(slot, ArgumentSlot::Value(value) if is_file(value))
}

/// Returns `true` if a value is a file or a list of files.
fn is_file(value: &Value<'_>) -> bool {
    match value {
        Value::File(_) => true,
        Value::List(items) => items.iter().any(is_file),
        _ => false,
    }
}
