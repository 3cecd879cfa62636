//! Runs the program's readiness checks for `/readyz`.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use serde_json::{Map, Value as Json, json};
use tokio::time::timeout;

use super::panic::catch_panic_async;
use crate::handler::ReadinessCheck;
use crate::plan::Plan;

/// The maximum duration of a check.
const CHECK_TIME: Duration = Duration::from_secs(2);

/// The result of the readiness checks.
#[derive(Debug, Clone)]
pub struct Readiness {
    /// `true` if all checks have passed.
    pub ready: bool,
    /// The JSON response for clients: the result of each check, without the reasons of failures.
    pub body: Bytes,
}

impl Readiness {
    /// Returns the result for a server that is stopping.
    #[must_use]
    pub fn stopping() -> Self {
        Self::new("stopping", &Map::new())
    }

    fn new(status: &str, checks: &Map<String, Json>) -> Self {
        let body = json!({ "status": status, "checks": checks }).to_string();
        Self { ready: status == READY, body: body.into() }
    }
}

const READY: &str = "ready";

/// Runs all checks concurrently.
pub async fn readiness(plan: &Plan) -> Readiness {
    let passed = join_all(plan.checks.iter().map(passes)).await;
    let status = if passed.iter().all(|passed| *passed) { READY } else { "not ready" };
    let words = plan.checks.iter().zip(passed).map(|(check, passed)| {
        let word = if passed { "ok" } else { "failed" };
        (check.name().to_owned(), word.into())
    });
    Readiness::new(status, &words.collect())
}

/// Runs a check, and logs the result if it differs from that of the previous run.
async fn passes(check: &ReadinessCheck) -> bool {
    let ended = match timeout(CHECK_TIME, catch_panic_async("it", pin!(check.run()))).await {
        Ok(Ok(ended)) => ended,
        Ok(Err(panic)) => Err(panic.log().unwrap_or_default().to_owned()),
        Err(_) => Err(format!("no result within {} s", CHECK_TIME.as_secs())),
    };
    match &ended {
        Ok(()) if check.set_failing(false) => log::info!("the check {} passes again", check.name()),
        Err(why) if check.set_failing(true) => log::error!("the check {} fails: {why}", check.name()),
        _ => {}
    }
    ended.is_ok()
}
