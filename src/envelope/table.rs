//! Envelopes by name: the built-in ones, and those of a program.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::{Aicra, Envelope, Iapi, Phalapi, Plain};
use crate::error::texts::CatalogueName;

/// How an API has set up the built-in envelopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EnvelopeSettings {
    /// [`Phalapi::catalogue`].
    pub catalogue: CatalogueName,
    /// [`Phalapi::real_status`].
    pub real_status: bool,
    /// [`Iapi::strict_status`].
    pub strict_status: bool,
}

/// The shape of the body of an answer, by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum EnvelopeName {
    /// `{"error": 0, "ErrorDescription": "all right", …}`.
    #[default]
    Aicra,
    /// The outputs alone; problem documents for errors.
    Plain,
    /// `{"ret": 200, "data": …, "msg": ""}`.
    Phalapi,
    /// The outputs alone; `{"status": "error", "message": …}` for errors.
    Iapi,
    /// One of a program's own.
    Own(OwnEnvelope),
}

impl EnvelopeName {
    /// All that are built in.
    pub const ALL: [Self; 4] = [Self::Aicra, Self::Plain, Self::Phalapi, Self::Iapi];

    /// Its name in definitions.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Aicra => "aicra",
            Self::Plain => "plain",
            Self::Phalapi => "phalapi",
            Self::Iapi => "iapi",
            Self::Own(own) => &own.name,
        }
    }

    /// The envelope, as an API has set it up.
    #[must_use]
    pub fn envelope(&self, settings: EnvelopeSettings) -> Arc<dyn Envelope> {
        let EnvelopeSettings { catalogue, real_status, strict_status } = settings;
        match self {
            Self::Aicra => Arc::new(Aicra),
            Self::Plain => Arc::new(Plain),
            Self::Phalapi => Arc::new(Phalapi { catalogue, real_status }),
            Self::Iapi => Arc::new(Iapi { strict_status }),
            Self::Own(own) => Arc::clone(&own.envelope),
        }
    }
}

/// An envelope of a program's own. Two are equal when they have one name.
#[derive(Clone)]
pub struct OwnEnvelope {
    name: Arc<str>,
    envelope: Arc<dyn Envelope>,
}

impl OwnEnvelope {
    /// The envelope that definitions call `name`.
    #[must_use]
    pub fn new(name: &str, envelope: Arc<dyn Envelope>) -> Self {
        Self { name: name.into(), envelope }
    }
}

impl fmt::Debug for OwnEnvelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.name)
    }
}

impl PartialEq for OwnEnvelope {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for OwnEnvelope {}

impl Hash for OwnEnvelope {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

/// The envelopes that a definition can name.
#[derive(Debug, Clone)]
pub struct Envelopes(Vec<EnvelopeName>);

impl Default for Envelopes {
    /// Those that are built in.
    fn default() -> Self {
        Self(EnvelopeName::ALL.to_vec())
    }
}

impl Envelopes {
    /// Adds an envelope; one of the same name is replaced.
    pub fn add(&mut self, own: OwnEnvelope) {
        self.0.retain(|known| *known.as_str() != *own.name);
        self.0.push(EnvelopeName::Own(own));
    }

    /// The envelope of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&EnvelopeName> {
        self.0.iter().find(|known| known.as_str() == name)
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(EnvelopeName::as_str)
    }
}
