//! The stages that handle a request: the first one reads the head of the request, the last one produces the reply.
//!
//! Each stage is a Rust module with one entry function: [`route`], [`identify`], [`authorize`], (the server receives
//! the body, and [`check_auth_fields`] lets authenticators check it), [`read_parameters`], [`check_parameters`],
//! [`start_handler`], [`respond`]; and after the reply [`add_cors_headers`], [`negotiate_coding`] and
//! [`compress_reply`]. `server::routed_request` calls the first one, `server::handle` the others, in this order. The
//! pipeline uses neither sockets nor definition files: its input is the [`Head`](crate::call::Head) of a request and,
//! if the API method has parameters in the body, a [`Body`]; its result is a [`Reply`].
//!
//! Names that all stages use: a *slot* is the place that holds the argument for one parameter of an API method; a
//! *position* is a path segment after the path of a service, and fills a positional parameter; an *envelope* is the
//! JSON structure around the outputs or the error of a response.

mod act;
mod authorize;
mod body;
mod check;
mod code_call;
mod cors;
mod documents;
mod encode;
mod identify;
mod read;
mod reply;
mod representation;
mod respond;
mod route;
mod route_by_name;
mod run_once;

use std::sync::Arc;

pub(crate) use act::start_handler;
pub use act::{DetachedHandlers, catch_panic, catch_panic_async, log_panics};
pub use authorize::{add_deprecation_fields, authorize, authorize_before_body};
pub use body::{Body, BodyKind, body_kind, multipart_parser};
pub use check::{check_parameters, is_invalid_part};
pub use code_call::find_unknown_argument;
pub use cors::add_cors_headers;
pub use documents::{
    AudienceDocuments, find_audience_documents, link_to_openapi, prefers_markdown, prefers_pages, render_on_demand,
    reply_unless_read, reply_with_document, reply_with_page, reply_with_rendered_page, respond_to_options,
    respond_with_document,
};
#[cfg(feature = "swagger-ui")]
pub use documents::{MODULE_FIELD, PART_FIELD};
pub use encode::{compress_reply, negotiate_coding};
pub use identify::{check_auth_fields, identify};
pub use read::{GivenParameters, find_parameter_of_part, query_values, read_parameters};
pub use reply::{CallReply, FileRange, FileReply, Reply, ReplyBody, ReplyCode};
pub use respond::{ErrorContext, respond, respond_with_error, respond_with_link};
pub use route::{OptionsTarget, Route, RoutingError, logged_path, route, secret_path};
pub use route_by_name::{BodyPrefix, NeedsBody, route_by_body};
pub use run_once::{fingerprint, requested_key, run_once};

use crate::plan::Plan;

/// Runs the API methods of a plan. Each worker thread has a separate runner: if the workers shared one runner, each
/// clone of its `Arc` would write to one reference count, and the workers would slow each other down.
pub struct MethodRunner {
    pub plan: Arc<Plan>,
    pub detached: Arc<DetachedHandlers>,
}
