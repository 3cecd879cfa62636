//! Converts a call to a FastCGI request: its parameters, which PHP reads as `$_SERVER`, and its encoded arguments.

use std::borrow::Cow;
use std::collections::BTreeSet;

use bytes::Bytes;
use rulebook::error::ErrorKind;
use rulebook::handler_kind::{ArgumentSlot, ArgumentSlots, body_len};
use rulebook::http::uri::Authority;
use rulebook::multipart::{BodyPart, BodyPartContent, MultipartForm, MultipartPiece};
use rulebook::trace::TraceContext;
use rulebook::types::Value;
use rulebook::{ApiError, Claims, Context, Head, HttpMethod, Upload};
use serde_json::{Map, Value as Json};
use thiserror::Error;

use crate::protocol::{append_parameter, encode_head};
use crate::service::{GivenNames, MAX_QUOTED, SERVICE, php_name, service_field};
use crate::settings::{ArgumentNotation, HandlerSettings, ParameterSettings, PhpStyle, SentIn, variable};

/// The name of the parameter with the trace of a call (W3C Trace Context).
const TRACEPARENT: &str = "HTTP_TRACEPARENT";

#[derive(Debug)]
pub struct PhpRequest {
    pub head: Vec<u8>,
    /// The body. It can be sent several times.
    pub body: Vec<MultipartPiece<Upload>>,
}

impl PhpRequest {
    /// `script` is the path of the script. Fails if PHP would not read the arguments as they are.
    pub fn new(
        settings: &HandlerSettings,
        script: &str,
        arguments: ArgumentSlots<'_, '_>,
        context: &Context,
    ) -> Result<Self, ApiError> {
        let encoded = Encoded::new(settings, arguments, context)?;
        let mut parameters = parameters(settings, script, &encoded, context);
        if context.is_traced() {
            parameters.retain(|(name, _)| name != TRACEPARENT);
        }
        let parameters: Vec<_> = parameters.iter().map(|(name, value)| (&**name, value.as_bytes())).collect();
        Ok(Self { head: encode_head(&parameters).map_err(ApiError::internal)?, body: encoded.body })
    }

    pub fn set_trace(&mut self, trace: &TraceContext) {
        append_parameter(&mut self.head, TRACEPARENT, trace.traceparent().as_bytes());
    }
}

/// The names of all parameters that this crate sets, apart from those that begin with [`RESERVED_PREFIX`]. The setting
/// `environment` cannot set them.
pub const RESERVED: [&str; 15] = [
    "CONTENT_LENGTH",
    "CONTENT_TYPE",
    "DOCUMENT_ROOT",
    "DOCUMENT_URI",
    "GATEWAY_INTERFACE",
    "PATH_INFO",
    "QUERY_STRING",
    "REDIRECT_STATUS",
    "REMOTE_ADDR",
    "REQUEST_METHOD",
    "REQUEST_URI",
    "SCRIPT_FILENAME",
    "SCRIPT_NAME",
    "SERVER_PROTOCOL",
    "SERVER_SOFTWARE",
];
/// The beginning of the names of parameters that only rulebook knows.
pub const RESERVED_PREFIX: &str = "RULEBOOK_";

