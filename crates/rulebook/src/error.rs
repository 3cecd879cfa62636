//! The parts of an [`ApiError`](crate::ApiError): its kind, its code and status, and the errors of parameters.
//!
//! A handler rarely needs them: it returns an error that the definition declares, with
//! [`ApiError::declared`](crate::ApiError::declared). An [`Envelope`](crate::envelope::Envelope) of a program, or a caller
//! that handles errors, matches the [`ErrorKind`].

pub use rulebook_model::call::{
    AllowedMethods, ErrorKind, Limit, MalformedRequest, ParameterError, ParameterErrorKind, ServiceNameError, Source,
    Unit,
};
pub use rulebook_model::error::catalogue::CatalogueName;
pub use rulebook_model::error::{ErrorCode, ErrorStatus};
