//! The interface of authenticators. An authenticator determines the identity of a client from the credential in a
//! request.

use std::pin::Pin;

use super::{AuthScheme, Head, Identity};

/// The result of [`Authenticate::authenticate`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Authentication {
    /// The request carries no credential of the kind that this authenticator looks for.
    Anonymous,
    /// The request carries a valid credential, which belongs to this identity.
    Identity(Identity),
    /// The request carries an invalid credential. The response has the status 401, even if the API method requires no
    /// permission. The text is the reason, which is written to the log and not sent to the client.
    Invalid(String),
    /// The credential cannot be checked at the moment. The response has the status 503. The text is the reason, which
    /// is written to the log and not sent to the client.
    Unavailable(String),
}

/// An authenticator, which determines the identity of a client from the head of a request.
///
/// An API can have several authenticators. The server calls them in the order in which they were added with
/// [`Rulebook::authenticator`](crate::Rulebook::authenticator), until an authenticator returns a result other than
/// [`Authentication::Anonymous`]. This result is final; the permissions of several authenticators are never combined.
///
/// ```
/// use rulebook::{AuthScheme, Authenticate, Authentication, Head, Identity, Rulebook};
///
/// /// The user's id, for handlers.
/// struct UserId(u64);
///
/// /// Trusts a proxy that sends the id of the user in a header field.
/// struct Proxy;
///
/// impl Authenticate for Proxy {
///     async fn authenticate(&self, head: &Head) -> Authentication {
///         let Some(text) = head.header("X-User") else { return Authentication::Anonymous };
///         let Ok(id) = text.parse() else { return Authentication::Invalid("X-User is not a number".to_owned()) };
///         Authentication::Identity(Identity::new(text, ["user".to_owned(), format!("user[{id}]")]).with(UserId(id)))
///     }
///
///     fn schemes(&self) -> Vec<AuthScheme> {
///         vec![AuthScheme::Header("X-User".to_owned())]
///     }
/// }
///
/// let rulebook = Rulebook::load("api").authenticator(Proxy);
/// # use rulebook::http::{HeaderName, HeaderValue, Method, Uri};
/// # let (name, value) = (HeaderName::from_static("x-user"), HeaderValue::from_static("7"));
/// # let head = Head::new(Method::GET, Uri::from_static("/")).with_header(name, value);
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # let Authentication::Identity(identity) = runtime.block_on(Proxy.authenticate(&head)) else { panic!() };
/// # assert!(identity.has_permission("user[7]") && identity.data::<UserId>().unwrap().0 == 7);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an authenticator",
    note = "implement `rulebook::Authenticate`: `async fn authenticate(&self, head: &Head) -> Authentication`"
)]
pub trait Authenticate: Send + Sync + 'static {
    /// Checks the credential in the head of a request. Implementations can write this function as `async fn`.
    ///
    /// This function is called twice for a request if the client waits for `100 Continue` before it sends the body, or
    /// if the body of the request contains the name of the API method.
    fn authenticate(&self, head: &Head) -> impl Future<Output = Authentication> + Send;

    /// Does the same as [`Authenticate::authenticate`] if the credential can be checked without waiting. If this
    /// function returns `None`, as it does by default, `authenticate` is called. An authenticator that never waits, such
    /// as one for signed tokens, saves an allocation per request with it.
    fn authenticate_at_once(&self, head: &Head) -> Option<Authentication> {
        let _ = head;
        None
    }

    /// Returns the authentication schemes of the credentials that this authenticator accepts; by default, bearer
    /// tokens. If the list is empty, neither `WWW-Authenticate` nor the documents mention the credential. This function
    /// is called once, when the API is built.
    fn schemes(&self) -> Vec<AuthScheme> {
        vec![AuthScheme::bearer()]
    }
}

/// The dyn-compatible form of [`Authenticate`], with which a list can contain authenticators of different types.
pub trait DynAuthenticate: Send + Sync {
    /// Does the same as [`Authenticate::authenticate`].
    fn authenticate<'a>(&'a self, head: &'a Head) -> Pin<Box<dyn Future<Output = Authentication> + Send + 'a>>;

    /// Does the same as [`Authenticate::authenticate_at_once`].
    fn authenticate_at_once(&self, head: &Head) -> Option<Authentication>;

    /// Returns the same as [`Authenticate::schemes`].
    fn schemes(&self) -> Vec<AuthScheme>;
}

impl<A: Authenticate> DynAuthenticate for A {
    fn authenticate<'a>(&'a self, head: &'a Head) -> Pin<Box<dyn Future<Output = Authentication> + Send + 'a>> {
        Box::pin(Authenticate::authenticate(self, head))
    }

    fn authenticate_at_once(&self, head: &Head) -> Option<Authentication> {
        Authenticate::authenticate_at_once(self, head)
    }

    fn schemes(&self) -> Vec<AuthScheme> {
        Authenticate::schemes(self)
    }
}
