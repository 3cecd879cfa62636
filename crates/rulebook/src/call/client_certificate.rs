//! The certificate with which a client authenticates in the handshake of TLS.

use std::fmt;

use sha2::{Digest, Sha256};
#[cfg(feature = "tls")]
use x509_cert::der::Decode;

/// The certificate of a client (RFC 5280), which [`Head::client_certificate`](crate::Head::client_certificate) returns.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    der: Box<[u8]>,
    fingerprint: [u8; 32],
    names: CertificateNames,
}

/// The names in a certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct CertificateNames {
    subject: String,
    dns_names: Vec<String>,
    uris: Vec<String>,
    emails: Vec<String>,
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

/// Returns the names in a certificate in the DER format; `None` if it is not valid.
#[cfg(feature = "tls")]
fn parse_names(der: &[u8]) -> Option<CertificateNames> {
    use x509_cert::ext::pkix::SubjectAltName;
    use x509_cert::ext::pkix::name::GeneralName;

    let certificate = x509_cert::Certificate::from_der(der).ok()?.tbs_certificate;
    let mut names = CertificateNames { subject: certificate.subject.to_string(), ..CertificateNames::default() };
    let alternative = certificate.get::<SubjectAltName>().ok()?;
    for name in alternative.map(|(_, SubjectAltName(all))| all).unwrap_or_default() {
        match name {
            GeneralName::DnsName(name) => names.dns_names.push(name.as_str().to_owned()),
            GeneralName::UniformResourceIdentifier(uri) => names.uris.push(uri.as_str().to_owned()),
            GeneralName::Rfc822Name(email) => names.emails.push(email.as_str().to_owned()),
            _ => {}
        }
    }
    Some(names)
}

/// Returns the time until which a certificate in the DER format is valid, in seconds since 1970; `None` if the
/// certificate cannot be read.
#[cfg(feature = "tls")]
pub(crate) fn certificate_expiry(der: &[u8]) -> Option<u64> {
    let validity = x509_cert::Certificate::from_der(der).ok()?.tbs_certificate.validity;
    Some(validity.not_after.to_unix_duration().as_secs())
}

/// Takes the place of the parser in a crate without TLS.
#[cfg(not(feature = "tls"))]
fn parse_names(_: &[u8]) -> Option<CertificateNames> {
    None
}

/// What a TLS connection shows about its client. The heads of all requests of the connection share it.
#[derive(Debug)]
pub(crate) struct TlsSession {
    /// The certificate of the client, which has been verified; `None` if the client has sent none.
    pub(crate) client_certificate: Option<ClientCertificate>,
}
