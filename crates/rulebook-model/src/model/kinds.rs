//! The handlers and authenticators that a definition chooses. Only the program knows their kinds.

use serde_json::{Map, Value as Json};

use super::{Api, ParameterType};
use crate::call::{TypeMismatchDetails, Value};
use crate::definition::{JsonData, JsonMember, JsonNode};
use crate::span::Span;

/// The key of the setting `handlers` with the handler of all methods without one.
pub(crate) const DEFAULT_HANDLER: &str = "default";

/// What the definition says about the handler of a method, such as `{"sql": "select …", "rows": "one"}`: one of the
/// settings has the name of a kind of handler, and the others belong to that kind. Only the program knows the kinds.
#[derive(Debug, Clone, PartialEq)]
pub struct DefinedHandler {
    /// The settings in the order of the text. There is at least one.
    pub settings: Vec<JsonMember>,
    /// The span of the object with the settings.
    pub span: Span,
}

/// What the definition says about all handlers, in the setting `handlers`.
#[derive(Debug, Clone, PartialEq)]
pub struct DefinedHandlers {
    /// The handler of methods for which neither the definition nor the program has one.
    pub default: Option<DefinedHandler>,
    /// The settings that all handlers of a kind share, by the name of the kind. Only the program knows the kinds.
    pub kinds: Vec<JsonMember>,
    /// The span of the object with these settings.
    pub span: Span,
}

impl DefinedHandler {
    /// Returns the setting with this name.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&JsonMember> {
        self.settings.iter().find(|member| member.key.value == name)
    }

    /// Returns the object with the settings.
    #[must_use]
    pub fn to_json(&self) -> Json {
        Json::Object(members_to_json(&self.settings))
    }
}

impl DefinedHandlers {
    /// Returns the settings that all handlers of a kind share.
    #[must_use]
    pub fn kind(&self, name: &str) -> Option<&JsonNode> {
        self.kinds.iter().find(|member| member.key.value == name).map(|member| &member.value)
    }

    /// Returns the object with the settings.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let default = self.default.iter().map(|handler| (DEFAULT_HANDLER.to_owned(), handler.to_json()));
        Json::Object(default.chain(members_to_json(&self.kinds)).collect())
    }
}

fn members_to_json(members: &[JsonMember]) -> Map<String, Json> {
    members.iter().map(|member| (member.key.value.clone(), member.value.json())).collect()
}

/// The member of the setting `auth` that says whether identities are combined.
pub(crate) const COMBINE: &str = "combine";

/// What the definition says about the authenticators of the server, in the setting `auth`. Each of the other members
/// has the name of a kind of authenticator. Only the program knows the kinds.
#[derive(Debug, Clone, PartialEq)]
pub struct DefinedAuth {
    /// `true` if a caller has the permissions from all authenticators; `false` if the first authenticator that returns
    /// an identity ends the authentication.
    pub combine: bool,
    /// The settings of each kind of authenticator, by its name, in the order of the text. Without a kind,
    /// the server accepts no credentials, apart from those for authenticators of the program.
    pub kinds: Vec<JsonMember>,
    /// The span of the object with these settings.
    pub span: Span,
}

impl DefinedAuth {
    /// The name of the kind of authenticator that accepts the keys in the server's key file.
    pub const KEYS: &str = "keys";

    /// Returns the objects with the settings of the authenticators of a kind, whose value in `kinds` can be an array of
    /// them. Every other value is returned as it is.
    #[must_use]
    pub fn settings_of(kind: &JsonMember) -> &[JsonNode] {
        match &kind.value.data {
            JsonData::Array(items) if !items.is_empty() => items,
            _ => std::slice::from_ref(&kind.value),
        }
    }

    /// Returns the object with the settings.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let combine = (!self.combine).then(|| (COMBINE.to_owned(), false.into()));
        Json::Object(combine.into_iter().chain(members_to_json(&self.kinds)).collect())
    }
}

/// The key of the setting of an authenticator with the claims.
pub(crate) const CLAIMS: &str = "claims";

/// The claims that an authenticator declares.
#[derive(Debug, Clone, PartialEq)]
pub struct DeclaredClaims {
    /// The claims in the order of the text.
    pub claims: Vec<DeclaredClaim>,
    /// The span of the object with the settings of the authenticator.
    pub span: Span,
}

/// A claim with its type.
#[derive(Debug, Clone, PartialEq)]
pub struct DeclaredClaim {
    /// The name of the claim, or names of members, separated by dots.
    pub name: String,
    /// `true` if a token may lack the claim.
    pub optional: bool,
    /// The type of its values.
    pub r#type: ParameterType,
}

impl DeclaredClaims {
    /// Checks the claims of a caller, and converts them to the form that handlers get.
    ///
    /// # Errors
    /// Fails if a claim is missing or has another type. The message contains its name, but not its value.
    pub fn convert(&self, claims: &mut Map<String, Json>) -> Result<(), String> {
        for DeclaredClaim { name, optional, r#type } in &self.claims {
            let found = find_mut(claims, name).filter(|value| !value.is_null() || r#type.check.accepts_null());
            let Some(found) = found else {
                if *optional {
                    continue;
                }
                return Err(format!("the claim `{name}` is missing, which the setting `{CLAIMS}` declares"));
            };
            let value = r#type.check.checked(Value::from(&*found)).map_err(|mismatch| {
                let TypeMismatchDetails { path, expected, .. } = &*mismatch;
                format!(
                    "the claim `{name}{path}` has another type than the setting `{CLAIMS}` declares: expected \
                     {expected}"
                )
            })?;
            *found = value.to_json();
        }
        Ok(())
    }

    /// Returns the declared claim that a name in a handler means, and the names of the members below it.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<(&DeclaredClaim, Vec<String>)> {
        let starts = [name.len()].into_iter().chain(name.rmatch_indices('.').map(|(dot, _)| dot));
        starts.into_iter().find_map(|end| {
            let claim = self.claims.iter().find(|claim| claim.name == name[..end])?;
            Some((claim, name[end..].split('.').skip(1).map(str::to_owned).collect()))
        })
    }
}

impl Api {
    /// Returns the claims that the authenticator with these settings declares; `None` if it accepts all claims.
    #[must_use]
    pub fn claims_of(&self, settings: &JsonNode) -> Option<&DeclaredClaims> {
        self.claims.iter().find(|claims| claims.span == settings.span)
    }

    /// Converts the claims of a caller without a credential, as the first authenticator does whose declaration they
    /// fit.
    ///
    /// # Errors
    /// Fails if authenticators declare claims, and these claims fit none of the declarations.
    pub fn convert_claims(&self, claims: Map<String, Json>) -> Result<Map<String, Json>, String> {
        let mut first_error = None;
        for declared in &self.claims {
            let mut converted = claims.clone();
            match declared.convert(&mut converted) {
                Ok(()) => return Ok(converted),
                Err(error) => _ = first_error.get_or_insert(error),
            }
        }
        first_error.map_or(Ok(claims), Err)
    }
}

/// Returns the claim with a name, or the member that the name leads to.
fn find_mut<'c>(claims: &'c mut Map<String, Json>, name: &str) -> Option<&'c mut Json> {
    if claims.contains_key(name) {
        return claims.get_mut(name);
    }
    let (first, rest) = name.split_once('.')?;
    rest.split('.').try_fold(claims.get_mut(first)?, |value, name| value.get_mut(name))
}
