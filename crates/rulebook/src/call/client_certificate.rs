//! The certificate with which a client authenticates in the handshake of TLS.

use std::fmt;

use sha2::{Digest, Sha256};

use super::certificate_parser::parse_names;

/// The certificate of a client (RFC 5280), which [`Head::client_certificate`](crate::Head::client_certificate) returns.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    der: Box<[u8]>,
    fingerprint: [u8; 32],
    names: CertificateNames,
}

/// The names in a certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct CertificateNames {
    pub(super) subject: String,
    pub(super) dns_names: Vec<String>,
    pub(super) uris: Vec<String>,
    pub(super) emails: Vec<String>,
}

impl ClientCertificate {
    /// Reads the names in a certificate in the DER format. This function does not verify the certificate. If it is not
    /// valid, or the feature `tls` of the crate is disabled, the certificate has no names.
    #[must_use]
    pub fn new(der: &[u8]) -> Self {
        let names = parse_names(der).unwrap_or_default();
        Self { der: der.into(), fingerprint: Sha256::digest(der).into(), names }
    }

    /// Returns the certificate in the DER format.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Returns the SHA-256 hash of the certificate in the DER format.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    /// Returns the name of the subject in the form of RFC 4514, such as `CN=billing,O=Example`. It may be empty.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.names.subject
    }

    /// Returns the host names in the extension `subjectAltName` (RFC 5280 section 4.2.1.6).
    pub fn dns_names(&self) -> impl Iterator<Item = &str> {
        self.names.dns_names.iter().map(String::as_str)
    }

    /// Returns the URIs in the extension `subjectAltName`, such as `spiffe://example/billing`.
    pub fn uris(&self) -> impl Iterator<Item = &str> {
        self.names.uris.iter().map(String::as_str)
    }

    /// Returns the email addresses in the extension `subjectAltName`.
    pub fn emails(&self) -> impl Iterator<Item = &str> {
        self.names.emails.iter().map(String::as_str)
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificate")
            .field("fingerprint", &hex::encode(self.fingerprint))
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}
