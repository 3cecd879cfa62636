//! The types that an [`ApiError`](crate::ApiError) contains: its kind, its error code and HTTP status, and the errors
//! of parameters.
//!
//! A handler rarely needs these types: it returns an error that the definition declares, with
//! [`ApiError::declared`](crate::ApiError::declared). They are for code that matches on the [`ErrorKind`]: an
//! [`Envelope`](crate::envelope::Envelope) that a program implements, or a program that calls methods from code and
//! handles their errors.

pub use rulebook_model::call::{
    AllowedMethods, ErrorKind, Limit, MalformedRequest, ParameterError, ParameterErrorKind, ServiceNameError, Source,
    Unit,
};
pub use rulebook_model::error::catalogue::CatalogueName;
#[doc(hidden)] // Programs do not need it.
pub use rulebook_model::error::catalogue::PhalapiVersion;
pub use rulebook_model::error::{ErrorCode, ErrorStatus};
