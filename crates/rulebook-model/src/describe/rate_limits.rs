//! Describes the limits of the number of requests to a method in English.

use crate::model::{Api, Method, Module};

/// Returns a sentence about each limit of the number of requests to a method, and one about the cost of a call.
pub(super) fn describe_rate_limits(api: &Api, module: &Module, method: &Method) -> Vec<String> {
    let limits = api.rate_limits(module, method);
    let together = match (&method.options.rate_limits, &module.rate_limits) {
        (Some(_), _) => "",
        (None, Some(_)) => ", to all methods with this limit in the module together",
        (None, None) => ", to all methods with this limit in the API together",
    };
    let sentences = limits.iter().map(|limit| format!("At most {}{together}.", limit.in_words()));
    let cost = method.options.cost;
    sentences.chain((cost > 1).then(|| format!("A call counts as {cost} requests."))).collect()
}
