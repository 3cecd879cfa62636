//! The data of a call, from its arguments to its result, independent of HTTP.
//!
//! Contains the types that the stages of a request pass to each other: the [`Head`], the [`Identity`], the [`Value`]s
//! in [`Slots`], and the result or [`ApiError`]. This module must not depend on definitions, plans or servers.

mod authenticate;
mod download;
mod etag;
mod head;
mod identity;
mod outcome;
mod rate_limiter;
mod request_id;
mod response_header;
mod slots;

pub use rulebook_model::call::*;

pub use authenticate::{Authenticate, Authentication, DynAuthenticate};
pub use download::{ByteStream, Content, Download};
pub use etag::ETag;
pub use head::{Head, is_secret_field};
pub use identity::Identity;
pub use outcome::{Outcome, Returned, Success};
pub use rate_limiter::{Quota, RateLimiter};
pub use request_id::RequestId;
pub use response_header::ResponseError;
pub(crate) use response_header::response_header;
pub use slots::{Slot, Slots};
