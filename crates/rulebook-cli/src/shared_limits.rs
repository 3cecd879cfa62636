//! Counts the requests of limits together with other servers, in Valkey or Redis.

use std::time::Duration;

use rulebook::SharedCounterSettings;
use rulebook::handler_kind::{HandlerError, expand_url_variables};
use rulebook_model::model::{Api, SharedLimits};
use rulebook_model::span::Spanned;
use rulebook_redis::{RedisCounter, RedisCounterError};

use super::output::Failure;

/// Opens the counter in the setting `shared_limits`; returns `None` without the setting. `url` is the value of the flag
/// or the environment variable, which replaces the URL in the definition.
///
/// # Errors
/// Fails if the URL is invalid. The error does not contain the URL.
pub(super) fn open_counter(
    api: &Api,
    url: Option<&str>,
) -> Result<Option<(RedisCounter, SharedCounterSettings)>, Failure> {
    let (settings, url) = match (&api.shared_limits, url) {
        (None, None) => return Ok(None),
        (defined, Some(url)) => {
            (defined.clone().unwrap_or_else(|| SharedLimits::new(Spanned::default())), url.to_owned())
        }
        (Some(defined), None) => {
            let url = expand_url_variables(&defined.url.value, defined.url.span);
            let failure = |error: HandlerError| Failure::Usage(format!("shared_limits: {}", error.message));
            (defined.clone(), url.map_err(failure)?)
        }
    };
    let timeout = Duration::from_millis(settings.timeout_ms);
    let counter = RedisCounter::with_timeout(&url, timeout).map_err(|error| match error {
        RedisCounterError::Thread(_) => Failure::System(error.to_string()),
        _ => Failure::Usage(error.to_string()),
    })?;
    Ok(Some((counter, SharedCounterSettings::from(&settings))))
}
