//! The interface of authenticators. An authenticator determines the identity of a client from the credential in a
//! request.

use futures_util::future::BoxFuture;

use super::{ApiError, AuthScheme, Head, Identity};

/// The result of [`Authenticate::authenticate`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Authentication {
    /// The request carries no credential of the kind that this authenticator looks for.
    Anonymous,
    /// The request carries a valid credential, which belongs to this identity.
    Identity(Identity),
    /// The request carries an invalid credential. The response has the status 401, even if the API method requires no
    /// permission, unless another authenticator with the same [scheme](Authenticate::schemes) accepts the credential.
    /// The text is the reason, which is written to the log and not sent to the client.
    Invalid(String),
    /// The request is rejected with this error, which is one of the [`Authenticate::errors`]:
    /// `Authentication::Error(ApiError::declared("suspended"))`. No other authenticator is called.
    Error(ApiError),
    /// The credential cannot be checked at the moment. The response has the status 503. The text is the reason, which
    /// is written to the log and not sent to the client.
    Unavailable(String),
}

/// An authenticator, which determines the identity of a client from the head of a request.
///
/// An API can have several authenticators. The server calls all of them, in the order in which they were added with
/// [`Rulebook::authenticator`](crate::Rulebook::authenticator), and combines the identities that they return: the
/// caller has the permissions of all these identities, and the name of the first one. If several identities have a
/// [rate limiter](Identity::with_rate_limiter), the request counts for all of them; if several identities have
/// [file patterns](Identity::with_file_patterns), the caller may access only files that each identity may access. With
/// [`Rulebook::combine_identities(false)`](crate::Rulebook::combine_identities), the server calls the authenticators
/// only until one of them returns an identity.
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
///
/// An authenticator can reject requests with errors of the program, which it [declares](Self::errors) so that the
/// documents describe them. It can also read [fields of the body](Self::body_fields), for example a token that protects
/// forms against cross-site request forgery:
///
/// ```
/// use rulebook::{ApiError, AuthError, AuthScheme, Authenticate, Authentication, BodyFields, Head, Identity};
///
/// /// Accepts the forms of a user only if they contain the value of the cookie `csrf`, which other sites cannot read.
/// struct CsrfProtection;
///
/// impl Authenticate for CsrfProtection {
///     async fn authenticate(&self, _: &Head) -> Authentication {
///         Authentication::Anonymous
///     }
///
///     fn schemes(&self) -> Vec<AuthScheme> {
///         Vec::new()
///     }
///
///     fn errors(&self) -> Vec<AuthError> {
///         vec![AuthError::new("invalid_csrf_token", 403, "the form has expired, or comes from another site")]
///     }
///
///     fn body_fields(&self) -> Vec<String> {
///         vec!["csrf".to_owned()]
///     }
///
///     fn check_body(&self, head: &Head, _: Option<&Identity>, fields: &BodyFields) -> Result<(), ApiError> {
///         if head.method == "GET" || head.cookie("session").is_none() {
///             return Ok(());
///         }
///         match (fields.get("csrf"), head.cookie("csrf")) {
///             (Some(field), Some(cookie)) if field == cookie => Ok(()),
///             _ => Err(ApiError::declared("invalid_csrf_token")),
///         }
///     }
/// }
/// # use rulebook::http::{HeaderValue, Method, Uri, header};
/// # let head = Head::new(Method::POST, Uri::from_static("/"));
/// # let head = head.with_header(header::COOKIE, HeaderValue::from_static("session=1; csrf=7f"));
/// # assert!(CsrfProtection.check_body(&head, None, &BodyFields::new([("csrf", "7f")])).is_ok());
/// # assert!(CsrfProtection.check_body(&head, None, &BodyFields::new([("csrf", "80")])).is_err());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an authenticator",
    note = "implement `rulebook::Authenticate`: `async fn authenticate(&self, head: &Head) -> Authentication`"
)]
pub trait Authenticate: Send + Sync + 'static {
    /// Checks the credential in the head of a request. Implementations can write this function as `async fn`.
    ///
    /// This function is called twice for a request if the body of the request contains the name of the API method.
    fn authenticate(&self, head: &Head) -> impl Future<Output = Authentication> + Send;

    /// Does the same as [`Authenticate::authenticate`] if the credential can be checked without waiting. If this
    /// function returns `None`, as it does by default, `authenticate` is called. An authenticator that never waits,
    /// such as one for signed tokens, saves an allocation per request with it.
    fn authenticate_at_once(&self, head: &Head) -> Option<Authentication> {
        let _ = head;
        None
    }

    /// Returns the authentication schemes of the credentials that this authenticator accepts; by default, bearer
    /// tokens. If the list is empty, neither `WWW-Authenticate` nor the documents mention the credential. This function
    /// is called once, when the API is built.
    ///
    /// If [browsers add](AuthScheme::is_sent_by_browsers) a credential of one of these schemes by themselves, or the
    /// list is empty, the server refuses requests of other sites for which this authenticator returns an identity,
    /// unless their HTTP method is GET, HEAD or OPTIONS.
    fn schemes(&self) -> Vec<AuthScheme> {
        vec![AuthScheme::bearer()]
    }

    /// Returns the errors that this authenticator declares; by default none. The documents list them for every method.
    /// If the authenticator rejects a request with an [`ApiError::declared`] that is not in this list, the client
    /// receives an internal error. This function is called once, when the API is built.
    fn errors(&self) -> Vec<AuthError> {
        Vec::new()
    }

    /// Returns the names of the fields of request bodies that [`Authenticate::check_body`] reads; by default none. If
    /// the list is not empty, the bodies of all methods are received, also of methods without parameters in the body,
    /// and the fields are never reported as unknown parameters. This function is called once, when the API is built.
    fn body_fields(&self) -> Vec<String> {
        Vec::new()
    }

    /// Checks fields of a request's body. If any authenticator has [`Authenticate::body_fields`], this function is
    /// called for every request that calls an API method, after the permission has been checked and the body has been
    /// received. `identity` is the caller with the permissions of all authenticators; `None` if the caller is
    /// anonymous. Requests without a body have no fields.
    ///
    /// The function can reject a request, but cannot add permissions, because permissions are checked before the body
    /// is received. It must not block its thread. It is not called for JSONP requests and for calls from code.
    ///
    /// # Errors
    /// Returns the error that rejects the request: one of the [`Authenticate::errors`].
    fn check_body(&self, head: &Head, identity: Option<&Identity>, fields: &BodyFields) -> Result<(), ApiError> {
        let _ = (head, identity, fields);
        Ok(())
    }
}

