//! The limits of the number of requests in a period.

use serde::Serialize;
use strum::{Display, IntoStaticStr, VariantArray};

use super::WhenUnavailable;
use crate::span::Spanned;

/// A limit of the number of requests in a period, which a method, a module or the whole API sets.
///
/// The limits of a method replace those of its module, and these replace the limits of the API. All methods that take
/// their limits from the module or from the API count their requests together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct RateLimit {
    /// The maximum number of requests in a period, at least 1.
    pub requests: u32,
    /// The length of a period.
    pub per: RatePeriod,
    /// Whose requests are counted together.
    pub by: RateLimitBy,
}

/// The period of a limit. A period begins with a second, a minute, an hour or a day of the clock in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Display, IntoStaticStr, Serialize, VariantArray)]
#[serde(into = "&'static str")]
#[strum(serialize_all = "kebab-case")]
pub enum RatePeriod {
    /// One second.
    Second,
    /// One minute.
    Minute,
    /// One hour.
    Hour,
    /// One day.
    Day,
}

/// Whose requests a limit counts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Display, IntoStaticStr, Serialize, VariantArray)]
#[serde(into = "&'static str")]
#[strum(serialize_all = "kebab-case")]
pub enum RateLimitBy {
    /// The requests of one caller: of the same identity or, if the caller is anonymous, of the same client address.
    #[default]
    Caller,
    /// The requests of one client address. The addresses of an IPv6 network of the size /64 count as one address.
    Address,
    /// The requests of all callers.
    All,
}

impl RatePeriod {
    /// Returns the length of the period in seconds.
    #[must_use]
    pub fn seconds(self) -> u32 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 60 * 60,
            Self::Day => 24 * 60 * 60,
        }
    }
}

impl RateLimit {
    /// The highest number of requests to which a limit can be set.
    pub const MAX_REQUESTS: u32 = 1_000_000_000;
    /// The maximum number of requests for which one call of a method can count.
    pub const MAX_COST: u32 = 1_000_000;

    /// Creates a limit.
    #[must_use]
    pub const fn new(requests: u32, per: RatePeriod, by: RateLimitBy) -> Self {
        Self { requests, per, by }
    }

    /// Returns the name of the limit in the header fields `RateLimit` and `RateLimit-Policy`, such as `address-minute`.
    /// The limits of a method have different names.
    #[must_use]
    pub fn policy_name(&self) -> String {
        format!("{}-{}", self.by, self.per)
    }

    /// Describes the limit in English: "100 requests per minute and caller".
    #[must_use]
    pub fn in_words(&self) -> String {
        let noun = if self.requests == 1 { "request" } else { "requests" };
        let by = match self.by {
            RateLimitBy::Caller => " and caller",
            RateLimitBy::Address => " and client address",
            RateLimitBy::All => ", of all callers together",
        };
        format!("{} {noun} per {}{by}", self.requests, self.per)
    }
}

/// Where several servers count the requests of limits together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
