//! The metrics of the process on a system that does not provide them: none.

/// A metric of the process.
#[derive(Debug, Clone, Copy)]
pub(super) struct ProcessMetric {
    pub(super) name: &'static str,
    pub(super) metric_type: &'static str,
    pub(super) unit: &'static str,
    pub(super) help: &'static str,
    pub(super) value: f64,
}

/// Returns no metrics.
pub(super) fn process_metrics() -> Vec<ProcessMetric> {
    Vec::new()
}
