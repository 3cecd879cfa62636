//! What all workers of a server have in common: what is counted, where files are, and that it is stopping.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use actix_rt::time::sleep;
use tokio::sync::watch;

use super::files::Files;
use super::links::Links;
use super::metrics::Metrics;
use crate::pipeline::Detached;

/// How often a stopping server looks whether anything is left to wait for.
const LOOK_TIME: Duration = Duration::from_millis(10);
/// How long nothing must have been in flight before connections are cut off that do not end by themselves: time for
/// their last answers to leave.
const QUIET_TIME: Duration = Duration::from_millis(500);

/// Shared by all workers. Written to once a connection, never once a request.
#[derive(Default)]
pub(super) struct Serving {
    /// What requests are counted in.
    pub(super) metrics: Metrics,
    /// Counts the handlers whose clients have gone.
    pub(super) detached: Arc<Detached>,
    /// Where static files come from.
    pub(super) files: Files,
    /// The files that links lead to.
    pub(super) links: Arc<Links>,
    stopping: AtomicBool,
    closing: watch::Sender<bool>,
    connections: AtomicUsize,
}

impl Serving {
    pub(super) fn new(files: Files, links: Links) -> Self {
        Self { files, links: Arc::new(links), ..Self::default() }
    }

    /// From now on the server is not ready for more.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether the server is stopping.
    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Asks all connections to end with the requests that they are at.
    pub(super) fn close(&self) {
        self.closing.send_replace(true);
    }

    /// Until connections are asked to end.
    pub(super) async fn closing(&self) {
        // The sender lives as long as `self`.
        let _ = self.closing.subscribe().wait_for(|closing| *closing).await;
    }

    /// Until connections are asked to end, and no request has been in flight for a while.
    pub(super) async fn quiet(&self) {
        self.closing().await;
        let mut since = Instant::now();
        while since.elapsed() < QUIET_TIME {
            sleep(LOOK_TIME).await;
            if self.metrics.in_flight() > 0 {
                since = Instant::now();
            }
        }
    }

    /// Counts a connection as long as what is given back lives.
    pub(super) fn connection(self: &Arc<Self>) -> Connected {
        self.connections.fetch_add(1, Ordering::Relaxed);
        Connected(Arc::clone(self))
    }

    /// What is being done now.
    pub(super) fn at_work(&self) -> AtWork {
        // In the order in which one becomes the other: a connection that is lost leaves its request, and that its
        // handler.
        AtWork {
            connections: self.connections.load(Ordering::Acquire),
            requests: self.metrics.in_flight(),
            handlers: self.detached.count(),
        }
    }

    /// Until nothing is being done. No more connections may be taken meanwhile.
    pub(super) async fn at_rest(&self) {
        while self.at_work() != AtWork::default() {
            sleep(LOOK_TIME).await;
        }
    }
}

/// A connection, as it is counted.
pub(super) struct Connected(Arc<Serving>);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::AcqRel);
    }
}

/// What a server is doing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct AtWork {
    /// Open connections.
    pub(super) connections: usize,
    /// Requests that are being answered.
    pub(super) requests: u64,
    /// Handlers at work whose clients have gone.
    pub(super) handlers: usize,
}
