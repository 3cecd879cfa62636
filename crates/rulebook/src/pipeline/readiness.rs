//! Runs the program's readiness checks, whose results `/readyz` reports.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::{Map, Value as Json};
use tokio::time::timeout;

use super::panic::catch_panic_async;
use crate::handler::ReadinessCheck;
use crate::plan::Plan;

/// The maximum duration of a readiness check. A check that takes longer fails.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// The results of all readiness checks.
#[derive(Debug, Clone)]
pub struct Readiness {
    /// `true` if all readiness checks have passed.
    pub is_ready: bool,
    /// The body of the response at `/readyz`: the result of each check, without the reasons for failures.
    body: Map<String, Json>,
}

impl Readiness {
    /// Returns the value for a server that is shutting down, which is never ready.
    pub fn stopping() -> Self {
        Self::new(false, "stopping", Map::new())
    }

    fn new(is_ready: bool, status: &str, checks: Map<String, Json>) -> Self {
        let body = [("status".to_owned(), status.into()), ("checks".to_owned(), Json::Object(checks))];
        Self { is_ready, body: body.into_iter().collect() }
    }

    /// Adds the version and the digest of the definition that is served.
    pub fn with_definition(mut self, plan: &Plan) -> Self {
        self.body.insert("version".to_owned(), (*plan.api_version).into());
        self.body.insert("digest".to_owned(), plan.definition_digest().into());
        self
    }

    /// Adds when the server has refused a changed definition. Every client can read the response, so that it does not
    /// contain the reason.
    pub fn with_refused_definition(mut self, time: Timestamp) -> Self {
        self.body.insert("definition_refused".to_owned(), format!("{time:.0}").into());
        self
    }

    /// Returns the body of the response at `/readyz` as JSON.
    pub fn to_json(&self) -> Bytes {
        // Writing JSON values cannot fail.
        serde_json::to_vec(&self.body).unwrap_or_default().into()
    }
}

/// Runs all readiness checks of the program concurrently.
pub async fn run_readiness_checks(plan: &Plan) -> Readiness {
    if let Some(why) = &plan.waits_for {
        return Readiness::new(false, why, Map::new());
    }
    let passed = join_all(plan.readiness_checks.iter().map(check_passes)).await;
    let is_ready = passed.iter().all(|passed| *passed);
    let words = plan.readiness_checks.iter().zip(passed).map(|(check, passed)| {
        let word = if passed { "ok" } else { "failed" };
        (check.name().to_owned(), word.into())
    });
    Readiness::new(is_ready, if is_ready { "ready" } else { "not ready" }, words.collect())
}

/// Runs a readiness check, and returns `true` if it passed. The result is logged if the previous run had another
/// result.
async fn check_passes(check: &ReadinessCheck) -> bool {
    let ended = match timeout(CHECK_TIMEOUT, catch_panic_async("it", pin!(check.run()))).await {
        Ok(Ok(ended)) => ended,
        Ok(Err(panic)) => Err(panic.log().unwrap_or_default().to_owned()),
        Err(_) => Err(format!("no result within {} s", CHECK_TIMEOUT.as_secs())),
    };
    match &ended {
        Ok(()) if check.set_failing(false) => log::info!("the check {} passes again", check.name()),
        Err(why) if check.set_failing(true) => log::error!("the check {} fails: {why}", check.name()),
        _ => {}
    }
    ended.is_ok()
}
