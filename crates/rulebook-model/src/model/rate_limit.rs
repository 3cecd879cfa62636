//! The limits of the number of requests in a period.

use serde_json::{Value as Json, json};

/// A limit of the number of requests in a period, which a method, a module or the whole API sets.
///
/// The limits of a method replace those of its module, and these replace the limits of the API. All methods that take
/// their limits from the module or from the API count their requests together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
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
    /// All variants.
    pub const ALL: [Self; 4] = [Self::Second, Self::Minute, Self::Hour, Self::Day];

    /// Returns the name of the period in definitions.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

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

impl RateLimitBy {
    /// All variants.
    pub const ALL: [Self; 3] = [Self::Caller, Self::Address, Self::All];

    /// Returns the name of the value in definitions.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Address => "address",
            Self::All => "all",
        }
    }
}

impl RateLimit {
    /// The highest number of requests to which a limit can be set.
    pub const MAX_REQUESTS: u32 = 1_000_000_000;
    /// The highest number of requests as which a call of a method can count.
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
        format!("{}-{}", self.by.as_str(), self.per.as_str())
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
        format!("{} {noun} per {}{by}", self.requests, self.per.as_str())
    }

    /// Returns the limit as JSON, as in a definition.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let Self { requests, per, by } = self;
        json!({ "requests": requests, "per": per.as_str(), "by": by.as_str() })
    }
}

/// Returns limits as JSON, as in a definition: an object for a single limit, otherwise an array.
#[must_use]
pub fn rate_limits_to_json(limits: &[RateLimit]) -> Json {
    match limits {
        [limit] => limit.to_json(),
        _ => limits.iter().map(RateLimit::to_json).collect(),
    }
}
