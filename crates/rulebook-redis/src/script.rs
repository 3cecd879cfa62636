//! The script that claims requests.

use std::sync::LazyLock;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisResult, Script};
use rulebook::{Claim, Grant};

static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("claim.lua")));

/// Claims requests. The script is loaded into the server if the server does not know it yet.
pub(crate) async fn claim(connection: &mut MultiplexedConnection, claim: &Claim) -> RedisResult<Grant> {
    let mut call = SCRIPT.prepare_invoke();
    call.key(&claim.name).arg(claim.requests).arg(claim.seconds).arg(claim.needed).arg(claim.desired);
    call.arg(if claim.shares { Claim::SHARES } else { 0 });
    let (granted, remaining, period, left) = call.invoke_async::<(u32, u32, u64, u64)>(connection).await?;
    Ok(Grant { granted, remaining, period, ends_in: Duration::from_millis(left) })
}
