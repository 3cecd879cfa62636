//! Authenticators that a definition chooses with the setting `auth`: the interface of their kinds, the check of their
//! settings, and the memory of credentials that a worker has verified.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};

use blake3::Hash;
use rulebook_model::definition::{JsonMember, JsonNode};
use rulebook_model::diagnostic::{Diagnostic, DiagnosticCode};
use rulebook_model::model::{Api, DefinedAuth};
use rulebook_model::span::Span;
use thread_local::ThreadLocal;

use crate::call::{Authenticate, DynAuthenticate};
use crate::handler::settings::unknown_settings;
use crate::handler::{HandlerError, ReadinessCheck, variable_errors};

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

/// The kinds that the crate `rulebook-auth` contains. Programs have them only if they add them.
const OPTIONAL_KINDS: [&str; 3] = ["jwt", "basic", "mtls"];
const OPTIONAL_KINDS_HELP: &str = "enable the Cargo feature `auth` of the crate `rulebook-cli`, and add the kinds with \
                                   `rulebook_cli::with_auth_kinds`";

/// The authenticators that a definition chooses, in the order in which they are called.
#[derive(Default)]
pub(crate) struct CompiledAuthKinds {
    pub(crate) authenticators: Vec<(CompiledAuth, Span)>,
    /// The number of authenticators before the one that checks keys; `None` if the definition does not list keys.
    pub(crate) keys_position: Option<usize>,
}

/// Compiles the authenticators in the setting `auth`. The value of a kind is an object with settings, or an array of
/// such objects. `combine` is `true` if a caller has the permissions of all of its credentials.
///
/// # Errors
/// Returns a diagnostic for each error in the settings.
pub(crate) fn compile_auth(
    api: &Api,
    kinds: &[Arc<dyn AuthKind>],
    combine: bool,
) -> Result<CompiledAuthKinds, Vec<Diagnostic>> {
    let mut compiled = CompiledAuthKinds::default();
    let mut diagnostics = Vec::new();
    for member in api.auth.iter().flat_map(|auth| &auth.kinds) {
        let name = member.key.value.as_str();
        let mut report = |errors: Vec<HandlerError>, whole| {
            diagnostics.extend(errors.into_iter().map(|error| error.into_diagnostic(DiagnosticCode::BadAuth, whole)));
        };
        // The command line adds the authenticator that checks keys, because it knows the key file.
        if name == DefinedAuth::KEYS {
            let errors = unknown_settings(&member.value, name, &[]).into_iter();
            let errors = errors.map(|error| error.help("write `{}`: the keys are in the data folder of the server"));
            report(errors.collect(), member.value.span);
            compiled.keys_position = Some(compiled.authenticators.len());
            continue;
        }
        let Some(kind) = kinds.iter().find(|kind| kind.name() == name) else {
            diagnostics.push(unknown_kind_error(member, kinds));
            continue;
        };
        let unset = variable_errors(&member.value);
        if !unset.is_empty() {
            report(unset, member.value.span);
            continue;
        }
        let mut settings = Vec::new();
        for node in DefinedAuth::settings_of(member) {
            let errors = unknown_settings(node, name, kind.settings());
            if errors.is_empty() {
                settings.push(AuthSettings { node, api, combine });
            } else {
                report(errors, node.span);
            }
        }
        let together = if settings.len() > 1 { kind.compile_several(&settings) } else { None };
        let results = match together {
            Some(result) => vec![(result, member.value.span)],
            None => settings.iter().map(|settings| (kind.compile(settings), settings.node.span)).collect(),
        };
        for (result, span) in results {
            match result {
                Ok(authenticator) => compiled.authenticators.push((authenticator, span)),
                Err(errors) => report(errors, span),
            }
        }
    }
    if diagnostics.is_empty() { Ok(compiled) } else { Err(diagnostics) }
}

