//! What a definition is compiled into at start; all that a request touches.
//!
//! Everything that can be known before a request is known here: the tree of
//! paths, a slot for each parameter with where its value is found, its check
//! and its default, permits with their variables resolved, bound handlers.
//! Immutable and shared by all workers. Must not know definitions or places.

mod coding;
mod cors;
mod document;
mod names;
mod on_demand;
mod permit;
mod routes;
mod shelf;
mod similar;
mod slot;

use std::collections::HashMap;
use std::sync::Arc;

pub use coding::{Coding, Effort};
pub use cors::Cors;
pub use document::{Above, Description, Document, Documents, Finder, Page};
pub use names::{Classes, Modules, Named};
pub use on_demand::OnDemand;
pub use permit::{Permit, Piece, Requirement};
pub use routes::{Routes, Unroutable, joinable};
pub use shelf::{Later, Shelf};
pub use similar::Similar;
pub use slot::{BodyUse, ByName, Found, Naming, Room, SlotPlan, Unfit};

use crate::call::{Http, Inspect};
use crate::envelope::Envelope;
use crate::error::ErrorStatus;
use crate::format::Offered;
use crate::handler::{Handler, Hooks, Ready, State};
use crate::model::{Limits, UnknownParameters};
use crate::types::Check;

/// The whole API, ready to answer.
pub struct Plan {
    /// The path that all services stand below, without a slash at its end; empty for `/`.
    pub base: Box<str>,
    /// From paths to services.
    pub routes: Routes,
    /// Services by `Class.method`; none where base takes no such names.
    pub named: Option<Named>,
    /// Services by module and method; none where bodies do not name them.
    pub dispatch: Option<Modules>,
    /// The paths of services, for those who asked for one that there is not.
    pub similar: Similar,
    /// Every service.
    pub services: Box<[Service]>,
    /// Every method.
    pub methods: Box<[Method]>,
    /// The methods' indices by their ids, for calls from code.
    pub ids: HashMap<Box<str>, usize>,
    /// Every module.
    pub modules: Box<[Module]>,
    /// The envelope of answers before a module is known.
    pub envelope: Arc<dyn Envelope>,
    /// The formats of answers beside JSON, in the order in which they are offered.
    pub formats: Box<[Offered]>,
    /// Whether requests for what is no method can have their refusal in JSONP.
    pub jsonp: bool,
    /// The most that a request may be.
    pub limits: Limits,
    /// The most that any method takes of a multipart body.
    pub widest: Room,
    /// What happens to parameters that a method does not have.
    pub unknown: UnknownParameters,
    /// Who finds out who calls, in turn.
    pub inspectors: Vec<Box<dyn Inspect>>,
    /// `WWW-Authenticate` of all inspectors.
    pub challenge: Box<str>,
    /// The same for a bearer token that is not valid.
    pub invalid_token: Box<str>,
    /// Whether what handlers return is compared with the definition.
    pub verify: bool,
    /// The program's values for handlers.
    pub state: State,
    /// Whether the program can do its work.
    pub checks: Vec<Ready>,
    /// Whether answers may go out in a content coding.
    pub compress: bool,
    /// What pages of other origins may do; none: nothing in particular.
    pub cors: Option<Cors>,
    /// Everything that describes the API.
    pub documents: Shelf,
}

/// A module at work.
pub struct Module {
    /// Its name.
    pub name: Box<str>,
    /// The shape of its answers.
    pub envelope: Arc<dyn Envelope>,
    /// Whether the last of several values of a scalar parameter counts.
    pub last_counts: bool,
    /// What runs before and after its calls.
    pub hooks: Hooks,
}

/// A service at work.
pub struct Service {
    /// Index of its module.
    pub module: usize,
    /// How many segments its path has.
    pub length: usize,
    /// Its methods' HTTP methods and indices.
    pub methods: Box<[(Http, usize)]>,
}

/// A method at work.
pub struct Method {
    /// Its id.
    pub id: Box<str>,
    /// Index of its module.
    pub module: usize,
    /// Who may call it.
    pub permit: Permit,
    /// Its parameters' names in code; as long as `slots`.
    pub names: Box<[Box<str>]>,
    /// Its parameters, in the definition's order.
    pub slots: Box<[SlotPlan]>,
    /// How many segments behind the service's path it takes.
    pub positions: usize,
    /// Slots filled from segments of the path: (index of the segment, index of the slot).
    pub segments: Box<[(usize, usize)]>,
    /// Slots that a query field can fill.
    pub query: Box<[usize]>,
    /// Slots that a field of the body can fill.
    pub body: Box<[usize]>,
    /// Slots filled from header fields.
    pub headers: Box<[(http::HeaderName, usize)]>,
    /// Slots filled from cookies.
    pub cookies: Box<[usize]>,
    /// What of a body it reads.
    pub body_use: BodyUse,
    /// What a multipart body is held to.
    pub room: Room,
    /// What runs.
    pub action: Action,
    /// Whether it answers JSONP.
    pub jsonp: bool,
    /// HTTP status of a success.
    pub status: u16,
    /// Whether it returns a file instead of outputs.
    pub download: bool,
    /// Whether its one output is the whole body.
    pub whole: bool,
    /// What it returns.
    pub outputs: Box<[Output]>,
    /// The errors of its own.
    pub errors: Box<[DeclaredError]>,
}

/// What runs when a method is called.
pub enum Action {
    /// A handler; `nullable` tells for each slot whether its field tells null from absent.
    Handler {
        /// The handler.
        handler: Arc<dyn Handler>,
        /// As long as the method's slots.
        nullable: Box<[bool]>,
    },
    /// Nothing: the checked arguments are the answer.
    Echo,
    /// Nothing: 501.
    NotImplemented,
}

/// One value that a method returns.
pub struct Output {
    /// Its name.
    pub name: Box<str>,
    /// What it may be.
    pub check: Arc<dyn Check>,
    /// Whether it may be missing or null.
    pub optional: bool,
}

/// An error of a method's own.
pub struct DeclaredError {
    /// Its name.
    pub name: Box<str>,
    /// Its HTTP status.
    pub status: ErrorStatus,
    /// Its words.
    pub info: Box<str>,
}
