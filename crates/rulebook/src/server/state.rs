//! The state that all workers of a server share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use actix_rt::time::sleep;
use arc_swap::ArcSwap;
use tokio::sync::watch;

use super::links::Links;
use super::metrics::Metrics;
use super::static_files::StaticFiles;
use super::upload_writer::Uploads;
use crate::pipeline::DetachedHandlers;
use crate::plan::Plan;

/// The interval at which a stopping server checks whether requests, connections and handlers have ended.
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// The time without requests in flight after which a stopping server closes HTTP/2 connections. It is needed to send
/// the last responses.
const QUIET_TIME: Duration = Duration::from_millis(500);

/// The state that all workers of a server share. It is written for each connection, but not for each request.
pub(super) struct ServerState {
    /// The plan. A new plan takes effect with the next request.
    pub(super) plan: Arc<ArcSwap<Plan>>,
    /// The destination of uploaded files.
    pub(super) uploads: Uploads,
    /// The counters of requests.
    pub(super) metrics: Metrics,
    /// Counts the handlers that are still running after their clients have disconnected.
    pub(super) detached: Arc<DetachedHandlers>,
    /// The static files.
    pub(super) files: StaticFiles,
    /// The files that signed links lead to.
    pub(super) links: Arc<Links>,
    stopping: AtomicBool,
    closing: watch::Sender<bool>,
    connections: AtomicUsize,
}

impl ServerState {
    pub(super) fn new(plan: &Arc<ArcSwap<Plan>>, uploads: Uploads, files: StaticFiles, links: Links) -> Self {
        Self {
            plan: Arc::clone(plan),
            uploads,
            metrics: Metrics::default(),
            detached: Arc::default(),
            files,
            links: Arc::new(links),
            stopping: AtomicBool::default(),
            closing: watch::Sender::default(),
            connections: AtomicUsize::default(),
        }
    }

    /// Marks the server as stopping: `/readyz` reports that it is not ready.
    pub(super) fn mark_stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Returns `true` if the server is stopping.
    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Asks all connections to close after their current requests.
    pub(super) fn close(&self) {
        self.closing.send_replace(true);
    }

    /// Waits until connections are asked to close.
    pub(super) async fn closing(&self) {
        // The sender lives as long as `self`.
        let _ = self.closing.subscribe().wait_for(|closing| *closing).await;
    }

    /// Waits until connections are asked to close and no request has been in flight for [`QUIET_TIME`].
    pub(super) async fn quiet(&self) {
        self.closing().await;
        let mut since = Instant::now();
        while since.elapsed() < QUIET_TIME {
            sleep(POLL_INTERVAL).await;
            if self.metrics.in_flight() > 0 {
                since = Instant::now();
            }
        }
    }

    /// Counts a connection until the returned guard is dropped.
    pub(super) fn count_connection(self: &Arc<Self>) -> CountedConnection {
        self.connections.fetch_add(1, Ordering::Relaxed);
        CountedConnection(Arc::clone(self))
    }

    /// Returns the current activity of the server.
    pub(super) fn activity(&self) -> Activity {
        // Read in this order, because a lost connection first ends its request, which then leaves its handler behind.
        Activity {
            connections: self.connections.load(Ordering::Acquire),
            requests: self.metrics.in_flight(),
            handlers: self.detached.count(),
        }
    }

    /// Waits until the server has no connections, requests or handlers. It must not accept connections meanwhile.
    pub(super) async fn idle(&self) {
        while self.activity() != Activity::default() {
            sleep(POLL_INTERVAL).await;
        }
    }
}

/// Counts one connection until it is dropped.
pub(super) struct CountedConnection(Arc<ServerState>);

impl Drop for CountedConnection {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The current activity of a server.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Activity {
    /// The number of open connections.
    pub(super) connections: usize,
    /// The number of requests in flight.
    pub(super) requests: u64,
    /// The number of running handlers whose clients have disconnected.
    pub(super) handlers: usize,
}
