//! Counts the requests with API keys, so that operators see which keys are used for which method.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

/// The maximum number of keys whose requests a worker counts separately.
const MAX_KEYS: usize = 1_000;
/// The name under which the requests of all further keys are counted. No key has this name.
const OTHER_KEYS: &str = "-other";

/// The number of requests by the name of a key and the id of a method.
pub(super) type KeyRequests = BTreeMap<(Box<str>, Box<str>), u64>;

/// The number of requests with each key, by its name and by the index of the method. Only `/metrics` locks it besides
/// the worker that counts.
#[derive(Debug, Default)]
pub(super) struct KeyCounters(Mutex<HashMap<Box<str>, BTreeMap<usize, u64>>>);

impl KeyCounters {
    pub(super) fn count(&self, key: &str, method_index: usize) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = if counts.len() < MAX_KEYS || counts.contains_key(key) { key } else { OTHER_KEYS };
        match counts.get_mut(key) {
            Some(methods) => *methods.entry(method_index).or_default() += 1,
            None => drop(counts.insert(key.into(), BTreeMap::from([(method_index, 1)]))),
        }
    }

    /// Adds the counts to those of other workers. `method_id` returns the id of the method with an index.
    pub(super) fn add_to<'p>(&self, counted: &mut KeyRequests, method_id: impl Fn(usize) -> &'p str) {
        for (key, methods) in &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            for (index, count) in methods {
                *counted.entry((key.clone(), method_id(*index).into())).or_default() += count;
            }
        }
    }
}
