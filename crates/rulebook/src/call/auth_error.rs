//! The errors with which authenticators reject requests.

/// An error with which an authenticator rejects requests. [`Authenticate::errors`](super::Authenticate::errors) lists
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
