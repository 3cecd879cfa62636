//! The tokens of `rulebook token`, which a server accepts only with `--accept-local-tokens`.

use std::path::Path;

use rulebook::Validated;

use super::ServeOptions;
use crate::output::Failure;

/// The issuer of the tokens that the server accepts besides other credentials, if it accepts such tokens.
#[derive(Default)]
pub(super) struct LocalTokens {
    #[cfg(feature = "auth")]
    issuer: Option<rulebook_auth::LocalIssuer>,
}

/// Reads the key of the issuer, or makes one, if the server accepts its tokens.
#[cfg(feature = "auth")]
pub(super) fn open(options: &ServeOptions, data: &Path) -> Result<LocalTokens, Failure> {
    let open = || rulebook_auth::LocalIssuer::open(data);
    let issuer = options.accept_local_tokens.then(open).transpose();
    let issuer = issuer.map_err(|error| Failure::System(format!("--accept-local-tokens: {error}")))?;
    if let Some(issuer) = &issuer {
        let file = issuer.file().display();
        log::warn!("the key in {file} signs tokens that permit every call of this server: use it for development only");
    }
    Ok(LocalTokens { issuer })
}

#[cfg(not(feature = "auth"))]
pub(super) fn open(_: &ServeOptions, _: &Path) -> Result<LocalTokens, Failure> {
    Ok(LocalTokens::default())
}

#[cfg(feature = "auth")]
impl LocalTokens {
    /// Returns the file with the key of the issuer.
    pub(super) fn file(&self) -> Option<&Path> {
        self.issuer.as_ref().map(rulebook_auth::LocalIssuer::file)
    }

    /// Adds the authenticator, before all others.
    pub(super) fn add(&self, validated: Validated) -> Validated {
        match &self.issuer {
            Some(issuer) => {
                let tokens = rulebook_auth::LocalTokens::new(issuer, &validated.api);
                validated.first_authenticator(tokens)
            }
            None => validated,
        }
    }
}

#[cfg(not(feature = "auth"))]
impl LocalTokens {
    pub(super) fn file(&self) -> Option<&Path> {
        None
    }

    pub(super) fn add(&self, validated: Validated) -> Validated {
        validated
    }
}