/// Returns the parameters of a request. No value of an argument is part of the path of the script.
pub fn parameters<'a>(
    settings: &'a HandlerSettings,
    script: &'a str,
    encoded: &'a Encoded,
    context: &Context,
) -> Vec<(Cow<'a, str>, Cow<'a, str>)> {
    let script_name = format!("/{}", script.rsplit('/').next().unwrap_or_default());
    let len = body_len(&encoded.body);
    let uri = match (&encoded.uri, encoded.query.as_str()) {
        (Some(uri), _) => uri.clone(),
        (None, "") => script_name.clone(),
        (None, query) => format!("{script_name}?{query}"),
    };
    let mut parameters: Vec<(Cow<'a, str>, Cow<'a, str>)> = vec![
        ("GATEWAY_INTERFACE".into(), "CGI/1.1".into()),
        ("SERVER_SOFTWARE".into(), "rulebook".into()),
        ("SERVER_PROTOCOL".into(), "HTTP/1.1".into()),
        // A PHP program that was compiled with `force-cgi-redirect` requires it.
        ("REDIRECT_STATUS".into(), "200".into()),
        ("REQUEST_METHOD".into(), encoded.http.as_ref().into()),
        ("SCRIPT_FILENAME".into(), script.into()),
        ("DOCUMENT_URI".into(), script_name.clone().into()),
        ("SCRIPT_NAME".into(), script_name.into()),
        ("QUERY_STRING".into(), encoded.query.as_str().into()),
        ("REQUEST_URI".into(), uri.into()),
        ("CONTENT_TYPE".into(), encoded.content_type.as_str().into()),
        ("CONTENT_LENGTH".into(), if len == 0 { "".into() } else { len.to_string().into() }),
    ];
    let mut push = |name: &'a str, value: Cow<'a, str>| parameters.push((name.into(), value));
    if let Some(root) = &settings.root {
        push("DOCUMENT_ROOT", root.as_str().into());
    }
    for (name, value) in settings.style_parameters.iter().chain(&settings.environment) {
        push(name, value.as_str().into());
    }
    push("RULEBOOK_METHOD", context.method().to_owned().into());
    push("RULEBOOK_HTTP_METHOD", settings.http.as_str().into());
    if let Some(id) = context.request_id() {
        push("RULEBOOK_REQUEST_ID", id.to_string().into());
    }
    if let Some(identity) = context.identity() {
        push("RULEBOOK_IDENTITY", identity.name().to_owned().into());
        push("RULEBOOK_PERMISSIONS", identity.permissions().map(Json::from).collect::<Json>().to_string().into());
        if let Some(claims) = identity.data::<Claims>() {
            push("RULEBOOK_CLAIMS", claims.to_json().to_string().into());
        }
    }
    if let Some(address) = context.client_address() {
        push("REMOTE_ADDR", address.to_string().into());
    }
    for header in &settings.request_headers {
        if let Some(value) = context.head().and_then(|head| field_value(settings, context, head, &header.name)) {
            push(&header.variable, value.into());
        }
    }
    for (name, value) in &encoded.header_fields {
        push(name, value.as_str().into());
    }
    // A parameter that is sent twice could have either value.
    let mut names = BTreeSet::new();
    parameters.retain(|(name, _)| names.insert(name.clone()));
    parameters
}

/// The media type of a form without files.
const FORM: &str = "application/x-www-form-urlencoded";
/// The field of a form with files that contains all other arguments as JSON, for classes of api 3.0.
const ARGUMENTS_FIELD: &str = "arguments";

/// The FastCGI parameter with the cookies.
const COOKIES: &str = "HTTP_COOKIE";

#[derive(Debug, Default)]
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
    /// Fails if PHP would change or drop arguments.
    pub fn new(
        settings: &HandlerSettings,
        arguments: ArgumentSlots<'_, '_>,
        context: &Context,
    ) -> Result<Self, ApiError> {
        if let Some(head) = context.head().filter(|_| settings.arguments == ArgumentNotation::Request) {
            return encode(settings, context, head);
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
            content_type: "application/json".to_owned(),
            body: vec![MultipartPiece::Bytes(body)],
            ..Self::default()
        }
    }

    /// Writes the arguments as JSON or, if there are files, as a field with JSON. An optional argument that is absent
    /// is null.
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
            Self { http: settings.http.as_str().into(), query, ..Self::default() }
        } else {
            let body = Bytes::from(urlencoded(&fields));
            Self {
                http: HttpMethod::Post.as_str().into(),
                query: urlencoded(service.as_slice()),
                content_type: FORM.to_owned(),
                body: vec![MultipartPiece::Bytes(body)],
                ..Self::default()
            }
        };
        Ok(Self { header_fields, ..encoded })
    }

    fn multipart(query: String, fields: Vec<Field>) -> Result<Self, ApiError> {
        let form = multipart(fields).map_err(ApiError::internal)?;
        let (content_type, http) = (form.media_type(), HttpMethod::Post.as_str().into());
        Ok(Self { http, query, content_type, body: form.finish(), ..Self::default() })
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

/// The maximum nesting depth of arrays that PHP reads, unless `max_input_nesting_level` sets another one.
const MAX_DEPTH: usize = 64;

#[derive(Debug)]
pub enum Field {
    Text(String, Bytes),
    File(String, Upload),
    /// The name of a field, and a file in it that was not checked, with the media type of the client.
    OtherFile(String, Upload, Option<Box<str>>),
}

/// The reason why arguments cannot be the fields of a form. PHP would silently change or drop them.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum FormError {
    /// A name in an object would change the structure.
    #[error("PHP cannot read the name {0:?} of a member in the field of a form; set `arguments` to `json`")]
    Name(String),
    /// A name in an object contains a line break, which would end a line in the head of a part.
    #[error("PHP cannot read the line break in the field {0:?} of a form with files; change the name of the member")]
    LineBreak(String),
    #[error("PHP reads at most {MAX_DEPTH} levels of arrays in a form; set `arguments` to `json`")]
    Depth,
    #[error("the arguments are {0} fields of a form, and PHP reads only `form_fields`; set `arguments` to `json`")]
    Count(usize),
}

