//! The model of an API: its services, methods, parameters and permissions as immutable data, without the syntax of the
//! definition files. [`Engine::api`](crate::Engine::api) and [`Rulebook::check`](crate::Rulebook::check) return it.
//!
//! An [`Api`] contains modules, a module contains services, a service contains methods, and a method contains
//! parameters, outputs and errors. A [`Module`](crate::Module) of handlers, in the code of a program, has the same name
//! as the module of the definition whose methods it handles.
//!
//! A definition with errors has no model. Instead, a [`Report`](crate::Report) lists the errors as [`Diagnostic`]s.

pub use rulebook_model::constraint::{BrokenConstraint, Constraint, ConstraintKind, Given};
pub use rulebook_model::diagnostic::{Diagnostic, DiagnosticCode, Source, SourcePosition, Sources};
pub use rulebook_model::model::{
    Api, Audience, CallableMethods, Contact, Cors, DeclaredClaim, DeclaredClaims, DeclaredError, Deprecation,
    FieldTemplate, Idempotency, License, Limits, Location, LogFormat, Method, MethodOfVersion, MethodOptions, Module,
    NamedValue, Origins, Output, OutputPlace, Parameter, ParameterType, Permission, PermissionPart, RateLimit,
    RateLimitBy, RatePeriod, Repeated, ResponseField, Schema, Scope, ScopeCondition, Segment, Server, Service,
    ServiceQuery, SharedLimits, TemplatePart, UnknownParameters, ValueSource, Versions,
};
pub use rulebook_model::span::{Span, Spanned};
