//! The HTTP client that sends spans.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use opentelemetry_http::{HttpClient, HttpError, Request, Response};
use rulebook::describe_with_causes;
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

/// The time after which a request to the collector fails. It is less than the time for which a server that stops waits.
const TIMEOUT: Duration = Duration::from_secs(4);
/// The maximum size of a response of the collector in bytes.
const MAX_RESPONSE: u64 = 64 << 10;

/// An HTTP client that waits for responses. The thread that sends spans does nothing else.
#[derive(Debug)]
pub struct WaitingClient {
    agent: Agent,
    /// `true` if the last request failed, which the log contains once.
    is_failing: AtomicBool,
}

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
        Self { agent: config.build().new_agent(), is_failing: AtomicBool::new(false) }
    }

    fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ureq::Error> {
        let (head, body) = request.into_parts();
        let (head, mut body) = self.agent.run(Request::from_parts(head, &body[..]))?.into_parts();
        let body = body.with_config().limit(MAX_RESPONSE).read_to_vec()?;
        Ok(Response::from_parts(head, body.into()))
    }

    /// Logs that the collector does not accept spans, or that it does again.
    fn log_change(&self, failure: Option<String>) {
        let was_failing = self.is_failing.swap(failure.is_some(), Ordering::Relaxed);
        match failure {
            Some(failure) if !was_failing => {
                log::warn!("the collector of traces does not accept spans, which are dropped: {failure}");
            }
            None if was_failing => log::info!("the collector of traces accepts spans again"),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for WaitingClient {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let sent = self.send(request);
        self.log_change(match &sent {
            Ok(response) if response.status().is_success() => None,
            Ok(response) => Some(format!("its response has the status {}", response.status().as_u16())),
            Err(error) => Some(describe_with_causes(error)),
        });
        Ok(sent?)
    }
}
