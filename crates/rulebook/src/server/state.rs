//! The state that all workers of a server share.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_rt::time::sleep;
use arc_swap::ArcSwap;
use rulebook_model::connection_limits::{
    ADDRESS_SHARE, ConnectionLimit, DETACHED_HANDLERS, MAX_DETACHED_HANDLERS, REQUEST_MEMORY_BYTES,
    RESPONSE_ADDRESS_SHARE, RESPONSE_MEMORY_BYTES,
};
use rulebook_model::error::ErrorCode;
use tokio::sync::watch;

use super::open_connections::{Counted, OpenConnections};
use super::static_files::StaticFiles;
use super::tls::Tls;
use super::upload_writer::UploadStorage;
use super::worker_turns::WorkerTurns;
use crate::call::TrustedProxies;
use crate::call::{ApiError, Head};
use crate::client_shares::ClientShares;
use crate::file_reply::{Links, OpenFiles};
use crate::metrics::ExceededLimits;
use crate::metrics::Metrics;
use crate::pipeline::DetachedHandlers;
use crate::plan::Plan;

/// The interval at which a stopping server checks whether its requests, connections and handlers have ended.
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// The state that all workers of a server share. It changes with each connection, but not with each request.
pub(super) struct ServerState {
    /// The plan by which requests are handled. When a new plan is stored, it takes effect with the next request.
    pub(super) plan: Arc<ArcSwap<Plan>>,
    /// Where uploaded files are stored.
    pub(super) upload_storage: UploadStorage,
    /// The counters of requests, for `/metrics`.
    pub(super) metrics: Metrics,
    /// Counts the handlers that are still running although their clients have disconnected.
    pub(super) detached_handlers: Arc<DetachedHandlers>,
    /// The static files that the server serves.
    pub(super) static_files: StaticFiles,
    /// The files that clients download with signed links.
    pub(super) links: Arc<Links>,
    is_stopping: AtomicBool,
    is_closing: AtomicBool,
    closing_sender: watch::Sender<bool>,
    connections: OpenConnections,
    /// The workers that serve the connections.
    pub(super) worker_turns: WorkerTurns,
    /// If `true`, clients can speak HTTP/2.
    pub(super) http2_enabled: bool,
    /// The certificates of the server; `None` if it has no address with TLS.
    pub(super) tls: Option<Arc<Tls>>,
    /// The proxies whose statements about their clients the server believes.
    pub(super) trusted_proxies: TrustedProxies,
    /// The bytes of memory that requests use.
    pub(super) request_memory: Arc<ClientShares>,
    /// The bytes of memory for responses that clients do not receive at the moment.
    pub(super) response_memory: Arc<ClientShares>,
    /// The files that are open for requests and responses.
    pub(super) open_files: OpenFiles,
    /// Counts how often clients have exceeded the limits of connections.
    pub(super) exceeded_limits: Arc<ExceededLimits>,
}

impl ServerState {
    pub(super) fn new(
        plan: &Arc<ArcSwap<Plan>>,
        upload_storage: UploadStorage,
        static_files: StaticFiles,
        links: Links,
    ) -> Self {
        let exceeded_limits = Arc::default();
        Self {
            plan: Arc::clone(plan),
            upload_storage,
            metrics: Metrics::default(),
            detached_handlers: Arc::default(),
            static_files,
            links: Arc::new(links),
            is_stopping: AtomicBool::default(),
            is_closing: AtomicBool::default(),
            closing_sender: watch::Sender::default(),
            connections: OpenConnections::default(),
            worker_turns: WorkerTurns::default(),
            http2_enabled: false,
            tls: None,
            trusted_proxies: TrustedProxies::default(),
            request_memory: Arc::new(ClientShares::new(REQUEST_MEMORY_BYTES as usize, None)),
            response_memory: Arc::new(ClientShares::new(RESPONSE_MEMORY_BYTES as usize, None)),
            open_files: OpenFiles::new(ClientShares::new(usize::MAX, None), &exceeded_limits),
            exceeded_limits,
        }
    }

    /// Marks the server as stopping. From then on, `/readyz` reports that the server is not ready, and connections end
    /// after the next response.
    pub(super) fn mark_stopping(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }

