//! Creates the limits of the number of requests. Methods that take their limits from the API module or from the API
//! share them.

use std::sync::Arc;
use std::thread;

use rulebook_model::model::{Api, Method, Module, RateLimit};

use crate::rate_limit::{PlannedRateLimit, SharedCounter, SharedCounterSettings, SharedLimiter};

/// The limits of the methods that take them from the API, and the numbers that all limits need.
pub struct RateLimits {
    of_api: Box<[Arc<PlannedRateLimit>]>,
    workers: usize,
    max_callers: u64,
}

/// The limits of the methods that take them from an API module.
pub struct ModuleRateLimits<'a> {
    all: &'a RateLimits,
    of_module: Option<Box<[Arc<PlannedRateLimit>]>>,
}

impl RateLimits {
    pub fn new(api: &Api) -> Self {
        let workers = api.workers.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
        let mut limits = Self { of_api: Box::default(), workers, max_callers: api.limits.callers };
        limits.of_api = limits.plan(&api.rate_limits, "api");
        limits
    }

    /// Returns the limits of the methods of an API module.
    pub fn of_module<'a>(&'a self, module: &Module) -> ModuleRateLimits<'a> {
        let limits = module.rate_limits.as_ref();
        let of_module = limits.map(|limits| self.plan(limits, &format!("module:{}", module.name)));
        ModuleRateLimits { all: self, of_module }
    }

    fn plan(&self, limits: &[RateLimit], scope: &str) -> Box<[Arc<PlannedRateLimit>]> {
        let new = |limit: &RateLimit| PlannedRateLimit::new(*limit, scope, self.workers, self.max_callers);
        limits.iter().map(new).map(Arc::new).collect()
    }
}

impl ModuleRateLimits<'_> {
    /// Returns the limits of a method of the API module.
    pub fn of_method(&self, method: &Method) -> Box<[Arc<PlannedRateLimit>]> {
        match (&method.options.rate_limits, &self.of_module) {
            (Some(limits), _) => self.all.plan(limits, &format!("method:{}", method.id)),
            (None, Some(of_module)) => of_module.clone(),
            (None, None) => self.all.of_api.clone(),
        }
    }
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
