//! An authenticator for the certificates of clients (mutual TLS).

use std::fmt;
use std::str::FromStr;

use super::{AuthScheme, Authenticate, Authentication, ClientCertificate, Head, Identity};

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
