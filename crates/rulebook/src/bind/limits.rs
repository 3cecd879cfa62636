//! Returns the limits of the sizes of files, and creates the limits of the number of requests.

use std::sync::Arc;
use std::thread;

use rulebook_model::limits;
use rulebook_model::model::{Api, Limits, Parameter, RateLimit};
use rulebook_model::types::Arity;

use crate::call::Limit;
use crate::rate_limit::{PlannedRateLimit, SharedCounter, SharedCounterSettings, SharedLimiter};

/// Returns the size limit for each file of a parameter; `None` if the parameter does not accept files.
pub(super) fn file_limit(parameter: &Parameter, limits: &Limits) -> Option<Limit> {
    let check = &parameter.r#type.check;
    let type_limit = check.max_size().bytes.map(Limit::file);
    matches!(check.arity(), Arity::File | Arity::Files)
        .then(|| type_limit.unwrap_or(limits::PART_SIZE.with_value(limits.part)))
}

/// Creates limits. `scope` distinguishes equal limits that do not count together.
pub fn plan_limits(api: &Api, limits: &[RateLimit], scope: &str) -> Box<[Arc<PlannedRateLimit>]> {
    let workers = api.workers.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
    let new = |limit: &RateLimit| PlannedRateLimit::new(*limit, scope, workers, api.limits.callers);
    limits.iter().map(new).map(Arc::new).collect()
}

/// Creates the limiter that counts with a shared counter. It has leases for the callers of all limits of the API, and
/// for as many identities with limits.
pub fn new_shared_limiter(
    api: &Api,
    (counter, settings): (Arc<dyn SharedCounter>, SharedCounterSettings),
) -> SharedLimiter {
    let of_modules = api.modules.iter().flat_map(|module| {
        let methods = module.services.iter().flat_map(|service| &service.methods);
        methods.filter_map(|method| method.options.rate_limits.as_ref()).chain(&module.rate_limits)
    });
    let limits: usize = of_modules.map(Vec::len).sum::<usize>() + api.rate_limits.len() + 1;
    let max_callers = usize::try_from(api.limits.callers).unwrap_or(usize::MAX);
    SharedLimiter::new(counter, settings, max_callers.saturating_mul(limits))
}
