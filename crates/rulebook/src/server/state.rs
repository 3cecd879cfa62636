//! The state that all workers of a server share.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use actix_rt::time::sleep;
use arc_swap::ArcSwap;
use rulebook_model::connection_limits::{
    ADDRESS_SHARE, DETACHED_HANDLERS, MAX_DETACHED_HANDLERS, REQUEST_MEMORY_BYTES, RESPONSE_ADDRESS_SHARE,
    RESPONSE_MEMORY_BYTES,
};
use rulebook_model::error::ErrorCode;
use tokio::sync::watch;

use super::connection::OpenConnections;
use super::pages::StaticFiles;
use super::server_path::Changes;
use super::tls::Tls;
use super::upload::UploadStorage;
use super::worker::WorkerTurns;
use crate::call::{ApiError, Head, TrustedProxies};
use crate::client_shares::ClientShares;
use crate::file_reply::{Links, OpenFiles};
use crate::metrics::{ExceededLimits, Metrics};
use crate::pipeline::DetachedHandlers;
use crate::plan::Plan;
use crate::settings::Settings;
use crate::store::{LazyStore, LinkFolder};

const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// The state that all workers of a server share. It changes with each connection, but not with each request.
pub(super) struct ServerState {
    /// With the number of times that the API was replaced before.
    plan: ArcSwap<(u64, Arc<Plan>)>,
    /// The same number, which each request compares.
    replacements: AtomicU64,
    pub(super) changes: Changes,
    /// The fallback serves modules that a replaced API has added.
    modules_with_service: Box<[Box<str>]>,
    pub(super) upload_storage: UploadStorage,
    pub(super) metrics: Metrics,
    pub(super) detached_handlers: Arc<DetachedHandlers>,
    pub(super) static_files: StaticFiles,
    pub(super) links: Arc<Links>,
    /// `true` if another process uses the sockets too.
    pub(super) shares_sockets: AtomicBool,
    is_stopping: AtomicBool,
    is_closing: AtomicBool,
    closing_sender: watch::Sender<bool>,
    /// Of rulebook's own server.
    pub(super) connections: Arc<OpenConnections>,
    pub(super) worker_turns: WorkerTurns,
    /// `None` if no address has TLS.
    pub(super) tls: Option<Arc<Tls>>,
    /// The server believes what they say about their clients.
    pub(super) trusted_proxies: TrustedProxies,
    pub(super) request_memory: Arc<ClientShares>,
    /// For responses that clients do not receive at the moment.
    pub(super) response_memory: Arc<ClientShares>,
    pub(super) open_files: OpenFiles,
    pub(super) exceeded_limits: Arc<ExceededLimits>,
}

impl ServerState {
    /// `max_files` is `None` for the `App` of a program, whose clients have no limits here.
    pub(super) fn new(
        plan: &Arc<Plan>,
        data: &Path,
        settings: &Settings,
        max_files: Option<usize>,
        tls: Option<Arc<Tls>>,
    ) -> Self {
        let store = plan.state.get::<LazyStore>();
        let upload_storage = match &store {
            Some(store) if store.is_folder => UploadStorage::Store(Arc::clone(store)),
            _ => UploadStorage::Folder(settings.upload_folder.clone()),
        };
        // The store was opened before the server was started.
        let links = store.filter(|store| !store.is_folder).and_then(|store| store.store().ok()?.links());
        let links = links.unwrap_or_else(|| Arc::new(LinkFolder::open(data)));
        let is_limited = max_files.is_some() && settings.address_connections != Some(0);
        let share = |max, parts| ClientShares::new(max, is_limited.then_some(parts));
        let detached = || DetachedHandlers::new(share(MAX_DETACHED_HANDLERS as usize, ADDRESS_SHARE));
        let detached_handlers = max_files.map(|_| detached()).unwrap_or_default();
        let max_files = max_files.unwrap_or(usize::MAX);
        let exceeded_limits = Arc::default();
        Self {
            plan: ArcSwap::from_pointee((0, Arc::clone(plan))),
            replacements: AtomicU64::new(0),
            changes: Changes::default(),
            modules_with_service: plan.modules.iter().map(|module| module.name.clone()).collect(),
            upload_storage,
            metrics: Metrics::default(),
            detached_handlers: Arc::new(detached_handlers),
            static_files: StaticFiles::new(settings.static_files.as_deref()),
            links: Arc::new(Links::new(links, settings.link_target.unwrap_or_default())),
            shares_sockets: AtomicBool::new(!settings.sockets.is_empty()),
            is_stopping: AtomicBool::default(),
            is_closing: AtomicBool::default(),
            closing_sender: watch::Sender::default(),
            connections: Arc::new(OpenConnections::new(max_files / 2, settings.address_connections)),
            worker_turns: WorkerTurns::default(),
            tls,
            trusted_proxies: TrustedProxies {
                ranges: settings.trusted_proxies.clone().unwrap_or_default(),
                field: settings.forwarded_field.unwrap_or_default(),
            },
            request_memory: Arc::new(share(REQUEST_MEMORY_BYTES as usize, ADDRESS_SHARE)),
            response_memory: Arc::new(share(RESPONSE_MEMORY_BYTES as usize, RESPONSE_ADDRESS_SHARE)),
            open_files: OpenFiles::new(share(max_files / 4, ADDRESS_SHARE), &exceeded_limits),
            exceeded_limits,
        }
    }

