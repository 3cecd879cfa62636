//! An authenticator for the certificates of clients (mutual TLS), and such a certificate.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};
#[cfg(feature = "tls")]
use x509_cert::der::Decode;

use super::{AuthScheme, Authenticate, Authentication, Head, Identity};

/// Authenticates clients by their certificates (RFC 8446 section 4.3.2). The server verifies a certificate with the
/// authorities in [`TlsSettings::client_ca`](crate::TlsSettings); this authenticator decides which identity it has.
///
/// The first name that the certificate has decides. A client without a certificate, or with a certificate that has none
/// of the names, is anonymous.
///
/// ```
/// use rulebook::{ClientCertificates, Identity, Rulebook};
///
/// let certificates = ClientCertificates::new()
///     .with("dns:billing.internal".parse()?, Identity::new("billing", ["invoices"]))
///     .with("uri:spiffe://example/reports".parse()?, Identity::new("reports", ["reader"]));
/// let rulebook = Rulebook::load("api").authenticator(certificates);
/// # Ok::<(), rulebook::InvalidCertificateName>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct ClientCertificates {
    identities: Vec<(CertificateName, Identity)>,
    default: Option<Identity>,
}

/// A name that a certificate can have. Its text has one of the forms `dns:billing.internal`,
/// `uri:spiffe://example/billing`, `email:billing@example.org`, and `sha256:` with 64 hexadecimal digits, which can be
/// separated by colons.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateName {
    /// A host name in the extension `subjectAltName`, whose case is ignored. `*.example` stands only for itself.
    Dns(String),
    /// A URI in the extension `subjectAltName`.
    Uri(String),
    /// An email address in the extension `subjectAltName`. The case of the domain is ignored.
    Email(String),
    /// The SHA-256 hash of the certificate in the DER format.
    Fingerprint([u8; 32]),
}

/// The text is not a [`CertificateName`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected `dns:`, `uri:` or `email:` with a name, or `sha256:` with 64 hexadecimal digits")]
pub struct InvalidCertificateName;

impl ClientCertificates {
    /// Returns an authenticator that knows no certificate.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the identity of the clients whose certificate has a name.
    #[must_use]
    pub fn with(mut self, name: CertificateName, identity: Identity) -> Self {
        self.identities.push((name, identity));
        self
    }

    /// Sets the identity of all clients whose certificate has none of the other names.
    #[must_use]
    pub fn with_default(mut self, identity: Identity) -> Self {
        self.default = Some(identity);
        self
    }

    /// Returns the identity of a client with this certificate; `None` if the certificate has none of the names.
    #[must_use]
    pub fn identity(&self, certificate: &ClientCertificate) -> Option<&Identity> {
        let known = self.identities.iter().find(|(name, _)| name.is_in(certificate));
        known.map(|(_, identity)| identity).or(self.default.as_ref())
    }
}

impl Authenticate for ClientCertificates {
    async fn authenticate(&self, head: &Head) -> Authentication {
        self.check(head)
    }

    fn authenticate_at_once(&self, head: &Head) -> Option<Authentication> {
        Some(self.check(head))
    }

    fn schemes(&self) -> Vec<AuthScheme> {
        vec![AuthScheme::Certificate]
    }
}

impl ClientCertificates {
    fn check(&self, head: &Head) -> Authentication {
        let identity = head.client_certificate().and_then(|certificate| self.identity(certificate));
        identity.cloned().map_or(Authentication::Anonymous, Authentication::Identity)
    }
}

impl CertificateName {
    /// Returns `true` if each certificate that has one of the names has the other one, too: `dns:billing.internal` and
    /// `dns:Billing.internal` are the same name.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Dns(name), Self::Dns(other)) => name.eq_ignore_ascii_case(other),
            (Self::Email(email), Self::Email(other)) => is_same_email(email, other),
            _ => self == other,
        }
    }

    /// Returns `true` if a certificate has this name.
    #[must_use]
    pub fn is_in(&self, certificate: &ClientCertificate) -> bool {
        match self {
            Self::Dns(name) => certificate.dns_names().any(|known| known.eq_ignore_ascii_case(name)),
            Self::Uri(uri) => certificate.uris().any(|known| known == uri),
            Self::Email(email) => certificate.emails().any(|known| is_same_email(known, email)),
            Self::Fingerprint(fingerprint) => certificate.fingerprint() == *fingerprint,
        }
    }
}

fn is_same_email(one: &str, other: &str) -> bool {
    match (one.rsplit_once('@'), other.rsplit_once('@')) {
        (Some((name, domain)), Some((other_name, other_domain))) => {
            name == other_name && domain.eq_ignore_ascii_case(other_domain)
        }
        _ => one == other,
    }
}

impl FromStr for CertificateName {
    type Err = InvalidCertificateName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, name) = text.split_once(':').filter(|(_, name)| !name.is_empty()).ok_or(InvalidCertificateName)?;
        match kind {
            "dns" => Ok(Self::Dns(name.to_owned())),
            "uri" => Ok(Self::Uri(name.to_owned())),
            "email" => Ok(Self::Email(name.to_owned())),
            "sha256" => {
                let mut fingerprint = [0; 32];
                let decoded = hex::decode_to_slice(name.replace(':', ""), &mut fingerprint);
                decoded.map(|()| Self::Fingerprint(fingerprint)).map_err(|_| InvalidCertificateName)
            }
            _ => Err(InvalidCertificateName),
        }
    }
}

impl fmt::Display for CertificateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => write!(f, "dns:{name}"),
            Self::Uri(uri) => write!(f, "uri:{uri}"),
            Self::Email(email) => write!(f, "email:{email}"),
            Self::Fingerprint(fingerprint) => write!(f, "sha256:{}", hex::encode(fingerprint)),
        }
    }
}

/// The certificate of a client (RFC 5280), which [`Head::client_certificate`](crate::Head::client_certificate) returns.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    der: Box<[u8]>,
    fingerprint: [u8; 32],
    names: CertificateNames,
}

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

/// `None` if the DER is not valid.
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

/// In seconds since 1970; `None` if the DER cannot be read.
#[cfg(feature = "tls")]
pub(crate) fn certificate_expiry(der: &[u8]) -> Option<u64> {
    let validity = x509_cert::Certificate::from_der(der).ok()?.tbs_certificate.validity;
    Some(validity.not_after.to_unix_duration().as_secs())
}

/// Without TLS, names are not read.
#[cfg(not(feature = "tls"))]
fn parse_names(_: &[u8]) -> Option<CertificateNames> {
    None
}

/// What a TLS connection shows about its client. The heads of all requests of the connection share it.
#[derive(Debug)]
pub(crate) struct TlsSession {
    /// It has been verified; `None` if the client has sent none.
    pub(crate) client_certificate: Option<ClientCertificate>,
}
