//! The state of a limit of the number of requests, which responses describe.

use super::{ApiError, ErrorKind};

/// The value of `Retry-After` in seconds if a limit without a time window is used up. After this time, an administrator
/// may have raised the limit.
const RETRY_AFTER_USED_UP: u64 = 24 * 60 * 60;

/// The state of a rate limit after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quota {
    /// The maximum number of requests in a window.
    pub requests: u32,
    /// The length of a window in seconds; 0 if the limit has no window.
    pub seconds: u32,
    /// The number of requests that remain in this window. Blocks of other workers may contain a few more requests.
    pub remaining: u32,
    /// The number of seconds until the next window; 0 if the limit has no window.
    pub reset: u64,
}

impl Quota {
    /// Returns the error for a request over the limit.
    #[must_use]
    pub fn error(self) -> ApiError {
        let retry_after = if self.seconds == 0 { RETRY_AFTER_USED_UP } else { self.reset.max(1) };
        ApiError::new(ErrorKind::TooManyRequests { retry_after })
    }

    /// Returns the item of the header field `RateLimit-Policy` and the item of `RateLimit` for a limit with this name
    /// (draft-ietf-httpapi-ratelimit-headers, version 10).
    pub(crate) fn header_items(self, name: &str) -> [String; 2] {
        let Self { requests, seconds, remaining, reset } = self;
        match seconds {
            0 => [format!("\"{name}\";q={requests}"), format!("\"{name}\";r={remaining}")],
            _ => [format!("\"{name}\";q={requests};w={seconds}"), format!("\"{name}\";r={remaining};t={reset}")],
        }
    }
}
