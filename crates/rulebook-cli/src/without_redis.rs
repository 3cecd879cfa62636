//! The setting `shared_limits`, if the program was compiled without the feature `redis`.

use rulebook::{Claim, ClaimError, Grant, SharedCounter, SharedCounterSettings};
use rulebook_model::model::Api;

use super::output::Failure;

/// A counter that no program has.
pub(super) enum NoCounter {}

impl SharedCounter for NoCounter {
    fn claim(&self, _: Claim) -> std::pin::Pin<Box<dyn Future<Output = Result<Grant, ClaimError>> + Send>> {
        match *self {}
    }

    fn check(&self) -> std::pin::Pin<Box<dyn Future<Output = Result<(), ClaimError>> + Send>> {
        match *self {}
    }
}

/// Fails if the setting `shared_limits` is used, because each server would count by itself.
pub(super) fn open_counter(
    api: &Api,
    url: Option<&str>,
) -> Result<Option<(NoCounter, SharedCounterSettings)>, Failure> {
    let why = "`shared_limits` is set, but this program was compiled without the feature `redis`";
    match (&api.shared_limits, url) {
        (None, None) => Ok(None),
        _ => Err(Failure::Usage(why.to_owned())),
    }
}