    /// Returns `true` if the server is stopping.
    pub(super) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Relaxed)
    }

    /// Asks all connections to close after the requests that are being handled.
    pub(super) fn close_connections(&self) {
        self.is_closing.store(true, Ordering::Relaxed);
        self.closing_sender.send_replace(true);
    }

    /// Returns `true` once [`ServerState::close_connections`] has been called.
    pub(super) fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Relaxed)
    }

    /// Waits until [`ServerState::close_connections`] is called.
    pub(super) async fn wait_until_closing(&self) {
        // The channel cannot be closed while `self` exists, so that the error never occurs.
        let _ = self.closing_sender.subscribe().wait_for(|closing| *closing).await;
    }

    /// Sets the limits of what clients use. `max_files` is the number of files and connections that the process may
    /// open, and `address_connections` the number of connections of each client address: if it is 0, the use of one
    /// address is not limited.
    pub(super) fn with_limits(self, max_files: usize, address_connections: Option<usize>) -> Self {
        let share = |max, parts| ClientShares::new(max, (address_connections != Some(0)).then_some(parts));
        let shares = |max, parts| Arc::new(share(max, parts));
        Self {
            connections: OpenConnections::new(max_files / 2, address_connections),
            request_memory: shares(REQUEST_MEMORY_BYTES as usize, ADDRESS_SHARE),
            response_memory: shares(RESPONSE_MEMORY_BYTES as usize, RESPONSE_ADDRESS_SHARE),
            open_files: OpenFiles::new(share(max_files / 4, ADDRESS_SHARE), &self.exceeded_limits),
            detached_handlers: Arc::new(DetachedHandlers::new(share(MAX_DETACHED_HANDLERS as usize, ADDRESS_SHARE))),
            ..self
        }
    }

    /// Sets whether clients can speak HTTP/2.
    pub(super) fn with_http2(self, http2_enabled: bool) -> Self {
        Self { http2_enabled, ..self }
    }

    /// Sets the certificates of the server.
    pub(super) fn with_tls(self, tls: Option<Arc<Tls>>) -> Self {
        Self { tls, ..self }
    }

    /// Sets the proxies whose statements about their clients the server believes.
    pub(super) fn with_trusted_proxies(self, trusted_proxies: TrustedProxies) -> Self {
        Self { trusted_proxies, ..self }
    }

    /// Counts a connection until the returned guard is dropped. The connections of a trusted proxy count only in total,
    /// because they are those of many clients.
    ///
    /// # Errors
    /// Returns the limit that the connection exceeds.
    pub(super) fn count_connection(
        self: &Arc<Self>,
        peer: Option<SocketAddr>,
    ) -> Result<CountedConnection, ConnectionLimit> {
        Ok(CountedConnection { counted: self.connections.add(self.limited_peer(peer))?, state: Arc::clone(self) })
    }

    /// Returns the address whose connections are limited: none for a proxy.
    pub(super) fn limited_peer(&self, peer: Option<SocketAddr>) -> Option<SocketAddr> {
        peer.filter(|peer| !self.trusted_proxies.is_proxy(*peer))
    }

    /// Checks that a handler can be started for a request.
    ///
    /// # Errors
    /// Fails if too many handlers are running although their clients have disconnected, in total or of this client.
    #[inline]
    pub(super) fn check_detached_handlers(&self, head: &Head) -> Result<(), ApiError> {
        if !self.detached_handlers.is_used_up(head.client) {
            return Ok(());
        }
        self.exceeded_limits.count(&DETACHED_HANDLERS, head.peer);
        Err(ApiError::plain(ErrorCode::Unavailable))
    }

    /// Counts a connection beyond the maximum, on which a client can only ask for the state of the server. Returns
    /// `None` if there are too many of these connections too.
    pub(super) fn count_reserved_connection(self: &Arc<Self>, peer: Option<SocketAddr>) -> Option<CountedConnection> {
        let counted = self.connections.add_reserved(self.limited_peer(peer))?;
        Some(CountedConnection { counted, state: Arc::clone(self) })
    }

    /// Returns the numbers of connections, requests and handlers at this moment.
    pub(super) fn activity(&self) -> ServerActivity {
        // The counts are read in this order, so that nothing is missed if a client disconnects in between: the end of
        // the connection ends its request, and the request leaves its handler running.
        ServerActivity {
            connections: self.connections.total(),
            requests: self.metrics.in_flight(),
            detached_handlers: self.detached_handlers.count(),
        }
    }

    /// Waits until the server has no connections, requests or handlers, also none that a worker has not begun to serve.
    /// The server must not accept connections during this time.
    pub(super) async fn wait_until_idle(&self) {
        self.worker_turns.wait_for_all().await;
        while self.activity() != ServerActivity::default() {
            sleep(POLL_INTERVAL).await;
        }
    }
}

/// Counts one connection until this value is dropped.
pub(super) struct CountedConnection {
    state: Arc<ServerState>,
    counted: Counted,
}

impl Drop for CountedConnection {
    fn drop(&mut self) {
        self.state.connections.remove(&self.counted);
    }
}

/// The numbers of connections, requests and handlers of a server at one moment.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ServerActivity {
    /// The number of open connections.
    pub(super) connections: usize,
    /// The number of requests in flight.
    pub(super) requests: u64,
    /// The number of handlers that are still running although their clients have disconnected.
    pub(super) detached_handlers: usize,
}
