//! The kind of authenticator `jwt`.

use std::sync::Arc;

use rulebook::AuthScheme;
use rulebook::auth_kind::{AuthKind, AuthSettings, CompiledAuth, ProtectedResource};
use rulebook::handler_kind::HandlerError;
use url::Url;

use super::authenticator::JwtAuthenticator;
use super::fetch::{Origin, read_authorities};
use super::key_source::KeySource;
use super::settings::{JwtSettings, SETTINGS};

/// The kind of authenticator `jwt`, which accepts signed tokens of an issuer as bearer tokens (RFC 6750, RFC 7519).
#[derive(Debug, Clone, Copy, Default)]
pub struct JwtKind;

/// The name of the kind in the setting `auth`.
pub const NAME: &str = "jwt";

impl AuthKind for JwtKind {
    fn name(&self) -> &str {
        NAME
    }

    fn settings(&self) -> &[&str] {
        &SETTINGS
    }

    fn compile(&self, settings: &AuthSettings<'_>) -> Result<CompiledAuth, Vec<HandlerError>> {
        let JwtSettings { rules, origin, times, resource, openid, jwks, ca } = JwtSettings::read(settings)?;
        let file = if let Origin::File(file) = &origin { Some(file.clone()) } else { None };
        let is_file = file.is_some();
        let source = Arc::new(KeySource::new(origin, times));
        let scheme = AuthScheme::Jwt {
            challenge: resource.as_deref().map_or_else(|| "Bearer".to_owned(), challenge),
            discovery: openid
                .then(|| format!("{}/.well-known/openid-configuration", rules.issuer.trim_end_matches('/'))),
        };
        let metadata =
            resource.map(|resource| ProtectedResource { resource, authorization_servers: vec![rules.issuer.clone()] });
        let authenticator = JwtAuthenticator { rules, source: Arc::clone(&source), scheme };
        let compiled = CompiledAuth::new(authenticator).on_start(move || async move {
            if let Some(ca) = ca {
                let read = read_authorities(&ca.value);
                read.map_err(|message| vec![HandlerError::new(message).at(ca.span)])?;
            }
            if let Err(message) = source.fetch().await {
                if is_file {
                    return Err(vec![HandlerError::new(format!("`jwks` cannot be used: {message}")).at(jwks.span)]);
                }
                log::error!("the keys of the issuer cannot be fetched yet: {message}");
            }
            tokio::spawn(source.keep_fresh());
            Ok(())
        });
        let compiled = file.into_iter().fold(compiled, CompiledAuth::private_file);
        Ok(match metadata {
            Some(metadata) => compiled.resource(metadata),
            None => compiled,
        })
    }
}

/// Returns the challenge with the address of the metadata (RFC 9728 section 5.1): the well-known path comes before the
/// path of the resource.
fn challenge(resource: &str) -> String {
    let address = Url::parse(resource).ok().map(|mut url| {
        let path = format!("/.well-known/oauth-protected-resource{}", url.path().trim_end_matches('/'));
        url.set_path(&path);
        url.to_string()
    });
    // An address contains neither quotes nor backslashes: they are percent-encoded.
    address.map_or_else(|| "Bearer".to_owned(), |address| format!("Bearer resource_metadata=\"{address}\""))
}
