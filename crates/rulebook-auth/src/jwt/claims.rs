//! The claims of a verified token.

use serde_json::{Map, Value as Json};

/// The claims of a token that has been verified (RFC 7519 section 4), for handlers:
///
/// ```
/// use rulebook::{ApiError, Context};
/// use rulebook_auth::Claims;
///
/// fn email(context: &Context) -> Result<String, ApiError> {
///     let claims = context.identity().and_then(|identity| identity.data::<Claims>());
///     let email = claims.and_then(|claims| claims.get("email")).and_then(|email| email.as_str());
///     email.map(str::to_owned).ok_or_else(|| ApiError::declared("no_email"))
/// }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Claims(pub(crate) Map<String, Json>);

impl Claims {
    /// Returns the value of a claim. If no claim has this name, the name is split at dots: `realm_access.roles` is the
    /// member `roles` of the claim `realm_access`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.0.get(name).or_else(|| {
            let (first, rest) = name.split_once('.')?;
            rest.split('.').try_fold(self.0.get(first)?, |value, name| value.get(name))
        })
    }

    /// Returns all claims by their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}
