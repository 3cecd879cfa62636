//! Requests to another server, with retries.

use std::fmt;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use ureq::http::{HeaderName, HeaderValue, Request, Response, header};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, AsSendBody, Body};
use url::Url;

use super::{OnProgress, Progress, TransferError};

/// The pause before the second attempt. Each further pause is twice as long as the previous one.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The maximum pause between two attempts, unless the server requires a longer one.
const MAX_PAUSE: Duration = Duration::from_secs(8);
/// Timeout for resolving a host name, and for connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// Size of the buffers for reading and writing, in bytes.
pub(super) const CHUNK: usize = 256 << 10;

/// A bearer key for requests. Its debug output does not contain the key.
pub(crate) struct BearerKey(HeaderValue);

impl BearerKey {
    /// Parses a key, ignoring whitespace around it. Returns `None` unless the rest is visible ASCII.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let key = text.trim();
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let mut value = HeaderValue::from_str(&format!("Bearer {key}")).ok()?;
        value.set_sensitive(true);
        Some(Self(value))
    }
}

impl fmt::Debug for BearerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerKey(..)")
    }
}

/// An HTTP client for other servers.
pub(crate) struct Client {
    agent: Agent,
    key: Option<BearerKey>,
    retries: u32,
}

impl Client {
    /// Creates a client. It retries a failed request up to `retries` times; `timeout` applies to each read and each
    /// write.
    pub(crate) fn new(key: Option<BearerKey>, retries: u32, timeout: Duration) -> Self {
        // The certificates of the system are used, so that the certificate authority of a company needs no
        // configuration for this program.
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
            .input_buffer_size(CHUNK)
            .output_buffer_size(CHUNK);
        Self { agent: config.build().new_agent(), key, retries }
    }

    /// Sends a request and waits for the head of the response.
    ///
    /// # Errors
    /// Fails if no response arrives. A response of any status is not an error.
    pub(super) fn request(
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
        if let Some(BearerKey(value)) = &self.key {
            request = request.header(header::AUTHORIZATION, value);
        }
        self.agent.run(request.body(body)?)
    }

    /// Calls `attempt` until it succeeds, fails with an error that a retry cannot fix, or no retries remain.
    ///
    /// # Errors
    /// Returns the error of the last attempt.
    pub(super) fn with_retries<T>(
        &self,
        progress: OnProgress<'_>,
        mut attempt: impl FnMut(OnProgress<'_>) -> Result<T, TransferError>,
    ) -> Result<T, TransferError> {
        let mut backoff = FIRST_PAUSE;
        for _ in 0..self.retries {
            let error = match attempt(progress) {
                Err(error) => error,
                done => return done,
            };
            let Some(min_pause) = error.retry_after() else {
                return Err(error);
            };
            let pause = backoff.max(min_pause);
            progress(Progress::Retrying { error: &error, pause });
            sleep(pause);
            backoff = (backoff * 2).min(MAX_PAUSE);
        }
        attempt(progress)
    }
}
