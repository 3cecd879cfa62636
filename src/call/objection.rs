//! Why a function of the program does not let a value pass.

use std::fmt;

/// The greatest code that there is.
const MOST_CODE: u8 = 99;

/// Why a function of the program does not let a value pass: words for the client, and perhaps a code.
///
/// ```
/// use rulebook::Objection;
/// let plain: Objection = "Illegal version".into();
/// let numbered = Objection::new("Illegal version").with_code(1);
/// assert_ne!(plain, numbered);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    words: String,
    code: u8,
}

impl Objection {
    /// An objection in these words.
    pub fn new(words: impl Into<String>) -> Self {
        Self { words: words.into(), code: 0 }
    }

    /// Gives it a code from 0 to 99, which the `phalapi` envelope adds to 400 where this fault is the one that it
    /// tells: its `ret` is the sum. Other envelopes do not tell it. A greater code is none.
    #[must_use]
    pub fn with_code(mut self, code: u8) -> Self {
        self.code = if code <= MOST_CODE { code } else { 0 };
        self
    }

    /// Its words.
    #[must_use]
    pub fn words(&self) -> &str {
        &self.words
    }

    /// Its code, 0 to 99.
    #[must_use]
    pub fn code(&self) -> u8 {
        self.code
    }
}

impl From<&str> for Objection {
    fn from(words: &str) -> Self {
        Self::new(words)
    }
}

impl From<String> for Objection {
    fn from(words: String) -> Self {
        Self::new(words)
    }
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}
