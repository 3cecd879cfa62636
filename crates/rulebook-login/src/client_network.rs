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

#[cfg(test)]
mod tests {
    use rulebook::Head;
    use rulebook::http::{Method, Uri};

    use super::client_network;

    #[test]
    fn a_client_with_ipv6_is_limited_by_its_network() {
        let network = |address: &str| {
            let mut head = Head::new(Method::POST, Uri::from_static("/user/login"));
            head.client = Some(address.parse().unwrap());
            client_network(&head).to_string()
        };
        assert_eq!(network("192.0.2.1"), "192.0.2.1");
        assert_eq!(network("2001:db8:1:2:a:b:c:d"), "2001:db8:1:2::");
    }
}
