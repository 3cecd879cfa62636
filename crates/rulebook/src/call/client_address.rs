//! Finds the address of the client that has sent a request through proxies.
//!
//! Each proxy appends the address from which it has received the request to a header field. Clients can send such a
//! field too, so that only the addresses that trusted proxies have appended are believed: the server reads the list
//! from its end, and stops at the first address that is not that of a trusted proxy.

use std::net::{IpAddr, SocketAddr};

use http::header::{FORWARDED, HeaderName, HeaderValue};
use rulebook_model::model::{AddressRange, ForwardedField};

use super::split_outside_of_quotes;

static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The proxies that the server trusts, and the header field that it reads from them.
#[derive(Debug, Default)]
pub(crate) struct TrustedProxies {
    pub(crate) ranges: Vec<AddressRange>,
    pub(crate) field: ForwardedField,
}

impl TrustedProxies {
    /// Returns `true` if a connection with this peer comes from a trusted proxy.
    pub(crate) fn is_proxy(&self, peer: SocketAddr) -> bool {
        self.contains(peer.ip())
    }

    fn contains(&self, address: IpAddr) -> bool {
        self.ranges.iter().any(|range| range.contains(address))
    }

    /// Returns the address of the client that has sent a request with these header fields over a connection with this
    /// peer: the address of the peer, unless the peer is a trusted proxy. An IPv6 address that contains an IPv4 address
    /// is returned as the IPv4 address.
    #[inline]
    pub(crate) fn client_address(
        &self,
        peer: Option<SocketAddr>,
        headers: &[(HeaderName, HeaderValue)],
    ) -> Option<IpAddr> {
        let peer = peer?.ip().to_canonical();
        Some(if self.ranges.is_empty() { peer } else { self.address_before_proxies(peer, headers) })
    }

    fn address_before_proxies(&self, peer: IpAddr, headers: &[(HeaderName, HeaderValue)]) -> IpAddr {
        if !self.contains(peer) {
            return peer;
        }
        let name = match self.field {
            ForwardedField::Forwarded => &FORWARDED,
            _ => &X_FORWARDED_FOR,
        };
        let fields = headers.iter().rev().filter(|(known, _)| known == name).map(|(_, value)| value);
        let has_quotes = self.field == ForwardedField::Forwarded;
        let elements = fields.flat_map(|value| elements_from_end(value.as_bytes(), has_quotes));
        let mut client = peer;
        for element in elements {
            // An element without an address, such as `unknown`, hides everything before it.
            let Some(address) = self.address_in(element) else { break };
            client = address;
            if !self.contains(client) {
                break;
            }
        }
        client
    }

    /// Returns the address in an element of the header field.
    fn address_in(&self, element: &[u8]) -> Option<IpAddr> {
        match self.field {
            ForwardedField::Forwarded => {
                let pairs = split_outside_of_quotes(element, b';');
                let mut pairs = pairs.into_iter().filter_map(|pair| std::str::from_utf8(pair).ok()?.split_once('='));
                let (_, value) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
                let value = value.trim();
                let unquoted = value.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(value);
                parse_address(unquoted)
            }
            _ => parse_address(std::str::from_utf8(element).ok()?),
        }
    }
}

/// Returns the elements of a list in a header field, from the last one. If `has_quotes` is `true`, the elements can
/// contain quoted strings (RFC 9110 section 5.6.4), in which commas do not separate elements.
///
/// The quotes are matched from the end, because only what trusted proxies have appended there is known to be
/// well-formed. The quote of a client that has no counterpart then hides nothing that a proxy has appended.
fn elements_from_end(list: &[u8], has_quotes: bool) -> impl Iterator<Item = &[u8]> {
    let mut is_quoted = false;
    // After a quote inside of a quoted string: whether it is a part of the string, because an odd number of backslashes
    // is in front of it. Otherwise the string begins with it.
    let mut is_part_of_string: Option<bool> = None;
    list.rsplit(move |byte| {
        if let Some(is_escaped) = is_part_of_string.take() {
            if *byte == b'\\' {
                is_part_of_string = Some(!is_escaped);
                return false;
            }
            is_quoted = is_escaped;
        }
        match (*byte, is_quoted) {
            (b'"', false) => is_quoted = has_quotes,
            (b'"', true) => is_part_of_string = Some(false),
            _ => {}
        }
        *byte == b',' && !is_quoted
    })
}

/// Parses an IP address with or without a port: `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]` or
/// `[2001:db8::1]:4711` (RFC 7239 section 6).
fn parse_address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let address: Option<IpAddr> = text.parse().ok().or_else(bracketed);
    let address = address.or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()));
    address.map(|address| address.to_canonical())
}
