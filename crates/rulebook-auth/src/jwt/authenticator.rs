//! The authenticator that accepts the tokens of an issuer.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rulebook::{AuthScheme, Authenticate, Authentication, Head};

use super::key_source::{KeySource, Renewal};
use super::settings::TokenRules;
use super::verify::{TokenError, verify_token};

/// The authenticator that accepts the tokens of an issuer.
pub struct JwtAuthenticator {
    pub rules: TokenRules,
    pub source: Arc<KeySource>,
    pub scheme: AuthScheme,
}

/// Why a token cannot be checked with the keys that are known.
#[derive(Clone, Copy)]
enum Missing {
    /// No keys are known.
    AllKeys,
    /// The key of the token is unknown.
    Key,
}

impl JwtAuthenticator {
    /// Checks the token in the head of a request with the keys that are known.
    fn check(&self, head: &Head) -> Result<Authentication, Missing> {
        let Some(token) = head.bearer() else {
            return Ok(match head.has_bearer_scheme() {
                true => Authentication::Invalid("the header field Authorization is malformed or repeated".to_owned()),
                false => Authentication::Anonymous,
            });
        };
        let keys = self.source.keys();
        let Some(keys) = &*keys else { return Err(Missing::AllKeys) };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let remembered = keys.verified.recall(token, |token| (now < token.expires).then(|| token.identity.clone()));
        if let Some(identity) = remembered.flatten() {
            return Ok(Authentication::Identity(identity));
        }
        match verify_token(token, &self.rules, keys, now) {
            Ok(verified) => {
                let identity = verified.identity.clone();
                keys.verified.remember(token, verified);
                Ok(Authentication::Identity(identity))
            }
            Err(TokenError::Invalid(reason)) => Ok(Authentication::Invalid(reason.to_owned())),
            Err(TokenError::UnknownKey) => Err(Missing::Key),
        }
    }
}

impl Authenticate for JwtAuthenticator {
    async fn authenticate(&self, head: &Head) -> Authentication {
        if let Ok(authentication) = self.check(head) {
            return authentication;
        }
        let renewal = self.source.renew().await;
        match (self.check(head), renewal) {
            (Ok(authentication), _) => authentication,
            (Err(Missing::Key), Renewal::UpToDate) => {
                Authentication::Invalid("the issuer has no key with which the token can be verified".to_owned())
            }
            (Err(_), _) => Authentication::Unavailable("the keys of the issuer cannot be fetched".to_owned()),
        }
    }

    fn authenticate_at_once(&self, head: &Head) -> Option<Authentication> {
        self.check(head).ok()
    }

    fn schemes(&self) -> Vec<AuthScheme> {
        vec![self.scheme.clone()]
    }
}
