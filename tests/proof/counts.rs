//! Counts the definitions, values and requests with which a property was checked.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::AddAssign;

/// The numbers of definitions, methods, values and requests with which a property was checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PropertyCounts {
    /// The number of definitions.
    pub definitions: u64,
    /// The number of methods in these definitions.
    pub methods: u64,
    /// The number of values of parameters and outputs.
    pub values: u64,
    /// The number of HTTP requests.
    pub requests: u64,
    /// The number of responses with each status.
    pub statuses: BTreeMap<u16, u64>,
    /// The number of cases of each kind, such as "accepted" and "rejected". If a kind never occurs, the property proves
    /// little.
    pub kinds: BTreeMap<&'static str, u64>,
}

impl PropertyCounts {
    /// Counts a request and the status of its response.
    pub fn add_response(&mut self, status: u16) {
        self.requests += 1;
        *self.statuses.entry(status).or_default() += 1;
    }

    /// Counts a case of this kind.
    pub fn add_kind(&mut self, kind: &'static str) {
        *self.kinds.entry(kind).or_default() += 1;
    }
}

impl AddAssign<&PropertyCounts> for PropertyCounts {
    fn add_assign(&mut self, other: &Self) {
        self.definitions += other.definitions;
        self.methods += other.methods;
        self.values += other.values;
        self.requests += other.requests;
        for (status, count) in &other.statuses {
            *self.statuses.entry(*status).or_default() += count;
        }
        for (kind, count) in &other.kinds {
            *self.kinds.entry(kind).or_default() += count;
        }
    }
}

/// Prints the counts as a row of the table, without the name of the property.
impl fmt::Display for PropertyCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { definitions, methods, values, requests, .. } = self;
        write!(f, "{definitions:>11} {methods:>10} {values:>10} {requests:>10}")?;
        let statuses: Vec<_> = self.statuses.iter().map(|(status, count)| format!("{status}: {count}")).collect();
        if !statuses.is_empty() {
            write!(f, "  {}", statuses.join(", "))?;
        }
        let kinds: Vec<_> = self.kinds.iter().map(|(kind, count)| format!("{kind}: {count}")).collect();
        if kinds.is_empty() { Ok(()) } else { write!(f, "  {}", kinds.join(", ")) }
    }
}
