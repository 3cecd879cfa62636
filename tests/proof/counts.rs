//! What a proof has looked at, counted.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::AddAssign;

/// How much of each kind a claim has been judged on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Definitions.
    pub definitions: u64,
    /// Methods of them.
    pub methods: u64,
    /// Values of parameters and outputs.
    pub values: u64,
    /// Requests over HTTP.
    pub requests: u64,
    /// How often which status was answered.
    pub statuses: BTreeMap<u16, u64>,
    /// How often something was so that a claim has to meet to say anything.
    pub met: BTreeMap<&'static str, u64>,
}

impl Counts {
    /// Counts the status of an answer.
    pub fn answered(&mut self, status: u16) {
        self.requests += 1;
        *self.statuses.entry(status).or_default() += 1;
    }

    /// Counts that something was so.
    pub fn meet(&mut self, what: &'static str) {
        *self.met.entry(what).or_default() += 1;
    }
}

impl AddAssign<&Counts> for Counts {
    fn add_assign(&mut self, other: &Self) {
        self.definitions += other.definitions;
        self.methods += other.methods;
        self.values += other.values;
        self.requests += other.requests;
        for (status, count) in &other.statuses {
            *self.statuses.entry(*status).or_default() += count;
        }
        for (what, count) in &other.met {
            *self.met.entry(what).or_default() += count;
        }
    }
}

/// One row of the table: without the name of the claim.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { definitions, methods, values, requests, .. } = self;
        write!(f, "{definitions:>11} {methods:>10} {values:>10} {requests:>10}")?;
        let statuses: Vec<_> = self.statuses.iter().map(|(status, count)| format!("{status}: {count}")).collect();
        if !statuses.is_empty() {
            write!(f, "  {}", statuses.join(", "))?;
        }
        let met: Vec<_> = self.met.iter().map(|(what, count)| format!("{what}: {count}")).collect();
        if met.is_empty() { Ok(()) } else { write!(f, "  {}", met.join(", ")) }
    }
}
