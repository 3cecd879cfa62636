//! Errors of a program's own functions and types, which reject the value of a parameter.

use thiserror::Error;

/// The greatest PhalApi code of an error.
const MAX_PHALAPI_CODE: u8 = 99;

/// Why a function or type of the program rejects a value: a message for the client, and optionally a code.
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
    /// An error with this message for the client.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), phalapi_code: 0 }
    }

    /// Sets a code from 0 to 99. In the `phalapi` envelope, `ret` is 400 plus the code if this is the error that it
    /// reports; other envelopes do not show the code. Greater codes are ignored.
    #[must_use]
    pub fn with_phalapi_code(mut self, code: u8) -> Self {
        self.phalapi_code = if code <= MAX_PHALAPI_CODE { code } else { 0 };
        self
    }

    /// The message for the client.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The code for the `phalapi` envelope, from 0 to 99.
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
