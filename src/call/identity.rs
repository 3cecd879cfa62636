//! Who makes a call, and how that is found out.

use std::pin::Pin;
use std::sync::Arc;

use super::{Head, Meter};
use crate::filename::{Name, Patterns};

/// Somebody whom an [`Inspect`] recognised.
///
/// Two are equal that have the same name and permissions.
#[derive(Debug, Clone)]
pub struct Identity {
    /// A name for logs and handlers.
    pub name: Arc<str>,
    /// The permissions held, as they are written in definitions; contextual ones with their value: `user[12]`.
    pub scope: Arc<[Box<str>]>,
    /// What counts its requests.
    pub(crate) meter: Option<Arc<Meter>>,
    /// Which stored files it may name; none where nothing is said about files.
    pub(crate) files: Option<Arc<Patterns>>,
}

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.scope) == (&other.name, &other.scope)
    }
}

impl Eq for Identity {}

impl Identity {
    /// An identity of this name with these permissions.
    pub fn new<S: Into<Box<str>>>(name: &str, scope: impl IntoIterator<Item = S>) -> Self {
        Self { name: name.into(), scope: scope.into_iter().map(Into::into).collect(), meter: None, files: None }
    }

    /// The same, whose requests are counted: those that are too many are refused with 429. Calls that a handler makes
    /// are no requests.
    #[must_use]
    pub fn metered(self, meter: Arc<Meter>) -> Self {
        Self { meter: Some(meter), ..self }
    }

    /// The same, who may name only those stored files that one of the patterns allows.
    #[must_use]
    pub fn limited_to(self, files: Patterns) -> Self {
        Self { files: Some(Arc::new(files)), ..self }
    }

    /// Whether it may name the stored file. Where nothing is said about files it may name all, of which the definition
    /// then says more.
    #[must_use]
    pub fn may_name(&self, file: &Name) -> bool {
        self.files.as_ref().is_none_or(|patterns| patterns.allows(file))
    }

    /// Whether the permission is held, letter for letter.
    #[must_use]
    pub fn holds(&self, permission: &str) -> bool {
        self.scope.iter().any(|held| &**held == permission)
    }
}

/// What an [`Inspect`] says of a request.
#[derive(Debug, Clone)]
pub enum Inspection {
    /// The request carries nothing that this inspector looks at.
    Nobody,
    /// It is this one.
    Identity(Identity),
    /// It carries a credential that is not valid: refused with 401, on public methods too.
    /// The text is for the log only.
    Invalid(String),
    /// Who it is cannot be found out now: refused with 503. The text is for the log only.
    Unavailable(String),
}

/// Finds out from the head of a request who makes it.
///
/// The inspectors of an API are asked in turn; the first that does not say
/// [`Inspection::Nobody`] decides.
///
/// ```
/// use std::pin::Pin;
///
/// use rulebook::{Head, Identity, Inspect, Inspection, Rulebook};
///
/// /// Believes a proxy that puts the user's name into a header field.
/// struct Proxy;
///
/// impl Inspect for Proxy {
///     fn inspect<'a>(&'a self, head: &'a Head) -> Pin<Box<dyn Future<Output = Inspection> + Send + 'a>> {
///         Box::pin(async move {
///             match head.headers.iter().find(|(name, _)| name == "x-user").map(|(_, value)| value.to_str()) {
///                 None => Inspection::Nobody,
///                 Some(Ok(name)) => Inspection::Identity(Identity::new(name, ["user".to_owned(), format!("user[{name}]")])),
///                 Some(Err(_)) => Inspection::Invalid("a name that is no text".to_owned()),
///             }
///         })
///     }
/// }
///
/// let rulebook = Rulebook::load("api").inspect(Proxy);
/// # let mut head = Head::new(http::Method::GET, http::Uri::from_static("/"));
/// # head.headers.push((http::HeaderName::from_static("x-user"), http::HeaderValue::from_static("ada")));
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # let Inspection::Identity(identity) = runtime.block_on(Proxy.inspect(&head)) else { panic!("nobody") };
/// # assert!(identity.holds("user[ada]"));
/// ```
pub trait Inspect: Send + Sync {
    /// Looks at the head of a request. Of one whose body is only sent when it is asked for (`Expect`), or says which
    /// method is called, it is looked at more than once.
    fn inspect<'a>(&'a self, head: &'a Head) -> Pin<Box<dyn Future<Output = Inspection> + Send + 'a>>;

    /// The authentication scheme for `WWW-Authenticate` (RFC 9110 section 11.6.1), e.g. `Bearer`;
    /// empty where it looks at something that no scheme is about, such as a cookie.
    fn challenge(&self) -> &str {
        "Bearer"
    }
}
