//! The usage of keys: when each key was used last, and how much of its rate limit has been used.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How a key has been used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Usage {
    /// The time of the last request with the key; `None` if the key has not been used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<Timestamp>,
    /// The requests that count against the rate limit of the key; `None` if no requests count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spent: Option<UsedRequests>,
}

/// The number of requests with a key in one period of its rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UsedRequests {
    /// The time at which the period began.
    pub since: Timestamp,
    /// The number of requests in the period.
    pub requests: u32,
}

impl Usage {
    /// Creates the usage of a key.
    #[must_use]
    pub fn new(used: Option<Timestamp>, spent: Option<UsedRequests>) -> Self {
        Self { used, spent }
    }
}

impl UsedRequests {
    /// Creates a number of requests in a period.
    #[must_use]
    pub fn new(since: Timestamp, requests: u32) -> Self {
        Self { since, requests }
    }
}

/// The usage of keys. The map keys are the ids of the keys.
pub type Usages = BTreeMap<Box<str>, Usage>;
