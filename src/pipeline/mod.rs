//! A request's way, from its head to the reply: every stage in order.
//!
//! In charge of what happens to a request, stage by stage; a stage is a module
//! with one entry function. Must not know sockets, servers or definitions: what
//! comes is a [`Head`] and, when it is asked for, a [`Body`]; what goes is a
//! [`Reply`].

mod accept;
mod act;
mod call;
mod check;
mod cors;
mod document;
mod form;
mod guard;
mod identify;
mod permit;
mod raw;
mod read;
mod ready;
mod respond;
mod route;
mod verify;

use std::sync::Arc;

pub use act::Detached;
pub use cors::{share, shared};
pub use document::{document, options, unread};
pub use guard::{guard, guarded, log_panics};
pub use permit::Granted;
pub use read::{ACCEPTED, Body, BodyKind, Part, PartContent, kind as body_kind};
pub use ready::{Readiness, readiness};
pub use respond::{Answered, Of, Reply, ReplyBody, Sendable, refuse};
pub use route::{Routed, Unrouted, route};

use crate::call::{Head, Outcome, Refusal};
use crate::handler::Around;
use crate::plan::{Found, Plan};

/// A worker's own hold on the plan: what calls share and count, they share and count within one worker.
pub struct Runner {
    /// The plan.
    pub plan: Arc<Plan>,
    /// Counts the handlers whose callers have gone.
    pub detached: Arc<Detached>,
}

/// Answers a request that was routed. The body is only asked for when the call is permitted.
pub async fn answer(
    runner: &Arc<Runner>,
    head: &Arc<Head>,
    found: Found<'_>,
    receive: impl AsyncFnOnce(BodyKind) -> Result<Body, Refusal>,
) -> Answered {
    let method = found.method;
    let outcome = run(runner, head, found, receive).await;
    respond::respond(&runner.plan, head, method, outcome)
}

/// The stages between routing and the reply.
async fn run(
    runner: &Arc<Runner>,
    head: &Arc<Head>,
    found: Found<'_>,
    receive: impl AsyncFnOnce(BodyKind) -> Result<Body, Refusal>,
) -> Outcome {
    let granted = admit(&runner.plan, head, found).await?;
    let body = match read::kind(head, granted.method()) {
        BodyKind::Nothing => Body::Empty,
        kind => receive(kind).await?,
    };
    let values = read::read(&runner.plan, head, &granted, &body)?;
    let slots = check::check(&runner.plan, granted.method(), values)?;
    let running = act::start(runner, &granted, slots, Around::Request(Arc::clone(head)))?;
    running.await
}

/// The stages ahead of the body: who calls, and whether that one may.
pub async fn admit<'p>(plan: &'p Plan, head: &Head, found: Found<'p>) -> Result<Granted<'p>, Refusal> {
    let identity = identify::identify(plan, head).await?;
    permit::permit(plan, head, found, identity)
}
