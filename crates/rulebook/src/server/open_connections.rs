//! Counts the open connections of a server, in total and for each client address, so that a client cannot use all of
//! them.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rulebook_model::connection_limits::{
    ADDRESS_CONNECTIONS, ADDRESS_SHARE, CONNECTIONS, ConnectionLimit, RESERVED_CONNECTIONS,
};

use crate::client_shares::{ClientShares, Share, client_network};

/// The part of the [`RESERVED_CONNECTIONS`] that one client can have: one of this number.
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

/// A connection that has been counted. It must be passed to [`OpenConnections::remove`] when it ends.
#[derive(Debug)]
pub(super) struct Counted {
    client: Option<IpAddr>,
    /// The part of the reserved connections that this one is.
    _reserved: Option<Share>,
}

impl Default for OpenConnections {
    /// Returns connections without limits.
    fn default() -> Self {
        Self::new(usize::MAX, Some(0))
    }
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

    /// Counts a connection.
    ///
    /// # Errors
    /// Returns the limit that the connection exceeds. It is not counted then.
    pub(super) fn add(&self, peer: Option<SocketAddr>) -> Result<Counted, ConnectionLimit> {
        self.add_below(peer, self.max_total)
    }

    /// Counts a connection beyond the maximum, on which a client can only ask for the state of the server. Returns
    /// `None` if there are too many of these connections too, or too many of this client; it is not counted then.
    pub(super) fn add_reserved(&self, peer: Option<SocketAddr>) -> Option<Counted> {
        let share = self.reserved.take(peer.map(|peer| peer.ip()), 1).ok()?;
        let counted = self.add_below(peer, self.max_total.saturating_add(RESERVED_CONNECTIONS)).ok()?;
        Some(Counted { _reserved: Some(share), ..counted })
    }

    fn add_below(&self, peer: Option<SocketAddr>, max_total: usize) -> Result<Counted, ConnectionLimit> {
        let client = peer.filter(|_| self.max_per_client != usize::MAX).map(|peer| client_network(peer.ip()));
        // A client that has its share must not get a reserved connection, so that the share is checked first.
        if let Some(client) = client {
            let mut by_client = self.lock();
            let count = by_client.entry(client).or_default();
            if *count >= self.max_per_client {
                return Err(ADDRESS_CONNECTIONS);
            }
            *count += 1;
        }
        let counted = Counted { client, _reserved: None };
        if self.total.fetch_add(1, Ordering::Relaxed) >= max_total {
            self.remove(&counted);
            return Err(CONNECTIONS);
        }
        Ok(counted)
    }

    /// Removes a connection that has ended.
    pub(super) fn remove(&self, counted: &Counted) {
        if let Some(client) = counted.client {
            let mut by_client = self.lock();
            if let Some(count) = by_client.get_mut(&client) {
                *count -= 1;
                if *count == 0 {
                    by_client.remove(&client);
                }
            }
        }
        self.total.fetch_sub(1, Ordering::AcqRel);
    }

    /// Returns the number of open connections.
    pub(super) fn total(&self) -> usize {
        self.total.load(Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.by_client.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(connections: &OpenConnections, address: &str) -> Result<Counted, &'static str> {
        let peer = SocketAddr::new(address.parse().expect("it is an address"), 1);
        connections.add(Some(peer)).map_err(|limit| limit.name)
    }

    #[test]
    fn a_client_cannot_use_all_connections() {
        let connections = OpenConnections::new(8, None);
        let counted: Vec<_> = (0..2).map(|_| add(&connections, "192.0.2.1").expect("the client has few")).collect();
        assert_eq!(add(&connections, "192.0.2.1").err(), Some("address-connections"));
        assert_eq!(add(&connections, "::ffff:192.0.2.1").err(), Some("address-connections"));
        for address in ["192.0.2.2", "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1", "192.0.2.3", "192.0.2.4"] {
            assert!(add(&connections, address).is_ok(), "{address}");
        }
        assert_eq!(add(&connections, "192.0.2.5").err(), Some("connections"));
        assert_eq!(connections.total(), 8);
        counted.iter().for_each(|counted| connections.remove(counted));
        assert_eq!(add(&connections, "2001:db8::3").err(), Some("address-connections"));
        assert!(add(&connections, "192.0.2.1").is_ok());
        assert_eq!(connections.total(), 7);
    }

    #[test]
    fn connections_are_reserved_beyond_the_maximum() {
        let connections = OpenConnections::new(1, Some(0));
        let all = add(&connections, "192.0.2.1").expect("there are no others");
        let reserved: Vec<_> = (0..RESERVED_CONNECTIONS).filter_map(|_| connections.add_reserved(None)).collect();
        assert_eq!(reserved.len(), RESERVED_CONNECTIONS);
        assert!(connections.add_reserved(None).is_none());
        connections.remove(&all);
        assert!(add(&connections, "192.0.2.1").is_err(), "reserved connections count");
        reserved.iter().for_each(|counted| connections.remove(counted));
        assert!(add(&connections, "192.0.2.1").is_ok());
    }

    #[test]
    fn a_client_gets_a_part_of_the_reserved_connections() {
        let connections = OpenConnections::new(4, None);
        let all: Vec<_> = (1..5).map(|last| add(&connections, &format!("192.0.2.{last}"))).collect();
        assert!(all.iter().all(Result::is_ok));
        let [first, other] = ["192.0.2.8:1", "192.0.2.9:1"].map(|peer| peer.parse().ok());
        let max = RESERVED_CONNECTIONS / RESERVED_SHARE;
        let connections = OpenConnections { max_per_client: 100, ..connections };
        let reserved: Vec<_> = (0..RESERVED_CONNECTIONS).filter_map(|_| connections.add_reserved(first)).collect();
        assert_eq!(reserved.len(), max);
        assert!(connections.add_reserved(other).is_some());
    }

    #[test]
    fn a_client_with_its_share_of_connections_gets_no_reserved_one() {
        let connections = OpenConnections::new(2, Some(2));
        let [first, other] = ["192.0.2.1:1", "192.0.2.2:1"].map(|peer| peer.parse().ok());
        let counted: Vec<_> = (0..2).filter_map(|_| connections.add(first).ok()).collect();
        assert_eq!(connections.add(first).map_err(|limit| limit.name).err(), Some("address-connections"));
        assert!(connections.add_reserved(first).is_none());
        assert_eq!(connections.add(other).map_err(|limit| limit.name).err(), Some("connections"));
        assert!(connections.add_reserved(other).is_some());
        counted.iter().for_each(|counted| connections.remove(counted));
    }

    #[test]
    fn the_limit_of_a_client_can_be_set() {
        for (max, expected) in [(Some(1), 1), (Some(0), 8), (None, 2)] {
            let connections = OpenConnections::new(8, max);
            let accepted = (0..9).filter(|_| add(&connections, "192.0.2.1").is_ok()).count();
            assert_eq!(accepted, expected, "{max:?}");
        }
    }

    #[test]
    fn no_address_is_kept_when_its_connections_have_ended() {
        let connections = OpenConnections::new(8, None);
        let counted = add(&connections, "192.0.2.1").expect("there are no others");
        connections.remove(&counted);
        assert!(connections.lock().is_empty());
        assert_eq!(connections.total(), 0);
    }
}
