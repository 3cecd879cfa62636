//! Counts the open connections of a server, in total and for each client address, so that a client cannot use all of
//! them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rulebook_model::connection_limits::{
    ADDRESS_CONNECTIONS, ADDRESS_SHARE, CONNECTIONS, ConnectionLimit, RESERVED_CONNECTIONS,
};

use crate::client_shares::{ClientShares, Share, client_network};

const RESERVED_SHARE: usize = 64;

/// The open connections of a server. The lock is held only when a connection begins or ends.
#[derive(Debug)]
pub(super) struct OpenConnections {
    total: AtomicUsize,
    max_total: usize,
    max_per_client: usize,
    by_client: Mutex<HashMap<IpAddr, usize>>,
    reserved: Arc<ClientShares>,
}

/// A connection that has been counted, until this value is dropped.
#[derive(Debug)]
pub(super) struct OpenConnection {
    connections: Arc<OpenConnections>,
    client: Option<IpAddr>,
    _reserved: Option<Share>,
}

impl OpenConnections {
    /// Creates the counts of a server that can have `max_total` connections. `max_per_client` is the maximum number for
    /// each client address, without a limit if it is 0. If it is `None`, the maximum is a part of `max_total`.
    pub(super) fn new(max_total: usize, max_per_client: Option<usize>) -> Self {
        let max_per_client = match max_per_client {
            None => max_total.div_ceil(ADDRESS_SHARE),
            Some(0) => usize::MAX,
            Some(max) => max,
        };
        let parts = (max_per_client != usize::MAX).then_some(RESERVED_SHARE);
        let reserved = Arc::new(ClientShares::new(RESERVED_CONNECTIONS, parts));
        Self { total: AtomicUsize::default(), max_total, max_per_client, by_client: Mutex::default(), reserved }
    }

    /// Counts a connection. `client` is the address whose connections are limited; `None` for a proxy.
    ///
    /// # Errors
    /// Returns the limit that the connection exceeds. It is not counted then.
    pub(super) fn add(self: &Arc<Self>, client: Option<IpAddr>) -> Result<OpenConnection, ConnectionLimit> {
        self.add_below(client, self.max_total, None)
    }

    /// Counts a connection beyond the maximum, on which a client can only ask for the state of the server. Returns
    /// `None` if there are too many of these connections too, or too many of this client; it is not counted then.
    pub(super) fn add_reserved(self: &Arc<Self>, client: Option<IpAddr>) -> Option<OpenConnection> {
        let share = self.reserved.take(client, 1).ok()?;
        self.add_below(client, self.max_total.saturating_add(RESERVED_CONNECTIONS), Some(share)).ok()
    }

    fn add_below(
        self: &Arc<Self>,
        client: Option<IpAddr>,
        max_total: usize,
        reserved: Option<Share>,
    ) -> Result<OpenConnection, ConnectionLimit> {
        let client = client.filter(|_| self.max_per_client != usize::MAX).map(client_network);
        // A client that has its share must not get a reserved connection, so that the share is checked first.
        if let Some(client) = client {
            let mut by_client = self.lock();
            let count = by_client.entry(client).or_default();
            if *count >= self.max_per_client {
                return Err(ADDRESS_CONNECTIONS);
            }
            *count += 1;
        }
        let open = OpenConnection { connections: Arc::clone(self), client, _reserved: reserved };
        let before = self.total.fetch_add(1, Ordering::Relaxed);
        if before < max_total { Ok(open) } else { Err(CONNECTIONS) }
    }

    pub(super) fn total(&self) -> usize {
        self.total.load(Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.by_client.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        let connections = &self.connections;
        if let Some(client) = self.client {
            let mut by_client = connections.lock();
            if let Some(count) = by_client.get_mut(&client) {
                *count -= 1;
                if *count == 0 {
                    by_client.remove(&client);
                }
            }
        }
        connections.total.fetch_sub(1, Ordering::AcqRel);
    }
}
