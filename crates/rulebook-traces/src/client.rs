//! The HTTP client that sends spans.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use opentelemetry_http::{HttpClient, HttpError, Request, Response};
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

/// The time after which a request to the collector fails.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The maximum size of a response of the collector in bytes.
const MAX_RESPONSE: u64 = 64 << 10;

/// An HTTP client that waits for responses. The thread that sends spans does nothing else.
#[derive(Debug)]
pub struct WaitingClient(Agent);

impl WaitingClient {
    pub fn new() -> Self {
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .user_agent(concat!("rulebook/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(TIMEOUT));
        Self(config.build().new_agent())
    }
}

#[async_trait]
impl HttpClient for WaitingClient {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        let (head, mut body) = self.0.run(Request::from_parts(head, &body[..]))?.into_parts();
        let body = body.with_config().limit(MAX_RESPONSE).read_to_vec()?;
        Ok(Response::from_parts(head, body.into()))
    }
}
