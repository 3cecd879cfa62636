//! The keys as requests look them up: one look-up by id and one comparison, whether there is such a key or not.

use std::collections::HashMap;
use std::path::Path;

use hmac::Mac;

use super::file::{self, Entry, Stamp};
use super::pepper::Pepper;
use super::{KeyError, token};
use crate::call::Identity;

/// All keys of a file.
pub(super) struct Table {
    pepper: Pepper,
    by_id: HashMap<Box<str>, Known>,
    /// By what the file is known to be the same; none where there was none.
    pub(super) stamp: Option<Stamp>,
}

/// What is known of a key.
pub(super) struct Known {
    hash: [u8; 32],
    /// Whom it stands for.
    pub(super) identity: Identity,
    /// From when on it is refused, in seconds since the beginning of 1970.
    expires: Option<i64>,
}

/// Why a key is refused.
#[derive(Debug, Clone, Copy)]
pub(super) enum Refused {
    /// It is not written as keys are.
    Flaw(token::Flaw),
    /// There is no such key.
    Unknown,
    /// There was.
    Expired,
}

impl Table {
    /// The keys of a file; none where there is no such file.
    pub(super) fn load(path: &Path) -> Result<Self, KeyError> {
        let (file, stamp) = file::read(path)?;
        let pepper = if file.keys.is_empty() {
            Pepper::random()?
        } else {
            let of = || path.to_owned();
            let pepper = Pepper::of(path)?.ok_or_else(|| KeyError::NoPepper { file: of() })?;
            if file.pepper.is_some_and(|known| known != pepper.mark()) {
                return Err(KeyError::OtherPepper { file: of() });
            }
            pepper
        };
        let by_id = file.keys.into_iter().filter_map(Known::of).collect();
        Ok(Self { pepper, by_id, stamp })
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// What is known of a key at this time, in seconds since the beginning of 1970.
    pub(super) fn find(&self, key: &str, now: i64) -> Result<&Known, Refused> {
        let token = token::parse(key).map_err(Refused::Flaw)?;
        let known = self.by_id.get(token.id);
        // An unknown id costs what a wrong secret does.
        let hash = known.map_or([0; 32], |known| known.hash);
        let fits = self.pepper.mac(token.secret).verify_slice(&hash).is_ok();
        match known {
            Some(known) if fits && known.expires.is_some_and(|expires| expires <= now) => Err(Refused::Expired),
            Some(known) if fits => Ok(known),
            _ => Err(Refused::Unknown),
        }
    }
}

impl Known {
    fn of(entry: Entry) -> Option<(Box<str>, Self)> {
        let Entry { id, hash, name, scope, expires, .. } = entry;
        // What is read has a hash.
        let hash = file::hash(&hash)?;
        let expires = expires.map(|expires| expires.as_second());
        Some((id.into(), Self { hash, identity: Identity::new(&name, scope), expires }))
    }
}
