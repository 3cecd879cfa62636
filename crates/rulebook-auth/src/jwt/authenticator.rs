//! The authenticator that accepts the tokens of an issuer.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rulebook::{AuthScheme, Authenticate, Authentication, Head};

use super::key_source::{KeySource, VerifiedToken};
use super::settings::TokenRules;
use super::verify::{TokenError, verify_token};

/// The authenticator that accepts the tokens of an issuer.
pub struct JwtAuthenticator {
    pub rules: TokenRules,
    pub source: Arc<KeySource>,
    pub scheme: AuthScheme,
}

impl JwtAuthenticator {
    /// Checks the token in the head of a request with the keys that are known. Returns `None` if the token may be
    /// signed with another key of the issuer.
    fn check(&self, head: &Head) -> Option<Authentication> {
        let Some(token) = head.bearer() else {
            return Some(match head.has_bearer_scheme() {
                true => Authentication::Invalid("the header field Authorization is malformed or repeated".to_owned()),
                false => Authentication::Anonymous,
            });
        };
        let keys = self.source.keys();
        let keys = keys.as_deref();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let unexpired = |token: &VerifiedToken| (now < token.expires).then(|| token.identity.clone());
        if let Some(identity) = keys.and_then(|keys| keys.verified.recall(token, unexpired)).flatten() {
            return Some(Authentication::Identity(identity));
        }
        match verify_token(token, &self.rules, keys, now) {
            Ok(verified) => {
                let identity = verified.identity.clone();
                if let Some(keys) = keys {
                    let heap_size = verified.heap_size;
                    keys.verified.remember(token, verified, heap_size);
                }
                Some(Authentication::Identity(identity))
            }
            Err(TokenError::Invalid(reason)) => Some(Authentication::Invalid(reason.into_owned())),
            Err(TokenError::UnknownKey) => None,
        }
    }
}

impl Authenticate for JwtAuthenticator {
    async fn authenticate(&self, head: &Head) -> Authentication {
        if let Some(authentication) = self.check(head) {
            return authentication;
        }
        let is_up_to_date = self.source.renew().await;
        self.check(head).unwrap_or_else(|| match is_up_to_date {
            true => Authentication::Invalid("the issuer has no key with which the token can be verified".to_owned()),
            false => Authentication::Unavailable("the keys of the issuer cannot be fetched".to_owned()),
        })
    }

    fn authenticate_at_once(&self, head: &Head) -> Option<Authentication> {
        self.check(head)
    }

    fn schemes(&self) -> Vec<AuthScheme> {
        vec![self.scheme.clone()]
    }
}
