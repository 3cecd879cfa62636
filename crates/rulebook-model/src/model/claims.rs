//! The claims of tokens that handlers may use, as an authenticator in the setting `auth` declares them.

use serde_json::{Map, Value as Json};

use super::{Api, ParameterType};
use crate::call::{TypeMismatchDetails, Value};
use crate::definition::JsonNode;
use crate::span::Span;

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
