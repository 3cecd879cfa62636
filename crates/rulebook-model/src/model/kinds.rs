//! The handlers and authenticators that a definition chooses. Only the program knows their kinds.

use serde_json::{Map, Value as Json};

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
