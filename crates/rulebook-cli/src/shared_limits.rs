//! Counts the requests of limits together with other servers, in Valkey or Redis.

use rulebook::Validated;

use super::output::Failure;

/// Adds the counter in the setting `shared_limits`, if there is one. `url` is the value of the flag or the environment
/// variable, which replaces the URL in the definition. The error does not contain the URL.
#[cfg(feature = "redis")]
pub(super) fn add_counter(validated: Validated, url: Option<&str>) -> Result<Validated, Failure> {
    use rulebook_model::model::SharedLimits;
    use rulebook_redis::{RedisCounter, RedisCounterError};

    let (settings, url) = match (validated.api.shared_limits.clone(), url) {
        (None, None) => return Ok(validated),
        (defined, Some(url)) => (defined.unwrap_or_else(|| SharedLimits::new(Default::default())), url.to_owned()),
        (Some(defined), None) => {
            let url = rulebook::handler_kind::expand_variables(&defined.url.value, defined.url.span);
            let url = url.map_err(|error| Failure::Usage(format!("shared_limits: {}", error.message)))?;
            (defined, url)
        }
    };
    let timeout = std::time::Duration::from_millis(settings.timeout_ms);
    let counter = RedisCounter::with_timeout(&url, timeout).map_err(|error| match error {
        RedisCounterError::Thread(_) => Failure::System(error.to_string()),
        _ => Failure::Usage(error.to_string()),
    })?;
    Ok(validated.shared_counter(counter, (&settings).into()))
}

/// Fails if the setting `shared_limits` is used, because each server would count by itself.
#[cfg(not(feature = "redis"))]
pub(super) fn add_counter(validated: Validated, url: Option<&str>) -> Result<Validated, Failure> {
    let why = "`shared_limits` is set, but this program was compiled without the feature `redis`";
    match (&validated.api.shared_limits, url) {
        (None, None) => Ok(validated),
        _ => Err(Failure::Usage(why.to_owned())),
    }
}
