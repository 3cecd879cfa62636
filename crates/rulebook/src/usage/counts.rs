//! The number of requests by caller, method and parameter.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The name under which requests without a credential are counted. Keys should have other names than this and the
/// following ones.
pub const ANONYMOUS: &str = "-anonymous";
/// The name under which requests with other credentials than API keys are counted, such as tokens and passwords.
pub const USERS: &str = "-user";
/// The name under which the requests of all further keys are counted, if there are too many.
pub const OTHER: &str = "-other";

/// How often callers have used methods: by the name of the caller, and by the id of the method.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UsageCounts(BTreeMap<Box<str>, BTreeMap<Box<str>, MethodUsage>>);

/// How often a caller has used a method.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodUsage {
    /// The number of requests, also of those that were refused.
    pub requests: u64,
    /// The number of accepted requests that contain a parameter, by the name of the parameter. The default of a
    /// parameter does not count. Parameters that no request contains are absent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<Box<str>, u64>,
}

impl MethodUsage {
    pub(crate) fn add<'a>(&mut self, requests: u64, parameters: impl IntoIterator<Item = (&'a str, u64)>) {
        self.requests = self.requests.saturating_add(requests);
        for (name, count) in parameters.into_iter().filter(|(_, count)| *count > 0) {
            match self.parameters.get_mut(name) {
                Some(sum) => *sum = sum.saturating_add(count),
                None => drop(self.parameters.insert(name.into(), count)),
            }
        }
    }

    /// Adds the counts of another usage.
    pub fn add_all(&mut self, other: &Self) {
        self.add(other.requests, other.parameters.iter().map(|(name, count)| (&**name, *count)));
    }

    /// Returns what was counted since `earlier`.
    fn since(&self, earlier: &Self) -> Self {
        let mut new = Self::default();
        let parameters = self.parameters.iter().map(|(name, count)| {
            let before = earlier.parameters.get(name).copied().unwrap_or_default();
            (&**name, count.saturating_sub(before))
        });
        new.add(self.requests.saturating_sub(earlier.requests), parameters);
        new
    }
}

impl UsageCounts {
    /// Returns the callers that have called a method or, if `parameter` is the name of one of its parameters, that have
    /// used the parameter: the name of each with the number of its requests, in descending order of this number.
    #[must_use]
    pub fn callers_of(&self, method_id: &str, parameter: Option<&str>) -> Vec<(&str, u64)> {
        let callers = self.0.iter().filter_map(|(caller, methods)| {
            let usage = methods.get(method_id)?;
            let count = match parameter {
                Some(name) => *usage.parameters.get(name)?,
                None => usage.requests,
            };
            Some((&**caller, count))
        });
        let mut callers: Vec<_> = callers.filter(|(_, count)| *count > 0).collect();
        callers.sort_by_key(|(_, count)| Reverse(*count));
        callers
    }

    /// Returns the names of callers, each with the id of a method and how often the caller has used it.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &MethodUsage)> {
        self.0.iter().flat_map(|(caller, methods)| methods.iter().map(move |(id, usage)| (&**caller, &**id, usage)))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn entry(&mut self, caller: &str, method_id: &str) -> &mut MethodUsage {
        self.0.entry(caller.into()).or_default().entry(method_id.into()).or_default()
    }

    /// Adds other counts. Those of a new pair of a key and a method are counted as those of [`OTHER`] keys unless there
    /// are fewer than `max_pairs` pairs of a caller and a method.
    pub(super) fn add_all(&mut self, other: &Self, max_pairs: usize) {
        let mut pairs = self.0.values().map(BTreeMap::len).sum::<usize>();
        for (caller, id, usage) in other.iter() {
            let is_known = self.0.get(caller).is_some_and(|methods| methods.contains_key(id));
            let is_kept = is_known || pairs < max_pairs || [ANONYMOUS, USERS].contains(&caller);
            self.entry(if is_kept { caller } else { OTHER }, id).add_all(usage);
            pairs += usize::from(!is_known);
        }
    }

    /// Returns what was counted since `earlier`.
    pub(super) fn since(&self, earlier: &Self) -> Self {
        let mut new = Self::default();
        for (caller, id, usage) in self.iter() {
            let before = earlier.0.get(caller).and_then(|methods| methods.get(id));
            let usage = before.map_or_else(|| usage.clone(), |before| usage.since(before));
            if usage != MethodUsage::default() {
                *new.entry(caller, id) = usage;
            }
        }
        new
    }
}
