//! Converts PHP's response to outputs, a file or an error. Its head has the format of CGI (RFC 3875 section 6), and its
//! body the form of the handler's style.

use std::io;
use std::ops::RangeInclusive;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{StreamExt, once, try_unfold};
use rulebook::handler_kind::{MethodReturns, RawResponse, ReturnedValue, describe_file};
use rulebook::http::{HeaderName, HeaderValue};
use rulebook::model::DeclaredError;
use rulebook::{ApiError, Context, Download};
use serde_json::{Value as Json, json};
use tokio::time::timeout;

use crate::kind::CallError;
use crate::protocol::Exchange;
use crate::settings::{HandlerSettings, OTHER_ERRORS, PhpStyle, Responses};

enum PhpResult {
    Outputs(Json),
    Error(ApiError),
    /// A response that is sent as it is.
    Response(ReturnedValue),
}

/// Returns `true` if the body of a response is the file that the method returns.
pub fn is_file(settings: &HandlerSettings, head: &ResponseHead) -> bool {
    settings.returns == MethodReturns::File
        && match settings.style {
            PhpStyle::Plain => head.is_success(),
            // An error has the status 200 too, but it is JSON.
            PhpStyle::PhalApi { .. } => head.is_success() && !head.is_json(),
            PhpStyle::Api3 { .. } => head.field(OUTCOME) == Some("file"),
        }
}

/// Converts a response that is not a file.
/// Returns the declared error in the response, or an error with the reason why the response is not valid.
pub fn returned_value(
    settings: &HandlerSettings,
    head: &ResponseHead,
    body: &[u8],
    context: &Context,
) -> Result<ReturnedValue, ApiError> {
    let content = match settings.style {
        PhpStyle::Plain => read_plain(settings, head, body),
        PhpStyle::PhalApi { .. } => read_phalapi(settings, head, body),
        PhpStyle::Api3 { .. } => read_api3(settings, head, body, context),
    }?;
    let outputs = match content {
        PhpResult::Outputs(outputs) if settings.returns != MethodReturns::File => Ok(outputs),
        PhpResult::Outputs(_) => {
            Err(CallError::Response("the method returns a file, and PHP returned JSON".into()).into())
        }
        PhpResult::Error(error) => Err(error),
        PhpResult::Response(response) => return Ok(response),
    };
    forward(settings, head, context)?;
    outputs.map(|outputs| ReturnedValue::Outputs(Box::new(outputs)))
}

fn parse_json(body: &[u8]) -> Result<Json, CallError> {
    serde_json::from_slice(body).map_err(|error| CallError::Response(format!("the response is not JSON: {error}")))
}

/// Returns the outputs in a response. If they are strict, the engine removes members that are not outputs.
fn outputs(settings: &HandlerSettings, json: Json) -> Json {
    match (settings.returns, json) {
        // A method without outputs has no part that could be wrong.
        (MethodReturns::Nothing, _) if settings.responses == Responses::Strict => Json::Null,
        // PHP writes an array without members as `[]`, even if it is an object.
        (MethodReturns::Nothing | MethodReturns::Outputs, Json::Array(items)) if items.is_empty() => Json::Null,
        (_, json) => json,
    }
}

fn unexpected_status(head: &ResponseHead) -> CallError {
    let status = head.status;
    CallError::Response(match status {
        403 | 404 => format!(
            "PHP responded with the status {status}, as php-fpm does if the script is missing or it may not read it"
        ),
        _ => format!("PHP responded with the status {status}, and with no error that the method declares"),
    })
}

/// The maximum length of the head in bytes.
const MAX_LEN: usize = 32 << 10;
const MAX_FIELDS: usize = 100;

#[derive(Debug, PartialEq, Eq)]
pub struct ResponseHead {
    /// The HTTP status; 200 if the script sets none.
    pub status: u16,
    /// The header fields, with names in lower case.
    pub fields: Vec<(String, Vec<u8>)>,
}