fn unknown_kind_error(member: &JsonMember, kinds: &[Arc<dyn AuthKind>]) -> Diagnostic {
    let name = &member.key.value;
    let known: Vec<_> = std::iter::once(DefinedAuth::KEYS).chain(kinds.iter().map(|kind| kind.name())).collect();
    let list: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
    let list = format!("this program has the kinds {}", list.join(", "));
    if OPTIONAL_KINDS.contains(&name.as_str()) {
        let message = format!("this program was compiled without the kind of authenticator `{name}`");
        let error = Diagnostic::new(DiagnosticCode::BadAuth, member.key.span, message);
        return error.help(format!("{OPTIONAL_KINDS_HELP}; {list}"));
    }
    let message = format!("`{}` is not a kind of authenticator", name.escape_debug());
    let error = Diagnostic::new(DiagnosticCode::BadAuth, member.key.span, message);
    error.help(list).suggest(name, known)
}

/// The maximum number of credentials that a worker remembers, unless an authenticator sets another one.
const MAX_REMEMBERED: usize = 1 << 10;
/// The maximum memory in bytes of the credentials of one kind that a worker remembers.
const MAX_REMEMBERED_BYTES: usize = 16 << 20;

/// The secret of this process that the tags depend on; `None` if the system provides no random bytes.
static TAG_SECRET: LazyLock<Option<[u8; 32]>> = LazyLock::new(|| {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).is_ok().then_some(secret)
});

/// What an authenticator has found out about the credentials that it has verified. Each thread remembers a limited
/// number of credentials, with values of at most 16 MiB together, by a hash that only this process can compute. Threads
/// share nothing.
///
/// What makes a credential valid, such as a set of keys or a list of users, should contain this value: if a new set
/// replaces it, all credentials are verified again.
pub struct VerifiedCredentials<T: Send> {
    remembered: ThreadLocal<RefCell<Remembered<T>>>,
    max: usize,
}

struct Remembered<T> {
    values: HashMap<Hash, (T, usize)>,
    bytes: usize,
}

impl<T: Send> VerifiedCredentials<T> {
    /// Creates an empty memory for at most 1024 credentials in each thread.
    #[must_use]
    pub fn new() -> Self {
        Self::with_max(MAX_REMEMBERED)
    }

    /// Creates an empty memory for at most `max` credentials in each thread.
    #[must_use]
    pub fn with_max(max: usize) -> Self {
        Self { remembered: ThreadLocal::new(), max }
    }

    /// Calls `read` with the value that this thread remembers for a credential. Returns `None` if the thread does not
    /// remember the credential.
    pub fn recall<R>(&self, credential: &str, read: impl FnOnce(&T) -> R) -> Option<R> {
        self.remembered.get()?.borrow().values.get(&tag(credential)?).map(|(value, _)| read(value))
    }

    /// Remembers a value for a credential that has been verified. `heap_size` is about how many bytes of memory the
    /// value occupies outside of `T`. If the memory of this thread is full, it forgets all other credentials. A value
    /// that is larger than the whole memory is not remembered.
    pub fn remember(&self, credential: &str, value: T, heap_size: usize) {
        let size = heap_size.saturating_add(size_of::<(Hash, (T, usize))>());
        let Some(tag) = tag(credential).filter(|_| size <= MAX_REMEMBERED_BYTES) else { return };
        let empty = || RefCell::new(Remembered { values: HashMap::new(), bytes: 0 });
        let Remembered { values, bytes } = &mut *self.remembered.get_or(empty).borrow_mut();
        if values.len() >= self.max || *bytes > MAX_REMEMBERED_BYTES - size {
            values.clear();
            *bytes = 0;
        }
        *bytes += size;
        if let Some((_, replaced)) = values.insert(tag, (value, size)) {
            *bytes -= replaced;
        }
    }
}

impl<T: Send> Default for VerifiedCredentials<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Send> fmt::Debug for VerifiedCredentials<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedCredentials").finish_non_exhaustive()
    }
}

/// Returns the tag of a credential, which cannot be found without the secret of this process; `None` if the process has
/// no secret.
fn tag(credential: &str) -> Option<Hash> {
    Some(blake3::keyed_hash(TAG_SECRET.as_ref()?, credential.as_bytes()))
}
