//! A request's way, from its head to the reply: every stage in order.
//!
//! In charge of what happens to a request, stage by stage; a stage is a module
//! with one entry function. Must not know sockets, servers or definitions: what
//! comes is a [`Head`] and, when it is asked for, a [`Body`]; what goes is a
//! [`Reply`].

mod accept;
mod act;
mod body;
mod call;
mod check;
mod coded;
mod cors;
mod document;
mod form;
mod guard;
mod identify;
mod jsonp;
mod pairs;
mod permit;
mod raw;
mod read;
mod ready;
mod reply;
mod respond;
mod route;
mod told;
mod verify;

use std::sync::Arc;

pub use act::Detached;
pub use body::{ACCEPTED, Body, BodyKind, Part, PartContent, kind as body_kind};
pub use check::is_refused_by;
pub use coded::{coded, coding};
pub use cors::{announces_names, share, shared};
pub use document::{document, missing, page, reads_pages, unread};
pub use guard::{guard, guarded, log_panics};
pub use permit::Granted;
pub use read::filled_by;
pub use ready::{Readiness, readiness};
pub use reply::{Answered, Reply, ReplyBody, Sendable};
pub use respond::{Of, linked, refuse};
pub use route::{Beginning, OptionsOn, Routed, Undecided, Unrouted, decide, route};
pub use told::{Described, MODULE, PART, Told, described, options, told};

use crate::call::{Head, Outcome, Quota, Refusal};
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
    let asked = jsonp::asked(runner.plan.methods[method].jsonp, head);
    let mut quota = None;
    let outcome = match &asked {
        Ok(callback) => run(runner, head, found, callback.is_some(), &mut quota, receive).await,
        Err(refusal) => Err(refusal.clone()),
    };
    let outcome = match quota {
        Some(quota) => quota.told(outcome),
        None => outcome,
    };
    respond::respond(&runner.plan, head, method, asked.ok().flatten().as_ref(), outcome)
}

/// The stages between routing and the reply. `nobodys`: whether it does not count who sent the request. `quota` becomes
/// what is left to whoever did, where that is counted.
async fn run(
    runner: &Arc<Runner>,
    head: &Arc<Head>,
    found: Found<'_>,
    nobodys: bool,
    quota: &mut Option<Quota>,
    receive: impl AsyncFnOnce(BodyKind) -> Result<Body, Refusal>,
) -> Outcome {
    let nobodys = nobodys.then(|| jsonp::nobodys(head));
    let granted = match &nobodys {
        None => {
            let identity = identify::identify(&runner.plan, head).await?;
            identify::count(identity.as_ref(), quota)?;
            permit::permit(&runner.plan, head, found, identity)?
        }
        Some(head) => permit::permit(&runner.plan, head, found, None)?,
    };
    let head = nobodys.as_ref().unwrap_or(head);
    let body = match body::kind(head, granted.method()) {
        BodyKind::Nothing => Body::Empty,
        kind => receive(kind).await?,
    };
    let values = read::read(&runner.plan, head, &granted, &body)?;
    let slots = check::check(&runner.plan, granted.method(), values)?;
    let running = act::start(runner, &granted, slots, Around::Request(Arc::clone(head)))?;
    running.await
}

/// The stages ahead of the body: who calls, and whether that one may. The request is not counted, since it comes again.
pub async fn admit<'p>(plan: &'p Plan, head: &Head, found: Found<'p>) -> Result<Granted<'p>, Refusal> {
    match jsonp::asked(plan.methods[found.method].jsonp, head)? {
        None => {
            let identity = identify::identify(plan, head).await?;
            identify::look(identity.as_ref())?;
            permit::permit(plan, head, found, identity)
        }
        Some(_) => permit::permit(plan, head, found, None),
    }
}
