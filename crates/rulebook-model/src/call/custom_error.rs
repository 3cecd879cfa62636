//! The error that a function or type of the program returns for an invalid value.

use thiserror::Error;

/// The maximum error code for the `phalapi` envelope (see [`CustomError::with_phalapi_code`]).
const MAX_PHALAPI_CODE: u8 = 99;

/// The error with which a function or type of the program rejects a value: a message for the client, and an optional
/// code.
///
/// ```
/// # use rulebook_model as rulebook;
/// use rulebook::CustomError;
///
/// let plain: CustomError = "Illegal version".into();
/// let numbered = CustomError::new("Illegal version").with_phalapi_code(1);
/// assert_ne!(plain, numbered);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct CustomError {
    message: String,
    phalapi_code: u8,
}

impl CustomError {
    /// Creates an error without a code, with this message for the client.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), phalapi_code: 0 }
    }

    /// Sets a code from 0 to 99; a higher code is ignored. If a response in the `phalapi` envelope reports this error,
    /// its member `ret` is 400 plus the code. Other envelopes do not show the code.
    #[must_use]
    pub fn with_phalapi_code(mut self, code: u8) -> Self {
        self.phalapi_code = if code <= MAX_PHALAPI_CODE { code } else { 0 };
        self
    }

    /// Returns the message for the client.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the code for the `phalapi` envelope, from 0 to 99. It is 0 if none was set.
    #[must_use]
    pub fn phalapi_code(&self) -> u8 {
        self.phalapi_code
    }
}

impl From<&str> for CustomError {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}

impl From<String> for CustomError {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}
