//! The stages that handle a request: the first one reads the head of the request, the last one produces the reply.
//!
//! Each stage is a Rust module with one entry function, which has the name of the stage: [`route`], [`identify`],
//! [`authorize`], (the server receives the body), [`read`], [`check`], [`act`], [`respond`]; and after the reply
//! [`share`] and [`encode`]. The function `server::handle` calls these functions in this order. The pipeline uses
//! neither sockets nor definition files: its input is the [`Head`](crate::call::Head) of a request and, if the API
//! method has parameters in the body, a [`Body`]; its result is a [`Reply`].
//!
//! Names that all stages use: a *slot* is the place that holds the argument for one parameter of an API method; a
//! *position* is a path segment after the path of a service, and fills a positional parameter; an *envelope* is the
//! JSON structure around the outputs or the error of a response.

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

/// Runs the API methods of a plan. Each worker thread has a separate runner: if the workers shared one runner, each
/// clone of its `Arc` would write to one reference count, and the workers would slow each other down.
pub struct Runner {
    /// The compiled API whose methods this runner calls.
    pub plan: Arc<Plan>,
    /// Counts the handlers that are still running after their clients have disconnected.
    pub detached: Arc<Detached>,
}

/// Returns the English text of an error message that has no placeholders.
fn english(text: MessageId) -> String {
    Catalogue::english().plain_message(text).to_string()
}
