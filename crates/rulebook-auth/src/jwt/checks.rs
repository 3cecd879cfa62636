//! The checks of a token's claims (RFC 7519 section 4.1, RFC 8725).

use serde_json::{Map, Value as Json};

use super::settings::TokenRules;

/// The token types that are accepted if the settings name none: access tokens with and without a type of their own (RFC
/// 9068 section 2.1). Tokens for other purposes, such as `logout+jwt`, have other types (RFC 8725 section 3.11).
const DEFAULT_TYPES: [&str; 2] = ["jwt", "at+jwt"];

/// Checks the claims of a token and its type. `now` is the Unix time in seconds.
///
/// # Errors
/// Returns the reason, for the log.
pub fn check_claims(
    rules: &TokenRules,
    token_type: Option<&str>,
    claims: &Map<String, Json>,
    now: u64,
) -> Result<(), &'static str> {
    check_type(rules, token_type)?;
    if claims.get("iss").and_then(Json::as_str) != Some(&rules.issuer) {
        return Err("the token comes from another issuer");
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

#[cfg(test)]
mod tests {
    use std::time::{SystemTime, UNIX_EPOCH};

    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_compared_with_the_leeway() {
        let rules = TokenRules {
            issuer: "a".to_owned(),
            audiences: vec!["b".to_owned()],
            algorithms: Vec::new(),
            token_type: None,
            leeway: 30,
            name: "sub".to_owned(),
            permissions: Vec::new(),
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let check = |name: &str, time: f64| {
            let mut claims = json!({ "iss": "a", "aud": "b", "exp": now + 100 });
            claims[name] = json!(time);
            check_claims(&rules, None, claims.as_object().expect("an object"), now).is_ok()
        };
        let now = now as f64;
        for (name, offset, expected) in [
            ("exp", -29.0, true),
            ("exp", -29.9, true),
            ("exp", -30.0, false),
            ("exp", -31.0, false),
            ("nbf", 29.0, true),
            ("nbf", 30.0, true),
            ("nbf", 31.0, false),
            ("iat", 30.0, true),
            ("iat", 31.0, false),
        ] {
            assert_eq!(check(name, now + offset), expected, "{name} {offset}");
        }
        assert!(!check("exp", f64::MIN) && check("exp", 1e300));
    }
}
