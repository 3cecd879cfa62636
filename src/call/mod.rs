//! A call, from raw arguments to what it ended in: plain values, no logic of HTTP.
//!
//! In charge of the data that passes between the stages of a request: the
//! [`Head`], the [`Identity`], [`Value`]s in [`Slots`], and the outcome or
//! [`Refusal`]. Must not know definitions, plans or servers.

mod broken;
mod callback;
mod download;
mod etag;
mod fault;
mod field;
mod head;
mod identity;
mod json;
mod limit;
mod objection;
mod outcome;
mod quota;
mod reason;
mod refusal;
mod request_id;
mod slots;
mod unreadable;
mod upload;
mod value;
mod words;

pub use broken::{Broken, Measure, Measured};
pub use callback::Callback;
pub use download::{Content, Download, Pieces};
pub use etag::ETag;
pub use fault::{Details, Fault, FaultKind, Mismatch, Source, is_secret_name, shortened};
pub use field::AnswerError;
pub(crate) use field::field;
pub use head::{Head, Http, is_bearer, is_secret_field};
pub use identity::{Identity, Inspect, Inspection};
pub use json::{JsonLimits, JsonSeed, Key, value_from_json};
pub use limit::{Limit, Unit};
pub use objection::Objection;
pub use outcome::{Encode, Outcome, Returned, Success};
pub use quota::{Meter, Quota};
pub use reason::{Allowed, NameFlaw, Reason};
pub use refusal::Refusal;
pub use request_id::RequestId;
pub use slots::{Slot, Slots};
pub use unreadable::Unreadable;
pub use upload::Upload;
pub use value::Value;
pub use words::Words;