impl ResponseHead {
    /// Returns the head with its length; `None` if it is incomplete. Fails if it is not valid, or too long.
    pub fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, CallError> {
        let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
        let invalid = |reason: &str| CallError::Response(format!("the head of the response is not valid: {reason}"));
        match httparse::parse_headers(bytes, &mut fields) {
            Ok(httparse::Status::Partial) if bytes.len() > MAX_LEN => Err(invalid("it is too long")),
            Ok(httparse::Status::Partial) => Ok(None),
            Ok(httparse::Status::Complete((len, fields))) => {
                let fields = fields.iter().map(|field| (field.name.to_ascii_lowercase(), field.value.to_vec()));
                let mut head = Self { status: 200, fields: fields.collect() };
                if let Some(status) = head.field("status") {
                    let number = status.split(' ').next().and_then(|number| number.parse().ok());
                    let number = number.filter(|number| (100..=599).contains(number));
                    head.status = number.ok_or_else(|| invalid("its status is not a number from 100 to 599"))?;
                }
                Ok(Some((head, len)))
            }
            Err(error) => Err(invalid(&error.to_string())),
        }
    }

    /// Returns the value of the first header field with this name in lower case, if the value is a text.
    pub fn field(&self, name: &str) -> Option<&str> {
        let (_, value) = self.fields.iter().find(|(known, _)| known == name)?;
        std::str::from_utf8(value).ok()
    }

    pub fn is_success(&self) -> bool {
        (200..=299).contains(&self.status)
    }

    pub fn is_json(&self) -> bool {
        let media_type = self.field("content-type").and_then(|value| value.split(';').next());
        media_type.is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case("application/json"))
    }
}

fn read_plain(settings: &HandlerSettings, head: &ResponseHead, body: &[u8]) -> Result<PhpResult, CallError> {
    if head.is_success() {
        let is_ignored = settings.returns == MethodReturns::Nothing;
        let json = if is_ignored || body.trim_ascii().is_empty() { Json::Null } else { parse_json(body)? };
        return Ok(PhpResult::Outputs(outputs(settings, json)));
    }
    // The body of an error page, or of a failed script, is not JSON.
    let json = parse_json(body).unwrap_or_default();
    let name = json.get("error").and_then(Json::as_str);
    let error = name.and_then(|name| settings.error_by_name(name));
    let error = error.or_else(|| settings.error_by_name(&head.status.to_string()));
    // Without a name, it can be an error page of php-fpm.
    let is_rejection = name.is_some() && REJECTIONS.contains(&u64::from(head.status));
    let error = error.or_else(|| settings.other_error().filter(|_| is_rejection));
    let message = json.get("message").and_then(Json::as_str).unwrap_or_default();
    match (error, name) {
        (Some(error), _) => Ok(PhpResult::Error(declared(error, message))),
        (None, Some(name)) => {
            let declaration = json!({ "status": error_status(head.status.into()), "info": "…" });
            Err(undeclared(name, name, &declaration))
        }
        (None, None) => Err(unexpected_status(head)),
    }
}

/// `ret` of a success.
const SUCCESS: u64 = 200;

/// The words with which messages of PhalApi 1 and 2 begin, in English and in Chinese.
const MESSAGE_PREFIXES: [&str; 8] = [
    "Bad Request:",
    "Illegal request:",
    "Illegal Param:",
    "Interal Server Error:",
    "Internal Server Error:",
    "非法请求：",
    "非法请求:",
    "服务器运行错误:",
];

fn read_phalapi(settings: &HandlerSettings, head: &ResponseHead, body: &[u8]) -> Result<PhpResult, CallError> {
    // PhalApi responds to errors with the status 200, unless the project changes this.
    let parsed = parse_json(body).map_err(|error| if head.is_success() { error } else { unexpected_status(head) });
    let Json::Object(mut response) = parsed? else { return Err(without_ret()) };
    let ret = response.get("ret").and_then(number).ok_or_else(without_ret)?;
    if ret == SUCCESS {
        return Ok(PhpResult::Outputs(outputs(settings, response.remove("data").unwrap_or_default())));
    }
    let by_status = || settings.only_error(|error| u64::from(error.status.get()) == ret);
    let other = || settings.other_error().filter(|_| REJECTIONS.contains(&ret));
    let message = response.get("msg").and_then(Json::as_str).unwrap_or_default();
    let error = settings.error_by_name(&ret.to_string()).or_else(by_status).or_else(other).ok_or_else(|| {
        let declaration = json!({ "status": error_status(ret), "info": start(without_prefix(message)) });
        undeclared(&format!("{ret} {message}"), &format!("error_{ret}"), &declaration)
    })?;
    let api_error = declared(error, without_prefix(message));
    // The envelope `phalapi` adds the code to 400, or to 500 for an error of the server.
    let base = if error.status.get() >= 500 { 500 } else { 400 };
    let code = ret.checked_sub(base).filter(|code| *code <= 99).and_then(|code| u32::try_from(code).ok());
    Ok(PhpResult::Error(match code {
        Some(code) => api_error.with_phalapi_code(code),
        None => api_error,
    }))
}

