//! Counts the requests of each caller by method, and how many of them contain each parameter.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use crate::call::Identity;
use crate::key::key_name;
use crate::pipeline::GivenParameters;
use crate::plan::{Plan, PlannedMethod};
use crate::usage::{ANONYMOUS, OTHER, USERS, UsageCounts};

/// The maximum number of keys whose requests a worker counts separately.
const MAX_KEYS: usize = 1_000;
/// The maximum number of pairs of a key and a method whose requests a worker counts separately.
const MAX_PAIRS: usize = 20_000;

/// The callers without a counter for their key, in the order of their rows.
const CALLERS_WITHOUT_KEY: [&str; 3] = [ANONYMOUS, USERS, OTHER];
const ANONYMOUS_ROW: usize = 0;
const USERS_ROW: usize = 1;
const OTHER_ROW: usize = 2;

/// Besides the worker that counts, only `/metrics` and the thread that saves the counts lock them.
#[derive(Debug, Default)]
pub(super) struct CallerCounters(Mutex<CallerRows>);

/// The counts of one caller by the index of the method: the number of requests, followed by the number of accepted
/// requests that contain each parameter.
type MethodCounts = BTreeMap<usize, Box<[u64]>>;

#[derive(Debug, Default)]
struct CallerRows {
    /// The rows of [`CALLERS_WITHOUT_KEY`].
    without_key: [MethodCounts; CALLERS_WITHOUT_KEY.len()],
    /// The indices in `by_key` of the keys with these names.
    keys: HashMap<Box<str>, usize>,
    by_key: Vec<MethodCounts>,
    /// The number of counts in `by_key`.
    pairs: usize,
}

impl CallerCounters {
    /// Counts a request. `index` is that of the method, and `given` the parameters that the request contains, if they
    /// were accepted.
    pub(super) fn count(
        &self,
        caller: Option<&Identity>,
        index: usize,
        method: &PlannedMethod,
        given: GivenParameters,
    ) {
        let new = || vec![0; 1 + method.parameters.len()].into();
        let rows = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let row = match caller.map(key_name) {
            None => ANONYMOUS_ROW,
            Some(None) => USERS_ROW,
            Some(Some(key)) => {
                let key = rows.row_of_key(key);
                if let Some(row) = key.and_then(|key| rows.by_key.get_mut(key)) {
                    if let Some(counts) = row.get_mut(&index) {
                        return add_request(counts, given);
                    }
                    if rows.pairs < MAX_PAIRS {
                        rows.pairs += 1;
                        return add_request(row.entry(index).or_insert_with(new), given);
                    }
                }
                OTHER_ROW
            }
        };
        add_request(rows.without_key[row].entry(index).or_insert_with(new), given);
    }

    /// Adds the counts to those of other workers.
    pub(super) fn add_to(&self, usage: &mut UsageCounts, plan: &Plan) {
        let rows = &*self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = rows.keys.iter().map(|(key, row)| (&**key, &rows.by_key[*row]));
        for (caller, methods) in CALLERS_WITHOUT_KEY.into_iter().zip(&rows.without_key).chain(keys) {
            for (index, counts) in methods {
                let method = &plan.methods[*index];
                let parameters = method.parameter_names.iter().map(AsRef::as_ref).zip(counts[1..].iter().copied());
                usage.entry(caller, &method.id).add(counts[0], parameters);
            }
        }
    }
}

impl CallerRows {
    /// Returns the row of a key; `None` if there are too many keys.
    fn row_of_key(&mut self, key: &str) -> Option<usize> {
        if let Some(row) = self.keys.get(key) {
            return Some(*row);
        }
        (self.by_key.len() < MAX_KEYS).then(|| {
            self.by_key.push(MethodCounts::new());
            self.keys.insert(key.into(), self.by_key.len() - 1);
            self.by_key.len() - 1
        })
    }
}

fn add_request(counts: &mut [u64], given: GivenParameters) {
    if let Some((requests, parameters)) = counts.split_first_mut() {
        *requests += 1;
        given.add_to(parameters);
    }
}
