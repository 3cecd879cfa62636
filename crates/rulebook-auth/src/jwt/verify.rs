//! Verifies a token: its claims, its signature, and the identity that they describe.

use rulebook::Identity;

use super::checks::check_claims;
use super::claims::Claims;
use super::key_set::{Candidates, KeySet, VerifiedToken};
use super::settings::TokenRules;
use super::token::Token;

/// The maximum length of an identity's name in bytes.
const MAX_NAME_LEN: usize = 256;

/// Why a token is not accepted.
pub enum TokenError {
    /// The token is not valid, for this reason.
    Invalid(&'static str),
    /// The known keys have not signed the token, but a new key of the issuer may have.
    UnknownKey,
}

/// Verifies a token. `keys` are the keys of the issuer, if they are known; `now` is the Unix time in seconds.
///
/// The claims are checked before the signature: a token of another issuer then costs little, and never makes the server
/// request the keys again.
///
/// # Errors
/// Fails if the token is not valid, or its key is unknown.
pub fn verify_token(
    text: &str,
    rules: &TokenRules,
    keys: Option<&KeySet>,
    now: u64,
) -> Result<VerifiedToken, TokenError> {
    let token = Token::parse(text).map_err(TokenError::Invalid)?;
    if !rules.algorithms.contains(&token.algorithm) {
        return Err(TokenError::Invalid("the algorithm of the token is not allowed"));
    }
    check_claims(rules, token.token_type.as_deref(), &token.claims, now).map_err(TokenError::Invalid)?;
    let Some(keys) = keys else { return Err(TokenError::UnknownKey) };
    let candidates = match keys.candidates(token.algorithm, token.key_id.as_deref()) {
        Candidates::Keys(keys) => keys,
        Candidates::WrongAlgorithm => return Err(TokenError::Invalid("the key is not for the algorithm of the token")),
        Candidates::Unknown => return Err(TokenError::UnknownKey),
    };
    if !candidates.iter().any(|key| token.algorithm.verify(&key.key, token.message, &token.signature)) {
        return Err(match token.key_id {
            Some(_) => TokenError::Invalid("the signature of the token is wrong"),
            None => {
                keys.warn_of_untried_keys(token.algorithm, &rules.issuer);
                TokenError::UnknownKey
            }
        });
    }
    let expires = token.claims.get("exp").and_then(serde_json::Value::as_f64).unwrap_or_default();
    let identity = identity(rules, Claims(token.claims)).map_err(TokenError::Invalid)?;
    // The conversion saturates.
    Ok(VerifiedToken { identity, expires: expires as u64 })
}

fn identity(rules: &TokenRules, claims: Claims) -> Result<Identity, &'static str> {
    let name = claims.get(&rules.name).and_then(serde_json::Value::as_str);
    let name = name.filter(|name| !name.is_empty() && name.len() <= MAX_NAME_LEN && !name.contains(char::is_control));
    let name = name.ok_or("the claim with the name of the caller is missing or not valid")?;
    let permissions = rules.permissions.iter().flat_map(|template| template.permissions(&claims));
    let mut unique: Vec<String> = permissions.collect();
    unique.sort_unstable();
    unique.dedup();
    // A name is unique only among those of its issuer (RFC 7519 section 4.1.2).
    Ok(Identity::new(name, unique).with_namespace(&format!("jwt:{}", rules.issuer)).with(claims))
}
