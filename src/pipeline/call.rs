//! Calls from code and from the command line: in at permission, out before the reply.

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Arc;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::guard::guarded;
use super::raw::Raw;
use super::read::{self, Values};
use super::route::{OptionsOn, Routed, Unrouted, route, similar};
use super::{Of, Runner, act, check, permit};
use crate::call::{Allowed, Head, Outcome, Reason, Refusal, Value};
use crate::envelope::Envelope;
use crate::handler::{Argument, Around, Call, Caller, Response, State};
use crate::plan::{Action, Method, Plan};

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
            let (call, target) = match target(&self.plan, call) {
                Ok(found) => found,
                Err(Unrouted { of, refusal }) => return Response::new(Err(refusal), envelope(&self.plan, of)),
            };
            let envelope = envelope(&self.plan, Of::Method(target.method));
            let own = Arc::clone(&envelope);
            let responding = async { Response::new(run(&self, call, target).await, own) };
            // Types are the program's own code too, and a call from code has no server around it.
            guarded("a stage", responding).await.unwrap_or_else(|panic| Response::new(Err(panic), envelope))
        })
    }
}

async fn run(runner: &Arc<Runner>, call: Call, target: Target) -> Outcome {
    let plan = &*runner.plan;
    let method = target.method;
    let acting = {
        let raw = raw(&plan.methods[method], plan, &call, &target)?;
        let granted = permit::permit_call(plan, method, &raw, call.identity.clone())?;
        let slots = check::check(plan, &plan.methods[method], Values { raw, unknown: Vec::new() })?;
        act::start(runner, &granted, slots, Around::Call { request_id: call.request_id.clone(), depth: call.depth })?
    };
    acting.await
}

/// The raw value of each slot of the method.
fn raw<'c>(method: &Method, plan: &Plan, call: &'c Call, target: &Target) -> Result<Vec<Raw<'c>>, Refusal> {
    let last_counts = plan.modules[method.module].last_counts;
    let mut raw = vec![Raw::Absent; method.slots.len()];
    let text = |raw: &mut Vec<Raw<'c>>, slot: usize, text| {
        raw[slot].add_text(text, method.slots[slot].takes, last_counts);
    };
    for (segment, slot) in &method.segments {
        if let Some(own) = target.segments.get(*segment).filter(|text| !text.is_empty()) {
            text(&mut raw, *slot, Cow::Owned(own.clone()));
        }
    }
    let mut next = 0;
    for (key, value) in url::form_urlencoded::parse(target.query.as_bytes()) {
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
            Argument::File(own) => raw[slot].add_file(own.clone(), method.slots[slot].takes, last_counts),
        }
    }
    Ok(raw)
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

/// What has to be encoded of the text of a single segment.
const SEGMENT: &AsciiSet = &BASE.add(b'/');

/// What a call is for.
#[derive(Default)]
struct Target {
    method: usize,
    /// The decoded segments of the path, where there is one.
    segments: Vec<String>,
    /// The query behind the path, still encoded.
    query: String,
}

/// Finds what is called; arguments that say it are no arguments any more.
fn target(plan: &Plan, mut call: Call) -> Result<(Call, Target), Unrouted> {
    if call.depth > DEEPEST {
        let why = format!("{}: more than {DEEPEST} calls inside of each other", call.target);
        return Err(Refusal::internal(why).into());
    }
    if let Some(index) = plan.ids.get(&*call.target) {
        return Ok((call, Target { method: *index, ..Target::default() }));
    }
    if call.target.is_empty() {
        call.target = take_path(&mut call.arguments).ok_or_else(unknown)?;
    }
    let (method, path) = match call.target.split_once(' ').filter(|(_, path)| path.starts_with('/')) {
        Some((method, path)) => (Some(method.parse().map_err(|_| unknown())?), path),
        None => (None, &*call.target),
    };
    let slash = if path.starts_with('/') { "" } else { "/" };
    let base = utf8_percent_encode(&plan.base, BASE);
    let uri = format!("{base}{slash}{}", utf8_percent_encode(path, PATH)).parse().map_err(|_| unknown())?;
    let target = routed(plan, method, uri)?;
    Ok((call, target))
}

