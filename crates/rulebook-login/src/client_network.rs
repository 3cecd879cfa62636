//! The network of the client that sends a request, for limits of each client.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rulebook::Head;

/// Returns the address of the client for IPv4. For IPv6, returns the first 64 bits, because one client can usually use
/// all addresses with the same first 64 bits.
#[must_use]
pub fn client_network(head: &Head) -> IpAddr {
    match head.client.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)) {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        address @ IpAddr::V4(_) => address,
    }
}
