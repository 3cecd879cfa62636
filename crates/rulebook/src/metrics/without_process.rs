//! The metrics of the process on a system that does not provide them: none.

use super::ProcessMetric;

/// Returns no metrics.
pub(crate) fn process_metrics() -> Vec<ProcessMetric> {
    Vec::new()
}