/// The method of this path, and HTTP method where one is said.
fn routed(plan: &Plan, method: Option<http::Method>, uri: http::Uri) -> Result<Target, Unrouted> {
    let named = method.is_some();
    let mut head = Head::new(method.unwrap_or(http::Method::OPTIONS), uri);
    let found = if named {
        route(plan, &head)
    } else {
        only(plan, &head).and_then(|method| {
            head.method = method;
            route(plan, &head)
        })
    };
    match found {
        Ok(Routed::Method(found)) if found.by_name.is_none() => Ok(Target {
            method: found.method,
            segments: found.segments.into_iter().map(Cow::into_owned).collect(),
            query: head.query().to_owned(),
        }),
        // What stands in a query or a body to name a method is for clients: calls from code have its id.
        Ok(_) => Err(unknown()),
        Err(Unrouted { of, refusal }) => match refusal.reason() {
            Reason::UnknownService { .. } => Err(Unrouted { of, refusal: refusal.with_similar(similar(plan, &head)) }),
            _ => Err(Unrouted { of, refusal }),
        },
    }
}

/// The one method that takes the path that OPTIONS is asked about, or the first of those that are one to a program.
fn only(plan: &Plan, head: &Head) -> Result<http::Method, Unrouted> {
    let (of, service, allowed) = match route(plan, head)? {
        Routed::Options(OptionsOn::Service { service, allowed }) => {
            (Of::Module(plan.services[service].module), Some(service), allowed)
        }
        Routed::Options(OptionsOn::All { allowed, .. }) => (Of::Nothing, None, allowed),
        Routed::Options(OptionsOn::Above { .. }) | Routed::Method(_) | Routed::Undecided(_) => return Err(unknown()),
    };
    let Some((first, others)) = allowed.0.split_first() else { return Err(unknown()) };
    let one = others.is_empty() || service.is_some_and(|service| are_one(plan, service, &allowed));
    if one {
        first.as_str().parse().map_err(|_| unknown())
    } else {
        Err(Unrouted { of, refusal: Refusal::new(Reason::UnknownMethod { allowed }) })
    }
}

/// Whether these methods of a service take and do the same, as a method of the dialect `rules` does by GET and POST.
fn are_one(plan: &Plan, service: usize, allowed: &Allowed) -> bool {
    let methods = plan.services[service].methods.iter().filter(|(http, _)| allowed.0.contains(http));
    let mut methods = methods.map(|(_, method)| &plan.methods[*method]);
    let Some(first) = methods.next() else { return false };
    let sources = |method: &Method| method.slots.iter().map(|slot| slot.source).collect::<Vec<_>>();
    methods.all(|other| {
        let does = match (&first.action, &other.action) {
            (Action::Handler { handler: one, .. }, Action::Handler { handler: another, .. }) => {
                Arc::ptr_eq(one, another)
            }
            (one, another) => std::mem::discriminant(one) == std::mem::discriminant(another),
        };
        does && first.names == other.names && sources(first) == sources(other)
    })
}

/// Takes the two segments of a path out of the arguments `module` and `method`; none where one of them is missing.
fn take_path(arguments: &mut Vec<(String, Argument)>) -> Option<String> {
    let mut take = |name| {
        let (_, argument) = arguments.remove(arguments.iter().position(|(own, _)| own == name)?);
        let text = match argument {
            Argument::Text(text) | Argument::Json(serde_json::Value::String(text)) => text,
            Argument::Json(_) | Argument::File(_) => return None,
        };
        Some(utf8_percent_encode(&text, SEGMENT).to_string())
    };
    Some(format!("{}/{}", take("module")?, take("method")?))
}

fn unknown() -> Unrouted {
    Refusal::new(Reason::UnknownService { similar: Vec::new() }).into()
}

/// The shape that an answer would have.
fn envelope(plan: &Plan, of: Of) -> Arc<dyn Envelope> {
    Arc::clone(of.envelope(plan))
}
