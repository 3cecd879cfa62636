//! The data of a call of an API method, from its arguments to its result. These types are used for HTTP requests and
//! for calls from code.
//!
//! The stages of a request pass these types to each other: the [`Head`] of the request, the [`Identity`] of the caller,
//! the arguments in [`ArgumentSlots`], and the [`Outcome`] or an [`ApiError`]. This Rust module must not depend on
//! definitions, plans or servers.

mod auth_error;
mod authenticate;
mod body_fields;
#[cfg_attr(not(feature = "tls"), path = "without_certificate_parser.rs")]
mod certificate_parser;
mod client_address;
mod client_certificate;
mod client_certificates;
mod download;
mod etag;
mod etag_list;
#[cfg(test)]
mod fuzz_tests;
mod head;
mod identity;
mod outcome;
mod prefer;
mod quota;
mod quoted_string;
mod ranged_content;
mod rate_limiter;
mod raw_response;
mod request_id;
mod response_header;
mod slots;
mod tls_session;

pub use rulebook_model::call::*;

pub use auth_error::AuthError;
pub use authenticate::{Authenticate, Authentication, DynAuthenticate};
pub use body_fields::BodyFields;
#[cfg(feature = "tls")]
pub(crate) use certificate_parser::certificate_expiry;
pub(crate) use client_address::TrustedProxies;
pub use client_certificate::ClientCertificate;
pub use client_certificates::{CertificateName, ClientCertificates, InvalidCertificateName};
pub use download::{ByteStream, Content, Download};
pub use etag::ETag;
pub(crate) use etag_list::ETagList;
pub use head::{Head, is_secret_header_field};
pub use identity::Identity;
pub(crate) use identity::QualifiedName;
pub use outcome::{Outcome, ReturnedValue, Success};
pub(crate) use prefer::{applied_preference, preferred_value};
pub use quota::Quota;
pub(crate) use quoted_string::split_outside_of_quotes;
pub use ranged_content::RangedContent;
pub use rate_limiter::RateLimiter;
pub use raw_response::RawResponse;
pub use request_id::RequestId;
pub use response_header::ResponseError;
pub(crate) use response_header::{check_response_header, is_sent_by_engine};
pub use slots::{ArgumentSlot, ArgumentSlots};
pub(crate) use tls_session::TlsSession;
