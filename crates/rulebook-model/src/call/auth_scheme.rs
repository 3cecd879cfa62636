//! Authentication schemes: how clients send credentials, as `WWW-Authenticate` and the OpenAPI document describe it.

/// An authentication scheme: how clients send the credential that an implementation of `Authenticate` checks.
///
/// The `WWW-Authenticate` field of 401 responses lists the schemes, as do the `securitySchemes` of the OpenAPI
/// document.
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
    /// The credential is in the `Authorization` header field. The text is the challenge for `WWW-Authenticate` (RFC
    /// 9110 section 11.6.1): the name of the scheme, optionally followed by a space and parameters: `Digest
    /// realm="staff"`.
    Http(String),
    /// The credential is a signed token, a JSON Web Token (RFC 7519), which is sent as a bearer token (RFC 6750).
    Jwt {
        /// The challenge for `WWW-Authenticate`: `Bearer`, optionally followed by a space and parameters.
        challenge: String,
        /// The address of the issuer's OpenID Connect discovery document; `None` if the documents do not mention it.
        discovery: Option<String>,
    },
    /// The credential is the value of the header field with this name.
    Header(String),
    /// The credential is the value of the cookie with this name.
    Cookie(String),
    /// The credential is the certificate of the client, which TLS verifies (RFC 8446 section 4.3.2). It is not part of
    /// a request.
    Certificate,
}

impl AuthScheme {
    /// Returns the scheme for bearer tokens (RFC 6750): `Authorization: Bearer <token>`.
    #[must_use]
    pub fn bearer() -> Self {
        Self::Http("Bearer".to_owned())
    }

    /// Returns the scheme for user names and passwords (RFC 7617): `Authorization: Basic <credentials>`. Browsers show
    /// the realm to the user.
    #[must_use]
    pub fn basic(realm: &str) -> Self {
        // In a quoted string (RFC 9110 section 5.6.4), a backslash precedes each `\` and `"`.
        let realm = realm.replace('\\', "\\\\").replace('"', "\\\"");
        Self::Http(format!("Basic realm=\"{realm}\""))
    }

    /// Returns the name of the HTTP authentication scheme in lower case, such as `bearer`. Returns `None` for
    /// credentials in another header field than `Authorization`, in a cookie, or in a certificate.
    #[must_use]
    pub fn http_scheme(&self) -> Option<String> {
        self.challenge().map(|challenge| scheme_of(challenge).to_ascii_lowercase())
    }

    /// Returns `true` if browsers add such credentials to requests by themselves, also to those that a page of another
    /// site causes: cookies, certificates, and what they have asked the user for.
    #[must_use]
    pub fn is_sent_by_browsers(&self) -> bool {
        const ASKED_BY_BROWSERS: [&str; 4] = ["basic", "digest", "negotiate", "ntlm"];
        match self {
            Self::Cookie(_) | Self::Certificate => true,
            Self::Http(_) => self.http_scheme().is_some_and(|name| ASKED_BY_BROWSERS.contains(&&*name)),
            Self::Jwt { .. } | Self::Header(_) => false,
        }
    }

    /// Returns the challenge for `WWW-Authenticate`; `None` for credentials outside of `Authorization`.
    fn challenge(&self) -> Option<&str> {
        match self {
            Self::Http(challenge) | Self::Jwt { challenge, .. } => Some(challenge),
            Self::Header(_) | Self::Cookie(_) | Self::Certificate => None,
        }
    }

    /// Returns the name and the value of the header field that sends a credential; `None` if no header field does.
    #[must_use]
    pub fn header_field(&self, credential: &str) -> Option<(String, String)> {
        Some(match self {
            Self::Http(challenge) | Self::Jwt { challenge, .. } => {
                ("Authorization".to_owned(), format!("{} {credential}", scheme_of(challenge)))
            }
            Self::Header(name) => (name.clone(), credential.to_owned()),
            Self::Cookie(name) => ("Cookie".to_owned(), format!("{name}={credential}")),
            Self::Certificate => return None,
        })
    }

    /// Returns the name of the scheme in the OpenAPI document: `bearer`, `jwt`, `header-x-api-key`, `cookie-session`,
    /// `certificate`.
    /// Characters that OpenAPI does not allow in the name of a component become `_`.
    #[must_use]
    pub fn name(&self) -> String {
        let name = match self {
            Self::Http(_) => self.http_scheme().unwrap_or_default(),
            Self::Jwt { discovery: None, .. } => "jwt".to_owned(),
            Self::Jwt { discovery: Some(_), .. } => "openid".to_owned(),
            Self::Header(name) => format!("header-{}", name.to_ascii_lowercase()),
            Self::Cookie(name) => format!("cookie-{name}"),
            Self::Certificate => "certificate".to_owned(),
        };
        name.replace(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')), "_")
    }

    /// Returns the challenges that `WWW-Authenticate` lists for these schemes, without duplicates. The challenge
    /// `Bearer` without parameters is omitted if the challenge of a [`AuthScheme::Jwt`] has parameters.
    ///
    /// RFC 9110 section 11.6.1 requires at least one challenge in a 401 response, but no challenge is registered for
    /// credentials outside of `Authorization`. If no scheme uses `Authorization`, the only challenge is therefore
    /// `ApiKey`.
    #[must_use]
    pub fn challenges(schemes: &[Self]) -> Vec<&str> {
        let mut challenges: Vec<&str> = Vec::new();
        for challenge in schemes.iter().filter_map(Self::challenge) {
            if !challenges.contains(&challenge) {
                challenges.push(challenge);
            }
        }
        let has_parameters = |challenge: &str| scheme_of(challenge) != challenge;
        if schemes.iter().any(|scheme| matches!(scheme, Self::Jwt { challenge, .. } if has_parameters(challenge))) {
            challenges.retain(|challenge| *challenge != "Bearer");
        }
        if challenges.is_empty() { vec!["ApiKey"] } else { challenges }
    }
}

/// Returns the name of the authentication scheme at the beginning of a challenge.
fn scheme_of(challenge: &str) -> &str {
    challenge.split(' ').next().unwrap_or_default()
}
