//! What an API is: plain immutable data, the one truth.
//!
//! Two things are made from it, neither knowing the other: the plan that
//! answers requests, and the descriptions that clients read. Every part
//! remembers where it was written. Nothing here knows of dialects or requests.

mod api;
mod held;
mod method;
mod parameter;
mod scope;
mod service;

pub use crate::envelope::EnvelopeName;
pub use api::{
    Api, Audience, Contact, Cors, DEFAULT_TIMEZONE, DEFAULT_TITLE, DEFAULT_VERSION, License, Limits, LogFormat,
    MOST_WORKERS, Origins, Server, ServiceQuery, Unbound, UnknownParameters,
};
pub use method::{DeclaredError, Method, MethodOptions, Output};
pub use parameter::{From, Parameter, ParameterType, derived_name};
pub use scope::{Permission, Piece, Scope, When, variable};
pub use service::{Module, Repeated, Segment, Service, derived_id};
