//! An HTTP client that repeats failed requests, the URLs of servers, and what their error responses say.

use std::fmt;
use std::io::Read;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use rulebook_model::envelope::{Decoding, EnvelopeName, EnvelopeSettings};
use rulebook_model::invisible::replace_invisible;
use serde_json::Value as Json;
use ureq::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, AsSendBody, Body};
use url::{ParseError, Url};

use super::{Progress, TransferError};

/// The pause between the first and the second attempt. Each further pause is twice as long as the previous pause.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The maximum pause between two attempts, unless the server requires a longer pause.
const MAX_PAUSE: Duration = Duration::from_secs(8);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// Size of the buffers for reading and writing, in bytes.
pub(super) const CHUNK_SIZE: usize = 256 << 10;

const MAX_DOCUMENT_BYTES: u64 = 256 << 20;

/// Returns the header field that sends an API key as a bearer token (RFC 6750), ignoring whitespace around the key.
/// Returns `None` if the key is empty, or has characters other than visible ASCII characters.
pub(crate) fn bearer_field(key: &str) -> Option<HeaderValue> {
    let key = key.trim();
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let mut value = HeaderValue::from_str(&format!("Bearer {key}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

pub(crate) struct FetchedDefinition {
    pub(crate) bytes: Vec<u8>,
    /// The links to the versions of the API, each with its name; empty if it has no versions, or the URL names one.
    pub(crate) versions: Vec<(String, Url)>,
}

pub(crate) struct Client {
    agent: Agent,
    authorization: Option<HeaderValue>,
    retries: u32,
    pub(super) progress: Progress,
}

impl Client {
    /// Creates a client. It retries a failed request up to `retries` times; `timeout` applies to each read and each
    /// write.
    pub(crate) fn new(authorization: Option<HeaderValue>, retries: u32, timeout: Duration, progress: Progress) -> Self {
        // The certificates that the operating system trusts are used. A company that adds its certificate authority to
        // the system need not configure this program.
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            // If redirects were followed, the key could be sent to another server.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("rulebook/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(CONNECT_TIMEOUT))
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_per_read(Some(timeout))
            .timeout_per_write(Some(timeout))
            .input_buffer_size(CHUNK_SIZE)
            .output_buffer_size(CHUNK_SIZE);
        Self { agent: config.build().new_agent(), authorization, retries, progress }
    }

    /// Sends a request, and waits for the status line and the header fields of the response.
    pub(super) fn send_request(
        &self,
        method: &str,
        url: &Url,
        fields: Vec<(HeaderName, String)>,
        body: impl AsSendBody,
    ) -> Result<Response<Body>, ureq::Error> {
        let mut request = Request::builder().method(method).uri(url.as_str());
        for (name, value) in fields {
            request = request.header(name, value);
        }
        if let Some(value) = &self.authorization {
            request = request.header(header::AUTHORIZATION, value);
        }
        self.agent.run(request.body(body)?)
    }

    pub(crate) fn fetch_definition(&self, server: &Url) -> Result<FetchedDefinition, TransferError> {
        let (bytes, fields) = self.fetch_document("OPTIONS", server, ("", ""))?;
        let links = fields.get_all(header::LINK).into_iter().filter_map(|field| field.to_str().ok());
        let links = links.flat_map(|field| field.split(", ")).filter_map(|link| {
            let (target, name) = link.strip_prefix('<')?.split_once(">; rel=\"item\"; title=\"")?;
            // The key must not be sent to another server.
            let url = server.join(target).ok().filter(|url| url.origin() == server.origin())?;
            Some((name.strip_suffix('"')?.to_owned(), url))
        });
        Ok(FetchedDefinition { bytes, versions: links.collect() })
    }

    /// Fetches a document, and returns it with the header fields of the response.
    pub(crate) fn fetch_document(
        &self,
        method: &str,
        url: &Url,
        (media_type, mismatch): (&str, &'static str),
    ) -> Result<(Vec<u8>, HeaderMap), TransferError> {
        self.with_retries(|| {
            let response = self.send_request(method, url, Vec::new(), ()).map_err(TransferError::Connection)?;
            if response.status() != 200 {
                return Err(to_transfer_error(response));
            }
            let field = response.headers().get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
            if !field.starts_with(media_type.as_bytes()) {
                return Err(TransferError::InvalidResponse(mismatch));
            }
            let (head, body) = response.into_parts();
            let body = body.into_with_config().limit(MAX_DOCUMENT_BYTES);
            Ok((body.read_to_vec().map_err(TransferError::Connection)?, head.headers))
        })
    }

    /// Calls `attempt` until it succeeds, it fails with an error that a retry cannot fix, or no retries remain.
    pub(super) fn with_retries<T>(
        &self,
        mut attempt: impl FnMut() -> Result<T, TransferError>,
    ) -> Result<T, TransferError> {
        let mut backoff = FIRST_PAUSE;
        let mut retries = self.retries;
        let result = loop {
            let result = attempt();
            let retry = result.as_ref().err().and_then(|error| Some((error, error.retry_after()?)));
            let Some((error, min_pause)) = retry.filter(|_| retries > 0) else { break result };
            let pause = backoff.max(min_pause);
            self.progress.report_retry(error, pause);
            sleep(pause);
            backoff = (backoff * 2).min(MAX_PAUSE);
            retries -= 1;
        };
        self.progress.finish();
        result
    }
}

/// Parses the URL of a server, or of a method or a document on it. Returns an error message if the text is no such URL.
pub(crate) fn parse_server_url(text: &str) -> Result<Url, String> {
    let invalid_scheme = || "the URL must begin with https:// or http://".to_owned();
    let mut url = Url::parse(text).map_err(|error| match error {
        // The text has no scheme, for example `127.0.0.1:8080`.
        ParseError::RelativeUrlWithoutBase => invalid_scheme(),
        other => other.to_string(),
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(invalid_scheme());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the URL must not contain a user name or password; pass a key with --key-file instead".to_owned());
    }
    url.set_fragment(None);
    Ok(url)
}

/// Returns the URL that the user gave. If it has no path, `default_path` is added to it.
pub(super) fn with_default_path(server: &Url, default_path: &str) -> Url {
    let mut url = server.clone();
    if url.path() == "/" {
        url.set_path(default_path);
    }
    url
}

/// Returns the URL of a document of a server. The path of the URL that the user gave is the prefix of a reverse proxy.
pub(crate) fn document_url(server: &Url, path: &str) -> Url {
    let mut url = server.clone();
    let prefix = url.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("{prefix}{path}"));
    url
}

// A rulebook server puts the message of an error in a member of a JSON object whose name depends on the server's
// envelope, the format of its responses.

const MAX_BODY_BYTES: u64 = 64 << 10;
/// Maximum number of characters of a text from the server that a message shows.
const MAX_SHOWN_CHARS: usize = 1000;
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// HTTP statuses of errors that are usually temporary (RFC 9110 section 15.6, RFC 6585 section 4).
const TEMPORARY_STATUSES: [u16; 4] = [429, 502, 503, 504];

#[derive(Debug)]
pub(crate) struct ErrorResponse {
    /// The HTTP status or, in the envelope `phalapi`, the status in the member `ret`.
    status: u64,
    message: Option<String>,
    request_id: Option<String>,
    retry_after: Option<Duration>,
}

impl ErrorResponse {
    /// Returns the minimum pause before a retry; `None` if a retry would probably fail too, or the server requires a
    /// pause of more than a minute.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        let is_temporary = TEMPORARY_STATUSES.iter().any(|status| u64::from(*status) == self.status);
        // `Retry-After` is used with any status, because servers of the predecessor `internal-api` send it with 400.
        self.retry_after.or(is_temporary.then_some(Duration::ZERO)).filter(|after| *after <= MAX_RETRY_AFTER)
    }
}

pub(super) fn to_transfer_error(response: Response<Body>) -> TransferError {
    let (head, body) = response.into_parts();
    let status = head.status.as_u16();
    let field = |name| head.headers.get(name).map(|value| to_printable(&String::from_utf8_lossy(value.as_bytes())));
    if let (300..=399, Some(location)) = (status, field(header::LOCATION)) {
        return TransferError::Redirect { status, location };
    }
    if status < 400 {
        return TransferError::InvalidResponse("its status is neither a success nor an error");
    }
    let is_text = field(header::CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/plain"));
    let body = read_beginning(body);
    let message = match serde_json::from_slice(&body).ok() {
        Some(document) => find_message(&document),
        None => is_text.then(|| String::from_utf8_lossy(&body).trim().to_owned()),
    };
    TransferError::ErrorResponse(new_error_response(status.into(), message.as_deref(), &head.headers))
}

/// Returns the error that a response with a success status contains: servers with the envelope `phalapi` send errors
/// with status 200. Returns `None` if the response does not contain an error.
pub(super) fn find_error_in_success(fields: &HeaderMap, body: Body) -> Option<TransferError> {
    let document: Json = serde_json::from_slice(&read_beginning(body)).ok()?;
    let is_hidden_error =
        |decoding: &Decoding| decoding.hides_errors && decoding.is_error(&document) && !decoding.is_success(&document);
    let status_member = built_in_decodings().find(is_hidden_error)?.error.status?;
    let status = document.get(status_member)?.as_u64()?;
    Some(TransferError::ErrorResponse(new_error_response(status, find_message(&document).as_deref(), fields)))
}

fn new_error_response(status: u64, message: Option<&str>, fields: &HeaderMap) -> ErrorResponse {
    let field = |name: &str| fields.get(name)?.to_str().ok();
    ErrorResponse {
        status,
        message: message.map(to_printable).filter(|message| !message.is_empty()),
        request_id: field("x-request-id").map(to_printable),
        retry_after: field("retry-after").and_then(parse_retry_after),
    }
}

/// Returns the error message in a JSON body. If the body matches no built-in envelope, the message can be in the
/// message member of any built-in envelope.
fn find_message(document: &Json) -> Option<String> {
    let message = |decoding: Decoding| decoding.error.message.iter().find_map(|member| document.get(member)?.as_str());
    let text = match built_in_decodings().find(|decoding| decoding.is_error(document)) {
        Some(decoding) => message(decoding),
        None => built_in_decodings().find_map(message),
    };
    text.map(str::to_owned)
}

/// Returns the descriptions with which clients decode the built-in envelopes. The description of `plain` is also that
/// of problem documents (RFC 9457). The client does not know which envelope a server uses.
fn built_in_decodings() -> impl Iterator<Item = Decoding> {
    EnvelopeName::ALL.into_iter().map(|name| name.envelope(EnvelopeSettings::default()).decoding())
}

/// Reads the beginning of a body. If reading fails, returns the bytes before the error.
fn read_beginning(mut body: Body) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = body.as_reader().take(MAX_BODY_BYTES).read_to_end(&mut bytes);
    bytes
}

/// Makes a text from a server safe for a terminal: replaces invisible characters, and cuts a long text.
fn to_printable(text: &str) -> String {
    let end = text.char_indices().nth(MAX_SHOWN_CHARS).map_or(text.len(), |(end, _)| end);
    replace_invisible(&text[..end])
}

/// Parses the header field `Retry-After`: a number of seconds, or a date (RFC 9110 section 10.2.3).
fn parse_retry_after(value: &str) -> Option<Duration> {
    match value.trim().parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => Some(httpdate::parse_http_date(value).ok()?.duration_since(SystemTime::now()).unwrap_or_default()),
    }
}

impl fmt::Display for ErrorResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server responded with {}", self.status)?;
        if let Some(message) = &self.message {
            write!(f, ": {message}")?;
        }
        if let Some(request_id) = &self.request_id {
            write!(f, " [request {request_id}]")?;
        }
        match self.retry_after {
            Some(after) if self.retry_after().is_none() => write!(f, "; retry after {} seconds", after.as_secs()),
            _ => Ok(()),
        }
    }
}
