//! The type `ip`: an IPv4 or IPv6 address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use serde_json::json;

use super::text_type::{self, TextType};
use super::{ArgumentError, Check, TypeArguments};

static IP: TextType = TextType {
    name: "ip",
    expected_phrase: "an IP address",
    is_valid: |text| text.parse::<IpAddr>().is_ok(),
    schema: || json!({ "type": "string", "anyOf": [{ "format": "ipv4" }, { "format": "ipv6" }] }),
    boundary_texts: &["0.0.0.0", "255.255.255.255", "::", "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"],
    example: "192.0.2.1",
};

/// Returns `true` if a text is an IPv4 address: four decimal numbers without leading zeros, separated by dots.
pub(super) fn is_ipv4(text: &str) -> bool {
    text.parse::<Ipv4Addr>().is_ok()
}

/// Returns `true` if a text is an IPv6 address (RFC 4291 section 2.2) without a zone identifier.
pub(super) fn is_ipv6(text: &str) -> bool {
    text.parse::<Ipv6Addr>().is_ok()
}

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    text_type::compile(&IP, arguments)
}
