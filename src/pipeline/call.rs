//! Calls from code and from the command line: in at permission, out before the reply.

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Arc;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::guard::guarded;
use super::raw::Raw;
use super::read::{self, Values};
use super::route::{Routed, route, similar};
use super::{Runner, act, check, permit};
use crate::call::{Head, Reason, Refusal, Value};
use crate::handler::{Argument, Around, Call, Caller, Response, State};
use crate::plan::{Method, Plan};

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
        Box::pin(async move {
            // Types are the program's own code too, and a call from code has no server around it.
            let ended = guarded("a stage", run(&self, call)).await;
            Response::new(ended.and_then(|ended| ended))
        })
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
        act::start(runner, &granted, slots, Around::Call { request_id: call.request_id.clone(), depth: call.depth })?
    };
    let success = acting.await?;
    success.outputs.to_json().map_err(Refusal::internal)
}

/// The method that is called, and the raw value of each of its slots.
fn raw<'c>(plan: &Plan, call: &'c Call) -> Result<(usize, Vec<Raw<'c>>), Refusal> {
    let Target { method: index, segments, query } = target(plan, &call.target)?;
    let method = &plan.methods[index];
    let last_counts = plan.modules[method.module].last_counts;
    let mut raw = vec![Raw::Absent; method.slots.len()];
    let text = |raw: &mut Vec<Raw<'c>>, slot: usize, text| {
        raw[slot].add_text(text, method.slots[slot].takes, last_counts);
    };
    for (segment, slot) in &method.segments {
        if let Some(own) = segments.get(*segment).filter(|text| !text.is_empty()) {
            text(&mut raw, *slot, Cow::Owned(own.clone()));
        }
    }
    let mut next = 0;
    for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let slot = read::slot(method, &method.query, &key, &mut next);
        let slot = slot.ok_or_else(|| unknown_argument(method, &format!("no field of its query is called {key:?}")))?;
        text(&mut raw, slot, Cow::Owned(value.into_owned()));
    }
    for (name, argument) in &call.arguments {
        let slot = method.names.iter().position(|own| **own == **name).ok_or_else(|| {
            unknown_argument(
                method,
                &format!("no parameter is called {name:?} in code, but {}", method.names.join(", ")),
            )
        })?;
        match argument {
            Argument::Text(own) => text(&mut raw, slot, Cow::Borrowed(own)),
            Argument::Json(json) if last_counts || matches!(raw[slot], Raw::Absent) => {
                raw[slot] = Raw::Json(Value::from(json));
            }
            Argument::Json(_) => raw[slot] = Raw::Repeated,
        }
    }
    Ok((index, raw))
}

/// A name that the method does not know is the program's fault, not that of its client.
fn unknown_argument(method: &Method, why: &str) -> Refusal {
    Refusal::internal(format_args!("{}: {why}", method.id))
}

/// What has to be encoded of base, which is written decoded.
const BASE: &AsciiSet = &PATH.add(b'%').add(b'?').add(b'#');
/// What has to be encoded of a path and query as programs write them: as clients do, but perhaps with blanks and
/// letters beyond ASCII.
const PATH: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`').add(b'|');

/// What a call is for.
#[derive(Default)]
struct Target {
    method: usize,
    /// The decoded segments of the path, where there is one.
    segments: Vec<String>,
    /// The query behind the path, still encoded.
    query: String,
}

/// The method of an id, or of an HTTP method and path.
fn target(plan: &Plan, target: &str) -> Result<Target, Refusal> {
    let unknown = || Refusal::new(Reason::UnknownService { similar: Vec::new() });
    if let Some(index) = plan.ids.get(target) {
        return Ok(Target { method: *index, ..Target::default() });
    }
    let (http, path) = target.split_once(' ').filter(|(_, path)| path.starts_with('/')).ok_or_else(unknown)?;
    let method = http.parse::<http::Method>().map_err(|_| unknown())?;
    let base = utf8_percent_encode(&plan.base, BASE);
    let uri = format!("{base}{}", utf8_percent_encode(path, PATH)).parse().map_err(|_| unknown())?;
    let head = Head::new(method, uri);
    let refused = |refusal: Refusal| match refusal.reason() {
        Reason::UnknownService { .. } => refusal.with_similar(similar(plan, &head)),
        _ => refusal,
    };
    match route(plan, &head).map_err(|unrouted| refused(unrouted.refusal))? {
        Routed::Method(found) => Ok(Target {
            method: found.method,
            segments: found.segments.into_iter().map(Cow::into_owned).collect(),
            query: head.query().to_owned(),
        }),
        Routed::Options { .. } | Routed::OptionsAbove { .. } | Routed::OptionsAll { .. } => Err(unknown()),
    }
}
