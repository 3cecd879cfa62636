//! Last stage: an outcome in its envelope and format.
//!
//! Every answer is written here, also those of requests that no service has.

use std::sync::Arc;

use http::{HeaderName, HeaderValue};

use super::form::{Form, Written};
use super::guard::guard;
use super::reply::{Answered, Reply, Sendable};
use super::{jsonp, route};
use crate::call::{Callback, Encode, Head, Outcome, Reason, Refusal, Returned, Success};
use crate::envelope::{self, Envelope, has_content};
use crate::plan::{Method, Plan};

/// Writes what a call of the method of this index ended in; for this function, where the answer is wanted in JSONP.
/// A file is left to be sent as it is.
pub(super) fn respond(
    plan: &Plan,
    head: &Head,
    index: usize,
    callback: Option<&Callback<'_>>,
    outcome: Outcome,
) -> Answered {
    let method = &plan.methods[index];
    let envelope = &*plan.modules[method.module].envelope;
    let form = Form::of(plan, head, callback);
    let refused = |refusal| Answered::Reply(write_refusal(plan, envelope, head, Some(method), form, refusal));
    let Success { returned, status, whole, headers } = match outcome {
        Ok(success) => success,
        Err(refusal) => return refused(refusal),
    };
    match returned {
        // A function is called all the same.
        Returned::Outputs(_) if !has_content(envelope::status(envelope, status)) && callback.is_none() => {
            Answered::Reply(Reply::empty(envelope::status(envelope, status), headers))
        }
        Returned::Outputs(outputs) => {
            Answered::Reply(write_success(plan, head, method, form, &*outputs, (whole, status), headers))
        }
        Returned::Download(mut download) => match download.fault.take() {
            Some(fault) => refused(fault.into()),
            None if !has_content(status) => Answered::Reply(Reply::empty(status, headers)),
            None => Answered::Download(Sendable { method: index, download, status, headers }),
        },
    }
}

/// Writes the answer of the method of this index that has a link to its file instead of the file.
#[must_use]
pub fn linked(
    plan: &Plan,
    head: &Head,
    index: usize,
    status: u16,
    headers: Vec<(HeaderName, HeaderValue)>,
    link: &str,
) -> Reply {
    let outputs = serde_json::json!({ "link": link });
    let method = &plan.methods[index];
    write_success(plan, head, method, Form::of(plan, head, None), &outputs, (false, status), headers)
}

/// Writes outputs, `whole` or not, as a success of this status.
fn write_success(
    plan: &Plan,
    head: &Head,
    method: &Method,
    form: Form<'_>,
    outputs: &dyn Encode,
    (whole, status): (bool, u16),
    headers: Vec<(HeaderName, HeaderValue)>,
) -> Reply {
    let envelope = &*plan.modules[method.module].envelope;
    match form.success(envelope, outputs, whole, status) {
        Ok(written) => Reply::new(plan, written, headers, None),
        Err((form, refusal)) => write_refusal(plan, envelope, head, Some(method), form, refusal),
    }
}

/// Of what a request was found to be before it was refused, by index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// Of nothing that there is.
    Nothing,
    /// Of a page of the server's own.
    Page,
    /// Of a name in query or body that no service has.
    Name,
    /// Of a module's service.
    Module(usize),
    /// Of a method.
    Method(usize),
}

impl Of {
    /// The module.
    fn module(self, plan: &Plan) -> Option<usize> {
        match self {
            Self::Nothing | Self::Page | Self::Name => None,
            Self::Module(index) => Some(index),
            Self::Method(index) => Some(plan.methods[index].module),
        }
    }

    /// The shape of its answers.
    pub(super) fn envelope(self, plan: &Plan) -> &Arc<dyn Envelope> {
        match (self, &plan.named) {
            (Self::Name, Some(named)) => &named.envelope,
            _ => self.module(plan).map_or(&plan.envelope, |index| &plan.modules[index].envelope),
        }
    }
}

/// Writes a refusal that came to be outside of [`super::answer`]: in the module's envelope, or in that of the
/// API where no module is known.
#[must_use]
pub fn refuse(plan: &Plan, head: &Head, of: Of, refusal: Refusal) -> Reply {
    // Not before: what no service has may still be a file, or a page of the server's own. Nor where not everybody is
    // told of every service.
    let unknown = matches!(refusal.reason(), Reason::UnknownService { similar } if similar.is_empty());
    let suggests = unknown && !plan.documents.own;
    let refusal = if suggests { refusal.with_similar(route::similar(plan, head)) } else { refusal };
    refuse_plainly(plan, head, of, refusal)
}

/// The same, which names no service that the refusal does not.
pub(super) fn refuse_plainly(plan: &Plan, head: &Head, of: Of, refusal: Refusal) -> Reply {
    let method = match of {
        Of::Method(index) => Some(&plan.methods[index]),
        Of::Nothing | Of::Page | Of::Name | Of::Module(_) => None,
    };
    let envelope = of.envelope(plan);
    let callback = jsonp::asked_beside(plan, head, of);
    write_refusal(plan, &**envelope, head, method, Form::of(plan, head, callback.as_ref()), refusal)
}

fn write_refusal(
    plan: &Plan,
    envelope: &dyn Envelope,
    head: &Head,
    method: Option<&Method>,
    form: Form<'_>,
    refusal: Refusal,
) -> Reply {
    let refusal = noted(head, method, refusal);
    // Envelopes and formats may be the program's own: nothing in them keeps a refusal from being told.
    let write = |form: Form<'_>| {
        let written = guard("an envelope", || form.refusal(envelope, &refusal)).and_then(|written| written);
        written.map_err(|why| noted(head, method, why)).ok()
    };
    let in_json = matches!(form, Form::Own(_)).then_some(Form::Json);
    let written = write(form).or_else(|| write(in_json?)).unwrap_or_else(|| Written::problem(form, &refusal));
    Reply::new(plan, written, refusal.headers().to_vec(), Some(refusal.code()))
}

/// Logs what only the log may know, under an id that the client is told.
fn noted(head: &Head, method: Option<&Method>, refusal: Refusal) -> Refusal {
    let id = method.map_or("-", |method| &method.id);
    match (refusal.reason(), refusal.log()) {
        (Reason::Internal { .. }, why) => {
            let request_id = head.id.to_string();
            log::error!(id, request_id; "{id}: {request_id}: {}", why.unwrap_or("no reason given"));
            refusal.with_request_id(&request_id)
        }
        (_, Some(why)) => {
            log::warn!(id, request_id:% = head.id; "{id}: {}: {}: {why}", head.id, refusal.code());
            refusal
        }
        _ => refusal,
    }
}
