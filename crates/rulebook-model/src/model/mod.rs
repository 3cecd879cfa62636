//! The model of an API: the content of its definition as immutable data.
//!
//! The plan, with which the server handles requests, and the documents for clients are generated from the model. Every
//! part of the model has its span in the definition, for diagnostics. This Rust module must not depend on the dialects
//! of definitions or on requests.

mod api;
mod auth;
mod choices;
mod for_permissions;
mod handler;
mod method;
mod parameter;
mod permission_values;
mod proxies;
mod rate_limit;
mod schema;
mod scope;
mod server_path;
mod service;
mod shared_limits;
mod tls;
mod without_spans;

pub use crate::envelope::EnvelopeName;
pub use crate::limits::Limits;
pub use api::{
    Api, Contact, Cors, DEFAULT_TIMEZONE, DEFAULT_TITLE, DEFAULT_VERSION, License, MAX_WORKERS, Origins, Server,
    ServiceQuery,
};
pub(crate) use auth::COMBINE;
pub use auth::DefinedAuth;
pub use choices::{Audience, LinkTarget, LogFormat, Unbound, UnknownParameters};
pub use for_permissions::CallableMethods;
pub(crate) use handler::DEFAULT_HANDLER;
pub use handler::{DefinedHandler, DefinedHandlers};
pub use method::{DeclaredError, Idempotency, Method, MethodOptions, Output};
pub use parameter::{LOCATION_PREFIXES, Location, Parameter, ParameterType, WHOLE_BODY_KEY, default_parameter_name};
pub use permission_values::{PermissionMatch, match_permission};
pub use proxies::{AddressRange, AddressRangeError, ForwardedField};
pub use rate_limit::{RateLimit, RateLimitBy, RatePeriod, rate_limits_to_json};
pub use schema::Schema;
pub use scope::{Permission, PermissionPart, Scope, ScopeCondition, variable_text};
pub use server_path::{ApiDocument, ServerPath};
pub use service::{Module, Repeated, Segment, Service, default_method_id};
pub use shared_limits::{SharedLimits, WhenUnavailable};
pub use tls::ClientCertificateMode;
