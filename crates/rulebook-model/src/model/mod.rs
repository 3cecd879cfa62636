//! The model of an API: the content of its definition as immutable data.
//!
//! The plan, with which the server handles requests, and the documents for clients are generated from the model. Every
//! part of the model has its span in the definition, for diagnostics. This Rust module must not depend on the dialects
//! of definitions or on requests.

mod api;
mod choices;
mod kinds;
pub(crate) mod method;
mod rate_limit;
mod scope;
mod server_path;
mod versions;

pub use crate::envelope::EnvelopeName;
pub use crate::limits::Limits;
pub use crate::method_options::MethodOptions;
pub use api::MultipartLimits;
pub use api::{AddressRange, AddressRangeError};
pub use api::{
    Api, Contact, Cors, DEFAULT_TIMEZONE, DEFAULT_TITLE, DEFAULT_VERSION, License, MAX_WORKERS, Origins, Server,
    ServiceQuery,
};
pub use api::{Module, Schema, Segment, Service, default_method_id};
pub use choices::{
    Audience, ClientCertificateMode, ForwardedField, Idempotency, LinkTarget, LogFormat, Repeated, Unbound,
    UnknownParameters, WhenUnavailable,
};
pub(crate) use kinds::CLAIMS;
pub(crate) use kinds::{COMBINE, DEFAULT_HANDLER};
pub use kinds::{DeclaredClaim, DeclaredClaims};
pub use kinds::{DefinedAuth, DefinedHandler, DefinedHandlers};
pub use method::{DeclaredError, Method, Output};
pub use method::{Deprecation, MethodOfVersion, date_or_time, parse_date_or_time};
pub use method::{FieldTemplate, NamedValue, OutputPlace, ResponseField, TemplatePart, ValueSource};
pub use method::{LOCATION_PREFIXES, Location, Parameter, ParameterType, WHOLE_BODY_KEY, default_parameter_name};
pub use rate_limit::{RateLimit, RateLimitBy, RatePeriod, SharedLimits};
pub use scope::{CallableMethods, PermissionMatch, match_permission};
pub use scope::{Permission, PermissionPart, Scope, ScopeCondition, variable_text};
pub use server_path::{ApiDocument, ServerPath};
pub(crate) use versions::VersionPart;
pub use versions::{Versions, is_version_name};
