//! The shapes that an outcome takes in a body.
//!
//! In charge of which members an answer has, in each envelope. An envelope
//! tells its members to a [`Members`] writer and so serves every format. Must
//! not know requests or formats.

mod aicra;
mod details;
mod iapi;
mod json;
mod phalapi;
mod plain;
mod problem;
mod table;

use serde_json::{Value as Json, json};

pub use aicra::Aicra;
use details::object_schema;
pub use details::{details, details_schema};
pub use iapi::Iapi;
pub use json::JsonMembers;
pub use phalapi::Phalapi;
pub use plain::Plain;
pub use problem::Problem;
pub use table::{EnvelopeName, EnvelopeSettings, Envelopes, OwnEnvelope};

use crate::call::{Encode, Refusal, Value};
use crate::error::ErrorStatus;

/// A shape of answers.
///
/// [`Rulebook::add_envelope`](crate::Rulebook::add_envelope) gives one of a program's own a name, and `"envelope"` in
/// `app.json` or a module asks for it. It tells what it is made of, and knows nothing of what that is written as.
///
/// ```
/// use rulebook::envelope::details;
/// use rulebook::{Encode, Envelope, Members, Refusal, Rulebook, Unbound, WriteError};
///
/// /// `{"ok": true, "result": …}`, or `{"ok": false, "error": …}` and what helps.
/// struct Corp;
///
/// impl Envelope for Corp {
///     fn success(&self, outputs: &dyn Encode, _: bool, to: &mut dyn Members) -> Result<(), WriteError> {
///         to.member("ok", true.into())?;
///         to.nested("result", outputs)
///     }
///
///     fn refusal(&self, refusal: &Refusal, to: &mut dyn Members) -> Result<(), WriteError> {
///         to.member("ok", false.into())?;
///         to.member("error", refusal.to_string().into())?;
///         details(refusal, &["ok", "error"], to)
///     }
/// }
///
/// # fn main() -> Result<(), rulebook::Report> {
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let definition = r#"{ "envelope": "corp", "/": { "hello": { "GET": {
///     "info": "Greets", "in": { "URL#0": { "info": "Whom", "type": "string", "name": "name" } }
/// } } } }"#;
/// let rulebook = Rulebook::read(vec![("hello.json".into(), definition.into())]).add_envelope("corp", Corp);
/// let engine = rulebook.unbound(Unbound::Echo).build()?;
/// let greeted = engine.call("GET /hello/Ada").send().await;
/// assert_eq!(greeted.serialize(), r#"{"ok":true,"result":{"args":{"name":"Ada"}}}"#);
/// # Ok(()) })
/// # }
/// ```
pub trait Envelope: Send + Sync {
    /// Tells the members of a success. `whole`: the outputs are one value, not members.
    ///
    /// # Errors
    /// The outputs cannot be written.
    fn success(&self, outputs: &dyn Encode, whole: bool, to: &mut dyn Members) -> Result<(), WriteError>;

    /// Tells the members of a refusal.
    ///
    /// # Errors
    /// They cannot be written.
    fn refusal(&self, refusal: &Refusal, to: &mut dyn Members) -> Result<(), WriteError>;

    /// The members of a success beside which the outputs stand, where they do ([`Members::spread`]): no output can
    /// have their names.
    fn members(&self) -> &[&str] {
        &[]
    }

    /// The HTTP status of an answer whose outcome has the status `real`. One that is not from 200 to 599 does not count.
    fn status(&self, real: u16) -> u16 {
        real
    }

    /// The member in which a body tells the real HTTP status where the answer's own cannot, which in JSONP is always
    /// 200. None: the body tells it anyway, or tells of a success nothing.
    fn status_member(&self) -> Option<&'static str> {
        None
    }

    /// The media type of a success in JSON. Other formats have their own.
    fn success_type(&self) -> &'static str {
        "application/json"
    }

    /// The media type of a refusal in JSON.
    fn refusal_type(&self) -> &'static str {
        "application/json"
    }

    /// What [`success`](Envelope::success) tells, as JSON Schema 2020-12. `outputs` is the schema of the outputs;
    /// where they are members and not the whole, it has `properties` and `required`.
    ///
    /// Without it, an answer may be anything.
    fn success_schema(&self, outputs: Json, whole: bool) -> Json {
        let _ = (outputs, whole);
        json!({})
    }

    /// What [`refusal`](Envelope::refusal) tells of the engine's own refusals, as JSON Schema 2020-12. Without it, it may
    /// be anything.
    fn refusal_schema(&self) -> Json {
        json!({})
    }

    /// The same of an error of this name and HTTP status that a method declares, to which a handler may add members.
    /// Without it, it is as the engine's own refusals are.
    fn declared_schema(&self, name: &str, status: ErrorStatus) -> Json {
        let _ = (name, status);
        self.refusal_schema()
    }
}

/// The HTTP status of an answer in an envelope, which may be a program's own: never one that ends no request.
#[must_use]
pub fn status(envelope: &dyn Envelope, real: u16) -> u16 {
    let status = envelope.status(real);
    if (200..=599).contains(&status) { status } else { real }
}

/// Whether answers of this status have content (RFC 9110 sections 15.3.5 and 15.3.6).
#[must_use]
pub fn has_content(status: u16) -> bool {
    !matches!(status, 204 | 205)
}

/// Writes the members of an answer's outermost object, in the order in which they are told.
pub trait Members {
    /// A member with a value of the envelope's own.
    ///
    /// # Errors
    /// It cannot be written.
    fn member(&mut self, name: &str, value: Value<'_>) -> Result<(), WriteError>;

    /// A member that holds the outputs.
    ///
    /// # Errors
    /// They cannot be written.
    fn nested(&mut self, name: &str, outputs: &dyn Encode) -> Result<(), WriteError>;

    /// A member that holds the outputs, which are members themselves; where there are none it holds `empty`.
    ///
    /// # Errors
    /// They cannot be written, or are no object.
    fn object(&mut self, name: &str, outputs: &dyn Encode, empty: Value<'_>) -> Result<(), WriteError>;

    /// The outputs' own members, beside those of the envelope.
    ///
    /// # Errors
    /// They cannot be written, or are no object.
    fn spread(&mut self, outputs: &dyn Encode) -> Result<(), WriteError>;

    /// The outputs instead of an object; nothing else may be told.
    ///
    /// # Errors
    /// They cannot be written.
    fn whole(&mut self, outputs: &dyn Encode) -> Result<(), WriteError>;
}

impl std::error::Error for WriteError {}

/// Why an answer cannot be written: always the program's fault.
#[derive(Debug)]
pub enum WriteError {
    /// The outputs' own `Serialize` failed.
    Outputs(serde_json::Error),
    /// The outputs are no object, where they should be members.
    NotAnObject,
    /// Something is told beside the outputs that stand instead of an object.
    NotAlone,
}

impl std::fmt::Display for WriteError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Outputs(error) => write!(f, "the outputs cannot be written: {error}"),
            Self::NotAnObject => f.write_str("the outputs are no object, so they cannot stand beside other members"),
            Self::NotAlone => f.write_str("the outputs are the whole answer, so no members can stand beside them"),
        }
    }
}

impl From<serde_json::Error> for WriteError {
    fn from(error: serde_json::Error) -> Self {
        Self::Outputs(error)
    }
}
