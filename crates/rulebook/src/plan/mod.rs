//! The plan: a definition, compiled at startup into the form that requests need.
//!
//! Contains everything that can be computed before the first request: the tree of paths, a slot for each parameter with
//! its location, check and default, the required permissions with resolved variables, and the bound handlers. The plan
//! is immutable, and all workers share it. It must not depend on definitions or on positions in their text.

mod content_coding;
mod cors;
#[cfg_attr(not(feature = "documents"), allow(dead_code, reason = "no pages are rendered"))]
mod document;
mod document_cache;
mod permit;
#[cfg_attr(not(feature = "documents"), allow(dead_code, reason = "no documents are rendered"))]
mod rendered_on_demand;
mod similar_paths;
mod slot_plan;

use std::collections::HashMap;
use std::sync::Arc;

pub use content_coding::{ContentCoding, Effort};
pub use cors::PlannedCors;
#[cfg(feature = "documents")]
pub use document::PageFinder;
pub use document::{Description, Document, Documents, ParentPaths, PublishedDocuments, RenderedPage};
pub use document_cache::{DocumentCache, LazyDocuments};
pub use permit::{Permit, Requirement, RequirementPart};
pub use rendered_on_demand::RenderedOnDemand;
pub use rulebook_model::routing::{
    NamedServices, Naming, RouteConflict, Routes, ServicesByClass, ServicesByModule, encode_segment,
};
pub use similar_paths::SimilarPaths;
pub use slot_plan::{BodyUse, MatchedMethod, MultipartLimits, NameMatch, SegmentError, SlotPlan};

use rulebook_model::envelope::Envelope;
use rulebook_model::error::ErrorStatus;
use rulebook_model::format::FormatOffer;
use rulebook_model::model::{Limits, UnknownParameters};
use rulebook_model::types::Check;

use crate::call::{DynAuthenticate, HttpMethod};
use crate::handler::{Handler, Hooks, ReadinessCheck, State};

/// The whole API, ready for requests.
pub struct Plan {
    /// The base path of all services without its trailing slash; empty for `/`.
    pub base: Box<str>,
    /// Finds the service for a path.
    pub routes: Routes,
    /// Services by names of the form `Class.method`; `None` if requests cannot name services in this way.
    pub named: Option<NamedServices>,
    /// Services by the names of module and method; `None` if request bodies cannot name them.
    pub dispatch: Option<ServicesByModule>,
    /// Suggests services for paths that do not exist.
    pub similar_paths: SimilarPaths,
    /// All services.
    pub services: Box<[PlannedService]>,
    /// All methods.
    pub methods: Box<[PlannedMethod]>,
    /// The indices of methods by their ids, for calls from code.
    pub ids: HashMap<Box<str>, usize>,
    /// All modules.
    pub modules: Box<[PlannedModule]>,
    /// The envelope of responses to requests that are not routed to a module.
    pub envelope: Arc<dyn Envelope>,
    /// The formats of responses besides JSON, in order of preference.
    pub formats: Box<[FormatOffer]>,
    /// `true` if errors of requests that are not routed to a method can be sent as JSONP.
    pub jsonp: bool,
    /// The limits of requests.
    pub limits: Limits,
    /// The maximum of the multipart limits of all methods.
    pub max_multipart_limits: MultipartLimits,
    /// The handling of unknown parameters.
    pub unknown: UnknownParameters,
    /// The authenticators, in the order in which they are called.
    pub authenticators: Vec<Box<dyn DynAuthenticate>>,
    /// The value of `WWW-Authenticate` in responses to requests without a credential.
    pub challenge: Box<str>,
    /// The value of `WWW-Authenticate` in responses to requests with an invalid bearer token.
    pub invalid_token_challenge: Box<str>,
    /// `true` if the outputs of handlers are compared with the definition.
    pub verify_outputs: bool,
    /// The program's state for handlers.
    pub state: State,
    /// The program's readiness checks.
    pub checks: Vec<ReadinessCheck>,
    /// `true` if responses may be compressed.
    pub compress: bool,
    /// The settings of cross-origin resource sharing; `None` if it is not enabled.
    pub cors: Option<PlannedCors>,
    /// The documents about the API.
    pub documents: DocumentCache,
}

/// A module of the plan.
pub struct PlannedModule {
    /// The name of the module.
    pub name: Box<str>,
    /// The envelope of its responses.
    pub envelope: Arc<dyn Envelope>,
    /// If `true`, the last of several values of a scalar parameter is used; otherwise, several values are an error.
    pub last_counts: bool,
    /// The hooks that run before and after its calls.
    pub hooks: Hooks,
}

/// A service of the plan.
pub struct PlannedService {
    /// The index of its module.
    pub module: usize,
    /// The number of segments of its path.
    pub length: usize,
    /// The HTTP methods and indices of its methods.
    pub methods: Box<[(HttpMethod, usize)]>,
}

/// A method of the plan.
pub struct PlannedMethod {
    /// The id of the method.
    pub id: Box<str>,
    /// The index of its module.
    pub module: usize,
    /// The required permissions.
    pub permit: Permit,
    /// The names of its parameters in code, one for each slot.
    pub names: Box<[Box<str>]>,
    /// Its parameters, in the order of the definition.
    pub slots: Box<[SlotPlan]>,
    /// The maximum number of positional parameters after the path of the service.
    pub positions: usize,
    /// The slots that are filled from the path: pairs of the index of a segment and the index of a slot.
    pub segments: Box<[(usize, usize)]>,
    /// The slots that are filled from the query.
    pub query: Box<[usize]>,
    /// The slots that are filled from the body.
    pub body: Box<[usize]>,
    /// The slots that are filled from header fields, by the name of the field.
    pub headers: Box<[(http::HeaderName, usize)]>,
    /// The slots that are filled from cookies.
    pub cookies: Box<[usize]>,
    /// The use of the body.
    pub body_use: BodyUse,
    /// The limits of a multipart body.
    pub multipart_limits: MultipartLimits,
    /// The code that a call runs.
    pub action: Action,
    /// `true` if responses can be sent as JSONP.
    pub jsonp: bool,
    /// The HTTP status of a success.
    pub status: u16,
    /// `true` if the method returns a file instead of outputs.
    pub download: bool,
    /// `true` if its single output is the whole body of the response.
    pub whole: bool,
    /// The outputs.
    pub outputs: Box<[PlannedOutput]>,
    /// The errors that the definition declares for the method.
    pub errors: Box<[PlannedError]>,
}

/// The code that a call of a method runs.
pub enum Action {
    /// A handler.
    Handler {
        /// The handler.
        handler: Arc<dyn Handler>,
        /// For each slot, `true` if the argument type of the handler distinguishes null from a missing argument.
        nullable: Box<[bool]>,
    },
    /// No handler: the method returns its checked arguments as outputs.
    Echo,
    /// No handler: the response is the error 501.
    NotImplemented,
}

/// An output of a method.
pub struct PlannedOutput {
    /// The name of the output.
    pub name: Box<str>,
    /// The check of its type.
    pub check: Arc<dyn Check>,
    /// `true` if the output may be missing or null.
    pub optional: bool,
}

/// An error that the definition declares for a method.
pub struct PlannedError {
    /// The name of the error.
    pub name: Box<str>,
    /// The HTTP status.
    pub status: ErrorStatus,
    /// The message for clients.
    pub info: Box<str>,
}
