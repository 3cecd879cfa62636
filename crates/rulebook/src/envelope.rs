//! The bodies of responses. An envelope decides which JSON members a response has besides the outputs of the method or
//! its error. A format decides how these members become bytes: as JSON, XML or in another syntax.
//!
//! A definition selects one of the built-in envelopes ([`Aicra`], [`AicraStatus`], [`Iapi`], [`Phalapi`], [`Plain`]).
//! [`Problem`] is an envelope that a program can add. Every API responds in JSON; a definition can also offer [`Xml`].
//! A program adds its own envelopes with [`Rulebook::add_envelope`](crate::Rulebook::add_envelope), by implementing the
//! trait [`Envelope`], and its own formats with [`Rulebook::add_format`](crate::Rulebook::add_format), by implementing
//! the trait [`Format`].

pub use rulebook_model::call::Encode;
pub use rulebook_model::envelope::{
    Aicra, AicraStatus, CustomEnvelope, Decoding, Envelope, EnvelopeName, EnvelopeSettings, ErrorMembers, Iapi,
    JsonMemberWriter, MemberValue, MemberValues, MemberWriter, OutputsLocation, Phalapi, Plain, Problem, WriteError,
    details_schema, write_details,
};
pub use rulebook_model::format::{Format, FormatError, FormatOffer, InvalidMediaType, Xml};
