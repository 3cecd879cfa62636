//! Sends the request of a client to PHP as it is.

use std::borrow::Cow;

use rulebook::error::ErrorKind;
use rulebook::http::uri::Authority;
use rulebook::multipart::{BodyPart, BodyPartContent, MultipartPiece};
use rulebook::{ApiError, Context, Head};

use super::encoded::Encoded;
use super::form::{Field, multipart};
use super::service::{GivenNames, MAX_QUOTED, ServiceField, php_name};
use crate::settings::{HandlerSettings, PhpStyle, variable};

/// The header fields that describe the connection of the client, or are sent as other parameters, in lower case.
const NOT_SENT: [&str; 10] = [
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The media types of bodies with parameters.
const ACCEPTED: [&str; 3] = ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"];

/// Returns the request of a client for PHP.
/// Fails if PHP could run another service, or would drop fields.
pub fn encode(settings: &HandlerSettings, context: &Context, head: &Head) -> Result<Encoded, ApiError> {
    let parts = context.parts();
    let body = context.body().cloned().unwrap_or_default();
    let media_type = head.header_values("content-type").next();
    let media_type = media_type.map(|value| String::from_utf8_lossy(value.as_bytes())).unwrap_or_default();
    // PHP takes more texts than the standard for these media types.
    let contains = |name: &str| media_type.to_ascii_lowercase().contains(name);
    // PHP would read a form with files here, which was not parsed.
    if context.body().is_some() && contains(ACCEPTED[2]) {
        let got = media_type.chars().take(MAX_QUOTED).collect();
        return Err(ApiError::new(ErrorKind::UnsupportedMediaType {
            got,
            accepted: ACCEPTED.map(str::to_owned).to_vec(),
        }));
    }
    let form = if contains(ACCEPTED[1]) { &body[..] } else { &[] };
    for text in [head.query().as_bytes(), form] {
        check_count(text.split(|byte| *byte == b'&').filter(|field| !field.is_empty()).count(), settings)?;
    }
    let mut query = head.query().to_owned();
    let mut uri = head.uri.path_and_query().map_or_else(String::new, ToString::to_string);
    if let PhpStyle::PhalApi { service, unnamed_uri, is_second } = &settings.style {
        let mut given = GivenNames::default();
        given.add_fields(form_urlencoded::parse(query.as_bytes()), true);
        given.add_fields(form_urlencoded::parse(form), false);
        let texts = parts.iter().filter_map(|part| match &part.content {
            BodyPartContent::Field(value) => Some((Cow::Borrowed(&*part.name), String::from_utf8_lossy(value))),
            _ => None,
        });
        given.add_fields(texts, false);
        given.add_json(&body);
        match given.missing_field(service, unnamed_uri.is_some(), *is_second)? {
            Some((field, name)) => prepend(&mut query, field, &name),
            None if !given.is_empty() => {}
            None => uri = unnamed_uri.clone().unwrap_or_default(),
        }
    }
    let mut encoded = Encoded {
        http: Cow::Owned(head.method.as_str().to_owned()),
        query,
        uri: Some(uri),
        content_type: media_type.into_owned(),
        body: vec![MultipartPiece::Bytes(body)],
        header_fields: header_fields(settings, context, head),
    };
    if context.body().is_none() {
        check_count(parts.len(), settings)?;
        encoded.body = Vec::new();
        if !parts.is_empty() {
            let form = multipart(parts.iter().map(field).collect()).map_err(ApiError::internal)?;
            encoded.content_type = form.media_type();
            encoded.body = form.finish();
        }
    }
    Ok(encoded)
}

/// Returns the field of a form for a part of the body: a text, a file that a parameter has accepted, or another file,
/// whose name and media type are those of the client.
fn field(BodyPart { name, content }: &BodyPart) -> Field {
    let name = name.clone();
    match content {
        BodyPartContent::Field(value) => Field::Text(name, value.clone()),
        BodyPartContent::File(upload) => Field::File(name, upload.clone()),
        BodyPartContent::OtherFile { upload, media_type } => Field::OtherFile(name, upload.clone(), media_type.clone()),
    }
}

/// PHP ignores all fields after the first `max_input_vars`, which can name the service.
fn check_count(count: usize, settings: &HandlerSettings) -> Result<(), ApiError> {
    if count <= settings.form_fields {
        return Ok(());
    }
    Err(ApiError::too_large(settings.field_limit(), None))
}

fn prepend(query: &mut String, field: ServiceField, name: &str) {
    let mut text = form_urlencoded::Serializer::new(String::new()).append_pair(field.name(), name).finish();
    if !query.is_empty() {
        text.push('&');
    }
    query.insert_str(0, &text);
}

/// Returns the FastCGI parameters for the header fields of a request. Programs with CGI read fields whose names contain
/// other characters as the fields with `-`. A credential with which the client has proved its identity is for this
/// server, unless `request_headers` names it.
fn header_fields(settings: &HandlerSettings, context: &Context, head: &Head) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    let is_named = |name: &str| settings.request_headers.iter().any(|named| named.name.eq_ignore_ascii_case(name));
    for (name, _) in &head.headers {
        let name = name.as_str();
        let is_credential =
            context.identity().is_some() && settings.credentials.header_fields.iter().any(|it| it == name);
        let is_sent = !NOT_SENT.contains(&name)
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && (!is_credential || is_named(name))
            && !is_named_by_connection(head, name);
        let Some(variable) = variable(name).filter(|variable| is_sent && fields.iter().all(|(it, _)| it != variable))
        else {
            continue;
        };
        if let Some(value) = field_value(settings, context, head, name) {
            fields.push((variable, value));
        }
    }
    if let Some(authority) = head.uri.authority().filter(|_| head.header("host").is_none()) {
        fields.push(("HTTP_HOST".to_owned(), authority.to_string()));
    }
    let default_port = if head.is_https() { 443 } else { 80 };
    if let Some(host) =
        head.header("host").and_then(|host| host.parse::<Authority>().ok()).as_ref().or(head.uri.authority())
    {
        fields.push(("SERVER_NAME".to_owned(), host.host().to_owned()));
        fields.push(("SERVER_PORT".to_owned(), host.port_u16().unwrap_or(default_port).to_string()));
    }
    if head.is_https() {
        fields.push(("HTTPS".to_owned(), "on".to_owned()));
    }
    fields
}

