//! What kinds of handlers measure, such as the connections to a database. `/metrics` reports it.

/// A number that a kind of handler measures, for `/metrics`.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) is_counter: bool,
    pub(crate) labels: Vec<(&'static str, String)>,
    pub(crate) value: u64,
}

impl Measurement {
    /// Returns a number that can grow and shrink. `name` is the name of the metric without the prefix `rulebook_`, such
    /// as `sql_connections`. `help` describes the metric, in one line without backslashes. Measurements with the same
    /// name have the same text, and differ in their labels.
    #[must_use]
    pub fn gauge(name: &'static str, help: &'static str, value: u64) -> Self {
        Self { name, help, is_counter: false, labels: Vec::new(), value }
    }

    /// Returns a number that only grows, as long as the API is served. The name of its samples ends with `_total`,
    /// which `name` does not contain.
    #[must_use]
    pub fn counter(name: &'static str, help: &'static str, value: u64) -> Self {
        Self { is_counter: true, ..Self::gauge(name, help, value) }
    }

    /// Adds a label. The number of its values must not depend on clients.
    #[must_use]
    pub fn label(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.labels.push((name, value.into()));
        self
    }
}

/// Returns what a kind of handler measures at this moment. It is called for each request of `/metrics`, and must not
/// block.
pub type Measure = Box<dyn Fn() -> Vec<Measurement> + Send + Sync>;
