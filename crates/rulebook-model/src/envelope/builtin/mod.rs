//! The envelopes that definitions can name: the built-in envelopes and the envelopes of the program. An envelope is the
//! JSON structure of responses.
//!
//! To add a built-in envelope, write a Rust module that implements [`Envelope`], and add a variant to [`EnvelopeName`].

mod aicra;
mod aicra_status;
mod iapi;
mod phalapi;
mod plain;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

pub use aicra::Aicra;
pub use aicra_status::AicraStatus;
pub use iapi::Iapi;
pub use phalapi::Phalapi;
pub use plain::Plain;

use super::Envelope;
use crate::error::catalogue::CatalogueName;

/// The settings of an API that change the built-in envelopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EnvelopeSettings {
    /// The value of the setting `catalogue`; see [`Phalapi::catalogue`].
    pub catalogue: CatalogueName,
    /// The value of the setting `phalapi.real_status`; see [`Phalapi::real_status`].
    pub real_status: bool,
    /// The value of the setting `iapi.strict_status`; see [`Iapi::strict_status`].
    pub strict_status: bool,
}

/// The name of an envelope in definitions.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum EnvelopeName {
    /// `aicra`: `{"error": 0, "ErrorDescription": "all right", …}`.
    #[default]
    Aicra,
    /// `plain`: only the outputs for a success; problem documents for errors.
    Plain,
    /// `phalapi`: `{"ret": 200, "data": …, "msg": ""}`.
    Phalapi,
    /// `iapi`: only the outputs for a success; `{"status": "error", "message": …}` for errors.
    Iapi,
    /// `aicra-status`: `{"status": "all right", …}`.
    AicraStatus,
    /// The name of an envelope that the program adds.
    Custom(CustomEnvelope),
}

impl EnvelopeName {
    /// The names of the built-in envelopes.
    pub const ALL: [Self; 5] = [Self::Aicra, Self::Plain, Self::Phalapi, Self::Iapi, Self::AicraStatus];

    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Aicra => "aicra",
            Self::Plain => "plain",
            Self::Phalapi => "phalapi",
            Self::Iapi => "iapi",
            Self::AicraStatus => "aicra-status",
            Self::Custom(custom) => &custom.name,
        }
    }

    /// Creates the envelope with this name. `settings` are the settings of the API that change built-in envelopes.
    #[must_use]
    pub fn envelope(&self, settings: EnvelopeSettings) -> Arc<dyn Envelope> {
        let EnvelopeSettings { catalogue, real_status, strict_status } = settings;
        match self {
            Self::Aicra => Arc::new(Aicra),
            Self::Plain => Arc::new(Plain),
            Self::Phalapi => Arc::new(Phalapi { catalogue, real_status }),
            Self::Iapi => Arc::new(Iapi { strict_status }),
            Self::AicraStatus => Arc::new(AicraStatus),
            Self::Custom(custom) => Arc::clone(&custom.envelope),
        }
    }
}

/// An envelope of the program, with its name in definitions. Two custom envelopes are equal if their names are equal.
#[derive(Clone)]
pub struct CustomEnvelope {
    name: Arc<str>,
    envelope: Arc<dyn Envelope>,
}

impl CustomEnvelope {
    /// Gives an envelope the name by which definitions refer to it.
    #[must_use]
    pub fn new(name: &str, envelope: Arc<dyn Envelope>) -> Self {
        Self { name: name.into(), envelope }
    }
}

impl fmt::Debug for CustomEnvelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.name)
    }
}

impl PartialEq for CustomEnvelope {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for CustomEnvelope {}

impl Hash for CustomEnvelope {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

/// All envelopes that a definition can name.
#[derive(Debug, Clone)]
pub struct Envelopes(Vec<EnvelopeName>);

impl Default for Envelopes {
    /// Returns the built-in envelopes.
    fn default() -> Self {
        Self(EnvelopeName::ALL.to_vec())
    }
}

impl Envelopes {
    /// Adds an envelope of the program. It replaces the envelope with the same name.
    pub fn add(&mut self, new: CustomEnvelope) {
        self.0.retain(|known| *known.as_str() != *new.name);
        self.0.push(EnvelopeName::Custom(new));
    }

    /// Returns the envelope with this name, or `None` if it does not exist.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&EnvelopeName> {
        self.0.iter().find(|known| known.as_str() == name)
    }

    /// Returns the names of all envelopes.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(EnvelopeName::as_str)
    }
}
