//! The claims of a verified token, which an authenticator attaches to the identity of the caller.

use serde::Serialize;
use serde_json::{Map, Value as Json};

/// The claims of a token that has been verified (RFC 7519 section 4), for handlers:
///
/// ```
/// use rulebook::{ApiError, Claims, Context};
///
/// fn email(context: &Context) -> Result<String, ApiError> {
///     let claims = context.identity().and_then(|identity| identity.data::<Claims>());
///     let email = claims.and_then(|claims| claims.get("email")).and_then(|email| email.as_str());
///     email.map(str::to_owned).ok_or_else(|| ApiError::declared("no_email"))
/// }
/// ```
///
/// Statements of SQL handlers, and handlers in other languages, read them too.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Claims(Map<String, Json>);

impl Claims {
    /// Creates the claims of a token that has been verified.
    #[must_use]
    pub fn new(claims: Map<String, Json>) -> Self {
        Self(claims)
    }

    /// Returns the value of a claim. If no claim has this name, the name is split at dots: `realm_access.roles` is the
    /// member `roles` of the claim `realm_access`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.0.get(name).or_else(|| {
            let (first, rest) = name.split_once('.')?;
            rest.split('.').try_fold(self.0.get(first)?, |value, name| value.get(name))
        })
    }

    /// Returns about how many bytes of memory the claims occupy.
    #[must_use]
    pub fn memory_size(&self) -> usize {
        members_size(&self.0)
    }

    /// Returns the claims as a JSON object.
    #[must_use]
    pub fn to_json(&self) -> Json {
        Json::Object(self.0.clone())
    }

    /// Returns all claims by their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

/// About how many bytes of memory a member of an object occupies, without the text of its name and its value.
const MEMBER_SIZE: usize = 128;

fn members_size(members: &Map<String, Json>) -> usize {
    members.iter().map(|(name, value)| MEMBER_SIZE + name.len() + value_size(value)).sum()
}

/// Returns about how many bytes of memory a value occupies. The parser limits how deep values are nested.
fn value_size(value: &Json) -> usize {
    size_of::<Json>()
        + match value {
            Json::String(text) => text.len(),
            Json::Array(items) => items.iter().map(value_size).sum(),
            Json::Object(members) => members_size(members),
            _ => 0,
        }
}
