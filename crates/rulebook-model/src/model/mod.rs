//! The model of an API: the content of its definition as immutable data.
//!
//! The plan, with which the server handles requests, and the documents for clients are generated from the model. Every
//! part of the model has its span in the definition, for diagnostics. This Rust module must not depend on the dialects
//! of definitions or on requests.

mod api;
mod choices;
mod claims;
mod deprecation;
mod for_permissions;
mod kinds;
mod method;
mod multipart_limits;
pub(crate) mod parameter;
mod proxies;
mod rate_limit;
pub(crate) mod response_field;
mod scope;
mod server_path;
mod service;
mod versions;

pub use crate::envelope::EnvelopeName;
pub use crate::limits::Limits;
pub use crate::method_options::MethodOptions;
pub use api::{
    Api, Contact, Cors, DEFAULT_TIMEZONE, DEFAULT_TITLE, DEFAULT_VERSION, License, MAX_WORKERS, Origins, Server,
    ServiceQuery,
};
pub use choices::{
    Audience, ClientCertificateMode, ForwardedField, Idempotency, LinkTarget, LogFormat, Repeated, Unbound,
    UnknownParameters, WhenUnavailable,
};
pub(crate) use claims::CLAIMS;
pub use claims::{DeclaredClaim, DeclaredClaims};
pub use deprecation::{Deprecation, MethodOfVersion, date_or_time, parse_date_or_time};
pub use for_permissions::{CallableMethods, PermissionMatch, match_permission};
pub(crate) use kinds::{COMBINE, DEFAULT_HANDLER};
pub use kinds::{DefinedAuth, DefinedHandler, DefinedHandlers};
pub use method::{DeclaredError, Method, Output};
pub use multipart_limits::MultipartLimits;
pub use parameter::{LOCATION_PREFIXES, Location, Parameter, ParameterType, WHOLE_BODY_KEY, default_parameter_name};
pub use proxies::{AddressRange, AddressRangeError};
pub use rate_limit::{RateLimit, RateLimitBy, RatePeriod, SharedLimits};
pub use response_field::{FieldTemplate, NamedValue, OutputPlace, ResponseField, TemplatePart, ValueSource};
pub use scope::{Permission, PermissionPart, Scope, ScopeCondition, variable_text};
pub use server_path::{ApiDocument, ServerPath};
pub use service::{Module, Schema, Segment, Service, default_method_id};
pub(crate) use versions::VersionPart;
pub use versions::{Versions, is_version_name};
