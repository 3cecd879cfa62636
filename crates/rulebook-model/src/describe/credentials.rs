//! Describes the credentials of authentication schemes in English.

use crate::call::AuthScheme;

/// What a client sends as its credential in a scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CredentialKind {
    /// The name of the credential, without the article `a`.
    pub(super) noun: &'static str,
    /// The standard that describes how it is sent; `None` if no standard does.
    pub(super) standard: Option<&'static str>,
}

/// Returns the kind of credential of a scheme.
pub(super) fn credential_kind(scheme: &AuthScheme) -> CredentialKind {
    let (noun, standard) = match scheme {
        AuthScheme::Certificate => ("certificate of the client", Some("TLS, RFC 8446")),
        AuthScheme::Jwt { .. } => ("token that an issuer has signed", Some("RFC 6750")),
        AuthScheme::Header(_) | AuthScheme::Cookie(_) => ("key or a token", None),
        AuthScheme::Http(_) => match scheme.http_scheme().as_deref() {
            Some("bearer") => ("key or a token", Some("RFC 6750")),
            Some("basic") => ("user name and a password", Some("RFC 7617")),
            Some("digest") => ("user name and a password", Some("RFC 7616")),
            Some("negotiate") => ("SPNEGO token", Some("RFC 4559")),
            _ => ("credential", None),
        },
    };
    CredentialKind { noun, standard }
}

/// Returns `true` for the scheme of user names and passwords (RFC 7617).
pub(super) fn is_basic(scheme: &AuthScheme) -> bool {
    scheme.http_scheme().as_deref() == Some("basic")
}
