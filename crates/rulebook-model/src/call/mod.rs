//! The arguments and outputs of a call, and the errors that can end a call. A call runs a method of the API, for an
//! HTTP request or from code. This Rust module contains data only and must not depend on HTTP requests.

mod api_error;
mod auth_scheme;
mod callback;
mod error_kind;
mod json_reader;
mod limit;
mod message;
mod method;
mod parameter_error;
mod php_array;
mod reserved_header;
mod secret_name;
mod upload;
mod value;
mod violation;

pub use api_error::ApiError;
pub use auth_scheme::AuthScheme;
pub use callback::Callback;
pub use error_kind::{AllowedMethods, ErrorKind, MalformedRequest, ServiceNameError};
pub use json_reader::{JsonLimits, JsonValueSeed, MemberCollector, collect_members, value_from_json};
pub use limit::{Limit, Unit};
pub use method::HttpMethod;
pub use parameter_error::{
    ParameterError, ParameterErrorKind, Source, TypeMismatch, TypeMismatchDetails, shorten_text,
};
pub use php_array::{BracketKeys, PhpArray, PhpArrayError, PhpArrayLimits, PhpItem, PhpKey, split_array_name};
pub use reserved_header::is_reserved_header;
pub use secret_name::is_secret_name;
#[cfg(feature = "documents")]
pub(crate) use secret_name::secret_name_patterns;
pub use upload::{TemporaryFiles, Upload, UploadContent};
pub use value::{Encode, Value};
pub use violation::{CustomError, Measure, Measured, Violation};
