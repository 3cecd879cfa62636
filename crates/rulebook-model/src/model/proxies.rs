//! The proxies whose statements about their clients the server believes.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use thiserror::Error;

/// An IP address, or all addresses with the same prefix in CIDR notation (RFC 4632): `127.0.0.1`, `10.0.0.0/8`, `::1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressRange(IpNet);

/// The error that a text is not an [`AddressRange`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{}` is neither an IP address nor a range of addresses; write for example `127.0.0.1` or `10.0.0.0/8`", .0.escape_debug())]
pub struct AddressRangeError(String);

impl AddressRange {
    /// Returns `true` if the range contains the address. An IPv6 address that contains an IPv4 address
    /// (`::ffff:127.0.0.1`) counts as the IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for AddressRange {
    type Err = AddressRangeError;

    fn from_str(text: &str) -> Result<Self, AddressRangeError> {
        let address = text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
        address.or_else(|_| text.parse::<IpNet>()).map(Self).map_err(|_| AddressRangeError(text.to_owned()))
    }
}

/// Writes a range of one address without its prefix length.
impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() { self.0.addr().fmt(f) } else { self.0.fmt(f) }
    }
}