/// Returns the outputs in the response to a successful call; `None` for other responses.
fn outputs_of_success(settings: &HandlerSettings, body: &[u8]) -> Option<Json> {
    let Json::Object(mut response) = serde_json::from_slice(body).ok()? else { return None };
    let is_success = response.get("ret").and_then(number) == Some(SUCCESS);
    let outputs = outputs(settings, response.remove("data").filter(|_| is_success)?);
    Some(if outputs.is_null() { Json::Object(serde_json::Map::new()) } else { outputs })
}

/// Removes the words with which PhalApi begins a message, because the envelope `phalapi` begins with them, too.
fn without_prefix(message: &str) -> &str {
    let stripped = MESSAGE_PREFIXES.iter().find_map(|prefix| message.strip_prefix(prefix));
    stripped.unwrap_or(message).trim_start()
}

fn without_ret() -> CallError {
    CallError::Response("the response has no `ret`, as each response of PhalApi has".to_owned())
}

/// Returns a number that PHP may have written as a text.
fn number(json: &Json) -> Option<u64> {
    json.as_u64().or_else(|| json.as_str()?.parse().ok())
}

/// The header fields that are not for clients: those of CGI, of the connection, and the version of PHP.
const NOT_SENT: [&str; 10] = [
    "connection",
    "content-length",
    "keep-alive",
    "proxy-connection",
    "status",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-powered-by",
];

/// The received part of the body of a response.
pub enum ReceivedBody {
    Whole(Bytes),
    /// The beginning of the body. The rest is received as fast as the client reads it.
    Beginning(Box<ReceivedFile>),
}

/// The outputs in the response are compared with the definition, if the whole of it was received.
pub fn unchanged(
    settings: &HandlerSettings,
    head: &ResponseHead,
    body: ReceivedBody,
    is_head: bool,
) -> Result<ReturnedValue, ApiError> {
    let announced = head.field("content-length").and_then(|length| length.parse().ok());
    let invalid = |_| CallError::Response(format!("PHP responded with the status {}", head.status));
    let response = match body {
        ReceivedBody::Whole(bytes) => {
            let length = if is_head { announced } else { Some(bytes.len() as u64) };
            let outputs = outputs_of_success(settings, &bytes);
            let response = RawResponse::new(head.status, once(async { Ok(bytes) }), length).map_err(invalid)?;
            outputs.into_iter().fold(response, RawResponse::outputs)
        }
        ReceivedBody::Beginning(file) => {
            let stream = try_unfold(Some(*file), next_bytes).boxed();
            RawResponse::new(head.status, stream, announced).map_err(invalid)?
        }
    };
    let fields =
        head.fields.iter().filter(|(name, _)| !NOT_SENT.contains(&name.as_str())).filter_map(|(name, value)| {
            Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_bytes(value).ok()?))
        });
    let response = fields.fold(response, |response, (name, value)| response.header(name, value));
    Ok(ReturnedValue::Response(Box::new(response)))
}

/// Returns `true` if the body is short JSON, so that it is received before the response is sent.
pub fn is_compared(head: &ResponseHead) -> bool {
    head.is_json() && head.field("content-encoding").is_none()
}

/// The header field in which the bridge names the kind of its response. Without it, PHP has failed.
const OUTCOME: &str = "rulebook-outcome";

/// The HTTP status of an error for which neither the definition nor the project has one.
const UNDECLARED_STATUS: u16 = 400;
const FAILED: &str = "it failed";

