//! The authenticators that a definition chooses.

use serde_json::{Map, Value as Json};

use crate::definition::JsonMember;
use crate::span::Span;

/// The member of the setting `auth` that says whether identities are combined.
pub(crate) const COMBINE: &str = "combine";

/// What the definition says about the authenticators of the server, in the setting `auth`. Each of the other members
/// has the name of a kind of authenticator. Only the program knows the kinds.
#[derive(Debug, Clone, PartialEq)]
pub struct DefinedAuth {
    /// `true` if a caller has the permissions from all authenticators; `false` if the first authenticator that returns
    /// an identity ends the authentication.
    pub combine: bool,
    /// The settings of each kind of authenticator, by its name, in the order of the text. There is at least one.
    pub kinds: Vec<JsonMember>,
    /// The span of the object with these settings.
    pub span: Span,
}

impl DefinedAuth {
    /// The name of the kind of authenticator that accepts the keys in the server's key file.
    pub const KEYS: &str = "keys";

    /// Returns the object with the settings.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let combine = (!self.combine).then(|| (COMBINE.to_owned(), false.into()));
        let kinds = self.kinds.iter().map(|member| (member.key.value.clone(), member.value.json()));
        Json::Object(combine.into_iter().chain(kinds).collect::<Map<_, _>>())
    }
}
