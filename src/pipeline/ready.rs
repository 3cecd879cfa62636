//! Whether the program can do its work: what `/readyz` tells.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use serde_json::{Map, Value as Json, json};
use tokio::time::timeout;

use super::guard::guarded;
use crate::handler::Ready;
use crate::plan::Plan;

/// How long a check may take.
const CHECK_TIME: Duration = Duration::from_secs(2);

/// What the checks said.
#[derive(Debug, Clone)]
pub struct Readiness {
    /// Whether all of them have passed.
    pub ready: bool,
    /// The same for clients, in JSON: which have passed and which have failed, but never why.
    pub body: Bytes,
}

impl Readiness {
    /// Of a server that takes no more requests.
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

/// Asks all checks at once.
pub async fn readiness(plan: &Plan) -> Readiness {
    let passed = join_all(plan.checks.iter().map(passes)).await;
    let status = if passed.iter().all(|passed| *passed) { READY } else { "not ready" };
    let words = plan.checks.iter().zip(passed).map(|(check, passed)| {
        let word = if passed { "ok" } else { "failed" };
        (check.name().to_owned(), word.into())
    });
    Readiness::new(status, &words.collect())
}

/// Whether a check passes. The log is told when that has changed.
async fn passes(check: &Ready) -> bool {
    let ended = match timeout(CHECK_TIME, guarded("it", check.run())).await {
        Ok(Ok(ended)) => ended,
        Ok(Err(panic)) => Err(panic.log().unwrap_or_default().to_owned()),
        Err(_) => Err(format!("no answer within {} s", CHECK_TIME.as_secs())),
    };
    match &ended {
        Ok(()) if check.is_news(false) => log::info!("the check {} passes again", check.name()),
        Err(why) if check.is_news(true) => log::error!("the check {} fails: {why}", check.name()),
        _ => {}
    }
    ended.is_ok()
}