/// Returns the values of all header fields with this name; `None` if PHP may read no value.
pub fn field_value(settings: &HandlerSettings, context: &Context, head: &Head, name: &str) -> Option<String> {
    let values = head.header_values(name);
    let mut values: Vec<_> = values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    if name.eq_ignore_ascii_case("content-type") {
        values.truncate(1);
    }
    // Cookies are the only field whose values are not separated by commas (RFC 9110 section 5.3).
    if !name.eq_ignore_ascii_case("cookie") {
        return (!values.is_empty()).then(|| values.join(", "));
    }
    let is_named = settings.request_headers.iter().any(|named| named.name.eq_ignore_ascii_case(name));
    let cookies = values.iter().flat_map(|value| value.split(';')).filter(|pair| {
        let cookie = pair.split('=').next().unwrap_or_default().trim();
        let credentials = &settings.credentials.cookies;
        let is_credential = !is_named
            && context.identity().is_some()
            && credentials.iter().any(|credential| php_name(credential).0 == php_name(cookie).0);
        !is_credential && !names_service(settings, cookie)
    });
    let cookies = cookies.collect::<Vec<_>>().join(";");
    (!cookies.trim().is_empty()).then_some(cookies)
}

/// Returns `true` if PhalApi could take the service from a cookie with this name. Old versions of PHP decode it.
fn names_service(settings: &HandlerSettings, cookie: &str) -> bool {
    let is_read = |name: &str| ServiceField::from_name(name).is_some();
    let decoded = || form_urlencoded::parse(cookie.as_bytes()).next().is_some_and(|(name, _)| is_read(name.trim()));
    matches!(settings.style, PhpStyle::PhalApi { .. }) && (is_read(cookie) || decoded())
}

/// Returns `true` if the field `Connection` contains this name, so that the field concerns only the connection.
fn is_named_by_connection(head: &Head, name: &str) -> bool {
    let mut lists = head.header_values("connection").filter_map(|value| value.to_str().ok());
    lists.any(|list| list.split(',').any(|item| item.trim().eq_ignore_ascii_case(name)))
}