/// An error with which an authenticator rejects requests. [`Authenticate::errors`] lists
/// these errors, so that the documents describe them. A request is rejected with `ApiError::declared(name)`.
///
/// ```
/// use rulebook::AuthError;
///
/// let suspended = AuthError::new("suspended", 403, "this account is suspended").with_number(12);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthError {
    pub(crate) name: String,
    pub(crate) status: u16,
    pub(crate) message: String,
    pub(crate) number: Option<u32>,
}

impl AuthError {
    /// Creates an error with a name, by which clients recognize it, an HTTP status from 400 to 599, and a message for
    /// clients. With another status, or if two authenticators declare different errors with the same name,
    /// [`Rulebook::build`](crate::Rulebook::build) fails.
    pub fn new(name: impl Into<String>, status: u16, message: impl Into<String>) -> Self {
        Self { name: name.into(), status, message: message.into(), number: None }
    }

    /// Sets the number of the error in the envelope `aicra`, which is at least 1. Without this function, the number
    /// is 1.
    #[must_use]
    pub fn with_number(mut self, number: u32) -> Self {
        self.number = Some(number);
        self
    }
}

/// The fields of a request's body that [`Authenticate::check_body`] reads: fields of a
/// form, parts of a multipart body, or members of a JSON object whose values are strings.
///
/// ```
/// use rulebook::BodyFields;
///
/// let fields = BodyFields::new([("csrf", "7f")]);
/// assert_eq!((fields.get("csrf"), fields.get("other")), (Some("7f"), None));
/// ```
#[derive(Debug, Clone, Default)]
pub struct BodyFields(Vec<(String, String)>);

impl BodyFields {
    /// Creates a list of fields, each with its name and its value.
    pub fn new<N: Into<String>, V: Into<String>>(fields: impl IntoIterator<Item = (N, V)>) -> Self {
        Self(fields.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }

    /// Returns the value of the field with this name. Returns `None` if the body has no such field, if it has several,
    /// or if the value is not a text.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(known, _)| known == name);
        values.next().filter(|_| values.next().is_none()).map(|(_, value)| value.as_str())
    }
}

/// The dyn-compatible form of [`Authenticate`], with which a list can contain authenticators of different types.
pub trait DynAuthenticate: Send + Sync {
    fn authenticate<'a>(&'a self, head: &'a Head) -> BoxFuture<'a, Authentication>;
    fn authenticate_at_once(&self, head: &Head) -> Option<Authentication>;
    fn schemes(&self) -> Vec<AuthScheme>;
    fn errors(&self) -> Vec<AuthError>;
    fn body_fields(&self) -> Vec<String>;
    fn check_body(&self, head: &Head, identity: Option<&Identity>, fields: &BodyFields) -> Result<(), ApiError>;
}

impl<A: Authenticate> DynAuthenticate for A {
    fn authenticate<'a>(&'a self, head: &'a Head) -> BoxFuture<'a, Authentication> {
        Box::pin(Authenticate::authenticate(self, head))
    }

    fn authenticate_at_once(&self, head: &Head) -> Option<Authentication> {
        Authenticate::authenticate_at_once(self, head)
    }

    fn schemes(&self) -> Vec<AuthScheme> {
        Authenticate::schemes(self)
    }

    fn errors(&self) -> Vec<AuthError> {
        Authenticate::errors(self)
    }

    fn body_fields(&self) -> Vec<String> {
        Authenticate::body_fields(self)
    }

    fn check_body(&self, head: &Head, identity: Option<&Identity>, fields: &BodyFields) -> Result<(), ApiError> {
        Authenticate::check_body(self, head, identity, fields)
    }
}