    pub(super) fn plan(&self) -> Arc<Plan> {
        self.numbered_plan().1
    }

    /// Returns the plan, with the number of times that the API was replaced before.
    pub(super) fn numbered_plan(&self) -> (u64, Arc<Plan>) {
        (**self.plan.load()).clone()
    }

    pub(super) fn has_service(&self, module: &str) -> bool {
        self.modules_with_service.iter().any(|name| **name == *module)
    }

    #[inline]
    pub(super) fn replacements(&self) -> u64 {
        self.replacements.load(Ordering::Acquire)
    }

    /// Returns the previous plan, which requests in flight keep.
    pub(super) fn replace_plan(&self, plan: &Arc<Plan>) -> Arc<Plan> {
        let (replacements, previous) = self.numbered_plan();
        if let Some(url) = previous.documents.listening_url.get() {
            let _ = plan.documents.listening_url.set(url.clone());
        }
        self.plan.store(Arc::new((replacements + 1, Arc::clone(plan))));
        self.replacements.store(replacements + 1, Ordering::Release);
        self.worker_turns.ask_all();
        previous
    }

    /// `/readyz` then reports that the server is not ready, and connections end after the next response.
    pub(super) fn mark_stopping(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
        self.changes.end_waiting();
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Relaxed)
    }

    /// Closes the connections after the requests that are being handled.
    pub(super) fn close_connections(&self) {
        self.is_closing.store(true, Ordering::Relaxed);
        self.closing_sender.send_replace(true);
    }

    pub(super) fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Relaxed)
    }

    pub(super) async fn wait_until_closing(&self) {
        // The channel cannot be closed while `self` exists, so that the error never occurs.
        let _ = self.closing_sender.subscribe().wait_for(|closing| *closing).await;
    }

    /// `None` for a trusted proxy, whose connections are those of many clients.
    pub(super) fn limited_client(&self, peer: SocketAddr) -> Option<IpAddr> {
        (!self.trusted_proxies.contains(peer.ip())).then(|| peer.ip())
    }

    #[inline]
    pub(super) fn check_detached_handlers(&self, head: &Head) -> Result<(), ApiError> {
        if !self.detached_handlers.is_used_up(head.client) {
            return Ok(());
        }
        self.exceeded_limits.count(&DETACHED_HANDLERS, head.peer);
        Err(ApiError::plain(ErrorCode::Unavailable))
    }

    pub(super) fn activity(&self) -> ServerActivity {
        // The counts are read in this order, so that nothing is missed if a client disconnects in between: the end of
        // the connection ends its request, and the request leaves its handler running.
        ServerActivity {
            connections: self.connections.total(),
            requests: self.metrics.in_flight(),
            detached_handlers: self.detached_handlers.count(),
        }
    }

    /// Waits until there is no activity, not even a connection that a worker has not begun to serve. The server must
    /// not accept connections during this time.
    pub(super) async fn wait_until_idle(&self) {
        self.worker_turns.wait_for_all().await;
        while self.activity() != ServerActivity::default() {
            sleep(POLL_INTERVAL).await;
        }
    }
}

/// The numbers at one moment.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ServerActivity {
    pub(super) connections: usize,
    pub(super) requests: u64,
    pub(super) detached_handlers: usize,
}

impl fmt::Debug for ServerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerState").finish_non_exhaustive()
    }
}
