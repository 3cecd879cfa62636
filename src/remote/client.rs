//! Requests to another server, and what is tried again.

use std::fmt;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use ureq::http::{HeaderName, HeaderValue, Request, Response, header};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, AsSendBody, Body};
use url::Url;

use super::{Failure, News, Watch};

/// The pause before the second attempt; each later one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest that pause becomes.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// How long a connection may take to be made.
const CONNECTING: Duration = Duration::from_secs(15);
/// How much goes through memory at once, in bytes.
pub(super) const PIECE: usize = 256 << 10;

/// A key that requests carry. It is never shown.
pub(crate) struct Key(HeaderValue);

impl Key {
    /// The key that a text is, without blanks around it; none where it cannot be one.
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

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

/// Asks other servers.
pub(crate) struct Client {
    agent: Agent,
    key: Option<Key>,
    retries: u32,
}

impl Client {
    /// A client with this key, which tries again so many times, and waits so long for any answer and any byte.
    pub(crate) fn new(key: Option<Key>, retries: u32, silence: Duration) -> Self {
        // What the system trusts is trusted, so that a team's own authority needs no word here.
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            // A key is for the server that was named.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("rulebook/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(CONNECTING))
            .timeout_connect(Some(CONNECTING))
            .timeout_per_read(Some(silence))
            .timeout_per_write(Some(silence))
            .input_buffer_size(PIECE)
            .output_buffer_size(PIECE);
        Self { agent: config.build().new_agent(), key, retries }
    }

    /// Sends a request and waits for the head of its answer.
    ///
    /// # Errors
    /// There is no answer.
    pub(super) fn ask(
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
        if let Some(Key(value)) = &self.key {
            request = request.header(header::AUTHORIZATION, value);
        }
        self.agent.run(request.body(body)?)
    }

    /// Makes attempts until one succeeds, or fails in what will not pass, or there have been enough.
    ///
    /// # Errors
    /// The failure of the last attempt.
    pub(super) fn attempts<T>(
        &self,
        watch: Watch<'_>,
        mut attempt: impl FnMut(Watch<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut own_pause = FIRST_PAUSE;
        for _ in 0..self.retries {
            let failure = match attempt(watch) {
                Err(failure) => failure,
                done => return done,
            };
            let Some(least) = failure.passes() else {
                return Err(failure);
            };
            let pause = own_pause.max(least);
            watch(News::Again { failure: &failure, pause });
            sleep(pause);
            own_pause = (own_pause * 2).min(LONGEST_PAUSE);
        }
        attempt(watch)
    }
}
