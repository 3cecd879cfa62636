//! The settings of TLS.

/// Whether the clients of a server with TLS must have a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ClientCertificateMode {
    /// The handshake with a client without a valid certificate fails.
    #[default]
    Required,
    /// A client can have no certificate. The handshake fails only if a client sends a certificate that is not valid.
    Optional,
}

impl ClientCertificateMode {
    /// All variants.
    pub const ALL: [Self; 2] = [Self::Required, Self::Optional];

    /// Returns the name in definitions and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Optional => "optional",
        }
    }
}
