//! Writes the counts of all workers in the text format of OpenMetrics 1.0, which Prometheus reads.
//!
//! No metrics library is used: its counters would have locks that workers share, and only its text output would be
//! useful.

use std::collections::BTreeMap;
use std::fmt::{Arguments, Display, Write};

use super::ProcessMetric;
use super::exceeded_limits::ExceededLimits;
use super::process::process_metrics;
use super::worker_counters::{BUCKET_SECONDS, ResponseLabels, WorkerCounters};

/// The counts of all workers. The map keys are ids of methods, and names of other kinds of requests.
#[derive(Debug, Clone, Default)]
pub(super) struct TotalCounts(BTreeMap<Box<str>, KindTotal>);

#[derive(Debug, Clone, Default)]
struct KindTotal {
    responses: BTreeMap<ResponseLabels, u64>,
    durations: [u64; BUCKET_SECONDS.len() + 1],
    total_nanoseconds: u64,
}

impl TotalCounts {
    /// Adds the counts of one worker to the totals.
    pub(super) fn add(&mut self, counters: &WorkerCounters) {
        for (id, counts) in counters.counts_by_kind() {
            let total = self.0.entry(id.into()).or_default();
            for (labels, count) in counts.responses {
                *total.responses.entry(labels).or_default() += count;
            }
            total.durations.iter_mut().zip(counts.durations).for_each(|(sum, count)| *sum += count);
            total.total_nanoseconds = total.total_nanoseconds.wrapping_add(counts.total_nanoseconds);
        }
    }
}

/// Returns the counts in the text format of OpenMetrics.
pub(super) fn openmetrics_text(
    totals: &TotalCounts,
    in_flight: u64,
    detached: usize,
    exceeded_limits: &ExceededLimits,
    certificates: &[(String, u64)],
) -> String {
    let mut text = OpenMetricsText(String::new());
    text.begin_metric("rulebook_build", "info", "The version of the server.");
    text.write_sample("rulebook_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    for ProcessMetric { name, metric_type, unit, help, value } in process_metrics() {
        text.begin_metric(name, metric_type, help);
        if !unit.is_empty() {
            text.write_unit(name, unit);
        }
        let sample = if metric_type == "counter" { format!("{name}_total") } else { name.to_owned() };
        let value = if value.is_infinite() { "+Inf".to_owned() } else { value.to_string() };
        text.write_sample(&sample, &[], value);
    }
    text.begin_metric("rulebook_requests_in_flight", "gauge", "Requests in flight.");
    text.write_sample("rulebook_requests_in_flight", &[], in_flight);
    text.begin_metric("rulebook_handlers_detached", "gauge", "Running handlers whose clients have disconnected.");
    text.write_sample("rulebook_handlers_detached", &[], detached);
    let exceeded = "rulebook_connection_limits_exceeded";
    text.begin_metric(exceeded, "counter", "Connections or requests that exceeded a limit of connections, by limit.");
    for (limit, count) in exceeded_limits.counts() {
        text.write_sample(&format!("{exceeded}_total"), &[("limit", limit)], count);
    }
    let expiry = "rulebook_tls_certificate_expiry_timestamp_seconds";
    if !certificates.is_empty() {
        text.begin_metric(expiry, "gauge", "The time until which a TLS certificate is valid, in seconds since 1970.");
        text.write_unit(expiry, "seconds");
    }
    for (file, time) in certificates {
        text.write_sample(expiry, &[("file", file)], time);
    }
    text.begin_metric("rulebook_requests", "counter", "Finished requests, by method, HTTP status and error code.");
    for (id, total) in &totals.0 {
        for (ResponseLabels { status, code, error }, count) in &total.responses {
            let status = status.map_or_else(|| "-".to_owned(), |status| status.to_string());
            let labels = [("method", id.as_ref()), ("status", &status), ("code", code), ("error", error)];
            // An empty label is the same as a label that is absent. Only declared errors have a name.
            let labels = if error.is_empty() { &labels[..3] } else { &labels };
            text.write_sample("rulebook_requests_total", labels, count);
        }
    }
    let durations = "rulebook_request_duration_seconds";
    text.begin_metric(durations, "histogram", "Duration of requests from head to response, by method.");
    text.write_unit(durations, "seconds");
    for (id, total) in &totals.0 {
        let method = ("method", id.as_ref());
        text.write_sample(
            &format!("{durations}_sum"),
            &[method],
            format_args!("{:?}", total.total_nanoseconds as f64 / 1e9),
        );
        text.write_sample(&format!("{durations}_count"), &[method], total.durations.iter().sum::<u64>());
        let bounds = BUCKET_SECONDS.iter().map(|bound| format!("{bound:?}")).chain(["+Inf".to_owned()]);
        let mut count = 0;
        for (bound, in_bucket) in bounds.zip(total.durations) {
            // In OpenMetrics, the count of a bucket includes the counts of all smaller buckets.
            count += in_bucket;
            text.write_sample(&format!("{durations}_bucket"), &[("le", &bound), method], count);
        }
    }
    text.finish()
}

/// A text in the format of OpenMetrics 1.0.
struct OpenMetricsText(String);

impl OpenMetricsText {
    /// Writes the description and the type of a group of metrics. `help` must not contain line breaks or backslashes.
    fn begin_metric(&mut self, name: &str, metric_type: &str, help: &str) {
        self.append(format_args!("# HELP {name} {help}\n# TYPE {name} {metric_type}\n"));
    }

    /// Writes the unit of a group of metrics. The name of the group must end with the unit.
    fn write_unit(&mut self, name: &str, unit: &str) {
        self.append(format_args!("# UNIT {name} {unit}\n"));
    }

    fn write_sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let escape = |value: &str| value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
        let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escape(value))).collect();
        match labels.is_empty() {
            true => self.append(format_args!("{name} {value}\n")),
            false => self.append(format_args!("{name}{{{}}} {value}\n", labels.join(","))),
        }
    }

    fn append(&mut self, text: Arguments<'_>) {
        // Writing to a `String` never fails.
        let _ = self.0.write_fmt(text);
    }

    fn finish(mut self) -> String {
        self.0.push_str("# EOF\n");
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_characters_in_labels_are_escaped() {
        let mut text = OpenMetricsText(String::new());
        text.write_sample("requests_total", &[("method", "a\\b\"c\nd"), ("code", "")], 7);
        assert_eq!(text.0, "requests_total{method=\"a\\\\b\\\"c\\nd\",code=\"\"} 7\n");
    }
}
