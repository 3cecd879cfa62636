//! Authentication schemes, for `WWW-Authenticate` and the documents.

/// An authentication scheme: the way in which clients send the credential that an `Authenticate`
/// checks.
///
/// `WWW-Authenticate` of 401 responses offers these schemes, and the OpenAPI document lists them in `securitySchemes`.
///
/// ```
/// # use rulebook_model as rulebook;
/// use rulebook::AuthScheme;
///
/// assert_eq!(AuthScheme::bearer(), AuthScheme::Http("Bearer".to_owned()));
/// assert_eq!(AuthScheme::basic("staff"), AuthScheme::Http("Basic realm=\"staff\"".to_owned()));
/// let session = AuthScheme::Cookie("session".to_owned());
/// assert_eq!(session.name(), "cookie-session");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthScheme {
    /// The `Authorization` header field with this challenge (RFC 9110 section 11.6.1): the name of the scheme, and
    /// parameters after a space if it has any: `Digest realm="staff"`.
    Http(String),
    /// A header field of this name.
    Header(String),
    /// A cookie of this name.
    Cookie(String),
}

impl AuthScheme {
    /// Bearer tokens (RFC 6750): `Authorization: Bearer <token>`.
    #[must_use]
    pub fn bearer() -> Self {
        Self::Http("Bearer".to_owned())
    }

    /// User name and password (RFC 7617): `Authorization: Basic <credentials>`. Browsers show the realm to the user.
    #[must_use]
    pub fn basic(realm: &str) -> Self {
        // A quoted string (RFC 9110 section 5.6.4).
        let realm = realm.replace('\\', "\\\\").replace('"', "\\\"");
        Self::Http(format!("Basic realm=\"{realm}\""))
    }

    /// The name of an [`AuthScheme::Http`] in lower case: `bearer`; `None` for other schemes.
    #[must_use]
    pub fn http_scheme(&self) -> Option<String> {
        match self {
            Self::Http(challenge) => challenge.split(' ').next().map(str::to_ascii_lowercase),
            Self::Header(_) | Self::Cookie(_) => None,
        }
    }

    /// The header field, name and value, that sends this credential.
    #[doc(hidden)]
    pub fn header_field(&self, credential: &str) -> (String, String) {
        match self {
            Self::Http(challenge) => {
                let scheme = challenge.split(' ').next().unwrap_or_default();
                ("Authorization".to_owned(), format!("{scheme} {credential}"))
            }
            Self::Header(name) => (name.clone(), credential.to_owned()),
            Self::Cookie(name) => ("Cookie".to_owned(), format!("{name}={credential}")),
        }
    }

    /// The name of the scheme in the OpenAPI document: `bearer`, `header-x-api-key`, `cookie-session`. Characters that
    /// OpenAPI does not allow in the name of a component become `_`.
    #[must_use]
    pub fn name(&self) -> String {
        let name = match self {
            Self::Http(_) => self.http_scheme().unwrap_or_default(),
            Self::Header(name) => format!("header-{}", name.to_ascii_lowercase()),
            Self::Cookie(name) => format!("cookie-{name}"),
        };
        name.replace(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')), "_")
    }

    /// The challenges of `WWW-Authenticate` for these schemes, each once. RFC 9110 section 11.6.1 requires at least one
    /// in a 401 response, but no challenge is registered for credentials outside of `Authorization`: if there are only
    /// such schemes, the challenge is `ApiKey`.
    #[doc(hidden)]
    pub fn challenges(schemes: &[Self]) -> Vec<&str> {
        let mut challenges: Vec<&str> = Vec::new();
        for scheme in schemes {
            if let Self::Http(challenge) = scheme
                && !challenges.contains(&challenge.as_str())
            {
                challenges.push(challenge);
            }
        }
        if challenges.is_empty() { vec!["ApiKey"] } else { challenges }
    }
}
