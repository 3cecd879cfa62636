//! Checks the settings of the network: the address to listen on, and the trusted proxies.

use crate::compile::Lowering;
use crate::definition::{JsonData, JsonNode};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::AddressRange;
use crate::span::Spanned;

/// Checks an address to listen on: a host name or an IP address, a colon and a port; for TLS after `https://`.
///
/// # Errors
/// Fails if the text has another form. The error contains an example, with the port of the text if it has one.
pub fn check_bind_address(text: &str) -> Result<(), String> {
    let (_, text) = split_bind_address(text);
    let has_both = text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if has_both {
        return Ok(());
    }
    let port = text.trim_start_matches(':').parse::<u16>().unwrap_or(8080);
    Err(format!("expected `address:port`, such as `127.0.0.1:{port}` or `[::1]:{port}`"))
}

/// Returns whether an address to listen on has TLS, and the address without its scheme, whose case is ignored (RFC 3986
/// section 3.1).
#[must_use]
pub fn split_bind_address(text: &str) -> (bool, &str) {
    let without = |scheme: &str| {
        let (start, rest) = text.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    };
    match without("https://") {
        Some(rest) => (true, rest),
        None => (false, without("http://").unwrap_or(text)),
    }
}

impl Lowering<'_> {
    /// Returns the address on which the server listens. Reports an invalid address.
    pub(super) fn lower_bind_address(&mut self, value: &JsonNode) -> Option<String> {
        let address = value.string()?;
        let checked = check_bind_address(&address.value);
        if let Err(expected) = &checked {
            let message = format!("`{}` is not a valid address to listen on", address.value.escape_debug());
            self.report(Diagnostic::new(DiagnosticCode::BadOption, address.span, message).label(expected));
        }
        checked.is_ok().then_some(address.value)
    }

    /// Returns the files of a setting that names one file or several. Reports blank names.
    pub(super) fn lower_files(&mut self, value: &JsonNode, key: &str) -> Vec<Spanned<String>> {
        let files = value.string().map_or_else(|| value.strings().map(|files| files.value), |file| Some(vec![file]));
        let files = files.unwrap_or_default();
        for blank in files.iter().filter(|file| file.value.trim().is_empty()) {
            let message = format!("a file of `{key}` is blank");
            self.report(
                Diagnostic::new(DiagnosticCode::BadOption, blank.span, message).label("expected the path of a file"),
            );
        }
        files
    }

    /// Returns the addresses of the trusted proxies. Reports invalid addresses.
    pub(super) fn lower_trusted_proxies(&mut self, value: &JsonNode) -> Vec<AddressRange> {
        let JsonData::Array(items) = &value.data else { return Vec::new() };
        let mut ranges = Vec::with_capacity(items.len());
        for text in items.iter().filter_map(JsonNode::string) {
            match text.value.parse() {
                Ok(range) => ranges.push(range),
                Err(error) => {
                    let error: crate::model::AddressRangeError = error;
                    self.report(Diagnostic::new(DiagnosticCode::BadOption, text.span, error.to_string()));
                }
            }
        }
        ranges
    }

    /// Returns a time in seconds. Reports a time of more than a day.
    pub(super) fn lower_seconds(&mut self, value: &JsonNode, key: &str) -> Option<u64> {
        let seconds = value.integer()?;
        if seconds.value > MAX_SECONDS {
            let message = format!("`{key}` is {} seconds", seconds.value);
            let expected = format!("expected at most {MAX_SECONDS} seconds, which is a day");
            self.report(Diagnostic::new(DiagnosticCode::BadOption, seconds.span, message).label(expected));
        }
        Some(seconds.value)
    }
}

/// The maximum of settings that are times in seconds: one day.
pub const MAX_SECONDS: u64 = 24 * 60 * 60;
