//! The address of the client that sends a request, for limits per client.
//!
//! The environment variable `TRUSTED_PROXY` contains the address of the proxy in front of the server, if there is one.
//! Without it, all clients of the proxy would have the address of the proxy.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rulebook::{Head, StartContext};

const VARIABLE: &str = "TRUSTED_PROXY";

/// The address of the proxy whose field `X-Forwarded-For` the server believes.
pub(super) struct TrustedProxy(Option<IpAddr>);

/// Reads the environment variable when the server starts.
///
/// # Errors
/// Fails if the variable does not contain an IP address.
pub(crate) async fn read_trusted_proxy(start: StartContext) -> Result<(), Box<dyn Error + Send + Sync>> {
    let address = match std::env::var(VARIABLE) {
        Ok(text) => Some(text.parse().map_err(|_| format!("{VARIABLE}: `{text}` is not an IP address"))?),
        Err(_) => None,
    };
    start.insert_state(TrustedProxy(address));
    Ok(())
}

impl TrustedProxy {
    /// Returns the address of the client. If the trusted proxy has forwarded the request, this is the last address in
    /// `X-Forwarded-For`, which the proxy itself has added; clients can write anything before it.
    pub(super) fn client_address(&self, head: &Head) -> IpAddr {
        let peer = head.peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip().to_canonical());
        let is_proxy = self.0.is_some_and(|proxy| proxy.to_canonical() == peer);
        let field = head.header_values("X-Forwarded-For").last().filter(|_| is_proxy);
        let last = field.and_then(|field| field.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
        network(last.unwrap_or(peer))
    }
}

/// Returns the address itself for IPv4. For IPv6, returns the first 64 bits, because one client can usually use all
/// addresses with the same first 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use rulebook::Head;
    use rulebook::http::{HeaderName, HeaderValue, Method, Uri};

    use super::TrustedProxy;

    #[test]
    fn the_field_of_the_trusted_proxy_and_of_no_other_client_is_believed() {
        let cases = [
            ("192.0.2.1", "", "192.0.2.1"),
            ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
            ("127.0.0.1", "198.51.100.7", "198.51.100.7"),
            ("127.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
            ("::ffff:127.0.0.1", "198.51.100.7", "198.51.100.7"),
            ("127.0.0.1", "unknown", "127.0.0.1"),
            ("127.0.0.1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:db8:1:2:a:b:c:d", "", "2001:db8:1:2::"),
        ];
        let proxy = TrustedProxy(Some("127.0.0.1".parse().unwrap()));
        for (peer, field, expected) in cases {
            let mut head = Head::new(Method::POST, Uri::from_static("/user/login"));
            head.peer = Some((peer.parse::<IpAddr>().unwrap(), 9).into());
            if !field.is_empty() {
                head = head.with_header(HeaderName::from_static("x-forwarded-for"), HeaderValue::from_static(field));
            }
            assert_eq!(proxy.client_address(&head).to_string(), expected, "{field} from {peer}");
        }
    }
}
