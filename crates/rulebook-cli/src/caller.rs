//! The caller of a method that `rulebook call` and `rulebook test` call without a credential.

use rulebook::Identity;
use rulebook::model::Api;
use serde_json::{Map, Value as Json};

/// Returns a caller with this name, these permissions and these claims; `None` if all are missing, for an anonymous
/// caller. Without a name, the name is `default_name`.
/// Fails if the claims are not those that the API declares, or the program does not have claims. The error is a
/// message.
pub(super) fn caller(
    api: &Api,
    default_name: &str,
    name: Option<&str>,
    scope: Option<Vec<String>>,
    claims: Option<Map<String, Json>>,
) -> Result<Option<Identity>, String> {
    if name.is_none() && scope.is_none() && claims.is_none() {
        return Ok(None);
    }
    let scope = scope.unwrap_or_default().into_iter().filter(|permission| !permission.is_empty());
    let identity = Identity::new(name.unwrap_or(default_name), scope);
    match claims {
        Some(claims) => with_claims(identity, api.convert_claims(claims)?).map(Some),
        None => Ok(Some(identity)),
    }
}

#[cfg(feature = "auth")]
fn with_claims(identity: Identity, claims: Map<String, Json>) -> Result<Identity, String> {
    Ok(identity.with(rulebook_auth::Claims::new(claims)))
}

#[cfg(not(feature = "auth"))]
fn with_claims(_: Identity, _: Map<String, Json>) -> Result<Identity, String> {
    Err("this program was built without the Cargo feature `auth`, so that callers have no claims".to_owned())
}