/// Appends the fields for an argument. Null, and empty arrays and objects, have no field.
fn push_fields(to: &mut Vec<Field>, name: &str, value: Value<'_>) -> Result<(), FormError> {
    push_nested(to, name.to_owned(), value, 1)
}

fn push_nested(to: &mut Vec<Field>, name: String, value: Value<'_>, depth: usize) -> Result<(), FormError> {
    if depth > MAX_DEPTH {
        return Err(FormError::Depth);
    }
    let text = match value {
        Value::Null => return Ok(()),
        Value::File(upload) => {
            to.push(Field::File(name, upload));
            return Ok(());
        }
        Value::List(items) => {
            for (index, item) in items.into_iter().enumerate() {
                push_nested(to, format!("{name}[{index}]"), item, depth + 1)?;
            }
            return Ok(());
        }
        Value::Map(members) => {
            for (key, item) in members {
                if !is_readable_key(&key) {
                    return Err(FormError::Name(key.into_owned()));
                }
                push_nested(to, format!("{name}[{key}]"), item, depth + 1)?;
            }
            return Ok(());
        }
        scalar => scalar_text(&scalar),
    };
    to.push(Field::Text(name, text.into()));
    Ok(())
}

/// Returns the text of a value that is neither null, a file, an array nor an object. Booleans are `1` and `0`, as
/// `http_build_query` of PHP writes them.
fn scalar_text(value: &Value<'_>) -> String {
    match value {
        Value::Bool(bool) => u8::from(*bool).to_string(),
        Value::Text(text) => text.clone().into_owned(),
        other => other.to_json().to_string(),
    }
}

/// Returns `true` if PHP reads the text between brackets as the name of a member.
fn is_readable_key(key: &str) -> bool {
    let begins_with_space = key.starts_with(|char: char| char.is_ascii_whitespace() || char == '\u{b}');
    !key.is_empty() && !begins_with_space && !key.contains(['[', ']', '\0'])
}

/// Booleans are `1` and `0`, as `http_build_query` of PHP writes them.
pub fn multipart(fields: Vec<Field>) -> Result<MultipartForm<Upload>, FormError> {
    let mut form = MultipartForm::new().with_escape(escape_name);
    for field in fields {
        let (Field::Text(name, _) | Field::File(name, _) | Field::OtherFile(name, ..)) = &field;
        if name.contains(['\r', '\n']) {
            return Err(FormError::LineBreak(name.clone()));
        }
        match field {
            Field::Text(name, value) => form.field(&name, value),
            Field::File(name, upload) => {
                let (filename, media_type) = (escape_filename(upload.filename()), upload.media_type().to_owned());
                form.file(&name, &filename, Some(&media_type), upload);
            }
            Field::OtherFile(name, upload, media_type) => {
                let filename = upload.filename().replace(char::is_control, "_");
                form.file(&name, &filename, media_type.as_deref(), upload);
            }
        }
    }
    Ok(form)
}

/// Escapes the name of a field. PHP removes backslashes before quotes and backslashes.
fn escape_name(name: &str) -> String {
    name.replace('\\', "\\\\").replace('"', "\\\"")
}

/// Escapes the name of a file. PHP reads a backslash before a quote as an escape, so that both are percent-encoded, as
/// browsers do with quotes.
fn escape_filename(name: &str) -> String {
    name.replace('"', "%22").replace('\\', "%5C").replace(char::is_control, "_")
}

/// Returns `true` if PHP does not change the name of a field.
pub fn is_readable_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

fn urlencoded(fields: &[Field]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for field in fields {
        if let Field::Text(name, value) = field {
            form.append_pair(name, &String::from_utf8_lossy(value));
        }
    }
    form.finish()
}

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
fn encode(settings: &HandlerSettings, context: &Context, head: &Head) -> Result<Encoded, ApiError> {
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

fn prepend(query: &mut String, field: &str, name: &str) {
    let mut text = form_urlencoded::Serializer::new(String::new()).append_pair(field, name).finish();
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
fn field_value(settings: &HandlerSettings, context: &Context, head: &Head, name: &str) -> Option<String> {
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
    let is_read = |name: &str| service_field(&php_name(name).0).is_some();
    let decoded = || form_urlencoded::parse(cookie.as_bytes()).next().is_some_and(|(name, _)| is_read(name.trim()));
    matches!(settings.style, PhpStyle::PhalApi { .. }) && (is_read(cookie) || decoded())
}

/// Returns `true` if the field `Connection` contains this name, so that the field concerns only the connection.
fn is_named_by_connection(head: &Head, name: &str) -> bool {
    let mut lists = head.header_values("connection").filter_map(|value| value.to_str().ok());
    lists.any(|list| list.split(',').any(|item| item.trim().eq_ignore_ascii_case(name)))
}
