//! Calls from code and from the command line: in at permission, out before the reply.

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Arc;

use super::read::{Raw, Values};
use super::route::{Routed, route};
use super::{Runner, act, check, permit};
use crate::call::{Head, Reason, Refusal, Value};
use crate::handler::{Argument, Call, Caller, Response, State};
use crate::plan::Plan;

/// How many calls may be inside of each other.
const DEEPEST: u32 = 16;

impl Caller for Runner {
    fn state(&self) -> &State {
        &self.plan.state
    }

    fn method_id(&self, method: usize) -> &str {
        &self.plan.methods[method].id
    }

    fn call(self: Arc<Self>, call: Call) -> Pin<Box<dyn Future<Output = Response> + Send>> {
        Box::pin(async move { Response::new(run(&self, call).await) })
    }
}

async fn run(runner: &Arc<Runner>, call: Call) -> Result<serde_json::Value, Refusal> {
    if call.depth > DEEPEST {
        return Err(Refusal::internal(format_args!("{}: more than {DEEPEST} calls inside of each other", call.target)));
    }
    let plan = &*runner.plan;
    let acting = {
        let (method, raw) = raw(plan, &call)?;
        let granted = permit::permit_call(plan, method, &raw, call.identity.clone())?;
        let slots = check::check(plan, &plan.methods[method], Values { raw, unknown: Vec::new() })?;
        act::start(runner, &granted, slots, None, call.depth)?
    };
    let success = acting.await?;
    success.outputs.to_json().map_err(Refusal::internal)
}

/// The method that is called, and the raw value of each of its slots.
fn raw<'c>(plan: &Plan, call: &'c Call) -> Result<(usize, Vec<Raw<'c>>), Refusal> {
    let (index, segments) = target(plan, &call.target)?;
    let method = &plan.methods[index];
    let mut raw = vec![Raw::Absent; method.slots.len()];
    for (segment, slot) in &method.segments {
        if let Some(text) = segments.get(*segment).filter(|text| !text.is_empty()) {
            raw[*slot] = Raw::Text(Cow::Owned(text.clone()));
        }
    }
    for (name, argument) in &call.arguments {
        let Some(slot) = method.names.iter().position(|own| **own == **name) else {
            return Err(Refusal::internal(format_args!("{}: no parameter is called {name:?} in code", method.id)));
        };
        raw[slot] = match argument {
            Argument::Text(text) => Raw::Text(Cow::Borrowed(text)),
            Argument::Json(json) => Raw::Json(Value::from(json)),
        };
    }
    Ok((index, raw))
}

/// The method of an id, or of an HTTP method and path; with the path's segments.
fn target(plan: &Plan, target: &str) -> Result<(usize, Vec<String>), Refusal> {
    let unknown = || Refusal::new(Reason::UnknownService { similar: Vec::new() });
    if let Some(index) = plan.methods.iter().position(|method| *method.id == *target) {
        return Ok((index, Vec::new()));
    }
    let (http, path) = target.split_once(' ').ok_or_else(unknown)?;
    let method = http.parse::<http::Method>().map_err(|_| unknown())?;
    let uri = format!("{}{path}", plan.base).parse().map_err(|_| unknown())?;
    match route(plan, &Head::new(method, uri)).map_err(|unrouted| unrouted.refusal)? {
        Routed::Method(found) => Ok((found.method, found.segments.into_iter().map(Cow::into_owned).collect())),
        Routed::Options(_) | Routed::OptionsAll => Err(unknown()),
    }
}
