//! An HTTP client that repeats failed requests.

use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use ureq::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, AsSendBody, Body};
use url::Url;

use super::{Progress, TransferError, error_response};

/// The pause between the first and the second attempt. Each further pause is twice as long as the previous pause.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The maximum pause between two attempts, unless the server requires a longer pause.
const MAX_PAUSE: Duration = Duration::from_secs(8);
/// Timeout for resolving a host name, and timeout for opening a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// Size of the buffers for reading and writing, in bytes.
pub(super) const CHUNK_SIZE: usize = 256 << 10;

/// The maximum size in bytes of a document that is read into memory.
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

/// The definition of a server, as it responds to OPTIONS.
pub(crate) struct FetchedDefinition {
    pub(crate) bytes: Vec<u8>,
    /// The links to the versions of the API, each with its name; empty if it has no versions, or the URL names one.
    pub(crate) versions: Vec<(String, Url)>,
}

/// An HTTP client that sends an API key and repeats failed requests.
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

    /// Fetches a document whose media type begins with `media_type`.
    pub(crate) fn fetch_document(
        &self,
        method: &str,
        url: &Url,
        media_type: (&str, &'static str),
    ) -> Result<Vec<u8>, TransferError> {
        self.fetch_with_fields(method, url, media_type).map(|(bytes, _)| bytes)
    }

    /// Fetches the definition of a server.
    pub(crate) fn fetch_definition(&self, server: &Url) -> Result<FetchedDefinition, TransferError> {
        let (bytes, fields) = self.fetch_with_fields("OPTIONS", server, ("", ""))?;
        let links = fields.get_all(header::LINK).into_iter().filter_map(|field| field.to_str().ok());
        let links = links.flat_map(|field| field.split(", ")).filter_map(|link| {
            let (target, name) = link.strip_prefix('<')?.split_once(">; rel=\"item\"; title=\"")?;
            // The key must not be sent to another server.
            let url = server.join(target).ok().filter(|url| url.origin() == server.origin())?;
            Some((name.strip_suffix('"')?.to_owned(), url))
        });
        Ok(FetchedDefinition { bytes, versions: links.collect() })
    }

    fn fetch_with_fields(
        &self,
        method: &str,
        url: &Url,
        (media_type, mismatch): (&str, &'static str),
    ) -> Result<(Vec<u8>, HeaderMap), TransferError> {
        self.with_retries(|| {
            let response = self.send_request(method, url, Vec::new(), ()).map_err(TransferError::Connection)?;
            if response.status() != 200 {
                return Err(error_response::to_transfer_error(response));
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
            let Some((error, min_pause)) = result.as_ref().err().and_then(|error| Some((error, error.retry_after()?)))
            else {
                break result;
            };
            if retries == 0 {
                break result;
            }
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
