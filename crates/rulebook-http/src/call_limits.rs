//! The limits of a single call.

use std::time::Duration;

/// The limits of a call of an upstream, with their defaults.
#[derive(Debug, Clone, Copy)]
pub struct CallLimits {
    /// The maximum time from the beginning of a call to the end of its response. While a body is streamed, it is the
    /// maximum time in which the upstream sends nothing.
    pub timeout: Duration,
    /// The maximum time in which a connection is available: to wait for a free one, and to open one.
    pub connect_timeout: Duration,
    /// How often a request is sent again if the connection fails before the first byte of the response.
    pub retries: usize,
    /// The maximum size of a JSON body in bytes.
    pub max_response: usize,
}

impl Default for CallLimits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(5),
            retries: 1,
            max_response: 8 << 20,
        }
    }
}
