//! The registrations that may be in progress at once.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// The number of registrations that may be in progress. Registrations are rare, and only delay logins by a short time.
const MAX_REGISTRATIONS: usize = 8;
/// The number of registrations of one address that may be in progress, so that one address cannot prevent others.
const MAX_REGISTRATIONS_PER_ADDRESS: usize = 4;

/// The addresses of the clients whose registrations are in progress.
#[derive(Debug, Clone, Default)]
pub(crate) struct Registrations(Arc<Mutex<Vec<Option<IpAddr>>>>);

/// A registration that is in progress, until this value is dropped.
#[derive(Debug)]
pub(crate) struct RegistrationPlace {
    client: Option<IpAddr>,
    registrations: Registrations,
}

impl Registrations {
    /// Takes a place for a client; `None` if no place is free for it.
    pub(crate) fn take_place(&self, client: Option<IpAddr>) -> Option<RegistrationPlace> {
        let mut registrations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_client = registrations.iter().filter(|other| **other == client).count();
        let is_free = registrations.len() < MAX_REGISTRATIONS && of_client < MAX_REGISTRATIONS_PER_ADDRESS;
        is_free.then(|| {
            registrations.push(client);
            RegistrationPlace { client, registrations: self.clone() }
        })
    }
}

impl Drop for RegistrationPlace {
    fn drop(&mut self) {
        let mut registrations = self.registrations.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = registrations.iter().position(|client| *client == self.client) {
            registrations.swap_remove(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_REGISTRATIONS, MAX_REGISTRATIONS_PER_ADDRESS, Registrations};

    #[test]
    fn a_client_can_take_a_part_of_the_places_for_registrations() {
        let registrations = Registrations::default();
        let [first, second, third] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|client| client.parse().ok());
        let take = |client| (0..MAX_REGISTRATIONS).map_while(|_| registrations.take_place(client)).collect::<Vec<_>>();
        let (of_first, of_second) = (take(first), take(second));
        assert_eq!((of_first.len(), of_second.len()), (MAX_REGISTRATIONS_PER_ADDRESS, MAX_REGISTRATIONS_PER_ADDRESS));
        assert_eq!(take(third).len(), MAX_REGISTRATIONS - 2 * MAX_REGISTRATIONS_PER_ADDRESS);
        drop(of_first);
        assert_eq!(take(third).len(), MAX_REGISTRATIONS_PER_ADDRESS);
    }
}
