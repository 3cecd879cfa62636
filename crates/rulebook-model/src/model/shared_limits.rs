//! The setting of the server that counts requests for several servers.

use crate::span::Spanned;

/// Where several servers count the requests of limits together.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SharedLimits {
    /// The URL of the shared counter, such as `redis://127.0.0.1:6379`. It can contain variables of the environment,
    /// which are replaced when the server starts.
    pub url: Spanned<String>,
    /// What happens to requests with a limit while the shared counter is unavailable.
    pub when_unavailable: WhenUnavailable,
    /// The maximum time in milliseconds for which a request waits for the shared counter.
    pub timeout_ms: u64,
    /// The beginning of the names of the counters. Servers count together if they have the same prefix.
    pub prefix: String,
}

impl SharedLimits {
    /// The default of [`SharedLimits::timeout_ms`].
    pub const DEFAULT_TIMEOUT_MS: u64 = 250;
    /// The highest value of [`SharedLimits::timeout_ms`].
    pub const MAX_TIMEOUT_MS: u64 = 10_000;
    /// The default of [`SharedLimits::prefix`].
    pub const DEFAULT_PREFIX: &str = "rulebook";

    /// Creates the setting for a counter with this URL, with the default of everything else.
    #[must_use]
    pub fn new(url: Spanned<String>) -> Self {
        Self {
            url,
            when_unavailable: WhenUnavailable::default(),
            timeout_ms: Self::DEFAULT_TIMEOUT_MS,
            prefix: Self::DEFAULT_PREFIX.to_owned(),
        }
    }
}

/// What happens to requests with a limit while the shared counter is unavailable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenUnavailable {
    /// Each server counts the requests itself, and allows as many as the limit.
    #[default]
    Open,
    /// The requests are refused with the status 503.
    Closed,
}

impl WhenUnavailable {
    /// All variants.
    pub const ALL: [Self; 2] = [Self::Open, Self::Closed];

    /// Returns the name of the value in definitions.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}
