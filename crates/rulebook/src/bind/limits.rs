//! Computes the limits for multipart bodies: the limits in the settings of the definition, or higher limits if the
//! parameters of an API method need them. Creates the limits of the number of requests.

use std::sync::Arc;
use std::thread;

use rulebook_model::limits;
use rulebook_model::model::{Api, Limits, Location, Method, Parameter, RateLimit};
use rulebook_model::types::Arity;

use crate::call::Limit;
use crate::plan::MultipartLimits;
use crate::rate_limit::{PlannedRateLimit, SharedCounter, SharedCounterSettings, SharedLimiter};

/// Returns the size limit for each file of a parameter; `None` if the parameter does not accept files.
pub(super) fn file_limit(parameter: &Parameter, limits: &Limits) -> Option<Limit> {
    let check = &parameter.r#type.check;
    let type_limit = check.max_size().bytes.map(Limit::file);
    matches!(check.arity(), Arity::File | Arity::Files)
        .then(|| type_limit.unwrap_or(limits::PART_SIZE.with_value(limits.part)))
}

/// Returns the limits for a multipart body of an API method. The limits allow every body in which each part is valid
/// for its parameter.
pub(super) fn method_limits(method: &Method, limits: &Limits) -> MultipartLimits {
    let (mut all_parts, mut file_bytes, mut has_size) = (0_u64, 0_u64, false);
    for parameter in method.parameters.iter().filter(|it| matches!(it.from, Location::Body | Location::Any)) {
        let check = &parameter.r#type.check;
        let max = check.max_size();
        let is_list = matches!(check.arity(), Arity::Many | Arity::Files);
        let parts = if is_list { max.items.unwrap_or(1) } else { 1 }.min(limits.items);
        // The type of the parameter limits the size of a file or the number of files.
        has_size |= match check.arity() {
            Arity::One | Arity::Many => false,
            Arity::File => max.bytes.is_some(),
            Arity::Files => max.items.is_some(),
        };
        all_parts = all_parts.saturating_add(parts);
        file_bytes = file_bytes.saturating_add(match file_limit(parameter, limits) {
            None => 0,
            // If the parameter accepts any number of files, the setting `multipart` limits their total size.
            Some(_) if check.arity() == Arity::Files && max.items.is_none() => limits.multipart,
            Some(limit) => limit.max.saturating_mul(parts),
        });
    }
    let bytes = if has_size { file_bytes.saturating_add(limits.body) } else { 0 };
    MultipartLimits { bytes: bytes.max(limits.multipart), parts: all_parts.max(limits.parts) }
}

/// Returns the higher limit for bytes, and the higher limit for parts.
pub(super) fn max_limits(one: MultipartLimits, other: MultipartLimits) -> MultipartLimits {
    MultipartLimits { bytes: one.bytes.max(other.bytes), parts: one.parts.max(other.parts) }
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
