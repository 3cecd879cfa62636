//! The keys as requests look them up: one look-up by id and one comparison, whether there is such a key or not.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use hmac::Mac;
use jiff::Timestamp;

use super::file::{self, Entry, Stamp};
use super::pepper::Pepper;
use super::usage::{Spent, Usage, Usages};
use super::{KeyError, Limit, token};
use crate::call::{Identity, Meter};

/// How long it may be, in seconds, until a use of a key is noted that has been used before: requests write nothing
/// that others read but once in that time.
const NOTE_TIME: i64 = 10;

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
    identity: Identity,
    /// From when on it is refused, in seconds since the beginning of 1970.
    expires: Option<i64>,
    /// When it was used last, in seconds since the beginning of 1970; 0 where it was not.
    used: Arc<AtomicI64>,
    meter: Option<Arc<Meter>>,
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

/// What has been counted so far.
pub(super) enum Before<'b> {
    /// By a server that has ended.
    Kept(Usages),
    /// By this one.
    Now(&'b Table),
}

impl Table {
    /// The keys of a file, none where there is no such file, for so many workers.
    pub(super) fn load(path: &Path, before: &Before<'_>, workers: usize) -> Result<Self, KeyError> {
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
        let known = |entry| Known::of(entry, before, workers);
        let by_id = file.keys.into_iter().filter_map(known).collect();
        Ok(Self { pepper, by_id, stamp })
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whom a key stands for at this time, in seconds since the beginning of 1970.
    pub(super) fn find(&self, key: &str, now: i64) -> Result<&Identity, Refused> {
        let token = token::parse(key).map_err(Refused::Flaw)?;
        let known = self.by_id.get(token.id);
        // An unknown id costs what a wrong secret does.
        let hash = known.map_or([0; 32], |known| known.hash);
        let fits = self.pepper.mac(token.secret).verify_slice(&hash).is_ok();
        match known {
            Some(known) if fits && known.expires.is_some_and(|expires| expires <= now) => Err(Refused::Expired),
            Some(known) if fits => {
                if now - known.used.load(Ordering::Relaxed) >= NOTE_TIME {
                    known.used.store(now, Ordering::Relaxed);
                }
                Ok(&known.identity)
            }
            _ => Err(Refused::Unknown),
        }
    }

    /// What all keys have been used for; `exactly` as [`Meter::spent`] says.
    pub(super) fn usages(&self, exactly: bool) -> Usages {
        let usages = self.by_id.iter().map(|(id, known)| (id.clone(), known.usage(exactly)));
        usages.filter(|(_, usage)| *usage != Usage::default()).collect()
    }
}

impl Known {
    fn of(entry: Entry, before: &Before<'_>, workers: usize) -> Option<(Box<str>, Self)> {
        let Entry { id, hash, name, scope, patterns, expires, limit, .. } = entry;
        // What is read has a hash.
        let hash = file::hash(&hash)?;
        let expires = expires.map(Timestamp::as_second);
        let (used, meter) = match before {
            Before::Kept(usages) => {
                let usage = usages.get(&*id).copied().unwrap_or_default();
                let used = usage.used.map_or(0, Timestamp::as_second);
                (Arc::new(AtomicI64::new(used)), limit.map(|limit| Arc::new(meter(limit, usage.spent, workers))))
            }
            Before::Now(table) => match table.by_id.get(&*id) {
                Some(known) => (Arc::clone(&known.used), limit.map(|limit| known.metered(limit, workers))),
                None => (Arc::default(), limit.map(|limit| Arc::new(meter(limit, None, workers)))),
            },
        };
        let identity = Identity::new(&name, scope);
        let identity = match &meter {
            Some(meter) => identity.metered(Arc::clone(meter)),
            None => identity,
        };
        let identity = match patterns {
            Some(patterns) => identity.limited_to(patterns),
            None => identity,
        };
        Some((id.into(), Self { hash, identity, expires, used, meter }))
    }

    /// What counts on under this limit.
    fn metered(&self, limit: Limit, workers: usize) -> Arc<Meter> {
        let same = |own: &&Arc<Meter>| own.requests() == limit.requests && own.seconds() == limit.per.seconds();
        match self.meter.as_ref().filter(same) {
            Some(own) => Arc::clone(own),
            None => Arc::new(meter(limit, self.usage(true).spent, workers)),
        }
    }

    fn usage(&self, exactly: bool) -> Usage {
        let used = self.used.load(Ordering::Relaxed);
        let used = if used == 0 { None } else { Timestamp::from_second(used).ok() };
        let spent = self.meter.as_ref().and_then(|meter| {
            let (since, requests) = meter.spent(exactly);
            let since = Timestamp::from_second(i64::try_from(since).ok()?).ok()?;
            (requests > 0).then_some(Spent { since, requests })
        });
        Usage { used, spent }
    }
}

/// What counts under this limit, beginning with what has been spent of it.
fn meter(limit: Limit, spent: Option<Spent>, workers: usize) -> Meter {
    let meter = Meter::new(limit.requests, limit.per.seconds(), workers);
    match spent {
        Some(Spent { since, requests }) => {
            meter.starting(u64::try_from(since.as_second()).unwrap_or_default(), requests)
        }
        None => meter,
    }
}