fn read_api3(
    settings: &HandlerSettings,
    head: &ResponseHead,
    body: &[u8],
    context: &Context,
) -> Result<PhpResult, CallError> {
    match head.field(OUTCOME) {
        Some("outputs") => Ok(PhpResult::Outputs(outputs(settings, parse_json(body)?))),
        Some("error") => {
            let json = parse_json(body)?;
            error(settings, &json).map(PhpResult::Error).or_else(|error| {
                let is_sent = settings.responses == Responses::Described && context.head().is_some();
                let response = if is_sent { as_in_api3(settings, &json) } else { None };
                response.map(PhpResult::Response).ok_or(error)
            })
        }
        _ if head.is_success() => {
            Err(CallError::Response("the class has ended the script, or has sent something itself".to_owned()))
        }
        _ => Err(unexpected_status(head)),
    }
}

/// Returns the response to an error that the method does not declare: the number and the description, as api 3.0 sent
/// them, in the envelope of api 3.0. `None` if there is no number, or the API has another envelope.
fn as_in_api3(settings: &HandlerSettings, json: &Json) -> Option<ReturnedValue> {
    let number = json.get("number").and_then(Json::as_i64).filter(|_| settings.has_api3_envelope)?;
    let description = json.get("description").and_then(Json::as_str).unwrap_or(FAILED);
    let status = json.get("status").and_then(Json::as_u64).and_then(|status| u16::try_from(status).ok());
    let status = status.filter(|status| (400..=599).contains(status)).unwrap_or(UNDECLARED_STATUS);
    let body = Bytes::from(json!({ "error": number, "ErrorDescription": description }).to_string());
    let length = body.len() as u64;
    let response = RawResponse::new(status, once(async { Ok(body) }), Some(length)).ok()?;
    let (name, value) = (rulebook::http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Some(ReturnedValue::Response(Box::new(response.header(name, value))))
}

/// Returns the declared error for the error of a class: a name, or a number that the definition or the setting `errors`
/// contains.
fn error(settings: &HandlerSettings, json: &Json) -> Result<rulebook::ApiError, CallError> {
    if let Some(name) = json.get("name").and_then(Json::as_str) {
        let error = settings.error_by_name(name).or_else(|| settings.other_error());
        let declaration = json!({ "status": 400, "description": "…" });
        return Ok(declared(error.ok_or_else(|| undeclared(name, name, &declaration))?, ""));
    }
    let number = json.get("number").and_then(Json::as_i64).unwrap_or_default();
    let unsigned = u32::try_from(number).ok();
    let by_number = || settings.only_error(|error| error.number.is_some() && error.number == unsigned);
    let text = number.to_string();
    let error = settings.error_by_name(&text).or_else(by_number).or_else(|| settings.other_error());
    let error = error.ok_or_else(|| {
        // A declaration cannot have a negative number.
        let declaration = unsigned.map_or_else(
            || json!({ "status": 400, "description": "…" }),
            |number| json!({ "status": 400, "number": number, "description": "…" }),
        );
        undeclared(&text, &format!("error_{text}"), &declaration)
    })?;
    let api_error = declared(error, "");
    Ok(match unsigned {
        Some(number) if number > 0 => api_error.with_number(number),
        _ => api_error,
    })
}

/// The statuses, and the values of `ret`, with which PHP rejects a request. From 500, its message can be a secret.
const REJECTIONS: RangeInclusive<u64> = 400..=499;
const MAX_LOGGED: usize = 100;

impl HandlerSettings {
    /// Returns the error that the setting `errors` names for a name or a number that PHP returned, or the declared
    /// error with this name.
    fn error_by_name(&self, returned: &str) -> Option<&DeclaredError> {
        let named = self.error_names.iter().find(|(known, _)| known == returned);
        let name = named.map_or(returned, |(_, name)| name.as_str());
        self.declared_errors.iter().find(|error| error.name == name)
    }

    /// Returns the declared error that the setting `errors` names for all errors that nothing else matches.
    fn other_error(&self) -> Option<&DeclaredError> {
        let named = self.error_names.iter().find(|(known, _)| known == OTHER_ERRORS);
        named.and_then(|(_, name)| self.declared_errors.iter().find(|error| error.name == *name))
    }

    /// Returns the only declared error for which a condition is true.
    fn only_error(&self, is_match: impl Fn(&DeclaredError) -> bool) -> Option<&DeclaredError> {
        let mut matching = self.declared_errors.iter().filter(|error| is_match(error));
        matching.next().filter(|_| matching.next().is_none())
    }
}

/// Creates a declared error. A message that is not empty replaces that of the definition.
fn declared(error: &DeclaredError, message: &str) -> ApiError {
    let declared = ApiError::declared(error.name.clone());
    if message.is_empty() { declared } else { declared.with_message(message) }
}

/// Returns the error for something that the method does not declare: its log has what was returned, and how it is
/// declared. `name` is a name for it.
fn undeclared(returned: &str, name: &str, declaration: &Json) -> CallError {
    let (returned, name) = (start(returned), json!(start(name)));
    CallError::Response(format!(
        "PHP returned the error {returned:?}, which the method does not declare: add {name}: {declaration} to the \
         errors of the method, or write which of its errors this is into the setting `errors` of the handler"
    ))
}

/// Returns the status with which an error is declared that PHP returned with this status.
fn error_status(returned: u64) -> u64 {
    if (400..600).contains(&returned) { returned } else { *REJECTIONS.start() }
}

/// Returns the beginning of a text of PHP, for the log.
pub fn start(text: &str) -> String {
    text.chars().take(MAX_LOGGED).collect()
}

/// The header fields of every response that are forwarded. Others could contain data that is not meant for clients,
/// such as the version of PHP.
const FORWARDED: [&str; 2] = ["set-cookie", "location"];
/// The successes whose status describes the body, which the script does not send as it is.
const BODY_STATUSES: [u16; 3] = [204, 205, 206];

pub struct ReceivedFile {
    pub exchange: Exchange,
    pub first: Bytes,
    /// The maximum time until the next bytes are received.
    pub timeout: Duration,
}

/// Returns the file whose first bytes are `first`. It is received as fast as the client reads it.
pub fn download(
    settings: &HandlerSettings,
    head: &ResponseHead,
    first: Bytes,
    exchange: Exchange,
    context: &Context,
) -> Result<ReturnedValue, ApiError> {
    forward(settings, head, context)?;
    let file = ReceivedFile { exchange, first, timeout: settings.timeout };
    let download = Download::stream(try_unfold(Some(file), next_bytes));
    let fields = head.fields.iter().map(|(name, value)| (name.as_str(), &value[..]));
    Ok(ReturnedValue::Download(Box::new(describe_file(download, fields))))
}

async fn next_bytes(file: Option<ReceivedFile>) -> io::Result<Option<(Bytes, Option<ReceivedFile>)>> {
    let Some(mut file) = file else { return Ok(None) };
    if !file.first.is_empty() {
        return Ok(Some((std::mem::take(&mut file.first), Some(file))));
    }
    let next = timeout(file.timeout, file.exchange.next()).await;
    match next.unwrap_or(Err(CallError::Late)).map_err(io::Error::other)? {
        Some(bytes) => Ok(Some((bytes, Some(file)))),
        None => {
            file.exchange.finish();
            Ok(None)
        }
    }
}

fn forward(settings: &HandlerSettings, head: &ResponseHead, context: &Context) -> Result<(), ApiError> {
    if head.status != 200 && head.is_success() && !BODY_STATUSES.contains(&head.status) {
        context.set_status(head.status)?;
    }
    for (name, value) in &head.fields {
        let is_named = settings.response_headers.iter().any(|named| named.eq_ignore_ascii_case(name));
        if !is_named && !FORWARDED.contains(&name.as_str()) {
            continue;
        }
        // Header fields that only the engine sets, such as those of the connection, are not forwarded.
        let forwarded = HeaderValue::from_bytes(value).map(|value| context.append_header(name, value));
        if let Ok(Err(error)) = forwarded {
            log::debug!("a header field of PHP is not forwarded: {error}");
        }
    }
    Ok(())
}
