//! The data of a call of an API method, from its arguments to its result. These types are used for HTTP requests and
//! for calls from code.
//!
//! The stages of a request pass these types to each other: the [`Head`] of the request, the [`Identity`] of the caller,
//! the arguments in [`ArgumentSlots`], and the [`Outcome`] or an [`ApiError`]. This Rust module must not depend on
//! definitions, plans or servers.

mod authenticate;
mod claims;
mod client_address;
mod client_certificate;
mod client_certificates;
mod download;
mod etag;
mod head;
mod identity;
mod outcome;
mod prefer;
mod quoted_string;
mod ranged_content;
mod rate_limiter;
mod response_header;

pub use rulebook_model::call::*;

pub use authenticate::{AuthError, Authenticate, Authentication, BodyFields, DynAuthenticate};
pub use claims::Claims;
pub(crate) use client_address::TrustedProxies;
pub use client_certificate::ClientCertificate;
pub(crate) use client_certificate::TlsSession;
#[cfg(feature = "tls")]
pub(crate) use client_certificate::certificate_expiry;
pub use client_certificates::{CertificateName, ClientCertificates, InvalidCertificateName};
pub use download::{ByteStream, Content, Download};
pub use etag::ETag;
pub(crate) use etag::{ETagList, tag_of_coded_version};
pub use head::{Head, RequestId, is_secret_header_field};
pub use identity::Identity;
pub(crate) use identity::QualifiedName;
pub use outcome::{ArgumentSlot, ArgumentSlots, Outcome, RawResponse, ReturnedValue, Success};
pub(crate) use prefer::{applied_preference, preferred_value};
pub(crate) use quoted_string::{parse_word, split_outside_of_quotes};
pub use ranged_content::RangedContent;
pub use rate_limiter::{Quota, RateLimiter};
pub use response_header::ResponseError;
pub(crate) use response_header::{check_response_header, is_sent_by_engine};
