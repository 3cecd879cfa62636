//! Verifies a signed token in its compact form (RFC 7515 section 7.1): its claims (RFC 7519 section 4.1, RFC 8725), its
//! signature, and the identity that they describe.

use std::borrow::Cow;

use rulebook::{Claims, Identity};
use rulebook_model::unique_json;
use serde_json::{Map, Value as Json};

use super::TokenRules;
use super::keys::{Algorithm, KeySet, VerifiedToken, decode};
use super::local::LOCAL_ISSUER;

/// The maximum length of a token in bytes. Tokens with hundreds of roles are shorter.
const MAX_TOKEN_LEN: usize = 16 << 10;
/// The maximum length of an identity's name in bytes.
const MAX_NAME_LEN: usize = 256;
/// The token types that are accepted if the settings name none: access tokens with and without a type of their own (RFC
/// 9068 section 2.1). Tokens for other purposes, such as `logout+jwt`, have other types (RFC 8725 section 3.11).
const DEFAULT_TYPES: [&str; 2] = ["jwt", "at+jwt"];

/// Why a token is not accepted.
pub enum TokenError {
    /// The token is not valid, for this reason.
    Invalid(Cow<'static, str>),
    /// The known keys have not signed the token, but a new key of the issuer may have.
    UnknownKey,
}

impl From<&'static str> for TokenError {
    fn from(reason: &'static str) -> Self {
        Self::Invalid(reason.into())
    }
}

/// Verifies a token. `keys` are the keys of the issuer, if they are known; `now` is the Unix time in seconds.
///
/// The claims are checked before the signature: a token of another issuer then costs little, and never makes the server
/// request the keys again.
/// Fails if the token is not valid, or its key is unknown.
pub fn verify_token(
    text: &str,
    rules: &TokenRules,
    keys: Option<&KeySet>,
    now: u64,
) -> Result<VerifiedToken, TokenError> {
    let mut token = Token::parse(text)?;
    if !rules.algorithms.contains(&token.algorithm.name) {
        return Err("the algorithm of the token is not allowed".into());
    }
    check_claims(rules, token.token_type.as_deref(), &token.claims, now)?;
    let Some(keys) = keys else { return Err(TokenError::UnknownKey) };
    let candidates = keys.candidates(token.algorithm, token.key_id.as_deref())?;
    if !candidates.iter().any(|key| key.verify(token.algorithm, token.message, &token.signature)) {
        return Err(match token.key_id {
            Some(_) => "the signature of the token is wrong".into(),
            None => {
                keys.warn_of_untried_keys(token.algorithm, &rules.issuer);
                TokenError::UnknownKey
            }
        });
    }
    let expires = token.claims.get("exp").and_then(Json::as_f64).unwrap_or_default();
    if let Some(declared) = &rules.claims {
        declared.convert(&mut token.claims).map_err(|reason| TokenError::Invalid(reason.into()))?;
    }
    let identity = identity(rules, Claims::new(token.claims))?;
    let heap_size = identity.memory_size() + identity.data().map_or(0, Claims::memory_size);
    // The conversion saturates.
    Ok(VerifiedToken { identity, expires: expires as u64, heap_size })
}

fn identity(rules: &TokenRules, claims: Claims) -> Result<Identity, &'static str> {
    let name = claims.get(&rules.name).and_then(Json::as_str);
    let name = name.filter(|name| !name.is_empty() && name.len() <= MAX_NAME_LEN && !name.contains(char::is_control));
    let name = name.ok_or("the claim with the name of the caller is missing or not valid")?;
    let permissions = rules.permissions.iter().flat_map(|template| template.permissions(&claims));
    let mut unique: Vec<String> = permissions.collect();
    unique.sort_unstable();
    unique.dedup();
    // A name is unique only among those of its issuer (RFC 7519 section 4.1.2).
    Ok(Identity::new(name, unique).with_namespace(&format!("jwt:{}", rules.issuer)).with(claims))
}

struct Token<'t> {
    algorithm: &'static Algorithm,
    /// The id of the key with which the token claims to be signed. It is only compared with the ids of known keys.
    key_id: Option<String>,
    token_type: Option<String>,
    claims: Map<String, Json>,
    /// The part of the token that is signed.
    message: &'t [u8],
    signature: Vec<u8>,
}

