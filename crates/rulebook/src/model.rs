//! The model of an API: what its definition means, as [`Engine::api`](crate::Engine::api) and
//! [`Rulebook::check`](crate::Rulebook::check) return it.
//!
//! An [`Api`] has modules, a module services, a service methods, and a method parameters, outputs and errors. The names of
//! the modules of handlers are in [`Module`](crate::Module).
//!
//! A definition with errors has no model. Instead, a [`Report`](crate::Report) lists its [`Diagnostic`]s.

pub use rulebook_model::diagnostic::codes::CodeEntry;
pub use rulebook_model::diagnostic::{Diagnostic, DiagnosticCode, Source, SourcePosition, Sources};
pub use rulebook_model::model::{
    Api, Audience, Contact, Cors, DeclaredError, License, Limits, Location, LogFormat, Method, MethodOptions, Module,
    Origins, Output, Parameter, ParameterType, Permission, PermissionPart, Repeated, Scope, ScopeCondition, Segment,
    Server, Service, ServiceQuery, UnknownParameters,
};
pub use rulebook_model::span::{Span, Spanned};
