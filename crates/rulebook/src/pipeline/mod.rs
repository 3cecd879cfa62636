//! The stages of a request, from its head to the reply.
//!
//! Each stage is a module with one entry function: [`route`], [`identify`], [`authorize`], (the server receives the
//! body), [`read`], [`check`], [`act`], [`respond`]; and after the reply [`share`] and [`encode`]. The function
//! `handle` of the server calls them in this order. The pipeline does not use sockets, servers or definition files: a
//! request is a [`Head`](crate::call::Head) and, if the method reads it, a [`Body`]; the result is a [`Reply`].

mod accept;
mod act;
mod authorize;
mod body;
mod check;
mod code_call;
mod cors;
mod document_reply;
mod documents;
mod encode;
mod identify;
mod jsonp;
mod panic;
mod raw;
mod read;
mod readiness;
mod reply;
mod representation;
mod respond;
mod route;
mod urlencoded;
mod verify;

use std::sync::Arc;

pub use act::Detached;
pub(crate) use act::act;
pub use authorize::{authorize, authorize_early};
pub use body::{ACCEPTED, Body, BodyKind, Part, PartContent, kind as body_kind};
pub use check::{check, is_refused_by};
pub use cors::share;
pub use document_reply::{document, missing_page, page, prefers_pages, respond_unless_read};
pub use documents::{DocumentKind, DocumentsFor, documents_for, options, respond_with_document};
#[cfg(feature = "swagger-ui")]
pub use documents::{MODULE, PART};
pub use encode::encode;
pub use identify::identify;
pub use panic::{catch_panic, catch_panic_async, log_panics};
pub use read::{filled_by, read};
pub use readiness::{Readiness, readiness};
pub use reply::{FileReply, Reply, ReplyBody, Responded};
pub use respond::{ErrorContext, refuse, respond, respond_with_link};
pub use route::{BodyPrefix, NeedsBody, OptionsTarget, Route, RoutingError, preflighted_method, route, route_by_body};
pub use urlencoded::query_values;

pub(crate) use crate::handler::CallOrigin;
use rulebook_model::error::texts::{Catalogue, MessageId};

use crate::plan::Plan;

/// Runs the methods of a plan. Each worker thread has its own runner: if workers shared one, cloning its `Arc` would
/// make them write to the same reference count.
pub struct Runner {
    /// The plan.
    pub plan: Arc<Plan>,
    /// Counts the handlers that are still running after their clients have disconnected.
    pub detached: Arc<Detached>,
}

/// Returns the English text of a message that has no placeholders.
fn english(text: MessageId) -> String {
    Catalogue::english().plain_message(text).to_string()
}