impl<'t> Token<'t> {
    /// Reads a token. All members of the header except `alg`, `kid`, `typ` and `crit` are ignored, above all those that
    /// contain a key or refer to one (`jwk`, `jku`, `x5u`, `x5c`).
    /// Returns the reason, for the log.
    fn parse(token: &'t str) -> Result<Self, &'static str> {
        if token.len() > MAX_TOKEN_LEN {
            return Err("the token is too long");
        }
        let (message, signature) = token.rsplit_once('.').ok_or("the token is not a JSON Web Token")?;
        let (header, claims) = message.split_once('.').ok_or("the token is not a JSON Web Token")?;
        let header = parse_part(header, "the header of the token is not valid")?;
        let text = |name: &str| match header.get(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err("a member of the token's header is not a string"),
        };
        // Extensions that must be understood (RFC 7515 section 4.1.11). No extension is supported.
        if header.contains_key("crit") {
            return Err("the token needs extensions that are not supported");
        }
        let algorithm = text("alg")?.and_then(|name| Algorithm::named(&name));
        Ok(Self {
            algorithm: algorithm.ok_or("the algorithm of the token is not supported")?,
            key_id: text("kid")?,
            token_type: text("typ")?,
            claims: parse_part(claims, "the claims of the token are not valid")?,
            message: message.as_bytes(),
            signature: decode(signature).ok_or("the signature of the token is not in base64url")?,
        })
    }
}

/// Returns the issuer that a token names, whose signature has not been verified.
pub fn unverified_issuer(token: &str) -> Option<String> {
    if token.len() > MAX_TOKEN_LEN {
        return None;
    }
    let claims = parse_part(token.split('.').nth(1)?, "").ok()?;
    claims.get("iss")?.as_str().map(str::to_owned)
}

fn parse_part(part: &str, error: &'static str) -> Result<Map<String, Json>, &'static str> {
    // Parsers that accept repeated members disagree about which of them counts (RFC 7515, section 4).
    match unique_json::parse(&decode(part).ok_or(error)?) {
        Ok(Json::Object(members)) => Ok(members),
        _ => Err(error),
    }
}

/// Checks the claims of a token and its type. `now` is the Unix time in seconds.
/// Returns the reason, for the log.
fn check_claims(
    rules: &TokenRules,
    token_type: Option<&str>,
    claims: &Map<String, Json>,
    now: u64,
) -> Result<(), &'static str> {
    check_type(rules, token_type)?;
    match claims.get("iss").and_then(Json::as_str) {
        Some(issuer) if issuer == rules.issuer => {}
        Some(LOCAL_ISSUER) => {
            return Err("only a server that was started with --accept-local-tokens accepts tokens of `rulebook token`");
        }
        _ => return Err("the token comes from another issuer"),
    }
    let is_audience = |value: &Json| value.as_str().is_some_and(|text| rules.audiences.iter().any(|it| it == text));
    let is_for_this_api = match claims.get("aud") {
        Some(Json::Array(items)) => items.iter().any(is_audience),
        Some(value) => is_audience(value),
        None => false,
    };
    if !is_for_this_api {
        return Err("the token is for another audience");
    }
    let (now, leeway) = (now as f64, rules.leeway as f64);
    match time(claims, "exp")? {
        None => return Err("the token has no time at which it expires"),
        Some(expires) if now >= expires + leeway => return Err("the token has expired"),
        Some(_) => {}
    }
    if time(claims, "nbf")?.is_some_and(|start| now + leeway < start) {
        return Err("the token is not valid yet");
    }
    if time(claims, "iat")?.is_some_and(|issued| now + leeway < issued) {
        return Err("the token was issued in the future");
    }
    Ok(())
}

/// Checks the type in the header, whose prefix `application/` may be omitted (RFC 7515 section 4.1.9).
fn check_type(rules: &TokenRules, token_type: Option<&str>) -> Result<(), &'static str> {
    let lower = token_type.map(str::to_ascii_lowercase);
    let name = lower.as_deref().map(|name| name.strip_prefix("application/").unwrap_or(name));
    let is_accepted = match (&rules.token_type, name) {
        (Some(required), name) => name == Some(required),
        (None, name) => name.is_none_or(|name| DEFAULT_TYPES.contains(&name)),
    };
    if is_accepted { Ok(()) } else { Err("the token has another type") }
}

/// Returns a time as Unix time in seconds (NumericDate, RFC 7519 section 2).
fn time(claims: &Map<String, Json>, name: &str) -> Result<Option<f64>, &'static str> {
    match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_f64().map(Some).ok_or("a time in the token is not a number"),
    }
}
