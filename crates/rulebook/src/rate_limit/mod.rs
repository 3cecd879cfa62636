//! Limits of the number of requests: those that the definition sets for methods, and those that several servers count
//! together. [`RateLimiter`](crate::RateLimiter) counts the requests of one limit without a lock.
//!
//! A worker counts a request before the body is read. For limits by client address and for limits of all callers, it
//! does so before the caller is identified, so that requests with wrong credentials count too.

mod leases;
mod planned;
mod request_counts;
mod shared_counter;
mod shared_limiter;

pub use planned::{Caller, PlannedRateLimit};
pub use request_counts::{CountedRequest, RequestCounts, check_limits_of_identity};
pub use shared_counter::{Claim, ClaimError, Grant, SharedCounter, SharedCounterSettings};
pub use shared_limiter::SharedLimiter;
