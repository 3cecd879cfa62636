//! The bodies of responses: the envelopes that hold outputs and errors, and the formats that they are written in.
//!
//! A definition selects one of the built-in envelopes ([`Aicra`], [`Iapi`], [`Phalapi`], [`Plain`], [`Problem`]) or formats
//! (JSON, and [`Xml`] if the definition offers it). A program adds its own with
//! [`Rulebook::add_envelope`](crate::Rulebook::add_envelope) and [`Rulebook::add_format`](crate::Rulebook::add_format): an
//! [`Envelope`] decides which members a response has, a [`Format`] how they become bytes.

pub use rulebook_model::call::Encode;
pub use rulebook_model::envelope::{
    Aicra, CustomEnvelope, Decoding, Envelope, EnvelopeName, EnvelopeSettings, ErrorMembers, Iapi, JsonMemberWriter,
    MemberValue, MemberValues, MemberWriter, OutputsLocation, Phalapi, Plain, Problem, WriteError, details_schema,
    write_details,
};
pub use rulebook_model::format::{Format, FormatError, FormatOffer, InvalidMediaType, Xml};
