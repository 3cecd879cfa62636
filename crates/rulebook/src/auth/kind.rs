//! Kinds of authenticators that a definition can choose, instead of code of the program.

use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;

use rulebook_model::definition::JsonNode;
use rulebook_model::model::Api;

use crate::call::{Authenticate, DynAuthenticate};
use crate::handler::{HandlerError, ReadinessCheck};

/// A kind of authenticator. A definition chooses it by its name in the setting `auth`: `"auth": {"proxy": {"header":
/// "X-User"}}` has the kind `proxy`. Programs add kinds with [`Rulebook::auth_kind`](crate::Rulebook::auth_kind).
///
/// ```
/// use rulebook::auth_kind::{AuthKind, AuthSettings, CompiledAuth};
/// use rulebook::handler_kind::{HandlerError, settings};
/// use rulebook::{AuthScheme, Authenticate, Authentication, Head, Identity, Rulebook};
///
/// /// `{"header": "X-User"}`: trusts a proxy that sends the name of the user in this header field.
/// struct ProxyKind;
///
/// impl AuthKind for ProxyKind {
///     fn name(&self) -> &str {
///         "proxy"
///     }
///
///     fn settings(&self) -> &[&str] {
///         &["header"]
///     }
///
///     fn compile(&self, settings: &AuthSettings<'_>) -> Result<CompiledAuth, Vec<HandlerError>> {
///         let header = settings.required("header").and_then(|node| settings::non_empty_text(node, "header"));
///         Ok(CompiledAuth::new(Proxy(header.map_err(|error| vec![error])?.value)))
///     }
/// }
///
/// struct Proxy(String);
///
/// impl Authenticate for Proxy {
///     async fn authenticate(&self, head: &Head) -> Authentication {
///         let user = head.header(&self.0).map(|name| {
///             // Users of the proxy are other callers than API keys of the same name.
///             Identity::new(name, [format!("user[{name}]")]).with_namespace("proxy")
///         });
///         user.map_or(Authentication::Anonymous, Authentication::Identity)
///     }
///
///     fn schemes(&self) -> Vec<AuthScheme> {
///         vec![AuthScheme::Header(self.0.clone())]
///     }
/// }
///
/// let definition = r#"{ "auth": { "proxy": { "header": "X-User" } } }"#;
/// let methods = r#"{ "/": { "note": { "GET": { "info": "A note", "scope": [["staff"]] } } } }"#;
/// let files = vec![("app.json".into(), definition.into()), ("notes.json".into(), methods.into())];
/// let rulebook = Rulebook::read(files).auth_kind(ProxyKind);
/// assert_eq!(rulebook.check().unwrap().auth_schemes, [AuthScheme::Header("X-User".to_owned())]);
/// ```
pub trait AuthKind: Send + Sync {
    /// Returns the name of the kind: its key in the setting `auth`.
    fn name(&self) -> &str;

    /// Returns the keys of the settings. The value of the key `claims` is an object of claims with their types, which
    /// [`Api::claims_of`] returns.
    fn settings(&self) -> &[&str] {
        &[]
    }

    /// Checks the settings of an authenticator, and returns the authenticator. The function must not open files or
    /// connections: `rulebook check` calls it, too. [`CompiledAuth::on_start`] adds a function that opens them.
    ///
    /// # Errors
    /// Fails if settings are wrong. All errors are reported together.
    fn compile(&self, settings: &AuthSettings<'_>) -> Result<CompiledAuth, Vec<HandlerError>>;

    /// Returns one authenticator for several objects with settings, which the definition contains in an array. By
    /// default, returns `None`, and [`AuthKind::compile`] is called for each object.
    ///
    /// A kind needs this function if its authenticators cannot check a credential independently of each other, for
    /// example because an attempt counts as failed only if none of them accepts the credential.
    fn compile_several(&self, settings: &[AuthSettings<'_>]) -> Option<Result<CompiledAuth, Vec<HandlerError>>> {
        let _ = settings;
        None
    }
}

/// The settings of an authenticator in the definition.
#[derive(Debug, Clone, Copy)]
pub struct AuthSettings<'a> {
    /// The object with the settings. It has no settings that the kind does not know.
    pub node: &'a JsonNode,
    /// The API that contains the settings.
    pub api: &'a Api,
    /// `true` if a caller has the permissions of all of its valid credentials; `false` if only the first one counts.
    pub combine: bool,
}

impl<'a> AuthSettings<'a> {
    /// Returns the value of a setting; `None` if the definition does not have it.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<&'a JsonNode> {
        self.node.member(name)
    }

    /// Returns the value of a setting.
    ///
    /// # Errors
    /// Fails if the definition does not have it.
    pub fn required(&self, name: &str) -> Result<&'a JsonNode, HandlerError> {
        let missing = || HandlerError::new(format!("the setting `{name}` is missing")).at(self.node.span);
        self.optional(name).ok_or_else(missing)
    }
}

/// The future of the function that prepares an authenticator.
type AuthStartFuture = Pin<Box<dyn Future<Output = Result<(), Vec<HandlerError>>> + Send>>;

/// The function that prepares an authenticator before the first request.
pub(crate) type AuthStart = Box<dyn FnOnce() -> AuthStartFuture + Send>;

/// An authenticator that a definition chooses, ready for requests.
pub struct CompiledAuth {
    pub(crate) authenticator: Box<dyn DynAuthenticate>,
    pub(crate) readiness_checks: Vec<ReadinessCheck>,
    pub(crate) start: Option<AuthStart>,
    pub(crate) resource: Option<ProtectedResource>,
    pub(crate) private_files: Vec<PathBuf>,
}

impl CompiledAuth {
    /// Creates the value for an authenticator.
    pub fn new(authenticator: impl Authenticate) -> Self {
        Self {
            authenticator: Box::new(authenticator),
            readiness_checks: Vec::new(),
            start: None,
            resource: None,
            private_files: Vec::new(),
        }
    }

    /// Adds a function that prepares the authenticator before the first request, for example reads its file. It is
    /// called once. Tasks that its future spawns run as long as the API is served. If it fails, the server does not
    /// start, and its errors are shown as those of [`AuthKind::compile`].
    #[must_use]
    pub fn on_start<F, R>(mut self, start: F) -> Self
    where
        F: FnOnce() -> R + Send + 'static,
        R: Future<Output = Result<(), Vec<HandlerError>>> + Send + 'static,
    {
        self.start = Some(Box::new(move || Box::pin(start())));
        self
    }

    /// Adds a readiness check, whose result `/readyz` reports.
    #[must_use]
    pub fn readiness_check(mut self, check: ReadinessCheck) -> Self {
        self.readiness_checks.push(check);
        self
    }

    /// Adds a file that only the server may read, such as one with users: the server does not start if it is in the
    /// folder of static files.
    #[must_use]
    pub fn private_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.private_files.push(file.into());
        self
    }

    /// Publishes which issuers the authenticator trusts, at `/.well-known/oauth-protected-resource`.
    #[must_use]
    pub fn resource(mut self, resource: ProtectedResource) -> Self {
        self.resource = Some(resource);
        self
    }
}

impl fmt::Debug for CompiledAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompiledAuth").field("resource", &self.resource).finish_non_exhaustive()
    }
}

/// The API as a protected resource of OAuth 2.0, whose metadata the server publishes (RFC 9728).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtectedResource {
    /// The address of the API, without a query and a fragment (RFC 9728 section 1.2).
    pub resource: String,
    /// The issuers whose tokens the API accepts.
    pub authorization_servers: Vec<String>,
}
